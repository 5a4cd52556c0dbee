using System.Diagnostics;
using Commerce.Payments;
using Commerce.Restocking;
using Commerce.Shipping;
using Functions.Sagas;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.DependencyInjection;
using Runtime.DurableTask;
using Runtime.Local;

namespace Functions.Tests.Sagas;

/// <summary>
/// The whole system on a virtual clock, its activities failing as ordered, with a shelf of products for many orders.
/// </summary>
public sealed class FaultySystem : IAsyncLifetime
{
    public const int Pairs = 24;

    /// <summary>An order of twenty times what orders are here waits for an approval.</summary>
    public const int ApprovalAbove = 50_00;

    static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    readonly string? folder;
    LocalSystem? system;
    HttpClient? http;
    HttpClient? admin;

    public FaultySystem()
        : this(folder: null)
    {
    }

    internal FaultySystem(string? folder)
    {
        this.folder = folder;
        Strikes = new(Clock);
        Around = Strikes.Around;
    }

    public VirtualClock Clock { get; } = new(new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero))
    {
        AutoAdvance = TimeSpan.FromHours(1),
    };

    public Strikes Strikes { get; }

    public Func<Microsoft.Azure.Functions.Worker.FunctionContext, Func<Task>, Task> Around { get; set; }

    public SimulatedPaymentGateway Gateway { get; } = new();

    public SimulatedCarrier Carrier { get; } = new();

    public SimulatedSuppliers Suppliers { get; } = new();

    public LocalSystem System => system!;

    public Api Api { get; private set; } = null!;

    public Api Admin { get; private set; } = null!;

    public IReadOnlyList<string> Products { get; } =
        [.. Enumerable.Range(0, 2 * Pairs).Select(i => $"matrix-product-{i}")];

    public async Task InitializeAsync()
    {
        await StartAsync();
        await Catalogue.SeedAsync(Api, default);
        await Parallel.ForEachAsync(Products, async (product, stop) =>
        {
            await Api.PutAsync(
                $"/api/products/{product}",
                new { name = "Thing", category = "things", price = new { minorUnits = 1_00, currency = "EUR" } }, stop);
            await Api.PostAsync($"/api/products/{product}/stock", new { quantity = 1_000 }, "opening", stop);
        });
    }

    public async Task StartAsync()
    {
        system = await LocalSystem.StartAsync(
            new()
            {
                Folder = folder,
                Clock = Clock,
                Settings = new Dictionary<string, string>(RunningSystem.Settings())
                {
                    [SagaSettings.ApprovalAbove] = $"{ApprovalAbove}",
                },
                FeedPollDelayMax = TimeSpan.FromMilliseconds(20),
                Around = (context, next) => Around(context, next),
                Replace = services =>
                {
                    services.AddSingleton<IPaymentGateway>(Gateway);
                    services.AddSingleton<ICarrier>(Carrier);
                    services.AddSingleton<ISuppliers>(Suppliers);
                },
            },
            default);
        (http, admin) = (system.CreateHttpClient(), system.CreateHttpClient(LocalSystem.AdminKey));
        (Api, Admin) = (new(http), new(admin));
    }

    /// <summary>Stops as a crash does: what runs is abandoned where it stands.</summary>
    public async Task CrashAsync()
    {
        await System.Host.StopAsync(new(canceled: true));
        await DisposeAsync();
    }

    public async Task DisposeAsync()
    {
        http?.Dispose();
        admin?.Dispose();
        if (system is not null) await system.DisposeAsync();
        system = null;
    }

    /// <summary>
    /// The lines of the order with this number: few orders share a product, so its stream stays quick.
    /// </summary>
    public IReadOnlyList<(string Product, int Quantity)> LinesOf(int number, int times = 1) =>
        [(Products[number % Pairs * 2], times), (Products[number % Pairs * 2 + 1], 2 * times)];

    public async Task PlaceAsync(Guid order, int number, int times = 1)
    {
        var answer = await Api.PutAsync(
            $"/api/orders/{order}",
            Catalogue.Order("4242 4242 4242 4242", Catalogue.Address(), [.. LinesOf(number, times)]),
            default);
        Assert.True(answer.IsSuccess, $"{answer.Status} {answer.Body}");
    }

    /// <summary>Somebody's word about the order of this saga, wherever it stands.</summary>
    public Task AnswerAsync(string saga, string decision) => Api.PostAsync(
        $"/api/orders/{saga["order-".Length..]}/approval", new { decision, reason = "because" }, null, default);

    /// <summary>Until each saga has ended or stands parked; in between something may be done to move time.</summary>
    public Task SettleAsync(IEnumerable<Guid> orders, Action? between = null) =>
        SettleAsync(orders.Select(order => $"order-{order}"), between);

    public async Task SettleAsync(IEnumerable<string> sagas, Action? between = null)
    {
        var waited = Stopwatch.StartNew();
        var open = sagas.ToList();
        while (open.Count > 0)
        {
            Assert.True(waited.Elapsed < Patience, $"{open.Count} sagas neither end nor park, such as {open[0]}");
            if (between is null) await System.Host.Durable.WhenIdleAsync();
            between?.Invoke();
            var left = new List<string>();
            foreach (var id in open)
            {
                var saga = await System.Host.Durable.Client.GetInstanceAsync(
                    id, getInputsAndOutputs: true, default);
                var parked = saga?.SerializedCustomStatus?.Contains("parked at", StringComparison.Ordinal) == true;
                if (saga is null || (!saga.IsCompleted && !parked)) left.Add(id);
            }

            open = left;
            await Task.Yield();
        }
    }

    /// <summary>Decides about one stop of a saga, and waits until the saga has heard.</summary>
    public Task DecideAsync(Guid order, string action, string step, int stop) =>
        DecideAsync($"order-{order}", action, step, stop);

    public async Task DecideAsync(string saga, string action, string step, int stop)
    {
        var answer = await Admin.PostAsync(
            $"/api/operations/sagas/{saga}/decision",
            new { action, by = "operator@example.com", why = "the matrix says so", step },
            null,
            default);
        Assert.True((int)answer.Status == 202, $"{answer.Status} {answer.Body}");
        await RunningSystem.EventuallyAsync(
            () => StoryAsync(saga),
            story => story.Body.GetProperty("parked").EnumerateArray()
                .All(p => p.GetProperty("stop").GetInt32() != stop));
    }

    public Task<ApiAnswer> StoryAsync(Guid order) => StoryAsync($"order-{order}");

    public Task<ApiAnswer> StoryAsync(string saga) => Api.GetAsync($"/api/sagas/{saga}", default);

    public Books Books() => new(Api, Gateway.Ledger, Carrier.Ledger);
}
