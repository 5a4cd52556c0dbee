using System.Diagnostics.Metrics;
using Functions.Projections;
using Functions.Sagas;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Logging;

namespace Functions.Operations;

/// <summary>What one look at the sagas found.</summary>
public sealed record SagaFindings(int Stuck, int Parked, int Broken);

/// <summary>
/// Looks after the sagas. One that has not told more by the time it was due is stuck in a step; one whose
/// orchestration has ended or vanished meanwhile will never tell more, and its story is marked. Orchestrations that are
/// long over are removed; their stories stay.
/// </summary>
public sealed class SagaWatch(
    SagaStories stories, ViewContainer views, SagaSettings settings, TimeProvider clock, ILogger<SagaWatch> log)
{
    public const string MeterName = "Sagas";

    /// <summary>So many are looked at each time; who has more than that has an alert already.</summary>
    public const int SagasMax = 500;

    static readonly TimeSpan PurgeTimeMax = TimeSpan.FromMinutes(2);

    static readonly Meter Meter = new(MeterName);
    static readonly Gauge<int> StuckSagas = Meter.CreateGauge<int>(
        "sagas.stuck", "{saga}", "Sagas that are in one step for longer than it can take, or broken.");
    static readonly Gauge<int> ParkedSagas = Meter.CreateGauge<int>(
        "sagas.parked", "{saga}", "Sagas that wait for an operator's decision.");

    [Function(nameof(WatchSagas))]
    public Task WatchSagas(
        [TimerTrigger("30 */5 * * * *")] TimerInfo timer,
        [DurableClient] DurableTaskClient sagas,
        CancellationToken cancellation) => LookAsync(sagas, cancellation);

    public async Task<SagaFindings> LookAsync(DurableTaskClient sagas, CancellationToken cancellation)
    {
        var (stuck, newlyBroken) = (0, 0);
        foreach (var story in await ListAsync(SagaFilter.Stuck, cancellation))
        {
            var instance = await InstanceAsync(sagas, story, cancellation);
            if (FaultOf(instance) is { } fault)
            {
                if (await BreakAsync(story, fault, cancellation)) newlyBroken++;
                continue;
            }

            log.LogWarning(
                "Saga {Saga} is stuck at {Step} since {Since}",
                story.Saga, instance!.SerializedCustomStatus, instance.LastUpdatedAt);
            stuck++;
        }

        // They wait for a person, so nothing is due of them: but whoever decides should be heard.
        var parked = 0;
        foreach (var story in await ListAsync(SagaFilter.Parked, cancellation))
        {
            var fault = FaultOf(await InstanceAsync(sagas, story, cancellation));
            if (fault is not null && await BreakAsync(story, fault, cancellation)) newlyBroken++;
            else parked++;
        }

        var broken = (await ListAsync(SagaFilter.Broken, cancellation)).Count;
        StuckSagas.Record(stuck + broken);
        ParkedSagas.Record(parked);
        return new(stuck, parked, newlyBroken);
    }

    /// <summary>
    /// By the time they were started, which is what a task hub can filter by. An orchestration that ran for longer
    /// than that goes as soon as it is over: its story says all there is to say, and keeps it from being started again.
    /// </summary>
    [Function(nameof(PurgeSagas))]
    public Task PurgeSagas(
        [TimerTrigger("0 17 * * * *")] TimerInfo timer,
        [DurableClient] DurableTaskClient sagas,
        CancellationToken cancellation) => PurgeAsync(sagas, cancellation);

    public async Task<int> PurgeAsync(DurableTaskClient sagas, CancellationToken cancellation)
    {
        var purged = await sagas.PurgeAllInstancesAsync(
            new PurgeInstancesFilter(
                CreatedTo: clock.GetUtcNow() - settings.Retention,
                Statuses:
                [
                    OrchestrationRuntimeStatus.Completed,
                    OrchestrationRuntimeStatus.Failed,
                    OrchestrationRuntimeStatus.Terminated,
                ])
            {
                Timeout = PurgeTimeMax,
            },
            cancellation);
        if (purged.PurgedInstanceCount > 0)
            log.LogInformation("{Count} finished orchestrations were removed", purged.PurgedInstanceCount);
        return purged.PurgedInstanceCount;
    }

    async Task<IReadOnlyList<SagaStory>> ListAsync(string state, CancellationToken cancellation)
    {
        var query = new SagaFilter(state, null, null, null, TimeSpan.Zero).Query(clock.GetUtcNow(), after: null);
        var found = await views.PageAsync<SagaStory>(SagaStories.Container, query, null, SagasMax, cancellation);
        return [.. found.Select(document => document.View!)];
    }

    static Task<OrchestrationMetadata?> InstanceAsync(
        DurableTaskClient sagas, SagaStory story, CancellationToken cancellation) =>
        sagas.GetInstanceAsync(story.Saga, getInputsAndOutputs: true, cancellation);

    // A saga that tells more in this moment is not broken, and keeps what it told.
    async Task<bool> BreakAsync(SagaStory story, string fault, CancellationToken cancellation)
    {
        if (!await stories.BreakAsync(story, fault, cancellation)) return false;
        log.LogError("Saga {Saga} is broken: {Fault}", story.Saga, fault);
        return true;
    }

    /// <summary>Why no orchestration goes on with a saga that has not ended; null while one does.</summary>
    internal static string? FaultOf(OrchestrationMetadata? instance) => instance switch
    {
        null => "There is no orchestration.",
        { IsCompleted: true, FailureDetails: { } failure } =>
            $"The orchestration is {instance.RuntimeStatus}: {failure.ErrorMessage}",
        { IsCompleted: true } => $"The orchestration is {instance.RuntimeStatus} and has not told the end.",
        _ => null,
    };
}
