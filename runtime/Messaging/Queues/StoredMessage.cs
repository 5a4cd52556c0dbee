using Runtime.Messaging.Storage;

namespace Runtime.Messaging.Queues;

/// <summary>A message as the broker holds it. Changed under the gate only.</summary>
sealed class StoredMessage
{
    public required long Id { get; init; }

    public required long Sequence { get; set; }

    public required long EnqueuedSequence { get; set; }

    public string? Session { get; init; }

    public Standing Standing { get; set; }

    /// <summary>How often it was handed out under a lock, the present time included.</summary>
    /// <remarks>Counted when a delivery begins and stored with it: so after a crash, which frees all locks, the next
    /// delivery has one more without anybody remembering which messages were out.</remarks>
    public int Deliveries { get; set; }

    public long EnqueuedAt { get; set; }

    public long ExpiresAt { get; set; }

    /// <summary>When a scheduled message becomes active; 0 if it never was scheduled.</summary>
    public long DueAt { get; init; }

    /// <summary>Null while the bytes are only in the file.</summary>
    public byte[]? Payload { get; set; }

    public int Size { get; set; }

    public Guid LockToken { get; set; }

    public long LockedUntil { get; set; }

    public LinkedListNode<StoredMessage>? LockPlace { get; set; }

    public bool IsLocked => LockToken != Guid.Empty;
}

/// <summary>A message on its way in. It lives <see cref="Agenda.Never"/> or so many ticks, and is due at once (0) or
/// later.</summary>
sealed record Incoming(byte[] Payload, string? MessageId, string? Session, long TimeToLive, long DueAt);

/// <summary>A message on its way out: what the receiver learns beside the bytes.</summary>
readonly record struct Delivery(
    byte[] Payload, long Sequence, long EnqueuedSequence, Standing Standing, int DeliveryCount, long EnqueuedAt,
    long ExpiresAt, long DueAt, Guid LockToken, long LockedUntil);

/// <summary>What an entity may hold and holds; a topic shares one among its subscriptions and all their dead letters.
/// </summary>
sealed class Allowance(long bytesMax)
{
    public long BytesMax { get; } = bytesMax;

    public long BytesUsed { get; set; }
}

/// <summary>How a queue, subscription or dead-letter queue treats its messages; times in ticks.</summary>
sealed record QueueSettings(
    long LockDuration, int DeliveriesMax = int.MaxValue, long TimeToLive = Agenda.Never,
        bool DeadLettersExpired = false,
    bool RequiresSession = false);

/// <summary>How messages are ordered: by their number, or by an instant and then their number.</summary>
static class MessageOrder
{
    public static readonly Comparer<StoredMessage> BySequence =
        Comparer<StoredMessage>.Create((a, b) => a.Sequence.CompareTo(b.Sequence));

    public static readonly Comparer<StoredMessage> ByExpiry = Comparer<StoredMessage>.Create((a, b) =>
        a.ExpiresAt != b.ExpiresAt ? a.ExpiresAt.CompareTo(b.ExpiresAt) : a.Sequence.CompareTo(b.Sequence));

    public static readonly Comparer<StoredMessage> ByDue = Comparer<StoredMessage>.Create((a, b) =>
        a.DueAt != b.DueAt ? a.DueAt.CompareTo(b.DueAt) : a.Sequence.CompareTo(b.Sequence));
}
