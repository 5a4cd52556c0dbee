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
    public const int IdLengthMax = 256;

    /// <summary>
    /// The stream probably does not exist yet: decide on nothing instead of reading first. When that is wrong the
    /// append conflicts and the stream is read then; only a round trip is lost.
    /// </summary>
    public bool LikelyNew { get; init; }

    /// <summary>
    /// The trace of the event that led to this command, where it is carried out later and elsewhere: it goes on in that
    /// trace instead of whatever trace its carrier runs in.
    /// </summary>
    public string? TraceParent { get; init; }

    /// <summary>The person an event is about, where its members do not say so: <see cref="Personal"/>.</summary>
    public StreamId? Subject { get; init; }

    /// <summary>
    /// What was asked for, when the command itself holds more than that, such as a price looked up on the way: a repeat
    /// asks for the same even if the price has changed. Without it the command's own content is compared.
    /// </summary>
    public string? Content { get; init; }

    /// <summary>Nothing unbounded or unprintable is stored with every event.</summary>
    /// <exception cref="ArgumentException">An id is missing, too long or holds a control character.</exception>
    internal void Check()
    {
        CheckId(CommandId, "command");
        CheckId(CorrelationId, "correlation");
        CheckId(CausationId, "causation");
        if (UserId is not null) CheckId(UserId, "user");
        if (ExpectedSequence is < 0) throw new ArgumentException("An expected sequence is not negative.");
    }

    static void CheckId(string id, string what)
    {
        if (string.IsNullOrEmpty(id) || id.Length > IdLengthMax)
            throw new ArgumentException($"A {what} id is 1 to {IdLengthMax} characters.");
        if (id.Any(c => char.IsControl(c) || char.IsSurrogate(c)))
            throw new ArgumentException($"A {what} id has no control characters and no surrogates.");
    }
}

/// <summary>
/// What a command led to: the stream's sequence and state, the events it appended (none: nothing was left to do), or
/// why not. A repeat, or a first time whose answer was lost on the way, answers with the events and sequence of the
/// first time.
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
/// A stream's sequences do not follow each other: the store is damaged, and nothing is decided on it.
/// </summary>
public sealed class StreamGapException(StreamId stream, long before, long after)
    : InvalidOperationException($"{stream} goes from sequence {before} to {after}.");
