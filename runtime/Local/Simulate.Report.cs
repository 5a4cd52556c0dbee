using System.Diagnostics;
using Commerce.Ordering;
using Functions.Projections;

namespace Runtime.Local;

sealed partial class Simulate
{
    const int ViolationsShownMax = 50;
    const int MinutesToRest = 5;
    const int QuietRounds = 10;

    /// <summary>The views whose batches are lost on purpose, and which the books are drawn up from.</summary>
    static readonly View[] Looked =
        [Views.OrderDetails, Views.OrderList, Views.Availability, Views.OrderStatistics];

    /// <summary>
    /// Until no message is under way, then minute by minute, so that the reconciliations bring what the feeds lost.
    /// </summary>
    async Task RestAsync(CancellationToken stop)
    {
        for (var minute = 0; minute < MinutesToRest; minute++)
        {
            await QuietAsync(stop);
            await clock.AdvanceAsync(TimeSpan.FromMinutes(1), stop);
            await Task.WhenAll(Looked.Select(view => Reconciliation.ReconcileAsync(view, stop)));
        }
    }

    async Task QuietAsync(CancellationToken stop)
    {
        for (var (quiet, began) = (0, Stopwatch.StartNew()); quiet < QuietRounds && began.Elapsed < Patience; quiet++)
        {
            if ((await MessagesAsync()).Waiting > 0) quiet = 0;
            clock.Advance(Round);
            await Task.Delay(Round, TimeProvider.System, stop);
        }
    }

    /// <summary>
    /// What the saga's story says unless it has ended. One whose orchestration died of an outage is left to an
    /// operator, who looks at the books and closes it.
    /// </summary>
    async Task<string?> StoryAsync(Placed order, CancellationToken stop)
    {
        var story = await Api.GetAsync($"/api/sagas/order-{order.Id}", stop);
        if (story.Text("status") == "broken")
        {
            await DecideAsync(order, "resolve", stop);
            story = await Api.GetAsync($"/api/sagas/order-{order.Id}", stop);
        }

        return story.Text("endedAt") is null ? story.Text("status") ?? "nothing" : null;
    }

    void Tell(string what) => Console.WriteLine($"{since.Elapsed.TotalSeconds,6:0.0} s  {what}");

    async Task<int> ReportAsync(List<Placed> orders, CancellationToken stop)
    {
        Tell("at rest, drawing up the books");
        var books = new Books(Api, gateway.Ledger, carrier.Ledger);
        foreach (var violation in await books.OpenAsync(Enumerable.Range(0, Products).Select(i => $"sim-{i}"), stop))
            violations.Add(violation);
        await Parallel.ForEachAsync(orders, Parallelism(stop), async (order, _) =>
        {
            foreach (var violation in await books.CheckAsync(order.Id, order.Lines, stop)) violations.Add(violation);
            if (order.Workflow == Order.Orchestration && await StoryAsync(order, stop) is { } status)
                violations.Add(new(order.Id, Book.Order, $"its saga's story says {status}"));
        });

        var customers = Enumerable.Range(0, Customers).Select(CustomerOf);
        foreach (var violation in await books.CheckTotalsAsync(customers, stop)) violations.Add(violation);
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
            + $"again with: simulate {plan}");
        return violations.IsEmpty ? 0 : 1;
    }
}
