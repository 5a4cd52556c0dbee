using Commerce;
using Commerce.Ordering;
using EventSourcing;
using Functions.EventStore;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Logging;

namespace Functions.Sagas;

/// <summary>
/// What a saga that is run again knows of its earlier runs: how many there were, and, when the last one had turned to
/// compensation, why.
/// </summary>
public sealed record Rerun(
    int Run, DateTimeOffset StartedAt, Refusal? Refusal, IReadOnlyList<SagaDecision> Decisions);

/// <summary>
/// Runs a broken saga again, from its beginning under today's code. What its steps did before answers as a repeat,
/// because commands are named for saga and step; where the repeat would say too little, the streams are asked first.
/// </summary>
/// <remarks>
/// Why that is safe: behind its pivot a saga only goes forward; one that had begun to take things back takes all of it
/// back, whatever it can no longer know of having begun; and of one saga only one orchestration runs, for the task hub
/// gives an id to one at a time.
/// </remarks>
public sealed class Reruns(
    StartSagas starts, SagaStories stories, IEventStore events, TimeProvider clock, ILogger<Reruns> log)
{
    /// <summary>Null when it runs, or had nothing left to do; otherwise why it can not be run again.</summary>
    public async Task<Refusal?> BeginAsync(
        DurableTaskClient sagas, SagaStory broken, SagaDecision decision, CancellationToken cancellation)
    {
        if (await sagas.GetInstanceAsync(broken.Saga, cancellation) is { IsCompleted: false })
            return new("saga-runs", $"The orchestration of {broken.Saga} runs after all.");
        var known = await KnownAsync(broken, cancellation);
        if (known.LastOrDefault(e => StartSagas.Starts(e) && StartSagas.SagaOf(e) == broken.Saga) is not { } asked)
            return new("saga-never-asked-for", $"No event asks for {broken.Saga}: set it right, then resolve.");

        var decided = decision with { Step = "the whole saga", Fault = broken.Fault };
        var again = new Rerun(
            broken.Run + 1, broken.StartedAt, broken.Refusal, [.. broken.Decisions, decided]);
        if (await starts.BeginningAsync(asked, again, cancellation) is not { } beginning)
            return await stories.FinishAsync(broken, EndOf(known), decided, cancellation) ? null : Changed(broken);

        // The story first, for it lets only one operator through. If nothing is scheduled after that, it is found to
        // be broken once more.
        var story = beginning.Story with { Due = clock.GetUtcNow() + SagaStories.FirstSilence };
        if (!await stories.ReopenAsync(broken, story, cancellation)) return Changed(broken);
        await sagas.ScheduleNewOrchestrationInstanceAsync(
            story.Type, InputOf(beginning, known), new StartOrchestrationOptions(story.Saga), cancellation);
        log.LogWarning("Saga {Saga} runs again, for the {Run}. time", story.Saga, story.Run);
        return null;
    }

    public static Refusal Changed(SagaStory story) =>
        new("saga-changed", $"Something has happened to {story.Saga} meanwhile: look again.");

    /// <summary>
    /// An approval is not asked for twice: what was answered stands, and what was not has the time that is left.
    /// </summary>
    object InputOf(Beginning beginning, IReadOnlyList<StoredEvent> known)
    {
        if (beginning.Input is not PlacedOrder { IsConfirmed: false } order) return beginning.Input;
        var told = known.Select(Aggregates.Orders.Codec.Decode).Select(recorded => recorded.Event).ToList();
        if (told.OfType<OrderEvent.Approved>().Any()) return order with { ApproveWithin = null };
        if (told.OfType<OrderEvent.ApprovalRequested>().LastOrDefault() is not { } asked) return order;
        var left = asked.Until - clock.GetUtcNow();
        var isOver = left < TimeSpan.Zero || told.Any(e => e is OrderEvent.Rejected or OrderEvent.ApprovalExpired);
        return order with { ApproveWithin = isOver ? TimeSpan.Zero : left };
    }

    static SagaStatus EndOf(IReadOnlyList<StoredEvent> known) =>
        known.Any(e => e.EventType is "order-cancelled" or "restock-abandoned")
            ? SagaStatus.Compensated
            : SagaStatus.Completed;

    /// <summary>The stream whose event asked for the saga, whole: it is short.</summary>
    async Task<IReadOnlyList<StoredEvent>> KnownAsync(SagaStory story, CancellationToken cancellation)
    {
        if (!StreamId.TryParse(story.Saga, out var saga)) return [];
        var stream = story.Type == nameof(ReturnSaga)
            ? Order.Stream(new OrderId(Guid.ParseExact(saga.Id, "D")))
            : saga;
        return await events.ReadAsync(stream, StreamRange.All, cancellation).ToListAsync(cancellation);
    }
}
