using System.Text.Json;

namespace EventSourcing;

/// <summary>What reading a stream showed: its state now, and the events a command had appended to it before.</summary>
sealed record Reading<TState>(Loaded<TState> Now, IReadOnlyList<StoredEvent> Own);

/// <summary>
/// Folds streams into states. It reads on from what is known, and believes that only if the store still holds, at that
/// place, the event it stands on: neither a snapshot nor a memory is ever trusted over events.
/// </summary>
sealed class StateReader<TState, TCommand, TEvent>(
    Aggregate<TState, TCommand, TEvent> aggregate, IEventStore store, PersonalSeal? seal, TimeProvider clock)
    where TState : class
    where TEvent : notnull
{
    public Loaded<TState> Nothing { get; } =
        new(aggregate.Decider.Initial, 0, DateTimeOffset.MinValue, DateTimeOffset.MinValue);

    readonly KeyValuePair<string, object?> category = new("category", aggregate.Category);

    /// <summary>The state with all the store holds, and what this command did before wherever it stands.</summary>
    public Task<Reading<TState>> ReadOnAsync(
        StreamId stream, Loaded<TState> from, string commandId, CancellationToken cancellation) =>
        ReadAsync(
            stream,
            from,
            Until.Now,
            (sequence, stop) => store.CatchUpAsync(stream, Math.Max(sequence - 1, 0), commandId, stop),
            commandId,
            cancellation);

    /// <summary>The state at one moment, whatever commands led to it.</summary>
    public async Task<Loaded<TState>> ReadAsync(
        StreamId stream, Loaded<TState> from, Until until, CancellationToken cancellation) =>
        (await ReadAsync(
            stream,
            from,
            until,
            (sequence, stop) => store.ReadAsync(stream, new(Math.Max(sequence, 1), until.Sequence), stop),
            commandId: null,
            cancellation)).Now;

    async Task<Reading<TState>> ReadAsync(
        StreamId stream, Loaded<TState> from, Until until,
        Func<long, CancellationToken, IAsyncEnumerable<StoredEvent>> read, string? commandId,
        CancellationToken cancellation)
    {
        if (from.Sequence > 0 && await FoldAsync(stream, from, until, read, commandId, cancellation) is { } further)
            return further;
        if (aggregate.Snapshots is not null
            && await store.ReadSnapshotAsync(stream, cancellation) is { } snapshot
            && await OpenAsync(snapshot, cancellation) is { } opened
            && aggregate.Restore(opened) is { } restored
            && restored.Sequence <= until.Sequence && restored.At <= until.At
            && await FoldAsync(stream, restored, until, read, commandId, cancellation) is { } tail)
            return tail;

        // Nothing stands on nothing, so this one is never null.
        return (await FoldAsync(stream, Nothing, until, read, commandId, cancellation))!;
    }

    /// <summary>Null when the store does not hold the event that <paramref name="from"/> stands on.</summary>
    async Task<Reading<TState>?> FoldAsync(
        StreamId stream, Loaded<TState> from, Until until,
        Func<long, CancellationToken, IAsyncEnumerable<StoredEvent>> read, string? commandId,
        CancellationToken cancellation)
    {
        var (state, sequence, at, last, size) = (from.State, from.Sequence, from.At, from.LastEventId, from.Size);
        var (grounded, asked) = (from.Sequence == 0, clock.GetUtcNow());
        var own = new List<StoredEvent>();
        await foreach (var asStored in read(from.Sequence, cancellation))
        {
            var stored = await OpenAsync(asStored, cancellation);
            if (stored.CommandId == commandId) own.Add(stored);
            if (stored.Sequence < from.Sequence) continue;
            if (!grounded)
            {
                if (stored.Sequence != from.Sequence || stored.EventId != from.LastEventId) return null;
                grounded = true;
                continue;
            }

            if (stored.Timestamp > until.At) break;
            if (stored.Sequence != sequence + 1) throw new StreamGapException(stream, sequence, stored.Sequence);
            state = aggregate.Decider.Evolve(state, aggregate.Codec.DecodeEvent(stored));
            (sequence, at, last) = (stored.Sequence, stored.Timestamp, stored.EventId);
            size = size.Add(stored.EventData);
        }

        if (!grounded) return null;
        Telemetry.Folded.Add(sequence - from.Sequence, category);
        var now = new Loaded<TState>(state, sequence, at, asked)
        {
            LastEventId = last,
            Size = size.Settle(state),
        };
        return new(now, own);
    }

    async ValueTask<StoredEvent> OpenAsync(StoredEvent stored, CancellationToken cancellation)
    {
        if (seal is null) return stored;
        var data = await seal.OpenAsync(stored.EventData, cancellation);
        return data.Equals(stored.EventData) ? stored : stored with { EventData = data };
    }

    /// <summary>Null when the person it is about is forgotten: the events still say what is left.</summary>
    async ValueTask<StoredSnapshot?> OpenAsync(StoredSnapshot snapshot, CancellationToken cancellation)
    {
        if (seal is null || snapshot.State.ValueKind != JsonValueKind.String) return snapshot;
        return await seal.OpenAsync(snapshot.State.GetString()!, cancellation) is { } state
            ? snapshot with { State = JsonSerializer.Deserialize<JsonElement>(state) }
            : null;
    }
}

/// <summary>Where a reading ends, by sequence and by time, both included.</summary>
readonly record struct Until(long Sequence, DateTimeOffset At)
{
    public static Until Now { get; } = new(long.MaxValue, DateTimeOffset.MaxValue);
}
