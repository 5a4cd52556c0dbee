using Commerce.Ordering;
using Functions.Choreography;
using Microsoft.Extensions.DependencyInjection;
using Runtime.Local;

namespace Functions.Tests.Choreography;

/// <summary>
/// Everything any context hears on every way an order can go, going wrong in every way. Nobody lists the steps: they
/// are what contexts are seen to hear, so a new one is in the matrix from its first day.
/// </summary>
public sealed class ChoreographyMatrix(ChoreographedSystem system) : IClassFixture<ChoreographedSystem>
{
    /// <summary>A way an order goes, by what its customer asks for.</summary>
    sealed record Way(string Name, string End, string Card = Wanted.Good, string Country = "DE", int Times = 1)
    {
        public bool HasCredit { get; init; } = true;
    }

    sealed record Case(Way Way, IReadOnlyList<Strike> Strikes)
    {
        public Guid Order { get; } = Guid.NewGuid();

        public string Name => $"{Way.Name}: {string.Join(", ", Strikes)}";
    }

    static readonly Way[] Ways =
    [
        new("all goes well", "order-confirmed"),
        new("no credit", "order-cancelled") { HasCredit = false },
        new("no stock", "order-cancelled", Times: 2_000),
        new("no money", "order-cancelled", Card: "4000 0000 0000 0002"),
        new("no carrier", "order-cancelled", Country: "AQ"),
    ];

    [Fact]
    public async Task Every_step_of_every_way_that_goes_wrong_once_leaves_the_end_as_it_was()
    {
        var (rich, poor) = await CustomersAsync();
        var seen = await SeenAsync(rich, poor);
        Assert.Equal(9, seen[Ways[0]].Count);
        Mishap[] once =
            [Mishap.FaultsBeforeEffect, Mishap.FaultsAfterEffect, Mishap.Twice, Mishap.TwiceAtOnce];
        var cases = Ways.SelectMany(way => seen[way].SelectMany(step => once.Select(mishap =>
            new Case(way, [new(step, mishap, 1)])))).ToList();

        // And everything twice at once, all the way.
        cases.AddRange(Ways.Select(way => new Case(
            way, [.. seen[way].Select(step => new Strike(step, Mishap.TwiceAtOnce, 1))])));
        Assert.InRange(cases.Count, 100, 300);

        await RunAsync(cases, rich, poor);

        await BalancedAsync(cases);
        Assert.Equal(0, await system.RedriveAsync());
        await EndedAsync(cases, @case => @case.Way.End);
    }

    [Fact]
    public async Task Every_step_of_every_way_that_never_works_ends_with_the_watcher_and_the_dead_letters()
    {
        var (rich, poor) = await CustomersAsync();
        var seen = await SeenAsync(rich, poor);
        var cases = Ways.SelectMany(way => seen[way].SelectMany(step =>
            new[] { Mishap.FaultsBeforeEffect, Mishap.FaultsAfterEffect }.Select(mishap =>
                new Case(way, [new(step, mishap, ChoreographedSystem.Always)])))).ToList();

        await RunAsync(cases, rich, poor);

        // Nobody leads these orders; what stays pending is stopped, what lies with the dead letters comes late.
        system.Calm();
        system.Clock.Advance(Order.PendingMax * 2);
        await system.System.Host.Services.GetRequiredService<OverdueOrders>().CancelAsync(default);
        await system.QuietAsync();
        Assert.InRange(await system.RedriveAsync(), cases.Count, 2 * cases.Count);
        await system.QuietAsync();

        await BalancedAsync(cases);
        Assert.Equal(0, await system.RedriveAsync());

        // A step whose effect was there all the time held nobody up; before the confirmation the others were stopped.
        await EndedAsync(
            cases.Where(c => c.Strikes[0].Mishap == Mishap.FaultsAfterEffect || c.Way != Ways[0]),
            @case => @case.Way.End);
    }

    [Fact]
    public async Task Every_step_before_the_confirmation_that_a_cancellation_overtakes_comes_too_late_to_matter()
    {
        var (rich, poor) = await CustomersAsync();
        var seen = await SeenAsync(rich, poor);
        string[] behind = ["order-confirmed.v1", "payment-captured.v1"];
        var cases = Ways.SelectMany(way => seen[way].Where(step => !behind.Contains(step.Split(' ')[^1]))
            .Select(step => new Case(way, [new(step, Mishap.Overtaken, 1)]))).ToList();
        Assert.True(cases.Count > 15, $"Only {cases.Count} steps.");

        await RunAsync(cases, rich, poor);

        await BalancedAsync(cases);
        Assert.Equal(0, await system.RedriveAsync());
        await EndedAsync(cases, _ => "order-cancelled");
    }

