using System.Diagnostics;
using System.Security.Cryptography;
using System.Text.Json;

namespace EventSourcing;

/// <summary>
/// Names a command and says who asked for it and why. The id makes it safe to send again: the same id and content is
/// carried out once, the same id with other content is refused.
/// </summary>
public sealed record CommandContext(
    string CommandId,
    string CorrelationId,
    string CausationId,
    string? UserId = null,
    long? ExpectedSequence = null)
{
    /// <summary>
    /// The stream probably does not exist yet: decide on nothing instead of reading first. When that is wrong the
    /// append conflicts and the stream is read then; only a round trip is lost.
    /// </summary>
    public bool LikelyNew { get; init; }
}

/// <summary>
/// What a command led to: the stream's sequence and state, the events it appended (none: nothing was left to do), or
/// why not. A repeat answers with the events and sequence of the first time.
/// </summary>
public sealed record Outcome<TState, TEvent>(
    StreamId Stream, long Sequence, TState State, IReadOnlyList<TEvent> Events, Refusal? Refusal = null,
        bool IsRepeat = false);

/// <summary>Too many writers wanted the same stream; the command was not carried out and may be sent again.</summary>
public sealed class StreamBusyException(StreamId stream, int attempts)
    : InvalidOperationException($"{stream} changed under each of {attempts} attempts to append.");

/// <summary>This machine's clock is behind the stream's last event by more than skew explains.</summary>
public sealed class ClockBehindException(StreamId stream, DateTimeOffset last, DateTimeOffset now)
    : InvalidOperationException($"The last event of {stream} is of {last:O}, but the clock here says {now:O}.");

