using System.Reflection;
using Commerce;
using Commerce.Customers;
using Commerce.Inventory;
using Commerce.Ordering;
using EventSourcing;
using EventSourcing.Tests;
using Functions.EventStore;
using Functions.Operations;
using Functions.Projections;
using Functions.Queries;
using Functions.Sagas;
using Functions.Storage;
using Functions.UserActivity;
using Microsoft.Azure.Cosmos;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.DependencyInjection;
using Runtime.Local;

namespace Functions.Tests.Views;

/// <summary>
/// Every function that answers a GET is named here: as a list, which then keeps what lists promise, or as none.
/// </summary>
public sealed class EveryListTests : IAsyncLifetime
{
    const int PageMax = 100;

    static readonly CustomerId Ada = new(Guid.Parse("22222222-2222-2222-2222-222222222222"));
    static readonly DateTimeOffset Noon = new(2030, 1, 1, 12, 0, 0, TimeSpan.Zero);

    /// <summary>One thing each, or as many as there are of something that does not grow by being used.</summary>
    static readonly string[] NoLists =
    [
        "GetActivityExport", "GetAlsoBought", "GetBackup", "GetCorrelation", "GetCustomer", "GetCustomerOverview",
        "GetCustomerStatistics", "GetCustomerSummary", "GetDailyStatistics", "GetDeadLetterMessage", "GetDeadLetters",
        "GetDelivery", "GetHealth", "GetOrder", "GetOrderHistory", "GetOrderProcess", "GetProduct",
        "GetProductStatistics", "GetProjections", "GetRebuild", "GetRecentlyViewed", "GetRestock", "GetSaga",
        "GetSagaDetail", "GetSchema", "GetSchemas", "GetStock", "GetTrending",
    ];

    /// <summary>
    /// Where a list is asked for and under which other filter, what its rows are called and how they are told apart.
    /// </summary>
    sealed record Asked(string Path, string Other, string Rows, string Id, int Max = PageMax);

    static readonly Dictionary<string, Asked> Lists = new()
    {
        [nameof(ProductQueries.GetProducts)] = new("products?search=mug", "products?search=pot", "products", "product"),
        [nameof(OrderQueries.GetOrders)] = new($"orders?customerId={Ada}", "orders?status=pending", "orders", "order"),
        [nameof(ActivityQueries.GetActivity)] = new(
            $"customers/{Ada}/activity?", $"customers/{Ada}/activity?action=viewed", "activity", "id"),
        [nameof(SagaLists.GetSagas)] = new(
            "operations/sagas?type=OrderSaga", "operations/sagas?type=ReturnSaga", "sagas", "saga"),
        [nameof(ProjectionOperations.GetParked)] = new(
            "operations/parked?projection=order-list", "operations/parked?projection=products", "parked", "stream"),
        [nameof(DeadLetters.GetDeadLetterMessages)] = new(
            "operations/deadletters/messages?entity=order-events/customers",
            "operations/deadletters/messages?entity=order-events/payments", "messages", "sequence"),
        [nameof(Streams.GetStream)] = new(
            $"streams/stock-mug?", "streams/stock-mug?direction=backwards", "events", "sequence", Max: 500),
        [nameof(Archives.GetArchives)] = new(
            "operations/archives?", "operations/archives?under=2030/01", "archives", "archive"),
    };

    readonly ListedBlobs blobs = new();
    readonly Random random = new(7);
    QuietSystem system = null!;
    HttpClient http = null!;
    Api admin = null!;
    int told;

    public static TheoryData<string> EveryList => [.. Lists.Keys];

    public async Task InitializeAsync()
    {
        system = await QuietSystem.StartAsync(seed: 1, services => services.AddSingleton(blobs.Storage()));
        http = system.Local.CreateHttpClient(LocalSystem.AdminKey);
        admin = new(http);
    }

    public async Task DisposeAsync()
    {
        http.Dispose();
        await system.DisposeAsync();
    }

    [Fact]
    public void Every_function_that_answers_a_GET_is_a_list_told_here_or_said_to_be_none()
    {
        var functions = typeof(Program).Assembly.GetTypes().SelectMany(type => type.GetMethods())
            .Where(method => method.GetParameters().Any(p => p.GetCustomAttribute<HttpTriggerAttribute>() is { } http
                && http.Methods!.Contains("get", StringComparer.OrdinalIgnoreCase)))
            .Select(method => method.GetCustomAttribute<FunctionAttribute>()!.Name);
        Assert.Equal(NoLists.Concat(Lists.Keys).Order(StringComparer.Ordinal), functions.Order(StringComparer.Ordinal));
    }

    [Theory, MemberData(nameof(EveryList))]
    public async Task What_is_inserted_between_two_pages_neither_repeats_nor_hides_a_row(string list)
    {
        for (var i = 0; i < 7; i++) await InsertAsync(list);
        var (before, _) = await PageAsync(list, $"limit={PageMax}");
        Assert.Equal(7, before.Count);

        var (seen, place) = (new List<string>(), (string?)null);
        for (var page = 0; page == 0 || place is not null; page++)
        {
            (var rows, place) = await PageAsync(list, $"limit=2{(place is null ? "" : $"&continuation={place}")}");
            Assert.InRange(rows.Count, 0, 2);
            seen.AddRange(rows);
            if (page < 3) for (var i = 0; i < 3; i++) await InsertAsync(list);
        }

        Assert.Equal(seen.Distinct(), seen);
        Assert.Empty(before.Except(seen));
    }

