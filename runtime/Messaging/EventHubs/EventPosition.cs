using System.Globalization;

namespace Azure.Messaging.EventHubs.Consumer;

/// <summary>Where in a partition reading begins.</summary>
public struct EventPosition : IEquatable<EventPosition>
{
    public static EventPosition Earliest { get; }

    public static EventPosition Latest { get; } = new() { IsLatest = true };

    internal long? SequenceNumber { get; private init; }

    internal long? Offset { get; private init; }

    internal DateTimeOffset? EnqueuedTime { get; private init; }

    internal bool IsLatest { get; private init; }

    internal bool IsInclusive { get; private init; }

    public static bool operator ==(EventPosition left, EventPosition right) => left.Equals(right);

    public static bool operator !=(EventPosition left, EventPosition right) => !left.Equals(right);

    /// <exception cref="FormatException">No event of this broker has such an offset.</exception>
    public static EventPosition FromOffset(string offsetString, bool isInclusive = true) => new()
    {
        Offset = long.Parse(offsetString, NumberStyles.None, CultureInfo.InvariantCulture), IsInclusive = isInclusive,
    };

    public static EventPosition FromSequenceNumber(long sequenceNumber, bool isInclusive = true) =>
        new() { SequenceNumber = sequenceNumber, IsInclusive = isInclusive };

    public static EventPosition FromEnqueuedTime(DateTimeOffset enqueuedTime) => new() { EnqueuedTime = enqueuedTime };

    public readonly bool Equals(EventPosition other) =>
        (SequenceNumber, Offset, EnqueuedTime, IsLatest, IsInclusive) ==
        (other.SequenceNumber, other.Offset, other.EnqueuedTime, other.IsLatest, other.IsInclusive);

    public override readonly bool Equals(object? obj) => obj is EventPosition other && Equals(other);

    public override readonly int GetHashCode() =>
        HashCode.Combine(SequenceNumber, Offset, EnqueuedTime, IsLatest, IsInclusive);

    public override readonly string ToString() => this switch
    {
        { IsLatest: true } => "Latest",
        { SequenceNumber: { } sequence } => $"Sequence Number: [{sequence}]",
        { Offset: { } offset } => $"Offset: [{offset}]",
        { EnqueuedTime: { } time } => $"Enqueued: [{time:O}]",
        _ => "Earliest",
    };
}

/// <summary>The partition an event was read from.</summary>
public class PartitionContext
{
    protected PartitionContext(string partitionId) : this("", "", "", partitionId)
    {
    }

    protected internal PartitionContext(
        string fullyQualifiedNamespace, string eventHubName, string consumerGroup, string partitionId)
    {
        FullyQualifiedNamespace = fullyQualifiedNamespace;
        EventHubName = eventHubName;
        ConsumerGroup = consumerGroup;
        PartitionId = partitionId;
    }

    public string FullyQualifiedNamespace { get; }

    public string EventHubName { get; }

    public string ConsumerGroup { get; }

    public string PartitionId { get; }
}

/// <summary>An event and where it was read; without an event, word that none came in time.</summary>
// The SDK's struct compares by its members too.
#pragma warning disable CA1815
public struct PartitionEvent
#pragma warning restore CA1815
{
    public PartitionEvent(PartitionContext partition, EventData data)
    {
        Partition = partition;
        Data = data;
    }

    public PartitionContext Partition { get; }

    public EventData Data { get; }
}
