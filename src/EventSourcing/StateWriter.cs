using System.Diagnostics;
using System.Text.Json;

namespace EventSourcing;

/// <summary>What an append led to: the state behind it, a refusal, or neither when another append was faster.</summary>
readonly record struct Written<TState>(Loaded<TState>? Next, Refusal? Refusal);

/// <summary>Makes decided events ready to be stored: placed, dated, signed, sealed, and appends them.</summary>
sealed class StateWriter<TState, TCommand, TEvent>(
    Aggregate<TState, TCommand, TEvent> aggregate, IEventStore store, PersonalSeal? seal, TimeProvider clock)
    where TState : class
    where TEvent : notnull
{
    /// <summary>
    /// A clock this far behind the last event is taken for skew, and the event dated like the last one.
    /// </summary>
    public static readonly TimeSpan SkewMax = TimeSpan.FromMinutes(1);

    readonly bool isPersonal = aggregate.Codec.Personal.Any();

    public async Task<Written<TState>> AppendAsync(
        StreamId stream, Loaded<TState> now, IReadOnlyList<TEvent> events, CommandContext context, string hash,
        CancellationToken cancellation)
    {
        AppendLimits.CheckCount(stream, events.Count);
        var stored = Place(stream, now, events, context, hash);
        var (state, size) = (now.State, now.Size);
        for (var i = 0; i < stored.Length; i++)
        {
            state = aggregate.Decider.Evolve(state, events[i]);
            size = size.Add(stored[i].EventData);
        }

        var at = stored[^1].Timestamp;
        var next = new Loaded<TState>(state, now.Sequence + stored.Length, at, at)
        {
            LastEventId = stored[^1].EventId,
            Size = size.Settle(state),
        };
        var snapshot = aggregate.SnapshotDue(stream, now.Sequence, next);
        if (isPersonal)
        {
            if (!await SealAsync(stream, stored, events, context, cancellation))
                return new(null, new(
                    "person-forgotten", $"{stream}: nothing is stored any more of a person who was forgotten."));
            if (snapshot is not null) snapshot = await SealAsync(stream, snapshot, cancellation);
        }

        // When this throws the append may have happened. What is remembered is then behind, which a command finds out.
        var result = await store.AppendAsync(stream, now.Sequence, stored, snapshot, cancellation);
        Telemetry.Appends.Add(1, new("category", aggregate.Category), new("result", result.ToString()));
        return new(result == AppendResult.Appended ? next : null, null);
    }

    StoredEvent[] Place(
        StreamId stream, Loaded<TState> now, IReadOnlyList<TEvent> events, CommandContext context, string hash)
    {
        var at = clock.GetUtcNow();
        if (now.Sequence > 0 && at < now.At)
            at = now.At - at <= SkewMax ? now.At : throw new ClockBehindException(stream, now.At, at);
        var traceparent = TraceParentOf(context);

        var stored = new StoredEvent[events.Count];
        for (var i = 0; i < stored.Length; i++)
        {
            var (type, data) = aggregate.Codec.Encode(events[i]);
            var sequence = now.Sequence + 1 + i;
            stored[i] = new()
            {
                Id = StoredEvent.IdOf(sequence),
                StreamId = stream.ToString(),
                Sequence = sequence,
                EventId = Guid.CreateVersion7(at),
                EventType = type.Name,
                EventVersion = type.Version,
                EventData = data,
                Timestamp = at,
                UserId = context.UserId,
                CorrelationId = context.CorrelationId,
                CausationId = context.CausationId,
                CommandId = context.CommandId,
                CommandKey = StoredEvent.CommandKeyOf(context.CommandId, i),
                CommandHash = hash,
                TraceParent = traceparent,
            };
        }

        return stored;
    }

    /// <summary>The command's own span; without one the trace it belongs to, not the one that carries it.</summary>
    static string? TraceParentOf(CommandContext context)
    {
        if (Activity.Current is not { IdFormat: ActivityIdFormat.W3C } span) return context.TraceParent;
        return context.TraceParent is { } asked && !asked.Contains(span.TraceId.ToHexString(), StringComparison.Ordinal)
            ? asked
            : span.Id;
    }

    /// <summary>False when one of the people is forgotten; then nothing of the command is stored.</summary>
    async ValueTask<bool> SealAsync(
        StreamId stream, StoredEvent[] stored, IReadOnlyList<TEvent> events, CommandContext context,
        CancellationToken cancellation)
    {
        Func<string, string>? close = null;
        for (var i = 0; i < stored.Length; i++)
        {
            if (aggregate.Codec.PersonalOf(events[i]) is not { } personal) continue;
            var subject = personal.SubjectOf(stream, stored[i].EventType, stored[i].EventData, context);
            close = await seal!.ForAsync(subject, cancellation);
            if (close is null) return false;
            stored[i] = stored[i] with { EventData = PersonalSeal.Seal(stored[i].EventData, personal, close) };
        }

        // A hash of a name and an address is a hint at them: whoever guesses right can tell.
        if (close is not null)
        {
            var hash = close(stored[0].CommandHash);
            for (var i = 0; i < stored.Length; i++) stored[i] = stored[i] with { CommandHash = hash };
        }

        return true;
    }

    /// <summary>Null when the person the stream is about is forgotten: then there is no snapshot.</summary>
    async ValueTask<StoredSnapshot?> SealAsync(
        StreamId stream, StoredSnapshot snapshot, CancellationToken cancellation) =>
        await seal!.ForAsync(stream, cancellation) is { } close
            ? snapshot with
            {
                State = JsonSerializer.SerializeToElement(close(snapshot.State.GetRawText()), StoredJson.Options),
            }
            : null;
}
