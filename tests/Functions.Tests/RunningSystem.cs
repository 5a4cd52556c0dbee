using System.Diagnostics;
using Commerce.Payments;
using Commerce.Shipping;
using Microsoft.Extensions.DependencyInjection;
using Runtime.DurableTask;
using Runtime.Local;
using Runtime.Worker;

namespace Functions.Tests;

/// <summary>
/// The whole system in memory, its catalogue seeded, on a virtual clock: the pauses of retries pass at once when
/// nothing else is to be done, the change feed comes when it comes.
/// </summary>
public sealed class RunningSystem : IAsyncLifetime
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    LocalSystem? system;
    HttpClient? http;
    HttpClient? admin;

    public VirtualClock Clock { get; } = new(new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero))
    {
        AutoAdvance = TimeSpan.FromHours(1),
    };

    public SimulatedPaymentGateway Gateway { get; } = new();

    public SimulatedCarrier Carrier { get; } = new();

    public LocalSystem System => system!;

    public Api Api { get; private set; } = null!;

    public Api Admin { get; private set; } = null!;

    public HttpClient Http => http!;

    public HttpClient AdminHttp => admin!;

    public async Task InitializeAsync()
    {
        system = await LocalSystem.StartAsync(
            new()
            {
                Clock = Clock,
                FeedPollDelayMax = TimeSpan.FromMilliseconds(20),
                Settings = Settings(),
                Replace = services =>
                {
                    services.AddSingleton<IPaymentGateway>(Gateway);
                    services.AddSingleton<ICarrier>(Carrier);
                    services.AddSingleton(new Functions.Choreography.Patience(TimeSpan.Zero, TimeSpan.Zero));
                },
            },
            CancellationToken.None);
        http = system.CreateHttpClient();
        admin = system.CreateHttpClient(LocalSystem.AdminKey);
        (Api, Admin) = (new(http), new(admin));
        await Catalogue.SeedAsync(Api, CancellationToken.None);
    }

    // On a clock that leaps to whatever is due next, a timer that comes round every minute would run without end.
    // Tests call what it calls.
    public static Dictionary<string, string> Settings() =>
        new(LocalSettings.Read(Path.Combine(AppContext.BaseDirectory, "local.settings.sample.json")))
        {
            ["AzureWebJobs.ReconcileViews.Disabled"] = "true",
            ["AzureWebJobs.ReconcileSagas.Disabled"] = "true",
            ["AzureWebJobs.ReconcileOutbox.Disabled"] = "true",
            ["AzureWebJobs.CancelOverdueOrders.Disabled"] = "true",
            ["AzureWebJobs.WatchOwedAnswers.Disabled"] = "true",
            ["AzureWebJobs.ContinueRebuilds.Disabled"] = "true",
            ["AzureWebJobs.PurgeSagas.Disabled"] = "true",
            ["AzureWebJobs.WatchSagas.Disabled"] = "true",
            ["AzureWebJobs.WatchArchives.Disabled"] = "true",
        };

    public async Task DisposeAsync()
    {
        http?.Dispose();
        admin?.Dispose();
        if (system is not null) await system.DisposeAsync();
    }

    /// <summary>A product of its own with so many pieces in stock.</summary>
    public async Task<string> ProductAsync(int stock, int price = 10_00)
    {
        var product = $"product-{Guid.NewGuid():N}";
        await AcceptedAsync(Api.PutAsync(
            $"/api/products/{product}",
            new { name = "Thing", category = "things", price = new { minorUnits = price, currency = "EUR" } },
            CancellationToken.None));
        await AcceptedAsync(Api.PostAsync(
            $"/api/products/{product}/stock", new { quantity = stock }, "opening", CancellationToken.None));
        return product;
    }

    public async Task<Guid> PlaceAsync(object body)
    {
        var order = Guid.NewGuid();
        await AcceptedAsync(Api.PutAsync($"/api/orders/{order}", body, CancellationToken.None));
        return order;
    }

    /// <summary>The saga's story once it has ended or parked.</summary>
    public Task<ApiAnswer> SettledAsync(Guid order) => EventuallyAsync(
        () => Api.GetAsync($"/api/sagas/order-{order}", CancellationToken.None),
        saga => saga.Text("status") is "completed" or "compensated" or "parked");

    /// <summary>Asks until the answer is as it should become; no pause, for every question is a round trip.</summary>
    public static async Task<T> EventuallyAsync<T>(Func<Task<T>> ask, Func<T, bool> isThere)
    {
        var asked = Stopwatch.StartNew();
        while (true)
        {
            var answer = await ask();
            if (isThere(answer)) return answer;
            if (asked.Elapsed > Patience) throw new TimeoutException($"Still after {Patience}: {answer}");
            await Task.Yield();
        }
    }

    public async Task<IReadOnlyList<string>> EventTypesAsync(string stream) =>
        [.. (await Api.EventsAsync(stream, CancellationToken.None)).Select(
            e => e.GetProperty("eventType").GetString()!)];

    static async Task AcceptedAsync(Task<ApiAnswer> sent)
    {
        var answer = await sent;
        Assert.True(answer.IsSuccess, $"{answer.Status} {answer.Body}");
    }
}

/// <summary>The classes that share one running system; each test has streams of its own.</summary>
[CollectionDefinition(nameof(RunningSystem))]
public sealed class RunningSystemCollection : ICollectionFixture<RunningSystem>;
