using DurableTask.Core;
using DurableTask.Core.History;

namespace Runtime.DurableTask;

/// <summary>Tells a recorded history in the SDK's words.</summary>
static class PublicHistory
{
    // Events that are no task have no id of their own.
    const int NoId = -1;

    internal static IList<HistoryEvent> Of(InstanceRecord record, IReadOnlyList<HistoryTurn> turns)
    {
        var fireAt = turns.SelectMany(turn => turn.Entries)
            .OfType<HistoryEntry.TimerSet>()
            .ToDictionary(timer => timer.Task, timer => timer.FireAt);
        var history = new List<HistoryEvent>();
        foreach (var turn in turns)
        {
            var from = history.Count;
            history.Add(new OrchestratorStartedEvent(NoId));
            history.AddRange(turn.Entries.Select(entry => Of(entry, record, fireAt)));
            history.Add(new OrchestratorCompletedEvent(NoId));
            history[from..].ForEach(told => told.Timestamp = turn.At);
        }

        return history;
    }

    static HistoryEvent Of(HistoryEntry entry, InstanceRecord record, Dictionary<int, DateTime> fireAt) => entry switch
    {
        HistoryEntry.Started => new ExecutionStartedEvent(NoId, record.Input)
        {
            Name = record.Name,
            Version = record.Version,
            Tags = record.Tags?.ToDictionary(),
            ScheduledStartTime = record.StartAt,
        },
        HistoryEntry.ActivityCalled e => new TaskScheduledEvent(e.Task, e.Name, e.Version, e.Input) { Tags = e.Tags },
        HistoryEntry.ActivityCompleted e => new TaskCompletedEvent(NoId, e.Task, e.Result),
        HistoryEntry.ActivityFailed e =>
            new TaskFailedEvent(NoId, e.Task, e.Failure.Message, e.Failure.StackTrace, Of(e.Failure)),
        HistoryEntry.TimerSet e => new TimerCreatedEvent(e.Task, e.FireAt),
        HistoryEntry.TimerFired e => new TimerFiredEvent(NoId, fireAt[e.Task]) { TimerId = e.Task },
        HistoryEntry.ChildCalled e => new SubOrchestrationInstanceCreatedEvent(e.Task)
        {
            InstanceId = e.InstanceId,
            Name = e.Name,
            Version = e.Version,
            Input = e.Input,
            Tags = e.Tags,
        },
        HistoryEntry.ChildCompleted e => new SubOrchestrationInstanceCompletedEvent(NoId, e.Task, e.Result),
        HistoryEntry.ChildFailed e => new SubOrchestrationInstanceFailedEvent(
            NoId, e.Task, e.Failure.Message, e.Failure.StackTrace, Of(e.Failure)),
        HistoryEntry.EventRaised e => new EventRaisedEvent(NoId, e.Payload) { Name = e.Name },
        HistoryEntry.EventSent e =>
            new EventSentEvent(e.Task) { InstanceId = e.InstanceId, Name = e.Name, Input = e.Payload },
        HistoryEntry.Suspended e => new ExecutionSuspendedEvent(NoId, e.Reason),
        HistoryEntry.Resumed e => new ExecutionResumedEvent(NoId, e.Reason),
        HistoryEntry.Terminated e => new ExecutionTerminatedEvent(NoId, e.Output),
        HistoryEntry.Ended e => new ExecutionCompletedEvent(
            NoId, e.Output, (OrchestrationStatus)e.Status, e.Failure is { } failure ? Of(failure) : null),
        _ => throw new System.Diagnostics.UnreachableException(entry.ToString()),
    };

    static FailureDetails Of(Failure failure) => new(
        failure.ErrorType,
        failure.Message,
        failure.StackTrace,
        failure.Inner is { } inner ? Of(inner) : null,
        Failure.IsFinal(failure.ToDetails()));
}
