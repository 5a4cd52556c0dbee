using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;

namespace Runtime.DurableTask;

/// <summary>Where an instance stands. Numbers and names are stored: add, never edit.</summary>
enum InstanceStatus
{
    Running = 0,
    Completed = 1,
    ContinuedAsNew = 2,
    Failed = 3,
    Canceled = 4,
    Terminated = 5,
    Pending = 6,
    Suspended = 7,
}

/// <summary>Who waits for a child, and for which of its calls.</summary>
sealed record ParentLink(string InstanceId, string ExecutionId, int Task, string Name);

/// <summary>All of an instance but its history; replaced as a whole by each turn.</summary>
sealed record InstanceRecord
{
    public required string InstanceId { get; init; }

    /// <summary>Fresh for every generation, so that answers to an earlier one are recognised and dropped.</summary>
    public required string ExecutionId { get; init; }

    public required string Name { get; init; }

    public required string Version { get; init; }

    public string? Input { get; init; }

    public IReadOnlyDictionary<string, string>? Tags { get; init; }

    public ParentLink? Parent { get; init; }

    public DateTime CreatedAt { get; init; }

    public DateTime? StartAt { get; init; }

    public InstanceStatus Status { get; init; } = InstanceStatus.Pending;

    public DateTime UpdatedAt { get; init; }

    public DateTime? CompletedAt { get; init; }

    public string? Output { get; init; }

    public string? CustomStatus { get; init; }

    public Failure? Failure { get; init; }

    /// <summary>Turns this execution has committed; none means that its code has still to be started.</summary>
    public int Turns { get; init; }

    /// <summary>Whether the code has been given its start; an instance suspended before has turns without it.</summary>
    public bool HasStarted { get; init; }

    public int Entries { get; init; }

    /// <summary>Events the code has been told and not read: what outsiders may pile up is bounded.</summary>
    public int Unread { get; init; }

    internal bool IsOver => IsFinal(Status);

    internal bool IsUnstarted => !IsOver && !HasStarted;

    internal static bool IsFinal(InstanceStatus status) =>
        status is InstanceStatus.Completed or InstanceStatus.Failed or InstanceStatus.Terminated
            or InstanceStatus.Canceled;

    internal OrchestrationMetadata ToMetadata(bool withPayloads, DataConverter converter) => new(Name, InstanceId)
    {
        RuntimeStatus = (OrchestrationRuntimeStatus)Status,
        CreatedAt = new DateTimeOffset(CreatedAt),
        LastUpdatedAt = new DateTimeOffset(UpdatedAt),
        Tags = Tags ?? new Dictionary<string, string>(),
        DataConverter = withPayloads ? converter : null,
        SerializedInput = withPayloads ? Input : null,
        SerializedOutput = withPayloads ? Output : null,
        SerializedCustomStatus = withPayloads ? CustomStatus : null,
        FailureDetails = withPayloads ? Failure?.ToDetails() : null,
    };
}

/// <summary>
/// Something on its way to an instance. A stored message has a sequence; one without (an activity's result, a timer)
/// is told again by what it stems from if this process dies. <c>ExecutionId</c> is the generation it is meant for.
/// </summary>
sealed record Message(long Sequence, string InstanceId, string? ExecutionId, HistoryEntry Body)
{
    internal bool IsStored => Sequence > 0;
}

/// <summary>A call that waits for an answer: an activity, or a timer if it has a time.</summary>
sealed record OpenTask(string InstanceId, string ExecutionId, int Task, DateTime? FireAt);
