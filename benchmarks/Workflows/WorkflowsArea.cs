using System.Globalization;
using Runtime.Cosmos;

namespace Benchmarks.Workflows;

/// <summary>The same orders carried out by an orchestrator and by events alone, and ways to read one.</summary>
static class WorkflowsArea
{
    const int OrdersPerSecond = 50;

    public static async Task MeasureAsync(Run run)
    {
        var latency = run.Add(
            $"One order, {OrdersPerSecond} begun a second",
            "Workflow", "Orders", "Confirmed p50", "Confirmed p99", "Paid p50", "Paid p99", "Backlog");
        latency.Note = "From the order's first event to its confirmation and to the capture of its money, by the "
            + "events' own times. The backlog is how long the last order took after the last one was begun.";
        var costs = run.Add(
            "What one order costs",
            "Workflow", "Events", "Event store RU", "Own bookkeeping RU", "Views RU", "Feeds RU",
            "Messages sent", "Messages heard", "Durable actions");
        costs.Note = "Two lines, one gateway and one carrier, all goes well. Bookkeeping is the outbox's marks for "
            + "both and the saga's story for the orchestration. Both are told to others through the outbox.";
        var reads = run.Add("Reading one order", "How", "p50", "p99", "RU each");
        reads.Note = "The view is one document kept up to date by the feed; a composition reads streams and puts "
            + "them together when asked.";

        foreach (var workflow in (string[])["orchestration", "choreography"])
        {
            await using var shop = await Shop.OpenAsync(workflow, run.Stop);
            var orders = (int)(OrdersPerSecond * run.For(10).TotalSeconds);
            Run.Say($"{orders} orders by {workflow}");
            await shop.CarryOutAsync(5, OrdersPerSecond, run.Stop);
            var done = await shop.CarryOutAsync(orders, OrdersPerSecond, run.Stop);
            latency.Row(
                workflow, orders, done.Percentile(o => o.Confirmed, 0.5), done.Percentile(o => o.Confirmed, 0.99),
                done.Percentile(o => o.Paid, 0.5), done.Percentile(o => o.Paid, 0.99), done.Backlog);
            var each = (double)orders;
            costs.Row(
                workflow, done.Events / each, done.Charge("events") / each,
                (done.Charge("outbox") + done.Charge("sagas")) / each,
                done.ViewsCharge / each, done.FeedsCharge / each,
                done.Sent / each, done.Heard / each, done.Actions / each);
            if (workflow == "choreography") await ReadAsync(run, shop, done.Orders[0], reads);
        }
    }

    static async Task ReadAsync(Run run, Shop shop, Guid order, Table reads)
    {
        foreach (var (how, path) in ((string, string)[])
            [("one view", ""), ("composed of three streams", "/history"), ("composed of all it led to", "/process")])
        {
            Run.Say(how);
            var before = shop.System.Cosmos.Ledger.Snapshot();
            var (count, p50, p99) = await Measure.LatencyAsync(
                20, run.For(2), () => shop.GetAsync($"/api/orders/{order}{path}", run.Stop), run.Stop);
            var charge = (shop.System.Cosmos.Ledger.Snapshot() - before).Lines
                .Where(line => line.Key.Operation is CosmosOperation.Read or CosmosOperation.Query)
                .Sum(line => line.Value.Charge);
            reads.Row(how, p50, p99, (charge / (count + 1)).ToString("0.0", CultureInfo.InvariantCulture));
        }
    }
}
