namespace Runtime.Messaging.Storage;

/// <summary>Where a message stands. The numbers are stored for ever.</summary>
/// <remarks>A lock is not a standing: locks live in memory only, so a restart frees every message.</remarks>
enum Standing
{
    Active = 0,
    Deferred = 1,
    Scheduled = 2,
}

/// <summary>One step of the durable state, with all its values: it is written later, on another thread.</summary>
abstract record Change
{
    Change()
    {
    }

    public sealed record MessageAdded(
        long Id, int Entity, long Sequence, long EnqueuedSequence, Standing Standing, int Deliveries,
        long EnqueuedAt, long ExpiresAt, long DueAt, string? Session, byte[] Payload) : Change;

    /// <summary>Without a payload the stored bytes stay.</summary>
    public sealed record MessageChanged(
        long Id, int Entity, long Sequence, Standing Standing, int Deliveries,
        long EnqueuedAt, long ExpiresAt, byte[]? Payload) : Change;

    public sealed record MessageDelivered(long Id, int Deliveries) : Change;

    public sealed record MessageRemoved(long Id) : Change;

    public sealed record IdRemembered(int Entity, string MessageId, long Until) : Change;

    public sealed record IdForgotten(int Entity, string MessageId) : Change;

    /// <summary>Null forgets the state.</summary>
    public sealed record SessionStateSet(int Entity, string Session, byte[]? State) : Change;

    public sealed record EventAdded(
        int Partition, long Sequence, long Offset, long EnqueuedAt, string? Key, byte[] Payload) : Change;

    public sealed record EventsTrimmed(int Partition, long First) : Change;

    public sealed record Checkpointed(int Partition, string Group, long Sequence, long Offset) : Change;
}

/// <summary>Where an event hub's partition goes on.</summary>
readonly record struct PartitionHead(long NextSequence, long NextOffset, long LastEnqueuedAt);

/// <summary>The changes of one transaction, and whom to tell when it is done.</summary>
sealed class Batch
{
    public List<Change> Changes { get; } = [];

    /// <summary>Below which numbers each entity has stayed: kept even when the messages are gone, so none is given
    /// twice.
    /// </summary>
    public Dictionary<int, long> NextSequences { get; } = [];

    public Dictionary<int, PartitionHead> Heads { get; } = [];

    public List<Action<Exception?>> Afterwards { get; } = [];

    public TaskCompletionSource Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public bool IsEmpty => Changes.Count == 0 && Afterwards.Count == 0 && NextSequences.Count == 0 && Heads.Count == 0;
}
