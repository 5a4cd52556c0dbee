using System.Collections.Concurrent;
using System.Runtime.CompilerServices;

namespace EventSourcing;

/// <summary>
/// An event store for tests and tools: the same promises as the durable one, for as long as the process lives.
/// </summary>
public sealed class InMemoryEventStore : IEventStore
{
    readonly ConcurrentDictionary<StreamId, Stream> streams = [];

    public Task<AppendResult> AppendAsync(
        StreamId stream, long expectedSequence, IReadOnlyList<StoredEvent> events, StoredSnapshot? snapshot,
        CancellationToken cancellation)
    {
        AppendLimits.CheckCount(stream, events.Count);
        var sizes = events.Select(e => (long)System.Text.Encoding.UTF8.GetByteCount(e.EventData.GetRawText())).ToList();
        AppendLimits.CheckBytes(stream, sizes.Max(), sizes.Sum());

        var target = streams.GetOrAdd(stream, _ => new());
        lock (target)
        {
            if (target.Events.Count != expectedSequence || events.Any(e => target.Keys.Contains(e.CommandKey)))
                return Task.FromResult(AppendResult.Conflict);
            target.Events.AddRange(events);
            target.Keys.UnionWith(events.Select(e => e.CommandKey));
            target.Snapshot = snapshot ?? target.Snapshot;
            return Task.FromResult(AppendResult.Appended);
        }
    }

    public async IAsyncEnumerable<StoredEvent> ReadAsync(
        StreamId stream, StreamRange range, [EnumeratorCancellation] CancellationToken cancellation)
    {
        await Task.CompletedTask;
        var events = Snapshot(stream).Where(e => e.Sequence >= range.From && e.Sequence <= range.To);
        foreach (var stored in range.Backwards ? events.Reverse() : events)
        {
            cancellation.ThrowIfCancellationRequested();
            yield return stored;
        }
    }

    public Task<IReadOnlyList<StoredEvent>> CatchUpAsync(
        StreamId stream, long sequence, string commandId, CancellationToken cancellation) =>
        Task.FromResult<IReadOnlyList<StoredEvent>>(
            [.. Snapshot(stream).Where(e => e.Sequence > sequence || e.CommandId == commandId)]);

    public Task<long> HeadAsync(StreamId stream, CancellationToken cancellation) =>
        Task.FromResult((long)Snapshot(stream).Length);

    public Task<StoredSnapshot?> ReadSnapshotAsync(StreamId stream, CancellationToken cancellation) =>
        Task.FromResult(streams.GetValueOrDefault(stream)?.Snapshot);

    StoredEvent[] Snapshot(StreamId stream)
    {
        if (!streams.TryGetValue(stream, out var target)) return [];
        lock (target)
        {
            return [.. target.Events];
        }
    }

    sealed class Stream
    {
        public List<StoredEvent> Events { get; } = [];

        public HashSet<string> Keys { get; } = [];

        public StoredSnapshot? Snapshot { get; set; }
    }
}
