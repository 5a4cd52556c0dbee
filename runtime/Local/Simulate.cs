using System.Collections.Concurrent;
using System.Diagnostics;
using Commerce.Ordering;
using Commerce.Payments;
using Commerce.Shipping;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Runtime.Cosmos;
using Runtime.DurableTask;
using static Runtime.Local.ApiAnswer;

namespace Runtime.Local;

/// <summary>How many orders, which ones, who leads them, and whether things go wrong meanwhile.</summary>
sealed record SimulationPlan(int Orders = 1000, int Seed = 1, bool Faults = true, string Workflow = "both")
{
    public const int OrdersMax = 1_000_000;

    /// <summary>What an order's <c>workflow</c> may be; both takes turns, wave by wave.</summary>
    public static readonly string[] Workflows = [Order.Orchestration, Order.Choreography, "both"];

    public override string ToString() =>
        $"--orders {Orders} --seed {Seed} --faults {(Faults ? "all" : "none")} --workflow {Workflow}";
}

/// <summary>
/// Runs seeded orders through the whole system on its files while activities, the store and deliveries fail and the
/// process dies and comes back, then draws up the books. Time is virtual: pauses pass when nothing else is to be done.
/// </summary>
sealed partial class Simulate : IAsyncDisposable
{
    const int Products = 60;
    const int Customers = 40;
    const int WaveOrdersMax = 1_250;
    const int RequestsMax = 16;
    const int AsksMax = 200;
    const int AskedMax = 50;
    const int LeapsToReconcile = 3;

    /// <summary>The next wave does not wait for the last eighth of one, which waits for outages to end.</summary>
    const int StragglersPerWave = 8;

    /// <summary>A wave that makes no progress for so long is a violation too.</summary>
    static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    static readonly TimeSpan QuietAfter = TimeSpan.FromMilliseconds(500);
    static readonly TimeSpan Round = TimeSpan.FromMilliseconds(50);

    // Each leap lets the timers of the functions fire as well, and those read a lot.
    static readonly TimeSpan Leap = TimeSpan.FromSeconds(1);
    static readonly TimeSpan LongLeap = TimeSpan.FromMinutes(1);
    static readonly TimeSpan Step = TimeSpan.FromMilliseconds(500);
    static readonly TimeSpan TellEvery = TimeSpan.FromSeconds(5);

    /// <summary>Of twenty cards five are declined, answer late or never, or fail to pay.</summary>
    static readonly string[] Cards =
    [
        "4000 0000 0000 0127", "4000 0000 0000 0341", "4000 0000 0000 0002", "4000 0000 0000 9995",
        "4000 0000 0000 0119", .. Enumerable.Repeat("4242 4242 4242 4242", 15),
    ];

    sealed record Placed(
        Guid Id, string Workflow, object Body, IReadOnlyList<(string Product, int Quantity)> Lines);

    /// <summary>Orders that are in flight together, all of one workflow.</summary>
    sealed record Wave(string Workflow, IReadOnlyList<Placed> Orders);

