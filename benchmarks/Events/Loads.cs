using EventSourcing;

namespace Benchmarks.Events;

/// <summary>How long it takes to know a stream's state when nothing is remembered, by the stream's length.</summary>
static class Loads
{
    static readonly SnapshotPolicy EveryHundred = new(100, "1");

    public static async Task MeasureAsync(Run run)
    {
        var table = run.Add("Loads", "Store", "Events", "Snapshots", "p50", "p99", "Loads", "RU each");
        table.Note = "Every 100 events a snapshot, the last one as far back as it can be: 99 events follow it.";
        foreach (var open in new Func<Task<Target>>[]
        {
            () => Task.FromResult(Target.InMemory()), () => Target.CosmosAsync(isDurable: false, run.Stop),
        })
        {
            await using var target = await open();
            foreach (var length in new long[] { 10, 1_000, 10_000, 100_000 })
            {
                if (run.IsQuick && length > 1_000) continue;
                await MeasureAsync(run, table, target, length);
            }
        }
    }

    static async Task MeasureAsync(Run run, Table table, Target target, long length)
    {
        var stream = StreamId.Of("tally", Guid.NewGuid());
        Run.Say($"loads, {target.Name}, {length} events");
        await Filling.WriteAsync(target.Store, stream, length, length - 99, EveryHundred, run.Stop);
        foreach (var snapshots in new[] { null, EveryHundred })
        {
            var handler = new CommandHandler<Tally, Tally.Count, Tally.Counted>(
                Tally.Aggregate(snapshots), target.Store, new(entriesMax: 0), TimeProvider.System);
            var (before, loads) = (target.Charged, 0);
            var (count, p50, p99) = await Benchmarks.Measure.LatencyAsync(
                atLeast: length < 100_000 ? 3 : 1,
                run.For(1),
                async () =>
                {
                    loads++;
                    var loaded = await handler.LoadAsync(stream, StreamRange.All, run.Stop);
                    if (loaded.State != new Tally(length, length))
                        throw new InvalidOperationException($"{stream} was folded to {loaded.State}.");
                },
                run.Stop);
            object charge = (target.Charged - before) / loads is { } each ? each : "–";
            table.Row(target.Name, length, snapshots is null ? "none" : "every 100", p50, p99, count, charge);
        }
    }
}
