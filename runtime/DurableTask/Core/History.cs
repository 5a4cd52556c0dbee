// The public form of a recorded history, as GetOrchestrationHistoryAsync answers it: the types of DurableTask.Core.
// The engine records its own, leaner events (Engine/History.cs) and translates on request.
namespace DurableTask.Core
{
    /// <summary>The status with which an execution ended.</summary>
    public enum OrchestrationStatus
    {
        Running,
        Completed,
        ContinuedAsNew,
        Failed,
        Canceled,
        Terminated,
        Pending,
        Suspended,
    }

    /// <summary>An error as the history holds it.</summary>
    public class FailureDetails(
        string errorType, string errorMessage, string? stackTrace, FailureDetails? innerFailure, bool isNonRetriable)
    {
        public string ErrorType { get; } = errorType;

        public string ErrorMessage { get; } = errorMessage;

        public string? StackTrace { get; } = stackTrace;

        public FailureDetails? InnerFailure { get; } = innerFailure;

        public bool IsNonRetriable { get; } = isNonRetriable;

        public override string ToString() => $"{ErrorType}: {ErrorMessage}";
    }
}

namespace DurableTask.Core.History
{
    /// <summary>What a history event tells.</summary>
    public enum EventType
    {
        ExecutionStarted,
        ExecutionCompleted,
        ExecutionFailed,
        ExecutionTerminated,
        TaskScheduled,
        TaskCompleted,
        TaskFailed,
        SubOrchestrationInstanceCreated,
        SubOrchestrationInstanceCompleted,
        SubOrchestrationInstanceFailed,
        TimerCreated,
        TimerFired,
        OrchestratorStarted,
        OrchestratorCompleted,
        EventSent,
        EventRaised,
        ContinueAsNew,
        GenericEvent,
        HistoryState,
        ExecutionSuspended,
        ExecutionResumed,
        ExecutionRewound,
    }

    /// <summary>One entry of an instance's history.</summary>
    public abstract class HistoryEvent
    {
        protected HistoryEvent(int eventId) => EventId = eventId;

        public int EventId { get; internal set; }

        public bool IsPlayed { get; set; }

        public DateTime Timestamp { get; set; }

        public virtual EventType EventType => throw new NotSupportedException($"{GetType()} has no event type.");
    }

    /// <summary>A turn of the orchestrator began.</summary>
    public class OrchestratorStartedEvent(int eventId) : HistoryEvent(eventId)
    {
        public override EventType EventType => EventType.OrchestratorStarted;
    }

    /// <summary>A turn of the orchestrator ended.</summary>
    public class OrchestratorCompletedEvent(int eventId) : HistoryEvent(eventId)
    {
        public override EventType EventType => EventType.OrchestratorCompleted;
    }

    /// <summary>The instance began.</summary>
    public class ExecutionStartedEvent(int eventId, string? input) : HistoryEvent(eventId)
    {
        public override EventType EventType => EventType.ExecutionStarted;

        public string? Name { get; set; }

        public string? Version { get; set; }

        public string? Input { get; set; } = input;

        public IDictionary<string, string>? Tags { get; set; }

        public DateTime? ScheduledStartTime { get; set; }
    }

    /// <summary>The instance ended.</summary>
    public class ExecutionCompletedEvent(
        int eventId, string? result, OrchestrationStatus orchestrationStatus, FailureDetails? failureDetails = null)
        : HistoryEvent(eventId)
    {
        public override EventType EventType => EventType.ExecutionCompleted;

        public OrchestrationStatus OrchestrationStatus { get; } = orchestrationStatus;

        public string? Result { get; } = result;

        public FailureDetails? FailureDetails { get; } = failureDetails;
    }

    /// <summary>Somebody ended the instance from outside.</summary>
    public class ExecutionTerminatedEvent(int eventId, string? input) : HistoryEvent(eventId)
    {
        public override EventType EventType => EventType.ExecutionTerminated;

        public string? Input { get; set; } = input;
    }

    /// <summary>Somebody put the instance on hold.</summary>
    public class ExecutionSuspendedEvent(int eventId, string? reason) : HistoryEvent(eventId)
    {
        public override EventType EventType => EventType.ExecutionSuspended;

