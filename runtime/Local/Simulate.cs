using System.Collections.Concurrent;
using System.Diagnostics;
using Commerce.Payments;
using Commerce.Shipping;
using Functions.Projections;
using Microsoft.Azure.Cosmos;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Runtime.Cosmos;
using Runtime.DurableTask;

namespace Runtime.Local;

/// <summary>How many orders, which ones, and whether things go wrong meanwhile.</summary>
sealed record SimulationPlan(int Orders = 1000, int Seed = 1, bool Faults = true)
{
    public const int OrdersMax = 1_000_000;
}

/// <summary>
/// Runs seeded orders through the whole system on its files while activities, the store and deliveries fail and the
/// process dies and comes back, then draws up the books. Time is virtual: pauses pass when nothing else is to be done.
/// </summary>
sealed class Simulate : IAsyncDisposable
{
    const int Products = 60;
    const int WaveOrdersMax = 2_500;
    const int RequestsMax = 16;
    const int AsksMax = 200;
    const int ViolationsShownMax = 50;
    const int MinutesToRest = 10;

    /// <summary>A wave that makes no progress for so long is a violation too.</summary>
    static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    static readonly TimeSpan Round = TimeSpan.FromMilliseconds(50);
    static readonly TimeSpan TellEvery = TimeSpan.FromSeconds(5);

    static readonly string[] Cards =
    [
        "4242 4242 4242 4242", "4242 4242 4242 4242", "4242 4242 4242 4242", "4242 4242 4242 4242",
        "4242 4242 4242 4242", "4000 0000 0000 0127", "4000 0000 0000 0341", "4000 0000 0000 0002",
        "4000 0000 0000 9995", "4000 0000 0000 0119",
    ];

    sealed record Placed(Guid Id, object Body, IReadOnlyList<(string Product, int Quantity)> Lines);

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
        Console.WriteLine($"{plan.Orders} orders, seed {plan.Seed}, faults {(plan.Faults ? "all" : "none")}");
        await StartAsync(stop);
        await StockAsync(stop);
        using var over = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var waking = WakeAsync(over.Token);
        var orders = Enumerable.Range(0, plan.Orders).Select(_ => Draw()).ToList();
        foreach (var wave in orders.Chunk(WaveOrdersMax))
        {
            Fail(plan.Faults);
            var crashing = plan.Faults ? CrashAfterAsync(placed + random.Next(wave.Length), stop) : Task.CompletedTask;
            await Parallel.ForEachAsync(wave, Parallelism(stop), async (order, _) => await PlaceAsync(order, stop));
            await crashing;
            if (plan.Faults) await CrashAsync(stop);
            await SettleAsync(wave, stop);
        }

