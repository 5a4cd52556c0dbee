using System.Collections.Concurrent;
using Functions.Operations;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.DependencyInjection;
using Runtime.Local;
using static System.StringComparison;

namespace Functions.Tests.Sagas;

/// <summary>One saga with what goes wrong in it, and the operator's answer if it parks.</summary>
sealed record SagaCase(string Name, string Saga, IReadOnlyList<Strike> Strikes, string? Decision = null)
{
    public Guid Id => Guid.Parse(Saga[(Saga.IndexOf('-', StringComparison.Ordinal) + 1)..]);
}

/// <summary>
/// Runs many sagas side by side, each with its own mishaps, decides about those that park and runs again what broke.
/// </summary>
sealed class SagaCases(FaultySystem system, Func<SagaCase, string, Task> byHand)
{
    static readonly ParallelOptions Gently = new() { MaxDegreeOfParallelism = 8 };

    /// <summary>Nobody is silent for so long who is not stuck.</summary>
    static readonly TimeSpan Silence = TimeSpan.FromHours(3);

    /// <summary>
    /// The story of each once it has ended; when the clock has to be moved for that, <c>between</c> does.
    /// </summary>
    public async Task<IReadOnlyDictionary<string, ApiAnswer>> RunAsync(
        IReadOnlyList<SagaCase> cases, Func<SagaCase, Task> begin, Action? between = null)
    {
        foreach (var @case in cases) system.Strikes.Order(@case.Saga, @case.Strikes);
        await Parallel.ForEachAsync(cases, Gently, async (@case, _) => await begin(@case));

        var stories = new ConcurrentDictionary<string, ApiAnswer>();
        for (var open = cases; open.Count > 0;)
        {
            await system.SettleAsync(open.Select(@case => @case.Saga), between);
            var parked = new ConcurrentBag<SagaCase>(await RunAgainAsync(open));
            await Parallel.ForEachAsync(open.Except(parked), Gently, async (@case, _) =>
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

    /// <summary>Those whose orchestration died, found by the watch and run again on an operator's word.</summary>
    async Task<IReadOnlyList<SagaCase>> RunAgainAsync(IReadOnlyList<SagaCase> open)
    {
        var client = system.System.Host.Durable.Client;
        var died = new List<SagaCase>();
        foreach (var @case in open.Where(c => c.Strikes.Any(s => $"{s.Mishap}".StartsWith("Breaks", Ordinal))))
        {
            if ((await client.GetInstanceAsync(@case.Saga, default))?.RuntimeStatus
                == OrchestrationRuntimeStatus.Failed
                && (await system.StoryAsync(@case.Saga)).Text("endedAt") is null) died.Add(@case);
        }

        if (died.Count == 0) return died;
        await system.Clock.AdvanceAsync(Silence, default);
        await ActivatorUtilities.CreateInstance<SagaWatch>(system.System.Host.Services).LookAsync(client, default);
        await Parallel.ForEachAsync(died, Gently, async (@case, _) =>
        {
            Assert.Equal((@case.Name, "broken"), (@case.Name, (await system.StoryAsync(@case.Saga)).Text("status")));
            var answer = await system.Admin.PostAsync(
                $"/api/operations/sagas/{@case.Saga}/decision",
                new { action = "retry", by = "operator@example.com", why = "the defect is mended" }, null, default);
            Assert.True((int)answer.Status == 202, $"{@case.Name}: {answer.Status} {answer.Body}");
            Assert.NotEqual("broken", (await system.StoryAsync(@case.Saga)).Text("status"));
        });
        return died;
    }
}