        public string? Reason { get; set; } = reason;
    }

    /// <summary>Somebody let the instance go on.</summary>
    public class ExecutionResumedEvent(int eventId, string? reason) : HistoryEvent(eventId)
    {
        public override EventType EventType => EventType.ExecutionResumed;

        public string? Reason { get; set; } = reason;
    }

    /// <summary>An activity was called; the event id is the task id.</summary>
    public class TaskScheduledEvent(int eventId, string name, string? version = null, string? input = null)
        : HistoryEvent(eventId)
    {
        public override EventType EventType => EventType.TaskScheduled;

        public string? Name { get; set; } = name;

        public string? Version { get; set; } = version;

        public string? Input { get; set; } = input;

        public IDictionary<string, string>? Tags { get; set; }
    }

    /// <summary>An activity answered.</summary>
    public class TaskCompletedEvent(int eventId, int taskScheduledId, string? result) : HistoryEvent(eventId)
    {
        public override EventType EventType => EventType.TaskCompleted;

        public int TaskScheduledId { get; } = taskScheduledId;

        public string? Result { get; } = result;
    }

    /// <summary>An activity failed.</summary>
    public class TaskFailedEvent(
        int eventId, int taskScheduledId, string? reason, string? details, FailureDetails? failureDetails)
        : HistoryEvent(eventId)
    {
        public override EventType EventType => EventType.TaskFailed;

        public int TaskScheduledId { get; } = taskScheduledId;

        public string? Reason { get; } = reason;

        public string? Details { get; } = details;

        public FailureDetails? FailureDetails { get; } = failureDetails;
    }

    /// <summary>A child was called; the event id is the task id.</summary>
    public class SubOrchestrationInstanceCreatedEvent(int eventId) : HistoryEvent(eventId)
    {
        public override EventType EventType => EventType.SubOrchestrationInstanceCreated;

        public string? Name { get; set; }

        public string? Version { get; set; }

        public string? InstanceId { get; set; }

        public string? Input { get; set; }

        public IDictionary<string, string>? Tags { get; set; }
    }

    /// <summary>A child answered.</summary>
    public class SubOrchestrationInstanceCompletedEvent(int eventId, int taskScheduledId, string? result)
        : HistoryEvent(eventId)
    {
        public override EventType EventType => EventType.SubOrchestrationInstanceCompleted;

        public int TaskScheduledId { get; } = taskScheduledId;

        public string? Result { get; } = result;
    }

    /// <summary>A child failed.</summary>
    public class SubOrchestrationInstanceFailedEvent(
        int eventId, int taskScheduledId, string? reason, string? details, FailureDetails? failureDetails)
        : HistoryEvent(eventId)
    {
        public override EventType EventType => EventType.SubOrchestrationInstanceFailed;

        public int TaskScheduledId { get; } = taskScheduledId;

        public string? Reason { get; } = reason;

        public string? Details { get; } = details;

        public FailureDetails? FailureDetails { get; } = failureDetails;
    }

    /// <summary>A timer was set; the event id is the task id.</summary>
    public class TimerCreatedEvent(int eventId, DateTime fireAt) : HistoryEvent(eventId)
    {
        public override EventType EventType => EventType.TimerCreated;

        public DateTime FireAt { get; set; } = fireAt;
    }

    /// <summary>A timer fired.</summary>
    public class TimerFiredEvent(int eventId, DateTime fireAt) : HistoryEvent(eventId)
    {
        public override EventType EventType => EventType.TimerFired;

        public int TimerId { get; set; }

        public DateTime FireAt { get; set; } = fireAt;
    }

    /// <summary>The instance sent an event to another one.</summary>
    public class EventSentEvent(int eventId) : HistoryEvent(eventId)
    {
        public override EventType EventType => EventType.EventSent;

        public string? InstanceId { get; set; }

        public string? Name { get; set; }

        public string? Input { get; set; }
    }

    /// <summary>An external event reached the instance.</summary>
    public class EventRaisedEvent(int eventId, string? input) : HistoryEvent(eventId)
    {
        public override EventType EventType => EventType.EventRaised;

        public string? Name { get; set; }

        public string? Input { get; set; } = input;
    }
}
