using System.Text.Json;

namespace EventSourcing;

/// <summary>
/// Keep a snapshot every <paramref name="Every"/> events. <paramref name="Schema"/> names the shape of the state:
/// change it together with the state, and older snapshots are ignored.
/// </summary>
public sealed record SnapshotPolicy(int Every, string Schema)
{
    public int Every { get; } = Every >= 1
        ? Every
        : throw new ArgumentOutOfRangeException(nameof(Every), Every, "A snapshot is due every so many events.");
}

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
    /// The snapshot to store with an append that moves the stream from one sequence to the loaded one, if one is due.
    /// </summary>
    internal StoredSnapshot? SnapshotDue(StreamId stream, long from, Loaded<TState> loaded) =>
        Snapshots is { } policy && from / policy.Every != loaded.Sequence / policy.Every
            ? new()
            {
                StreamId = stream.ToString(),
                Schema = policy.Schema,
                SnapshotSequence = loaded.Sequence,
                SnapshotEventId = loaded.LastEventId,
                Timestamp = loaded.At,
                State = JsonSerializer.SerializeToElement(loaded.State, StoredJson.Options),
            }
            : null;

    /// <exception cref="ArgumentException">Something personal would be stored unsealed.</exception>
    internal void CheckPrivacy(PersonalSeal? seal)
    {
        if (seal is null && Codec.Personal.Any())
            throw new ArgumentException($"Events of category {Category} are personal; give what seals them.");

        // A state may hold whatever its events held. It can be sealed as a whole only where it is all one person's.
        if (Snapshots is not null && Codec.Personal.Any(personal => !personal.IsOfOwnStream))
            throw new ArgumentException($"Category {Category} is about others than its own stream: no snapshots.");
    }

    /// <summary>The snapshot's state, or null when another schema wrote it or it can not be read.</summary>
    internal Loaded<TState>? Restore(StoredSnapshot snapshot)
    {
        if (snapshot.Schema != Snapshots?.Schema || snapshot.SnapshotSequence < 1) return null;
        try
        {
            return snapshot.State.Deserialize<TState>(StoredJson.Options) is { } state
                ? new(state, snapshot.SnapshotSequence, snapshot.Timestamp, default)
                {
                    LastEventId = snapshot.SnapshotEventId,
                    Size = default(StateSize).Add(snapshot.State),
                }
                : null;
        }
        catch (JsonException)
        {
            // The shape changed and the schema's name did not: the events still say it all.
            return null;
        }
    }
}