        Fail(false);
        await over.CancelAsync();
        await waking;
        return await ReportAsync(orders, stop);
    }

    /// <summary>
    /// Lets time pass for activities that hang and requests that are delayed: they count as busy, so it does not pass
    /// by itself.
    /// </summary>
    async Task WakeAsync(CancellationToken over)
    {
        while (!over.IsCancellationRequested)
        {
            clock.Advance(faults.IsAnyoneHanging ? TimeSpan.FromSeconds(16) : Round);
            await Task.Delay(Round, TimeProvider.System, over).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    async Task StartAsync(CancellationToken stop)
    {
        system = await LocalSystem.StartAsync(
            new()
            {
                Folder = folder,
                Clock = clock,
                FeedPollDelayMax = TimeSpan.FromMilliseconds(50),
                FaultSeed = plan.Seed + crashes,
                Around = faults.Around,
                Logging = logging => logging.ClearProviders(),
                Replace = services =>
                {
                    // The world outside does not crash with us, and does not know our virtual time.
                    services.AddSingleton<IPaymentGateway>(gateway);
                    services.AddSingleton<ICarrier>(carrier);
                    services.AddSingleton(
                        p => new ViewContainer(p.GetRequiredService<Database>(), TimeProvider.System));
                    services.AddSingleton(
                        p => ActivatorUtilities.CreateInstance<ProjectionRunner>(p, TimeProvider.System));
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
        await system.Host.StopAsync(new(canceled: true));
        await StopAsync();
        await StartAsync(stop);
        Fail(true);
    }

    void Fail(bool on)
    {
        faults.On = on;
        system!.Cosmos.Faults.Clear();
        if (!on) return;
        CosmosFault Rare(CosmosFaultKind kind) => new(kind) { Probability = 0.003 };
        system.Cosmos.Faults.Add(Rare(CosmosFaultKind.TooManyRequests));
        system.Cosmos.Faults.Add(Rare(CosmosFaultKind.ServiceUnavailable));
        system.Cosmos.Faults.Add(Rare(CosmosFaultKind.RequestTimeout));
        system.Cosmos.Faults.Add(Rare(CosmosFaultKind.AnswerLost));
        system.Cosmos.Faults.Add(Rare(CosmosFaultKind.Delay));
    }

    async Task StockAsync(CancellationToken stop)
    {
        await Catalogue.SeedAsync(Api, stop);
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

    Placed Draw()
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
            random.Next(20) switch { 0 => "00000", 1 => "00001", _ => "10115" }, random.Next(20) == 0 ? "AQ" : "DE");
        return new(new(id), Catalogue.Order(Cards[random.Next(Cards.Length)], shipTo, [.. lines]), lines);
    }

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

    /// <summary>Waits for every saga's end, and decides "retry" for those that park.</summary>
    async Task SettleAsync(IReadOnlyList<Placed> wave, CancellationToken stop)
    {
        var (open, progress, told) = (wave.ToList(), Stopwatch.StartNew(), Stopwatch.StartNew());
        while (open.Count > 0)
        {
            var left = new List<Placed>();
            foreach (var order in open)
            {
                var saga = await system!.Host.Durable.Client.GetInstanceAsync(
                    $"order-{order.Id}", getInputsAndOutputs: true, stop);
                if (saga?.SerializedCustomStatus?.Contains("parked at", StringComparison.Ordinal) == true)
                    await DecideAsync(order, stop);
                if (saga is not { IsCompleted: true }) left.Add(order);
            }

            ended += open.Count - left.Count;
            if (left.Count < open.Count) progress.Restart();
            open = left;
            if (progress.Elapsed > Patience)
            {
                foreach (var order in open) violations.Add(new(order.Id, Book.Order, "its saga does not end"));
                return;
            }

            if (open.Count == 0 || told.Elapsed > TellEvery)
            {
                told.Restart();
                Console.WriteLine(
                    $"{since.Elapsed.TotalSeconds,6:0.0} s  {ended} of {plan.Orders} orders ended, {crashes} crashes, "
                    + $"{decisions} decisions about parked sagas");
            }

            // To look at every open saga is work itself: not more than a small part of the time.
            if (open.Count > 0) await Task.Delay(open.Count > 100 ? 10 * Round : Round, TimeProvider.System, stop);
        }
    }

    async Task DecideAsync(Placed order, CancellationToken stop)
    {
        var answer = await new Api(admin!).PostAsync(
            $"/api/operations/sagas/order-{order.Id}/decision",
            new { action = "retry", by = "simulation", why = "try again" }, null, stop);
        if (answer.IsSuccess) decisions++;
    }

    async Task<int> ReportAsync(List<Placed> orders, CancellationToken stop)
    {
        // Minute by minute, so that the reconciliation brings what the feeds have lost.
        for (var minute = 0; minute < MinutesToRest; minute++) await clock.AdvanceAsync(TimeSpan.FromMinutes(1), stop);
        Console.WriteLine($"{since.Elapsed.TotalSeconds,6:0.0} s  at rest, drawing up the books");
        var books = new Books(Api, gateway.Ledger, carrier.Ledger);
        foreach (var violation in await books.OpenAsync(Enumerable.Range(0, Products).Select(i => $"sim-{i}"), stop))
            violations.Add(violation);
        await Parallel.ForEachAsync(orders, Parallelism(stop), async (order, _) =>
        {
            foreach (var violation in await books.CheckAsync(order.Id, order.Lines, stop)) violations.Add(violation);
            var story = await Api.GetAsync($"/api/sagas/order-{order.Id}", stop);
            if (story.Text("status") is not ("completed" or "compensated"))
                violations.Add(new(order.Id, Book.Order, $"its saga's story says {story.Text("status") ?? "nothing"}"));
        });

        foreach (var violation in await books.CheckTotalsAsync(Catalogue.Customer, stop)) violations.Add(violation);
        var ledgers = orders.Select(order => gateway.Ledger(new(order.Id))).ToList();
        var parcels = orders.Select(order => carrier.Ledger(new(order.Id))).ToList();
        actions += system!.Host.Durable.Counters.Actions;
        var ends = books.Ends.Values.GroupBy(end => end).Select(g => $"{g.Key} {g.Count()}");
        var struck = faults.Struck.Select(f => $"{f.Key} {f.Value}").Append($"crash {crashes}");
        Console.WriteLine($"Orders     {string.Join(", ", ends)}");
        Console.WriteLine(
            $"Money      authorized {ledgers.Sum(l => l.Authorized)} = captured {ledgers.Sum(l => l.Captured)} "
            + $"+ voided {ledgers.Sum(l => l.Voided)} minor units");
        Console.WriteLine($"Parcels    booked {parcels.Sum(p => p.Booked)}, cancelled {parcels.Sum(p => p.Cancelled)}");
        Console.WriteLine($"Parked     {decisions} decisions sent");
        Console.WriteLine($"Faults     {string.Join(", ", struck)}");
        Console.WriteLine($"Durable    {(double)actions / orders.Count:0.0} actions an order");
        foreach (var violation in violations.Take(ViolationsShownMax))
            Console.WriteLine($"VIOLATION  order {violation.Order}: {violation.Book}: {violation.What}");
        Console.WriteLine(
            $"{violations.Count} violations in {since.Elapsed.TotalSeconds:0} s; "
            + $"again with: simulate --orders {plan.Orders} --seed {plan.Seed} "
            + $"--faults {(plan.Faults ? "all" : "none")}");
        return violations.IsEmpty ? 0 : 1;
    }

    Api Api => new(http!);

    static ParallelOptions Parallelism(CancellationToken stop) =>
        new() { MaxDegreeOfParallelism = RequestsMax, CancellationToken = stop };

    static void Demand(ApiAnswer answer)
    {
        if (!answer.IsSuccess)
            throw new InvalidOperationException($"The simulation's stock was refused: {answer.Status} {answer.Body}");
    }

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
