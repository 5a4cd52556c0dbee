using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace EventSourcing;

/// <summary>
/// Carries out commands on one kind of stream: load, decide, append. Safe to call twice with one command, from any
/// number of instances: an append validates what it was decided on by its place in the stream, and every other answer
/// is validated by reading on before it is given.
/// </summary>
/// <remarks>
/// What a command did before is looked for in the same read that brings the state up to date, so a repeat is known for
/// one even where the decider would no longer know it. Only the hopeful first attempt, on a remembered state or on
/// none, goes without that read: there the unique command key stops the repeat at the append.
/// </remarks>
public sealed class CommandHandler<TState, TCommand, TEvent>
    where TState : class
    where TEvent : notnull
{
    public const int AppendAttemptsMax = 8;

    /// <summary>
    /// A clock this far behind the last event is taken for skew, and the event dated like the last one.
    /// </summary>
    public static readonly TimeSpan SkewMax = TimeSpan.FromMinutes(1);

    readonly IEventStore store;
    readonly StateCache cache;
    readonly TimeProvider clock;
    readonly StateReader<TState, TCommand, TEvent> reader;

    public CommandHandler(
        Aggregate<TState, TCommand, TEvent> aggregate, IEventStore store, StateCache cache, TimeProvider clock)
    {
        (Aggregate, this.store, this.cache, this.clock) = (aggregate, store, cache, clock);
        reader = new(aggregate, store, clock);
    }

    public Aggregate<TState, TCommand, TEvent> Aggregate { get; }

    /// <exception cref="StreamBusyException">Others were faster too often; nothing is stored.</exception>
    /// <exception cref="AppendTooLargeException">The events do not fit into one append; nothing is stored.</exception>
    public async Task<Outcome<TState, TEvent>> HandleAsync(
        StreamId stream, TCommand command, CommandContext context, CancellationToken cancellation)
    {
        context.Check();
        CheckCategory(stream);
        using var measured = new CommandTelemetry(Aggregate.Category, stream, context);

        // Commands on one stream wait for each other inside this process: racing here would only buy conflicts.
        using var turn = await cache.EnterAsync(stream, cancellation);
        var cached = cache.Get<Loaded<TState>>(stream);
        measured.Cache(hit: cached is not null);
        var reading = cached is null && !context.LikelyNew
            ? await ReadOnAsync(stream, reader.Nothing, context, cancellation)
            : null;
        var now = reading?.Now ?? cached ?? reader.Nothing;
        var hash = HashOf(command, context);
        for (var attempt = 1; attempt <= AppendAttemptsMax; attempt++)
        {
            if (reading is { Own.Count: > 0 })
            {
                measured.Repeated();
                return Repeat(stream, reading, context, hash);
            }

            var decision = Decide(stream, command, context, now);
            if (decision is { Refusal: null, Count: > 0 })
            {
                if (await AppendAsync(stream, now, decision.Events, context, hash, cancellation) is { } next)
                    return new(stream, next.Sequence, next.State, decision.Events);
                measured.Conflicted();
            }
            else if (reading is not null)
            {
                return new(stream, now.Sequence, now.State, [], decision.Refusal);
            }

            reading = await ReadOnAsync(stream, now, context, cancellation);
            now = reading.Now;
        }

        measured.GaveUp();
        throw new StreamBusyException(stream, AppendAttemptsMax);
    }

    /// <summary>
    /// The state as this process knew it at most <paramref name="ageMax"/> ago, else as the store knows it now: for
    /// facts a command looks up in another stream. A stream not known to exist is always looked up.
    /// </summary>
    public async ValueTask<Loaded<TState>> KnownAsync(StreamId stream, TimeSpan ageMax, CancellationToken cancellation)
    {
        CheckCategory(stream);
        if (cache.Get<Loaded<TState>>(stream) is not { Sequence: > 0 } known)
            return await LoadAsync(stream, StreamRange.All, cancellation);
        var asked = clock.GetUtcNow();
        if (asked - known.ReadAt <= ageMax) return known;

        // Mostly nothing has happened, and whether the next event exists is the cheapest question there is.
        await foreach (var _ in store.ReadAsync(stream, new(known.Sequence + 1, known.Sequence + 1), cancellation))
            return Remember(stream, await reader.ReadAsync(stream, known, Until.Now, cancellation));
        return Remember(stream, known with { ReadAt = asked });
    }

    /// <summary>
    /// The stream's state now, or as it was at the end of the range; read from the store, not the cache.
    /// </summary>
    /// <exception cref="ArgumentException">The range does not begin at 1: a state is made of all before it.</exception>
    public async Task<Loaded<TState>> LoadAsync(StreamId stream, StreamRange range, CancellationToken cancellation)
    {
        CheckCategory(stream);
        if (range is { From: not 1 } or { Backwards: true })
            throw new ArgumentException("A state is folded forwards from the first event.", nameof(range));
        if (range == StreamRange.All)
            return Remember(stream, await reader.ReadAsync(stream, reader.Nothing, Until.Now, cancellation));
        return await reader.ReadAsync(stream, reader.Nothing, Until.Now with { Sequence = range.To }, cancellation);
    }

    /// <summary>The stream's state as it was at that instant, rebuilt from events.</summary>
    public Task<Loaded<TState>> LoadAsOfAsync(StreamId stream, DateTimeOffset asOf, CancellationToken cancellation)
    {
        CheckCategory(stream);
        return reader.ReadAsync(stream, reader.Nothing, Until.Now with { At = asOf }, cancellation);
    }

    static Decision<TEvent> Stale(StreamId stream, long expected, long actual) => new Refusal(
        "stale-version", $"{stream} is at {actual}, not at {expected} as the request expects.", RefusalKind.Stale);

    Decision<TEvent> Decide(StreamId stream, TCommand command, CommandContext context, Loaded<TState> now) =>
        context.ExpectedSequence is { } expected && expected != now.Sequence
            ? Stale(stream, expected, now.Sequence)
            : Aggregate.Decider.Decide(command, now.State);

    async Task<Reading<TState>> ReadOnAsync(
        StreamId stream, Loaded<TState> from, CommandContext context, CancellationToken cancellation)
    {
        var reading = await reader.ReadOnAsync(stream, from, context.CommandId, cancellation);
        Remember(stream, reading.Now);
        return reading;
    }

    async Task<Loaded<TState>?> AppendAsync(
        StreamId stream, Loaded<TState> now, IReadOnlyList<TEvent> events, CommandContext context, string hash,
        CancellationToken cancellation)
    {
        AppendLimits.CheckCount(stream, events.Count);
        var at = clock.GetUtcNow();
        if (now.Sequence > 0 && at < now.At)
            at = now.At - at <= SkewMax ? now.At : throw new ClockBehindException(stream, now.At, at);

        var stored = new StoredEvent[events.Count];
        var (state, size) = (now.State, now.Size);
        for (var i = 0; i < stored.Length; i++)
        {
            stored[i] = Store(stream, now.Sequence + 1 + i, events[i], i, context, hash, at);
            state = Aggregate.Decider.Evolve(state, events[i]);
            size = size.Add(stored[i].EventData);
        }

        var next = new Loaded<TState>(state, now.Sequence + stored.Length, at, at)
        {
            LastEventId = stored[^1].EventId,
            Size = size.Settle(state),
        };
        AppendResult result;
        try
        {
            result = await store.AppendAsync(
                stream, now.Sequence, stored, Aggregate.SnapshotDue(stream, now.Sequence, next), cancellation);
        }
        catch (Exception fault) when (fault is not AppendTooLargeException)
        {
            // The append may have happened: the next command must look.
            cache.Remove(stream);
            throw;
        }

        Telemetry.Appends.Add(1, new("category", Aggregate.Category), new("result", result.ToString()));
        return result == AppendResult.Appended ? Remember(stream, next) : null;
    }

    StoredEvent Store(
        StreamId stream, long sequence, TEvent @event, int index, CommandContext context, string hash,
        DateTimeOffset at)
    {
        var (type, data) = Aggregate.Codec.Encode(@event);
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
            CommandKey = StoredEvent.CommandKeyOf(context.CommandId, index),
            CommandHash = hash,
            TraceParent = Activity.Current is { IdFormat: ActivityIdFormat.W3C, Id: var traceparent }
                ? traceparent
                : null,
        };
    }

    /// <summary>The newest state stays: who began to read earlier must not put an older one over it.</summary>
    Loaded<TState> Remember(StreamId stream, Loaded<TState> loaded)
    {
        if (cache.Get<Loaded<TState>>(stream) is not { } held || held.Sequence <= loaded.Sequence
            || held.ReadAt < loaded.ReadAt)
            cache.Set(stream, loaded, loaded.Size.Bytes);
        return loaded;
    }

    Outcome<TState, TEvent> Repeat(
        StreamId stream, Reading<TState> reading, CommandContext context, string hash)
    {
        var (now, own) = (reading.Now, reading.Own);
        return own[0].CommandHash == hash
            ? new(
                stream, own[^1].Sequence, now.State, [.. own.Select(Aggregate.Codec.DecodeEvent)], IsRepeat: true)
            : new(stream, now.Sequence, now.State, [], new(
                "command-id-reused", $"Command {context.CommandId} was already used on {stream} with other content."));
    }

    // A stream of another kind would be folded into nonsense, or poisoned for its own kind.
    void CheckCategory(StreamId stream)
    {
        if (stream.Category != Aggregate.Category)
            throw new ArgumentException($"{stream} is not a stream of category {Aggregate.Category}.", nameof(stream));
    }

    static string HashOf(TCommand command, CommandContext context)
    {
        var name = Encoding.UTF8.GetBytes(command!.GetType().Name + "\n");
        var content = context.Content is { } asked
            ? Encoding.UTF8.GetBytes(asked)
            : JsonSerializer.SerializeToUtf8Bytes<object>(command, ForHash);
        return Convert.ToHexStringLower(SHA256.HashData([.. name, .. content]).AsSpan(0, 16));
    }

    // Without defaults, so that a command which gains an optional member still equals its repeat from before.
    static readonly JsonSerializerOptions ForHash =
        new(StoredJson.Options) { DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault };
}
