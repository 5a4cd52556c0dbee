namespace EventSourcing;

public enum AppendResult
{
    /// <summary>Every event is stored.</summary>
    Appended,

    /// <summary>
    /// Nothing is stored: another event holds the place, the command was already carried out, or the stream does not
    /// reach the expected sequence.
    /// </summary>
    Conflict,
}

/// <summary>Which events of a stream to read, both ends included, and which end first.</summary>
public readonly record struct StreamRange(long From, long To = long.MaxValue, bool Backwards = false)
{
    public static StreamRange All { get; } = new(1);
}

/// <summary>
/// Append-only streams with optimistic concurrency. An append is all or nothing, is refused when any other append took
/// the place, and happens at most once per command id; nothing is ever changed or deleted.
/// </summary>
public interface IEventStore
{
    /// <summary>
    /// Stores the events, all of one command, right behind <paramref name="expectedSequence"/>. When it throws what is
    /// not an argument's fault the events may be stored or not: send the same again, they are stored at most once.
    /// </summary>
    /// <exception cref="AppendTooLargeException">It can not be one transaction; nothing was sent.</exception>
    Task<AppendResult> AppendAsync(
        StreamId stream, long expectedSequence, IReadOnlyList<StoredEvent> events, StoredSnapshot? snapshot,
        CancellationToken cancellation);

    /// <summary>Reads in order of sequence, page by page as the caller goes on.</summary>
    IAsyncEnumerable<StoredEvent> ReadAsync(StreamId stream, StreamRange range, CancellationToken cancellation);

    /// <summary>
    /// Everything after <paramref name="sequence"/> and, wherever they stand, the events of <paramref
    /// name="commandId"/>, each once and in order of sequence: what a writer must know before it decides.
    /// </summary>
    IAsyncEnumerable<StoredEvent> CatchUpAsync(
        StreamId stream, long sequence, string commandId, CancellationToken cancellation);

    /// <summary>The last sequence of the stream, 0 when there is none.</summary>
    Task<long> HeadAsync(StreamId stream, CancellationToken cancellation);

    /// <summary>The stream's snapshot as it was last stored, or null when there is none that can be read.</summary>
    Task<StoredSnapshot?> ReadSnapshotAsync(StreamId stream, CancellationToken cancellation);
}
