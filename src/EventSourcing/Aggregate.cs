using System.Text.Json;

namespace EventSourcing;

/// <summary>
/// Keep a snapshot every <paramref name="Every"/> events. <paramref name="Schema"/> names the shape of the state:
/// change it together with the state, and older snapshots are ignored.
/// </summary>
public sealed record SnapshotPolicy(int Every, string Schema);

/// <summary>Everything the event store must know of one kind of stream.</summary>
public sealed record Aggregate<TState, TCommand, TEvent>(
    string Category,
    Decider<TState, TCommand, TEvent> Decider,
    EventCodec<TEvent> Codec,
    SnapshotPolicy? Snapshots = null)
    where TState : class
    where TEvent : notnull
{
    /// <summary>
    /// The snapshot to store when appending moves the stream from one sequence to the other, if one is due.
    /// </summary>
    public StoredSnapshot? SnapshotDue(StreamId stream, long from, long to, TState state, DateTimeOffset now) =>
        Snapshots is { } policy && from / policy.Every != to / policy.Every
            ? new()
            {
                StreamId = stream.ToString(),
                Schema = policy.Schema,
                SnapshotSequence = to,
                Timestamp = now,
                State = JsonSerializer.SerializeToElement(state, StoredJson.Options),
            }
            : null;

    /// <summary>The snapshot's state, or null when another schema wrote it.</summary>
    public TState? Restore(StoredSnapshot snapshot) =>
        snapshot.Schema == Snapshots?.Schema ? snapshot.State.Deserialize<TState>(StoredJson.Options) : null;
}

/// <summary>
/// A stream's state at a sequence; <see cref="At"/> is the time of its last event, <see cref="ReadAt"/> when the store
/// last said so.
/// </summary>
public sealed record Loaded<TState>(TState State, long Sequence, DateTimeOffset At, DateTimeOffset ReadAt);