    readonly SimulationPlan plan;
    readonly Random random;
    readonly string folder = Directory.CreateTempSubdirectory("simulation-").FullName;
    readonly VirtualClock clock = new(new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero))
    {
        AutoAdvance = TimeSpan.FromHours(1),
    };

    readonly SimulatedPaymentGateway gateway = new();
    readonly SimulatedCarrier carrier = new();
    readonly SeededFaults faults;
    readonly Stopwatch since = Stopwatch.StartNew();
    readonly ConcurrentBag<Violation> violations = [];

    LocalSystem? system;
    HttpClient? http;
    HttpClient? admin;
    TaskCompletionSource up = new(TaskCreationOptions.RunContinuationsAsynchronously);
    int placed;
    int crashes;
    int decisions;
    int ended;
    long actions;

    Simulate(SimulationPlan plan)
    {
        this.plan = plan;
        random = new(plan.Seed);
        faults = new(plan.Seed, clock);
    }

    public static async Task<int> RunAsync(SimulationPlan plan, CancellationToken stop)
    {
        await using var simulation = new Simulate(plan);
        return await simulation.RunAsync(stop);
    }

    async Task<int> RunAsync(CancellationToken stop)
    {
        Console.WriteLine(plan);
        await StartAsync(stop);
        await StockAsync(stop);
        using var over = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var waves = Waves().ToList();
        var (running, waking) = (RunAsync(waves, over.Token), WakeAsync(over.Token));
        try
        {
            // If time stood still, everything would wait for it for ever.
            await await Task.WhenAny(running, waking);
        }
        finally
        {
            await over.CancelAsync();
        }

        await waking;
        await RestAsync(stop);
        return await ReportAsync([.. waves.SelectMany(wave => wave.Orders)], stop);
    }

    async Task RunAsync(List<Wave> waves, CancellationToken stop)
    {
        var open = waves.Select(wave => wave.Workflow).Distinct().ToDictionary(flow => flow, _ => new List<Placed>());
        foreach (var wave in waves)
        {
            LetTimePass(wave.Workflow);
            Fail(plan.Faults);
            var crashing = plan.Faults
                ? CrashAfterAsync(placed + random.Next(wave.Orders.Count), stop) : Task.CompletedTask;
            await Parallel.ForEachAsync(
                wave.Orders, Parallelism(stop), async (order, _) => await PlaceAsync(order, stop));
            await crashing;
            if (plan.Faults) await CrashAsync(stop);
            open[wave.Workflow] = await SettleAsync(
                [.. open[wave.Workflow], .. wave.Orders], wave.Orders.Count / StragglersPerWave, stop);
        }

        // Every outage ends; what it has left behind has to end by itself.
        Fail(false);
        foreach (var (workflow, left) in open)
        {
            LetTimePass(workflow);
            await SettleAsync(left, 0, stop);
        }
    }

    /// <summary>Nobody's timers lead a choreography; what it waits for, messages, takes real time.</summary>
    void LetTimePass(string workflow) =>
        clock.AutoAdvance = workflow == Order.Orchestration ? TimeSpan.FromHours(1) : TimeSpan.Zero;

    IEnumerable<Wave> Waves()
    {
        var turns = plan.Workflow == "both" ? [Order.Orchestration, Order.Choreography] : new[] { plan.Workflow };
        var size = Math.Clamp((plan.Orders + turns.Length - 1) / turns.Length, 1, WaveOrdersMax);
        for (var (turn, left) = (0, plan.Orders); left > 0; turn++, left -= size)
        {
            var workflow = turns[turn % turns.Length];
            yield return new(
                workflow, [.. Enumerable.Range(0, Math.Min(size, left)).Select(_ => Draw(workflow))]);
        }
    }

    /// <summary>
    /// Lets time pass for activities that hang and requests that are delayed: for them it does not pass by itself.
    /// </summary>
    async Task WakeAsync(CancellationToken over)
    {
        while (!over.IsCancellationRequested)
        {
            clock.Advance(faults.IsAnyoneHanging ? Leap : Step);
            await Task.Delay(Round, TimeProvider.System, over)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    async Task StartAsync(CancellationToken stop)
    {
        system = await LocalSystem.StartAsync(
            new()
            {
                Folder = folder,
                Clock = clock,
                Settings = new Dictionary<string, string>(LocalSystem.ReadSettings())
                {
                    // On a clock that leaps these would come round without end: the simulation calls what they call.
                    ["AzureWebJobs.ReconcileViews.Disabled"] = "true",
                    ["AzureWebJobs.ContinueRebuilds.Disabled"] = "true",
                },
                FeedPollDelayMax = TimeSpan.FromMilliseconds(50),
                FaultSeed = plan.Seed + crashes,
                Around = faults.Around,
                Logging = logging => logging.ClearProviders(),
                Replace = services =>
                {
                    // The world outside does not crash with us, and does not know our virtual time.
                    services.AddSingleton<IPaymentGateway>(gateway);
                    services.AddSingleton<ICarrier>(carrier);
                },
            },
            stop);
        (http, admin) = (system.CreateHttpClient(), system.CreateHttpClient(LocalSystem.AdminKey));
        up.SetResult();
    }

    /// <summary>Crashes in the midst of the requests, once so many orders are placed.</summary>
    async Task CrashAfterAsync(int orders, CancellationToken stop)
    {
        while (Volatile.Read(ref placed) < orders) await Task.Delay(Round, TimeProvider.System, stop);
        await CrashAsync(stop);
    }

    /// <summary>The process dies: what runs is abandoned where it stands, and only the files remain.</summary>
    async Task CrashAsync(CancellationToken stop)
    {
        crashes++;
        up = new(TaskCreationOptions.RunContinuationsAsynchronously);
        Fail(false);
        actions += system!.Host.Durable.Counters.Actions;
        try
        {
            await system.Host.StopAsync(new(canceled: true));
            await StopAsync();
            await StartAsync(stop);
        }
        catch (Exception fault)
        {
            // Who waits for it to come up again should hear that it does not.
            up.TrySetException(fault);
            throw;
        }

        Fail(true);
    }

    void Fail(bool on)
    {
        faults.On = on;
        system!.Cosmos.Faults.Clear();
        system.Broker.Faults.Clear();
        if (!on) return;
        CosmosFault Rare(CosmosFaultKind kind) => new(kind) { Probability = 0.003 };
        system.Cosmos.Faults.Add(Rare(CosmosFaultKind.TooManyRequests));
        system.Cosmos.Faults.Add(Rare(CosmosFaultKind.ServiceUnavailable));
        system.Cosmos.Faults.Add(Rare(CosmosFaultKind.RequestTimeout));
        system.Cosmos.Faults.Add(Rare(CosmosFaultKind.AnswerLost));
        system.Cosmos.Faults.Add(Rare(CosmosFaultKind.Delay));
        var bus = system.Broker.Faults;
        (bus.SendFailures, bus.LostAcknowledgements, bus.LockLosses) = (0.003, 0.003, 0.003);
        (bus.Duplicates, bus.Reorders, bus.Delays) = (0.02, 0.05, 0.005);
        bus.DelayMax = TimeSpan.FromMilliseconds(200);
    }

    async Task StockAsync(CancellationToken stop)
    {
        await Catalogue.SeedAsync(Api, stop);
        await Parallel.ForEachAsync(Enumerable.Range(0, Customers), Parallelism(stop), async (i, _) =>
            Demand(await Api.PutAsync(
                $"/api/customers/{CustomerOf(i)}",
                new
                {
                    name = $"Customer {i}",
                    email = $"customer-{i}@example.com",
                    address = Catalogue.Address(),
                    creditLimit = new { minorUnits = 5_000_00, currency = "EUR" },
                },
                stop)));
        var pieces = 1 + plan.Orders * 5 / Products;
        await Parallel.ForEachAsync(Enumerable.Range(0, Products), Parallelism(stop), async (i, _) =>
        {
            Demand(await Api.PutAsync(
                $"/api/products/sim-{i}",
                new { name = "Thing", category = "things", price = new { minorUnits = 1_00, currency = "EUR" } },
                stop));

            // Every fifth product runs out on the way.
            Demand(await Api.PostAsync(
                $"/api/products/sim-{i}/stock",
                new { quantity = Math.Clamp(i % 5 == 0 ? pieces / 4 : pieces, 1, 10_000) }, "opening", stop));
        });
    }

    Placed Draw(string workflow)
    {
        var id = new byte[16];
        random.NextBytes(id);
        var first = random.Next(Products);
        List<(string Product, int Quantity)> lines =
        [
            ($"sim-{first}", random.Next(1, 3)),
            ($"sim-{(first + random.Next(1, Products)) % Products}", random.Next(1, 4)),
        ];
        var shipTo = Catalogue.Address(
            random.Next(40) switch { 0 => "00000", 1 => "00001", _ => "10115" }, random.Next(40) == 0 ? "AQ" : "DE");
        var body = new
        {
            workflow,
            customerId = CustomerOf(random.Next(Customers)),
            lines = lines.Select(line => new { productId = line.Product, quantity = line.Quantity }),
            shipTo,
            payment = new { card = Cards[random.Next(Cards.Length)] },
        };
        return new(new(id), workflow, body, lines);
    }

    static Guid CustomerOf(int number) => new(number, 0, 0x4000, 0x80, 0, 0, 0, 0, 0, 0, 0);

    /// <summary>Like any client that wants its order: asks again until there is an answer.</summary>
    async Task PlaceAsync(Placed order, CancellationToken stop)
    {
        ApiAnswer? answer = null;
        for (var ask = 0; ask < AsksMax && answer is not { IsSuccess: true }; ask++)
        {
            try
            {
                answer = await Api.PutAsync($"/api/orders/{order.Id}", order.Body, stop);
            }
            catch (Exception e) when (
                e is HttpRequestException or ObjectDisposedException or OperationCanceledException)
            {
                // The process died under the request. Whether the order was taken only a repeat can tell.
                stop.ThrowIfCancellationRequested();
                await up.Task.WaitAsync(stop);
            }
        }

        if (answer is not { IsSuccess: true })
            violations.Add(new(order.Id, Book.Order, $"was never accepted: {answer?.Status} {answer?.Text("code")}"));
        Interlocked.Increment(ref placed);
    }

    Api Api => new(http!);

    static ParallelOptions Parallelism(CancellationToken stop) =>
        new() { MaxDegreeOfParallelism = RequestsMax, CancellationToken = stop };

    async Task StopAsync()
    {
        http?.Dispose();
        admin?.Dispose();
        if (system is not null) await system.DisposeAsync();
        system = null;
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        Directory.Delete(folder, recursive: true);
    }
}
