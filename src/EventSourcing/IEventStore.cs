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
    /// <summary>Stores the events, all of one command, right behind <paramref name="expectedSequence"/>.</summary>
    /// <exception cref="AppendTooLargeException">It can not be one transaction; nothing was sent.</exception>
    Task<AppendResult> AppendAsync(
        StreamId stream, long expectedSequence, IReadOnlyList<StoredEvent> events, StoredSnapshot? snapshot,
        CancellationToken cancellation);

    /// <summary>Reads in order of sequence, page by page as the caller goes on.</summary>
    IAsyncEnumerable<StoredEvent> ReadAsync(StreamId stream, StreamRange range, CancellationToken cancellation);

    /// <summary>
    /// Everything after <paramref name="sequence"/> and, wherever they stand, the events of <paramref
    /// name="commandId"/>, in order of sequence: what a writer must know after a conflict.
    /// </summary>
    Task<IReadOnlyList<StoredEvent>> CatchUpAsync(
        StreamId stream, long sequence, string commandId, CancellationToken cancellation);

    /// <summary>The last sequence of the stream, 0 when there is none.</summary>
    Task<long> HeadAsync(StreamId stream, CancellationToken cancellation);

    Task<StoredSnapshot?> ReadSnapshotAsync(StreamId stream, CancellationToken cancellation);
}

/// <summary>The events of one command do not fit into one transaction.</summary>
public sealed class AppendTooLargeException(string message) : InvalidOperationException(message);

/// <summary>The bounds of one append, taken from Cosmos DB's transactional batch (100 operations, 2 MB).</summary>
public static class AppendLimits
{
    /// <summary>100 operations less the read of the previous event and the snapshot.</summary>
    public const int EventsMax = 98;

    public const int EventBytesMax = 512 * 1024;

    /// <summary>2 MB less room for the framing of a hundred operations.</summary>
    public const int BatchBytesMax = 2 * 1024 * 1024 - 64 * 1024;

    public static void CheckCount(StreamId stream, int events)
    {
        if (events is < 1 or > EventsMax)
            throw new AppendTooLargeException(
                $"One command appends 1 to {EventsMax} events; {stream} was given {events}.");
    }

    public static void CheckBytes(StreamId stream, long eventBytes, long batchBytes)
    {
        if (eventBytes > EventBytesMax)
            throw new AppendTooLargeException(
                $"An event has at most {EventBytesMax} bytes; one for {stream} has {eventBytes}.");
        if (batchBytes > BatchBytesMax)
            throw new AppendTooLargeException(
                $"One command appends at most {BatchBytesMax} bytes of events; {stream} was given {batchBytes}.");
    }
}
