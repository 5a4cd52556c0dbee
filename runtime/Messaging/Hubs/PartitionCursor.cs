using Azure.Messaging.EventHubs;
using Azure.Messaging.EventHubs.Consumer;
using Runtime.Messaging.Hubs;

namespace Runtime.Messaging;

/// <summary>Reads one partition for one consumer group and remembers in the broker how far it has come.</summary>
/// <remarks>Events come in order. What was read and not covered by a checkpoint comes again from the next cursor, so a
/// handler must bear a repetition. One reader at a time: a cursor is used by one caller.</remarks>
public sealed class PartitionCursor : IDisposable
{
    readonly HubConnection connection;
    long next;
    bool disposed;

    PartitionCursor(HubConnection connection, string group, string partitionId, long next)
    {
        this.connection = connection;
        this.next = next;
        ConsumerGroup = group;
        PartitionId = partitionId;
    }

    public string EventHubName => connection.HubName;

    public string ConsumerGroup { get; }

    public string PartitionId { get; }

    /// <summary>The number of the event to be read next.</summary>
    public long NextSequenceNumber => next;

    /// <summary>Waits for events, at most <paramref name="wait"/>; empty when none came.</summary>
    public async Task<IReadOnlyList<EventData>> ReadAsync(
        int countMax, TimeSpan wait, CancellationToken cancellation = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(countMax);
        ObjectDisposedException.ThrowIf(disposed, this);
        var events = await connection.ReadAsync(PartitionId, next, countMax, wait, cancellation);
        next = events is [.., var last] ? last.Sequence + 1 : next;
        return [.. events.Select(EventData.From)];
    }

    /// <summary>Makes durable that everything up to and including this event has been dealt with.</summary>
    public Task CheckpointAsync(EventData last, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(last);
        ObjectDisposedException.ThrowIf(disposed, this);
        var (sequence, offset) = (last.SequenceNumber, last.OffsetNumber);
        return sequence >= 0 && sequence < next
            ? connection.CallAsync(
                hub =>
                {
                    hub[PartitionId].SetCheckpoint(ConsumerGroup, new(sequence, offset));
                    return true;
                },
                cancellation)
            : throw new ArgumentException($"Event {sequence} has not been read by this cursor.", nameof(last));
    }

    /// <summary>Goes back to the checkpoint, or to an event: what follows is read again.</summary>
    public void Rewind(long sequenceNumber)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(sequenceNumber);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(sequenceNumber, next);
        next = sequenceNumber;
    }

    /// <summary>How many events lie between this cursor and the end.</summary>
    public Task<long> LagAsync(CancellationToken cancellation = default) => connection.CallAsync(
        hub => Math.Max(0, hub[PartitionId].Visible - Math.Max(next, hub[PartitionId].First)), cancellation);

    public void Dispose()
    {
        if (!disposed)
        {
            disposed = true;
            connection.StopReading(ConsumerGroup, PartitionId);
        }
    }

    internal static async Task<PartitionCursor> OpenAsync(
        HubConnection connection, string group, string partitionId, EventPosition begin, CancellationToken cancellation)
    {
        var checkpoint = await connection.CallAsync(
            hub => hub[partitionId].Checkpoints.TryGetValue(group, out var found) ? found
                : (Checkpoint?)null, cancellation);
        var position = checkpoint is { } reached
            ? EventPosition.FromSequenceNumber(reached.Sequence, isInclusive: false)
            : begin;
        var start = await connection.StartReadingAsync(group, partitionId, position, cancellation);
        return await connection.CallAsync(
            hub =>
            {
                hub[partitionId].Follow(group, start);
                return new PartitionCursor(connection, group, partitionId, start);
            },
            CancellationToken.None);
    }
}
