using System.Runtime.CompilerServices;

namespace EventSourcing.Tests;

/// <summary>A store whose calls are counted and can fail or wait, before and after they take effect.</summary>
sealed class WatchedStore(IEventStore inner) : IEventStore
{
    public IEventStore Inner => inner;

    public int Appends { get; private set; }

    public int Reads { get; private set; }

    public int CatchUps { get; private set; }

    public int SnapshotReads { get; private set; }

    public int EventsRead { get; private set; }

    public Func<Task> BeforeAppend { get; set; } = () => Task.CompletedTask;

    public Func<Task> AfterAppend { get; set; } = () => Task.CompletedTask;

    public Func<Task> BeforeRead { get; set; } = () => Task.CompletedTask;

    public int Calls => Appends + Reads + CatchUps + SnapshotReads;

    public async Task<AppendResult> AppendAsync(
        StreamId stream, long expectedSequence, IReadOnlyList<StoredEvent> events, StoredSnapshot? snapshot,
        CancellationToken cancellation)
    {
        Appends++;
        await BeforeAppend();
        var result = await inner.AppendAsync(stream, expectedSequence, events, snapshot, cancellation);
        await AfterAppend();
        return result;
    }

    public async IAsyncEnumerable<StoredEvent> ReadAsync(
        StreamId stream, StreamRange range, [EnumeratorCancellation] CancellationToken cancellation)
    {
        Reads++;
        await BeforeRead();
        await foreach (var stored in inner.ReadAsync(stream, range, cancellation))
        {
            EventsRead++;
            yield return stored;
        }
    }

    public async IAsyncEnumerable<StoredEvent> CatchUpAsync(
        StreamId stream, long sequence, string commandId, [EnumeratorCancellation] CancellationToken cancellation)
    {
        CatchUps++;
        await BeforeRead();
        await foreach (var stored in inner.CatchUpAsync(stream, sequence, commandId, cancellation))
        {
            EventsRead++;
            yield return stored;
        }
    }

    public Task<long> HeadAsync(StreamId stream, CancellationToken cancellation) =>
        inner.HeadAsync(stream, cancellation);

    public Task<StoredSnapshot?> ReadSnapshotAsync(StreamId stream, CancellationToken cancellation)
    {
        SnapshotReads++;
        return inner.ReadSnapshotAsync(stream, cancellation);
    }
}