    [Fact]
    public async Task A_process_that_dies_in_any_step_takes_every_order_up_where_it_stood()
    {
        var folder = Directory.CreateTempSubdirectory("choreography-").FullName;
        var mortal = new ChoreographedSystem(folder);
        try
        {
            await mortal.InitializeAsync();
            var (rich, poor) = await CustomersAsync();
            var seen = await SeenAsync(rich, poor);
            var cases = seen.SelectMany(way => way.Value.SelectMany(step =>
                new[] { Mishap.DiesBeforeEffect, Mishap.DiesAfterEffect }.Select(mishap =>
                    new Case(way.Key, [new(step, mishap, 1)])))).ToList();
            foreach (var (number, @case) in cases.Index())
            {
                // Who hangs holds his session, and what happens to one customer is one session.
                var customer = await Wanted.CustomerAsync(mortal.Api, @case.Way.HasCredit ? 1_000_000_00 : 1);
                await mortal.PlaceAsync(
                    @case.Order, @case.Way.Card, Catalogue.Address(country: @case.Way.Country), customer,
                    [.. mortal.LinesOf(number).Select(line => (line.Product, line.Quantity * @case.Way.Times))],
                    @case.Strikes);
            }

            await Task.WhenAll(cases.Select(c => mortal.DyingAsync(c.Order))).WaitAsync(TimeSpan.FromMinutes(3));

            await mortal.CrashAsync();
            mortal.Calm();
            await mortal.StartAsync();
            await mortal.QuietAsync();

            await BalancedAsync(cases, mortal);
            await EndedAsync(cases, @case => @case.Way.End, mortal);
        }
        finally
        {
            await mortal.DisposeAsync();
            Directory.Delete(folder, recursive: true);
        }
    }

    async Task<(Guid Rich, Guid Poor)> CustomersAsync() =>
        (await Wanted.CustomerAsync(system.Api, 1_000_000_00), await Wanted.CustomerAsync(system.Api, 1));

    async Task<Dictionary<Way, IReadOnlyList<string>>> SeenAsync(Guid rich, Guid poor, params Way[] ways)
    {
        var cases = (ways.Length > 0 ? ways : Ways).Select(way => new Case(way, [])).ToList();
        await RunAsync(cases, rich, poor);
        await EndedAsync(cases, @case => @case.Way.End);
        return cases.ToDictionary(c => c.Way, c => system.StepsOf(c.Order));
    }

    async Task RunAsync(IReadOnlyList<Case> cases, Guid rich, Guid poor)
    {
        var gently = new ParallelOptions { MaxDegreeOfParallelism = 8 };
        await Parallel.ForEachAsync(cases.Index(), gently, async (item, _) =>
        {
            var (number, @case) = item;
            await system.PlaceAsync(
                @case.Order,
                @case.Way.Card,
                Catalogue.Address(country: @case.Way.Country),
                @case.Way.HasCredit ? rich : poor,
                LinesOf(@case.Way, number),
                @case.Strikes);
        });
        await system.QuietAsync();
    }

    IReadOnlyList<(string Product, int Quantity)> LinesOf(Way way, int number) =>
        [.. system.LinesOf(number).Select(line => (line.Product, line.Quantity * way.Times))];

    async Task BalancedAsync(IReadOnlyList<Case> cases, ChoreographedSystem? of = null)
    {
        var books = (of ?? system).Books();
        var wrong = (await books.OpenAsync((of ?? system).Products, default)).Select(v => $"{v}").ToList();
        foreach (var (number, @case) in cases.Index())
        {
            var violations = await books.CheckAsync(@case.Order, LinesOf(@case.Way, number), default);
            wrong.AddRange(violations.Select(violation => $"{@case.Name}: {violation.Book}: {violation.What}"));
        }

        var queues = string.Join(", ", (await (of ?? system).System.Broker.CountAsync())
            .Where(queue => queue.Active + queue.Scheduled + queue.DeadLettered > 0));
        Assert.True(
            wrong.Count == 0,
            $"{wrong.Count} violations in {cases.Count} cases, {queues}:\n{string.Join('\n', wrong.Take(30))}");
    }

    async Task EndedAsync(IEnumerable<Case> cases, Func<Case, string> end, ChoreographedSystem? of = null)
    {
        foreach (var @case in cases)
        {
            var events = await (of ?? system).Api.EventsAsync($"order-{@case.Order}", default);
            Assert.Equal(
                (@case.Name, end(@case)), (@case.Name, events[^1].GetProperty("eventType").GetString()));
        }
    }
}
