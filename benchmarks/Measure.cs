using System.Diagnostics;

namespace Benchmarks;

/// <summary>How often something was done in a second, and how long one took.</summary>
sealed record Rate(long Count, double PerSecond, TimeSpan P50, TimeSpan P99);

/// <summary>How many items a second one core gets through, and the memory one of them takes on the way.</summary>
sealed record Speed(double Median, double Best, double BytesEach);

/// <summary>Repeats things and takes the time.</summary>
static class Measure
{
    /// <summary>So many workers repeat the work, each with its number, until the time is up.</summary>
    public static async Task<Rate> RateAsync(int workers, TimeSpan time, Func<int, Task> work, CancellationToken stop)
    {
        // A first part that does not count: code is compiled, connections are made.
        await LoopAsync(workers, time / 4, work, stop);
        var (took, elapsed) = await LoopAsync(workers, time, work, stop);
        return new(took.Count, took.Count / elapsed.TotalSeconds, Percentile(took, 0.5), Percentile(took, 0.99));
    }

    /// <summary>Repeats the work until the time is up, at least so often.</summary>
    public static async Task<(int Count, TimeSpan P50, TimeSpan P99)> LatencyAsync(
        int atLeast, TimeSpan time, Func<Task> work, CancellationToken stop)
    {
        await work();
        var took = new List<long>();
        for (var started = Stopwatch.GetTimestamp();
            took.Count < atLeast || Stopwatch.GetElapsedTime(started) < time;)
        {
            stop.ThrowIfCancellationRequested();
            var began = Stopwatch.GetTimestamp();
            await work();
            took.Add(Stopwatch.GetTimestamp() - began);
        }

        took.Sort();
        return (took.Count, Percentile(took, 0.5), Percentile(took, 0.99));
    }

    /// <summary>One thread does a round of so many items again and again, until the time is up.</summary>
    public static Speed SpeedOf(int items, TimeSpan time, Action round, CancellationToken stop)
    {
        for (var began = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(began) < time / 2;) round();
        var rates = new List<double>();
        var allocated = GC.GetAllocatedBytesForCurrentThread();
        for (var began = Stopwatch.GetTimestamp(); rates.Count < 3 || Stopwatch.GetElapsedTime(began) < time;)
        {
            stop.ThrowIfCancellationRequested();
            var start = Stopwatch.GetTimestamp();
            round();
            rates.Add(items / Stopwatch.GetElapsedTime(start).TotalSeconds);
        }

        var bytes = (double)(GC.GetAllocatedBytesForCurrentThread() - allocated) / rates.Count / items;
        rates.Sort();
        return new(rates[rates.Count / 2], rates[^1], bytes);
    }

    static async Task<(List<long> Took, TimeSpan Elapsed)> LoopAsync(
        int workers, TimeSpan time, Func<int, Task> work, CancellationToken stop)
    {
        var began = Stopwatch.GetTimestamp();
        var each = await Task.WhenAll(Enumerable.Range(0, workers).Select(worker => Task.Run(
            async () =>
            {
                var took = new List<long>();
                while (took.Count == 0 || Stopwatch.GetElapsedTime(began) < time)
                {
                    stop.ThrowIfCancellationRequested();
                    var start = Stopwatch.GetTimestamp();
                    await work(worker);
                    took.Add(Stopwatch.GetTimestamp() - start);
                }

                return took;
            },
            stop)));
        var elapsed = Stopwatch.GetElapsedTime(began);
        List<long> all = [.. each.SelectMany(took => took)];
        all.Sort();
        return (all, elapsed);
    }

    static TimeSpan Percentile(List<long> sorted, double share) =>
        Stopwatch.GetElapsedTime(0, sorted[(int)Math.Min(sorted.Count * share, sorted.Count - 1)]);
}
