using EventSourcing;

namespace Benchmarks.Events;

/// <summary>Commands of one small event each, from their decision to the stored answer.</summary>
static class Appends
{
    const int Writers = 16;

    public static async Task MeasureAsync(Run run)
    {
        var table = run.Add(
            "Appends", "Store", "Writers", "Streams", "Appends/s", "p50", "p99", "RU each", "Given up");
        table.Note = "One command appends one event. Two instances share no memory, so they conflict on a hot stream "
            + "and decide again; a command that is given up would be answered with 409.";
        await MeasureAsync(run, table, () => Task.FromResult(Target.InMemory()), seconds: 1);
        await MeasureAsync(run, table, () => Target.CosmosAsync(isDurable: false, run.Stop), seconds: 2.5);
        await MeasureAsync(run, table, () => Target.CosmosAsync(isDurable: true, run.Stop), seconds: 2.5);
    }

    static async Task MeasureAsync(Run run, Table table, Func<Task<Target>> open, double seconds)
    {
        foreach (var (writers, hot, instances) in new[]
        {
            (1, false, 1), (Writers, false, 1), (Writers, true, 1), (Writers, true, 2),
        })
        {
            // A store of its own each time: the one before leaves no garbage and no index behind.
            await using var target = await open();
            var streams = Enumerable.Range(0, hot ? 1 : writers).Select(_ => StreamId.Of("tally", Guid.NewGuid()))
                .ToArray();
            var what = hot ? instances == 1 ? "one hot" : "one hot, two instances" : writers == 1 ? "one" : "own";
            Run.Say($"appends, {target.Name}, {writers} writers, {what}");
            var (rate, charge, busy) = await MeasureAsync(run, target, writers, streams, instances, run.For(seconds));
            table.Row(
                target.Name, writers, what, rate.PerSecond, rate.P50, rate.P99, charge is { } each ? each : "–", busy);
        }
    }

    static async Task<(Rate Rate, double? Charge, long Busy)> MeasureAsync(
        Run run, Target target, int writers, StreamId[] streams, int instances, TimeSpan time)
    {
        var handlers = Enumerable.Range(0, instances).Select(_ => new CommandHandler<Tally, Tally.Count, Tally.Counted>(
            Tally.Aggregate(), target.Store, new(), TimeProvider.System)).ToArray();
        var (sent, busy, before) = (0L, 0L, target.Charged);
        var rate = await Benchmarks.Measure.RateAsync(
            writers,
            time,
            async writer =>
            {
                var number = Interlocked.Increment(ref sent);
                try
                {
                    await handlers[writer % instances].HandleAsync(
                        streams[writer % streams.Length], new(1), Tally.Context($"command-{number}"), run.Stop);
                }
                catch (StreamBusyException)
                {
                    Interlocked.Increment(ref busy);
                }
            },
            run.Stop);
        return (rate, (target.Charged - before) / sent, busy);
    }
}
