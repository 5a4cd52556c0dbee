using System.Collections.Concurrent;
using System.Globalization;
using System.Runtime.CompilerServices;

namespace EventSourcing;

/// <summary>
/// An event store for tests and tools: the same promises as the durable one, for as long as the process lives.
/// </summary>
public sealed class InMemoryEventStore : IEventStore, IEventArchive
{
    const int PageItems = 500;

    readonly ConcurrentDictionary<StreamId, Stream> streams = [];
    readonly ConcurrentQueue<IReadOnlyList<StoredEvent>> all = [];

    public Task<AppendResult> AppendAsync(
        StreamId stream, long expectedSequence, IReadOnlyList<StoredEvent> events, StoredSnapshot? snapshot,
        CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        var batch = AppendBatch.Of(stream, expectedSequence, events, snapshot);
        return Task.FromResult(streams.GetOrAdd(stream, _ => new(all)).Append(
            expectedSequence, events, batch.Snapshot is null ? null : snapshot));
    }

    public IAsyncEnumerable<StoredEvent> ReadAsync(
        StreamId stream, StreamRange range, CancellationToken cancellation) =>
        PagesAsync(stream, range, cancellation);

    public async IAsyncEnumerable<StoredEvent> CatchUpAsync(
        StreamId stream, long sequence, string commandId, [EnumeratorCancellation] CancellationToken cancellation)
    {
        foreach (var own in streams.GetValueOrDefault(stream)?.Of(commandId, sequence) ?? []) yield return own;
        await foreach (var stored in PagesAsync(stream, new(sequence + 1), cancellation)) yield return stored;
    }

    public Task<long> HeadAsync(StreamId stream, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        return Task.FromResult(streams.GetValueOrDefault(stream)?.Head ?? 0);
    }

    public Task<StoredSnapshot?> ReadSnapshotAsync(StreamId stream, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        return Task.FromResult(streams.GetValueOrDefault(stream)?.Snapshot);
    }

    async IAsyncEnumerable<StoredEvent> PagesAsync(
        StreamId stream, StreamRange range, [EnumeratorCancellation] CancellationToken cancellation)
    {
        if (!streams.TryGetValue(stream, out var source)) yield break;
        var (from, to) = (Math.Max(range.From, 1), Math.Min(range.To, source.Head));
        while (from <= to)
        {
            // Always asynchronous, as every real store is: a caller that relies on the opposite shows in tests.
            await Task.Yield();
            cancellation.ThrowIfCancellationRequested();
            var page = range.Backwards ? source.Page(Math.Max(from, to - PageItems + 1), to)
                : source.Page(from, Math.Min(to, from + PageItems - 1));
            if (range.Backwards) Array.Reverse(page);
            foreach (var stored in page) yield return stored;
            if (range.Backwards) to -= page.Length;
            else from += page.Length;
        }
    }

    public async IAsyncEnumerable<ArchivePage> ReadAllAsync(
        string? continuation, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var from = continuation is null ? 0 : int.Parse(continuation, CultureInfo.InvariantCulture);
        while (true)
        {
            await Task.Yield();
            cancellation.ThrowIfCancellationRequested();
            var page = new List<StoredEvent>();
            foreach (var append in all.Skip(from))
            {
                page.AddRange(append);
                from++;
                if (page.Count >= PageItems) break;
            }

            if (page.Count == 0) yield break;
            yield return new(page, from.ToString(CultureInfo.InvariantCulture));
        }
    }

    public Task<IReadOnlyList<StoredEvent>> CorrelatedAsync(
        string correlationId, int limit, CancellationToken cancellation) =>
        Task.FromResult<IReadOnlyList<StoredEvent>>(
        [
            .. all.SelectMany(events => events).Where(e => e.CorrelationId == correlationId).Take(limit)
                .OrderBy(e => e.Timestamp).ThenBy(e => e.StreamId).ThenBy(e => e.Sequence),
        ]);

    sealed class Stream(ConcurrentQueue<IReadOnlyList<StoredEvent>> all)
    {
        readonly Lock gate = new();
        readonly List<StoredEvent> events = [];
        readonly Dictionary<string, (int Index, int Count)> commands = new(StringComparer.Ordinal);
        StoredSnapshot? snapshot;

        public long Head
        {
            get
            {
                lock (gate) return events.Count;
            }
        }

        public StoredSnapshot? Snapshot
        {
            get
            {
                lock (gate) return snapshot;
            }
        }

        public AppendResult Append(long expected, IReadOnlyList<StoredEvent> added, StoredSnapshot? state)
        {
            lock (gate)
            {
                if (events.Count != expected || !commands.TryAdd(added[0].CommandId, (events.Count, added.Count)))
                    return AppendResult.Conflict;
                events.AddRange(added);
                all.Enqueue(added);
                snapshot = state ?? snapshot;
                return AppendResult.Appended;
            }
        }

        public StoredEvent[] Page(long from, long to)
        {
            lock (gate) return [.. events[((int)from - 1)..(int)to]];
        }

        /// <summary>The command's events up to the sequence.</summary>
        public StoredEvent[] Of(string commandId, long sequence)
        {
            lock (gate)
                return commands.TryGetValue(commandId, out var place)
                    ? [.. events.GetRange(place.Index, place.Count).Where(e => e.Sequence <= sequence)]
                    : [];
        }
    }
}
