using System.Collections.Concurrent;
using Runtime.Local;

namespace Functions.Tests.Sagas;

/// <summary>One saga with what goes wrong in it, and the operator's answer if it parks.</summary>
sealed record SagaCase(string Name, string Saga, IReadOnlyList<Strike> Strikes, string? Decision = null)
{
    public Guid Id => Guid.Parse(Saga[(Saga.IndexOf('-', StringComparison.Ordinal) + 1)..]);
}

/// <summary>Runs many sagas side by side, each with its own mishaps, and decides about those that park.</summary>
sealed class SagaCases(FaultySystem system, Func<SagaCase, string, Task> byHand)
{
    static readonly ParallelOptions Gently = new() { MaxDegreeOfParallelism = 8 };

    /// <summary>The story of each once it has ended.</summary>
    public async Task<IReadOnlyDictionary<string, ApiAnswer>> RunAsync(
        IReadOnlyList<SagaCase> cases, Func<SagaCase, Task> begin)
    {
        foreach (var @case in cases) system.Strikes.Order(@case.Saga, @case.Strikes);
        await Parallel.ForEachAsync(cases, Gently, async (@case, _) => await begin(@case));

        var stories = new ConcurrentDictionary<string, ApiAnswer>();
        for (var open = cases; open.Count > 0;)
        {
            await system.SettleAsync(open.Select(@case => @case.Saga));
            var parked = new ConcurrentBag<SagaCase>();
            await Parallel.ForEachAsync(open, Gently, async (@case, _) =>
            {
                var story = await RunningSystem.EventuallyAsync(() => system.StoryAsync(@case.Saga), story =>
                    story.Text("status") is "parked" or "completed" or "compensated");
                stories[@case.Saga] = story;
                if (story.Text("status") != "parked") return;
                foreach (var stop in story.Body.GetProperty("parked").EnumerateArray())
                {
                    var step = stop.GetProperty("step").GetString()!;
                    if (@case.Decision == "resolve") await byHand(@case, step);
                    await system.DecideAsync(
                        @case.Saga, @case.Decision ?? "retry", step, stop.GetProperty("stop").GetInt32());
                }

                parked.Add(@case);
            });
            open = [.. parked];
        }

        foreach (var @case in cases.Where(@case => @case.Decision is not null))
            Assert.True(
                stories[@case.Saga].Body.GetProperty("decisions").GetArrayLength() > 0, $"{@case.Name} never parked.");
        return stories;
    }
}