    [Theory, MemberData(nameof(EveryList))]
    public async Task A_page_has_bounds(string list)
    {
        await InsertAsync(list);
        foreach (var limit in (string[])["0", "-1", $"{Lists[list].Max + 1}", "all", "1.5"])
            Assert.Equal((limit, 400, "invalid-limit"), await RefusedAsync(limit, Lists[list].Path, $"limit={limit}"));
        await PageAsync(list, $"limit={Lists[list].Max}");
    }

    [Theory, MemberData(nameof(EveryList))]
    public async Task A_place_that_was_changed_or_is_of_another_list_is_refused(string list)
    {
        for (var i = 0; i < 3; i++) await InsertAsync(list);
        var place = (await PageAsync(list, "limit=1")).Continuation!;
        Assert.Single((await PageAsync(list, $"limit=1&continuation={place}")).Rows);

        var forged = new List<string> { place[..^4], place[..8], "2", "MjAzMA==", place + "AAAA" };
        for (var at = 0; at < place.Length - 1; at += 1 + random.Next(9))
            forged.Add($"{place[..at]}{(place[at] == 'A' ? 'B' : 'A')}{place[(at + 1)..]}");
        foreach (var one in forged)
            Assert.Equal(
                (one, 400, "invalid-continuation"),
                await RefusedAsync(one, Lists[list].Path, $"limit=1&continuation={Uri.EscapeDataString(one)}"));
        Assert.Equal(
            ("other", 400, "invalid-continuation"),
            await RefusedAsync("other", Lists[list].Other, $"limit=1&continuation={place}"));
    }

    async Task<(List<string> Rows, string? Continuation)> PageAsync(string list, string query)
    {
        var asked = Lists[list];
        var page = await admin.GetAsync($"/api/{asked.Path}&{query}", default);
        Assert.True(page.IsSuccess, $"{asked.Path}&{query}: {page}");
        return (
            [.. page.Body.GetProperty(asked.Rows).EnumerateArray().Select(row => row.GetProperty(asked.Id).ToString())],
            page.Text("continuation"));
    }

    async Task<(string What, int Status, string? Code)> RefusedAsync(string what, string path, string query)
    {
        var answer = await admin.GetAsync($"/api/{path}&{query}", default);
        return (what, (int)answer.Status, answer.Text("code"));
    }

    /// <summary>A row anywhere in the list's order, also where another stands already.</summary>
    Task InsertAsync(string list)
    {
        var (id, at) = (Id(), Noon - TimeSpan.FromMinutes(random.Next(5)));
        return list switch
        {
            nameof(ProductQueries.GetProducts) => PutAsync<SearchedProduct>(
                Functions.Projections.Views.ProductSearch.Container, $"{id}", $"{id}", new(
                    new(new($"{id}"), "Mug", "kitchen", new(1, Currency.EUR), ["mug"]), null, false)),
            nameof(OrderQueries.GetOrders) => PutAsync<OrderSummary>(
                Functions.Projections.Views.OrderList.Container, $"{id}", $"{Ada}", new(
                    new(id), Ada, OrderStatus.Pending, new(1, Currency.EUR), 1, at)),
            nameof(ActivityQueries.GetActivity) => system.Get<ActivityLog>().AppendAsync(
                new(id, Customer.Stream(Ada).ToString(), ActivityAction.Viewed, ["mug"], null, at, at, null), default),
            nameof(SagaLists.GetSagas) => system.Get<SagaStories>().OpenAsync(
                new($"order-{id}", "OrderSaga", "2", $"order-{id}", "test", at - TimeSpan.FromDays(1)), default),
            nameof(ProjectionOperations.GetParked) => system.Get<Parking>().ParkAsync(
                "order-list", $"order-{id}", 1, "unreadable", default),
            nameof(DeadLetters.GetDeadLetterMessages) => BuryAsync(id),
            nameof(Streams.GetStream) => AppendAsync(),
            nameof(Archives.GetArchives) => Task.Run(() => blobs.Add(new ArchiveId(
                at + TimeSpan.FromSeconds(random.Next(10_000))).BlobName)),
            _ => throw new InvalidOperationException($"Nothing is known to be in {list}."),
        };
    }

    Task PutAsync<TView>(string container, string id, string partition, TView view)
        where TView : class => system.Get<Database>().GetContainer(container).PutAsync(
            new ViewDocument<TView> { Id = id, Pk = partition, View = view }, partition, default);

    async Task BuryAsync(Guid id)
    {
        var bus = system.Local.Broker.CreateServiceBusClient();
        await using var sender = bus.CreateSender("order-events");
        await sender.SendMessageAsync(
            new("{}") { MessageId = $"{id}", SessionId = $"s-{id}", Subject = "stock-refused.v1" });
        await using var session = await bus.AcceptSessionAsync("order-events", "customers", $"s-{id}");
        await session.DeadLetterMessageAsync((await session.ReceiveMessageAsync())!, "poison", "because");
    }

    async Task AppendAsync()
    {
        var stream = Stock.Stream(new("mug"));
        var stored = SampleEvent.Of(
            $"{stream}", told + 1, "stock-received", new { quantity = 1, receipt = $"receipt-{told}" }, $"c-{told}");
        var appended = await system.Get<IEventStore>().AppendAsync(stream, told++, [stored], null, default);
        Assert.Equal(AppendResult.Appended, appended);
    }

    Guid Id()
    {
        var bytes = new byte[16];
        random.NextBytes(bytes);
        return new(bytes);
    }
}
