using System.Diagnostics;
using Microsoft.Extensions.Logging;
using Runtime.Local;
using static Runtime.Local.ApiAnswer;

namespace Benchmarks.Views;

/// <summary>How long after a write a view shows it, and two ways to put a customer's facts together.</summary>
static class Visibility
{
    const int OrdersPerSecond = 50;
    const int Patience = 10;

    public static async Task MeasureAsync(Run run)
    {
        await using var system = await LocalSystem.StartAsync(
            new() { Logging = logging => logging.ClearProviders() }, run.Stop);
        using var http = system.CreateHttpClient();
        var api = new Api(http);
        await Catalogue.SeedAsync(api, run.Stop);
        Demand(await api.PostAsync(
            "/api/products/blue-mug/stock", new { quantity = 10_000 }, "benchmark", run.Stop));
        var orders = (int)(OrdersPerSecond * run.For(10).TotalSeconds);
        await WatchAsync(run, api, orders);
        Run.Say("waiting for the orders to end");
        await QuietAsync(api, orders, run.Stop);
        await AskAsync(run, system, api, orders);
    }

    static async Task WatchAsync(Run run, Api api, int orders)
    {
        Run.Say($"{orders} orders, {OrdersPerSecond} a second");
        using var beat = new PeriodicTimer(TimeSpan.FromSeconds(1.0 / OrdersPerSecond), TimeProvider.System);
        var placed = new List<Task<(TimeSpan Write, TimeSpan Visible)>>();
        while (placed.Count < orders && await beat.WaitForNextTickAsync(run.Stop))
            placed.Add(PlaceAsync(api, run.Stop));
        var took = await Task.WhenAll(placed);
        var table = run.Add($"From write to view, {OrdersPerSecond} orders a second", "What", "Orders", "p50", "p99");
        table.Note = "Visible is from the answer to the write until the order's view shows it, asked once with the "
            + "token of the write and ready to wait. Every saga and every other view runs at the same time.";
        foreach (var (what, times) in new[]
        {
            ("write answered", took.Select(t => t.Write)), ("visible after that", took.Select(t => t.Visible)),
        })
        {
            var sorted = times.Order().ToList();
            table.Row(what, orders, sorted[sorted.Count / 2], sorted[(int)(sorted.Count * 0.99)]);
        }
    }

    static async Task<(TimeSpan Write, TimeSpan Visible)> PlaceAsync(Api api, CancellationToken stop)
    {
        var (order, began) = (Guid.NewGuid(), Stopwatch.GetTimestamp());
        var put = await api.PutAsync(
            $"/api/orders/{order}",
            Catalogue.Order("4242 4242 4242 4242", Catalogue.Address(), ("blue-mug", 1)), stop);
        Demand(put);
        var answered = Stopwatch.GetTimestamp();
        for (var asked = 0; asked < Patience; asked++)
        {
            var view = await api.GetAsync($"/api/orders/{order}", stop, put.Text("consistencyToken"));
            if (view.IsSuccess)
                return (Stopwatch.GetElapsedTime(began, answered), Stopwatch.GetElapsedTime(answered));
        }

        throw new InvalidOperationException($"{order} is not to be seen.");
    }

    static async Task QuietAsync(Api api, int orders, CancellationToken stop)
    {
        for (var asked = 0; asked < 300; asked++)
        {
            var facts = await api.GetAsync($"/api/customers/{Catalogue.Customer}/summary", stop);
            if (facts.Text("orders.orders") == $"{orders}" && facts.Text("orders.pending") == "0") return;
            await Task.Delay(TimeSpan.FromSeconds(1), TimeProvider.System, stop);
        }

        throw new InvalidOperationException("The orders do not come to an end.");
    }

    static async Task AskAsync(Run run, LocalSystem system, Api api, int orders)
    {
        Run.Say("asking for a customer's facts in both ways");
        var table = run.Add(
            "One customer's facts", "How", "Orders", "p50", "p99", "Asked", "RU each");
        table.Note = "The overview reads the customer's stream and counts the orders when asked; the summary reads "
            + "two documents that the feed keeps.";
        foreach (var way in new[] { "overview", "summary" })
        {
            var (asked, before) = (0, Reads(system));
            var (count, p50, p99) = await Measure.LatencyAsync(
                atLeast: 20,
                run.For(3),
                async () =>
                {
                    asked++;
                    Demand(await api.GetAsync($"/api/customers/{Catalogue.Customer}/{way}", run.Stop));
                },
                run.Stop);
            table.Row(way, orders, p50, p99, count, (Reads(system) - before) / asked);
        }
    }

    /// <summary>Only what queries ask for: feeds look for news all the time.</summary>
    static double Reads(LocalSystem system) => system.Cosmos.Ledger.Snapshot().Lines
        .Where(line => line.Key.Operation is Runtime.Cosmos.CosmosOperation.Read or Runtime.Cosmos.CosmosOperation.Query
            && line.Key.Container is "events" or "customers" or "order-list" or "order-statistics")
        .Sum(line => line.Value.Charge);
}
