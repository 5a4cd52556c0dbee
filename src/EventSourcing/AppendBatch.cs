using System.Text.Json;

namespace EventSourcing;

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

    /// <summary>Sequences are ten digits, so that their order as text is their order as numbers.</summary>
    public const long SequenceMax = 9_999_999_999;

    public static void CheckCount(StreamId stream, int events)
    {
        if (events is < 1 or > EventsMax)
            throw new AppendTooLargeException(
                $"One command appends 1 to {EventsMax} events; {stream} was given {events}.");
    }
}

/// <summary>
/// One append as it will be sent: in order, within all limits, serialised once. Every store makes its append through
/// this, so that what one store refuses, all refuse, before anything is sent.
/// </summary>
public sealed class AppendBatch
{
    AppendBatch(IReadOnlyList<byte[]> events, byte[]? snapshot) => (Events, Snapshot) = (events, snapshot);

    /// <summary>The documents, one an event.</summary>
    public IReadOnlyList<byte[]> Events { get; }

    /// <summary>
    /// Null also when the snapshot would not fit into the transaction: it only ever saves time, so it is left out.
    /// </summary>
    public byte[]? Snapshot { get; }

    /// <exception cref="AppendTooLargeException">It can not be one transaction.</exception>
    /// <exception cref="ArgumentException">These are not one command's events behind the sequence.</exception>
    public static AppendBatch Of(
        StreamId stream, long expectedSequence, IReadOnlyList<StoredEvent> events, StoredSnapshot? snapshot)
    {
        AppendLimits.CheckCount(stream, events.Count);
        CheckPlaces(stream, expectedSequence, events);

        var documents = new byte[events.Count][];
        var bytes = 0L;
        for (var i = 0; i < documents.Length; i++)
        {
            documents[i] = JsonSerializer.SerializeToUtf8Bytes(events[i], StoredJson.Options);
            bytes += documents[i].Length;
            if (documents[i].Length > AppendLimits.EventBytesMax)
                throw new AppendTooLargeException(
                    $"An event has at most {AppendLimits.EventBytesMax} bytes; {events[i].EventType} for {stream} has "
                    + $"{documents[i].Length}.");
        }

        if (bytes > AppendLimits.BatchBytesMax)
            throw new AppendTooLargeException(
                $"One command appends at most {AppendLimits.BatchBytesMax} bytes; {stream} was given {bytes}.");
        return new(documents, snapshot is null ? null : Fitting(snapshot, AppendLimits.BatchBytesMax - bytes));
    }

    static byte[]? Fitting(StoredSnapshot snapshot, long bytesLeft) =>
        JsonSerializer.SerializeToUtf8Bytes(snapshot, StoredJson.Options) is var document
        && document.Length <= bytesLeft
            ? document
            : null;

    // A wrong place would be stored for ever, so whoever made it hears of it here and not from a reader years later.
    static void CheckPlaces(StreamId stream, long expectedSequence, IReadOnlyList<StoredEvent> events)
    {
        if (stream == default) throw new ArgumentException("The stream has no name.", nameof(stream));
        ArgumentOutOfRangeException.ThrowIfNegative(expectedSequence);
        if (expectedSequence + events.Count > AppendLimits.SequenceMax)
            throw new AppendTooLargeException($"A stream has at most {AppendLimits.SequenceMax} events.");

        var name = stream.ToString();
        for (var i = 0; i < events.Count; i++)
        {
            var stored = events[i];
            if (stored.StreamId != name || stored.Sequence != expectedSequence + 1 + i
                || stored.Id != StoredEvent.IdOf(stored.Sequence))
                throw new ArgumentException(
                    $"Event {i} is {stored.Sequence} of {stored.StreamId} under id {stored.Id}, not "
                    + $"{expectedSequence + 1 + i} of {name}.",
                    nameof(events));
            if (stored.CommandId != events[0].CommandId
                || stored.CommandKey != StoredEvent.CommandKeyOf(stored.CommandId, i))
                throw new ArgumentException(
                    $"Event {i} for {name} has command key {stored.CommandKey}; one append is one command's events.",
                    nameof(events));
        }
    }
}