/// <summary>
/// Carries out commands on one kind of stream: load, decide, append. Safe to call twice with one command, from any
/// number of instances: an append validates what it was decided on by its place in the stream, and every other answer
/// is validated by reading on before it is given.
/// </summary>
public sealed class CommandHandler<TState, TCommand, TEvent>(
    Aggregate<TState, TCommand, TEvent> aggregate, IEventStore store, StateCache cache, TimeProvider clock)
    where TState : class
    where TEvent : notnull
{
    public const int AppendAttemptsMax = 8;

    /// <summary>
    /// A clock this far behind the last event is taken for skew, and the event dated like the last one.
    /// </summary>
    public static readonly TimeSpan SkewMax = TimeSpan.FromMinutes(1);

    public Aggregate<TState, TCommand, TEvent> Aggregate => aggregate;

    public async Task<Outcome<TState, TEvent>> HandleAsync(
        StreamId stream, TCommand command, CommandContext context, CancellationToken cancellation)
    {
        using var span = Telemetry.Source.StartActivity("command", ActivityKind.Internal);
        span?.SetTag("stream", stream.ToString()).SetTag("command.id", context.CommandId);

        // Commands on one stream wait for each other inside this process: racing here would only buy conflicts.
        using var turn = await cache.EnterAsync(stream, cancellation);
        var cached = cache.Get<Loaded<TState>>(stream);
        var now = cached ?? (context.LikelyNew ? Nothing : await LoadAsync(stream, StreamRange.All, cancellation));
        var hash = HashOf(command);
        // Facts are validated by appending them; "nothing to do" and "no" only by having read all there is, and "no"
        // also by having looked for this command's own events: what a repeat was told once, it is told again.
        var fresh = cached is null && !context.LikelyNew;
        for (var attempt = 1; attempt <= AppendAttemptsMax; attempt++)
        {
            var decision = context.ExpectedSequence is { } expected && expected != now.Sequence
                ? Stale(stream, expected, now.Sequence)
                : aggregate.Decider.Decide(command, now.State);

            var raced = decision is { Refusal: null, Count: > 0 };
            if (raced)
            {
                var next = await AppendAsync(stream, now, decision.Events, context, hash, cancellation);
                if (next is not null) return new(stream, next.Sequence, next.State, decision.Events);
            }
            else if (fresh && (decision.Refusal is null || now.Sequence == 0 || attempt > 1))
            {
                return new(stream, now.Sequence, now.State, [], decision.Refusal);
            }

            var missed = await store.CatchUpAsync(stream, now.Sequence, context.CommandId, cancellation);
            now = await ForwardAsync(stream, now, missed, raced, cancellation);
            if (missed.FirstOrDefault(e => e.CommandId == context.CommandId) is { } first)
                return Repeat(stream, now, missed, first, context, hash);
            fresh = true;
        }

        Telemetry.Busy.Add(1, new KeyValuePair<string, object?>("category", aggregate.Category));
        throw new StreamBusyException(stream, AppendAttemptsMax);
    }

    /// <summary>
    /// The state as this process knew it at most <paramref name="ageMax"/> ago, else as the store knows it now: for
    /// facts a command looks up in another stream. A stream not known to exist is always looked up.
    /// </summary>
    public async ValueTask<Loaded<TState>> KnownAsync(StreamId stream, TimeSpan ageMax, CancellationToken cancellation)
    {
        if (cache.Get<Loaded<TState>>(stream) is not { Sequence: > 0 } known)
            return await LoadAsync(stream, StreamRange.All, cancellation);
        if (clock.GetUtcNow() - known.ReadAt <= ageMax) return known;
        var (_, current) = await FoldAsync(stream, known, new(known.Sequence + 1), skipFirst: false, cancellation);
        return cache.Set(stream, current);
    }

    /// <summary>
    /// The stream's state now, or as it was at the end of the range; read from the store, not the cache.
    /// </summary>
    public async Task<Loaded<TState>> LoadAsync(StreamId stream, StreamRange range, CancellationToken cancellation)
    {
        var state = Nothing;
        var whole = range == StreamRange.All;
        if (whole && aggregate.Snapshots is not null
            && await store.ReadSnapshotAsync(stream, cancellation) is { } snapshot
                && aggregate.Restore(snapshot) is { } restored)
        {
            // The event under the snapshot is read as well: a snapshot that stands on nothing is not believed.
            var (grounded, tail) = await FoldAsync(
                stream, new(restored, snapshot.SnapshotSequence - 1, default, default), new(snapshot.SnapshotSequence),
                    skipFirst: true, cancellation);
            if (grounded) state = tail;
            if (grounded) return cache.Set(stream, state);
        }

        var (_, folded) = await FoldAsync(stream, state, range, skipFirst: false, cancellation);
        return whole ? cache.Set(stream, folded) : folded;
    }

    Loaded<TState> Nothing => new(aggregate.Decider.Initial, 0, DateTimeOffset.MinValue, DateTimeOffset.MinValue);

    async Task<(bool Any, Loaded<TState>)> FoldAsync(
        StreamId stream, Loaded<TState> from, StreamRange range, bool skipFirst, CancellationToken cancellation)
    {
        var (state, sequence, at, any) = (from.State, from.Sequence, from.At, false);
        await foreach (var stored in store.ReadAsync(stream, range, cancellation))
        {
            if (stored.Sequence != sequence + 1) throw new StreamGapException(stream, sequence, stored.Sequence);
            if (any || !skipFirst) state = aggregate.Decider.Evolve(state, aggregate.Codec.DecodeEvent(stored));
            (sequence, at, any) = (stored.Sequence, stored.Timestamp, true);
        }

        return (any, new(state, sequence, at, clock.GetUtcNow()));
    }

    async Task<Loaded<TState>?> AppendAsync(
        StreamId stream, Loaded<TState> now, IReadOnlyList<TEvent> events, CommandContext context, string hash,
        CancellationToken cancellation)
    {
        AppendLimits.CheckCount(stream, events.Count);
        var at = clock.GetUtcNow();
        if (at < now.At - SkewMax) throw new ClockBehindException(stream, now.At, at);
        if (at < now.At) at = now.At;

        var stored = new StoredEvent[events.Count];
        var state = now.State;
        for (var i = 0; i < stored.Length; i++)
        {
            stored[i] = Store(stream, now.Sequence + 1 + i, events[i], i, context, hash, at);
            state = aggregate.Decider.Evolve(state, events[i]);
        }

        var next = new Loaded<TState>(state, now.Sequence + stored.Length, at, at);
        var snapshot = aggregate.SnapshotDue(stream, now.Sequence, next.Sequence, state, at);
        AppendResult result;
        try
        {
            result = await store.AppendAsync(stream, now.Sequence, stored, snapshot, cancellation);
        }
        catch
        {
            // The append may have happened: the next command must look.
            cache.Remove(stream);
            throw;
        }

        Telemetry.Appends.Add(1, new("category", aggregate.Category), new("result", result.ToString()));
        return result == AppendResult.Appended ? cache.Set(stream, next) : null;
    }

    StoredEvent Store(
        StreamId stream, long sequence, TEvent @event, int index, CommandContext context, string hash,
            DateTimeOffset at)
    {
        var (type, data) = aggregate.Codec.Encode(@event);
        return new()
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
            CommandKey = $"{context.CommandId}/{index}",
            CommandHash = hash,
            TraceParent = Activity.Current?.Id,
        };
    }

    async Task<Loaded<TState>> ForwardAsync(
        StreamId stream, Loaded<TState> now, IReadOnlyList<StoredEvent> missed, bool raced,
            CancellationToken cancellation)
    {
        // A conflict, yet nothing new: what was held here was never in the store (it was restored or emptied under us).
        if (raced && missed.Count == 0) return await LoadAsync(stream, StreamRange.All, cancellation);
        return cache.Set(stream, missed.SkipWhile(e => e.Sequence <= now.Sequence).Aggregate(now, (loaded, stored) =>
            stored.Sequence == loaded.Sequence + 1
                ? new(aggregate.Decider.Evolve(loaded.State, aggregate.Codec.DecodeEvent(stored)), stored.Sequence,
                    stored.Timestamp, clock.GetUtcNow())
                : throw new StreamGapException(stream, loaded.Sequence, stored.Sequence)));
    }

    Outcome<TState, TEvent> Repeat(
        StreamId stream, Loaded<TState> now, IReadOnlyList<StoredEvent> missed, StoredEvent first,
            CommandContext context, string hash)
    {
        if (first.CommandHash != hash)
            return new(stream, now.Sequence, now.State, [], new(
                "command-id-reused", $"Command {context.CommandId} was already used on {stream} with other content."));
        var events = missed.Where(e => e.CommandId == context.CommandId).ToList();
        return new(
            stream, events[^1].Sequence, now.State, [.. events.Select(aggregate.Codec.DecodeEvent)], IsRepeat: true);
    }

    static Decision<TEvent> Stale(StreamId stream, long expected, long actual) => new Refusal(
        "stale-version", $"{stream} is at {actual}, not at {expected} as the request expects.", RefusalKind.Stale);

    static string HashOf(TCommand command) => Convert.ToHexStringLower(
        SHA256.HashData(JsonSerializer.SerializeToUtf8Bytes<object>(command!, StoredJson.Options)).AsSpan(0, 16));
}

/// <summary>
/// A stream's sequences do not follow each other: the store is damaged, and nothing is decided on it.
/// </summary>
public sealed class StreamGapException(StreamId stream, long before, long after)
    : InvalidOperationException($"{stream} goes from sequence {before} to {after}.");
