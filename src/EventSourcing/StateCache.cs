namespace EventSourcing;

/// <summary>
/// The last known state of the streams this process writes to, and the queue before each of them: commands on one
/// stream go one after the other, so that a hot stream does not fight itself. Only ever a head start: everything
/// decided on it is validated by the store.
/// </summary>
public sealed class StateCache(int entriesMax = 10_000)
{
    readonly Lock gate = new();
    readonly Dictionary<StreamId, LinkedListNode<Entry>> entries = [];
    readonly LinkedList<Entry> recent = [];

    /// <summary>
    /// Waits until no other command of this process works on the stream; dispose to let the next one in.
    /// </summary>
    public async ValueTask<Turn> EnterAsync(StreamId stream, CancellationToken cancellation)
    {
        Entry entry;
        lock (gate)
        {
            entry = Touch(stream).Value;
            entry.Users++;
        }

        try
        {
            await entry.Door.WaitAsync(cancellation);
        }
        catch
        {
            Leave(entry);
            throw;
        }

        return new(this, entry);
    }

    /// <summary>The state remembered for the stream, or null.</summary>
    public T? Get<T>(StreamId stream)
        where T : class
    {
        lock (gate)
        {
            return entries.TryGetValue(stream, out var node) ? node.Value.State as T : null;
        }
    }

    public T Set<T>(StreamId stream, T state)
        where T : class
    {
        lock (gate)
        {
            if (entriesMax > 0) Touch(stream).Value.State = state;
            return state;
        }
    }

    public void Remove(StreamId stream)
    {
        lock (gate)
        {
            if (entries.TryGetValue(stream, out var node)) node.Value.State = null;
        }
    }

    LinkedListNode<Entry> Touch(StreamId stream)
    {
        if (entries.TryGetValue(stream, out var node))
        {
            recent.Remove(node);
            recent.AddFirst(node);
            return node;
        }

        node = recent.AddFirst(new Entry(stream));
        entries.Add(stream, node);
        Trim();
        return node;
    }

    void Trim()
    {
        for (var last = recent.Last; entries.Count > Math.Max(entriesMax, 1) && last is not null;)
        {
            var before = last.Previous;
            if (last.Value.Users == 0)
            {
                entries.Remove(last.Value.Stream);
                recent.Remove(last);
            }

            last = before;
        }
    }

    void Leave(Entry entry)
    {
        lock (gate)
        {
            entry.Users--;
        }
    }

    internal sealed class Entry(StreamId stream)
    {
        public StreamId Stream { get; } = stream;

        public SemaphoreSlim Door { get; } = new(1);

        public object? State { get; set; }

        /// <summary>How many commands hold or await the door: an entry in use is never evicted.</summary>
        public int Users { get; set; }
    }

    /// <summary>The right to work on a stream.</summary>
    public readonly struct Turn : IDisposable
    {
        readonly StateCache cache;
        readonly Entry entry;

        internal Turn(StateCache cache, Entry entry) => (this.cache, this.entry) = (cache, entry);

        public void Dispose()
        {
            entry.Door.Release();
            cache.Leave(entry);
        }
    }
}
