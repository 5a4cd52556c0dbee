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

    readonly IEventStore store;
    readonly StateCache cache;
    readonly TimeProvider clock;
    readonly PersonalSeal? seal;
    readonly StateReader<TState, TCommand, TEvent> reader;
    readonly StateWriter<TState, TCommand, TEvent> writer;

    /// <exception cref="ArgumentException">
    /// The events are personal and there is nothing to seal them with, or their state could not be sealed as a whole.
    /// </exception>
    public CommandHandler(
        Aggregate<TState, TCommand, TEvent> aggregate, IEventStore store, StateCache cache, TimeProvider clock,
        PersonalSeal? seal = null)
    {
        aggregate.CheckPrivacy(seal);
        (Aggregate, this.store, this.cache, this.clock, this.seal) = (aggregate, store, cache, clock, seal);
        reader = new(aggregate, store, seal, clock);
        writer = new(aggregate, store, seal, clock);
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
                return await RepeatAsync(stream, reading, context, hash, cancellation);
            }

            var decision = Decide(stream, command, context, now);
            if (decision is { Refusal: null, Count: > 0 })
            {
                var written = await writer.AppendAsync(stream, now, decision.Events, context, hash, cancellation);
                if (written.Next is { } next)
                {
                    Remember(stream, next);
                    return new(stream, next.Sequence, next.State, decision.Events);
                }

                if (written.Refusal is { } refusal) return new(stream, now.Sequence, now.State, [], refusal);
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

    /// <summary>The newest state stays: who began to read earlier must not put an older one over it.</summary>
    Loaded<TState> Remember(StreamId stream, Loaded<TState> loaded)
    {
        if (cache.Get<Loaded<TState>>(stream) is not { } held || held.Sequence <= loaded.Sequence
            || held.ReadAt < loaded.ReadAt)
            cache.Set(stream, loaded, loaded.Size.Bytes);
        return loaded;
    }

    async Task<Outcome<TState, TEvent>> RepeatAsync(
        StreamId stream, Reading<TState> reading, CommandContext context, string hash, CancellationToken cancellation)
    {
        var (now, own) = (reading.Now, reading.Own);

        // Of a forgotten person even the hash is gone: then the id alone says that it is the same command.
        var before = seal is null ? own[0].CommandHash : await seal.OpenAsync(own[0].CommandHash, cancellation);
        return before is null || before == hash
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
