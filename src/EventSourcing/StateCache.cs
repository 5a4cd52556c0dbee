namespace EventSourcing;

/// <summary>
/// The last known state of the streams this process writes to, and the queue before each of them: commands on one
/// stream go one after the other, so that a hot stream does not fight itself. Only ever a head start: everything
/// decided on it is validated by the store.
/// </summary>
/// <remarks>
/// Bounded by entries and by bytes as their owners estimate them; the least recently used goes first. With no entries
/// allowed it remembers nothing and keeps the queues alone.
/// </remarks>
public sealed class StateCache(int entriesMax = 10_000, long bytesMax = 128 * 1024 * 1024)
{
    /// <summary>One state takes at most this share of all bytes: a giant does not push out all others.</summary>
    const int ShareMax = 8;

    readonly Lock gate = new();
    readonly Dictionary<StreamId, LinkedListNode<Entry>> entries = [];
    readonly LinkedList<Entry> recent = [];
    long bytes;

    /// <summary>How many streams are remembered or worked on at this moment.</summary>
    public int Count
    {
        get
        {
            lock (gate) return entries.Count;
        }
    }

    /// <summary>The estimated size of everything remembered.</summary>
    public long Bytes
    {
        get
        {
            lock (gate) return bytes;
        }
    }

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
            return entries.ContainsKey(stream) ? Touch(stream).Value.State as T : null;
        }
    }

    public T Set<T>(StreamId stream, T state, long size = 0)
        where T : class
    {
        lock (gate)
        {
            if (entriesMax == 0 || size > bytesMax / ShareMax)
            {
                Forget(stream);
                return state;
            }

            Weigh(Touch(stream).Value, state, size);
            Trim();
            return state;
        }
    }

    public void Remove(StreamId stream)
    {
        lock (gate)
        {
            Forget(stream);
        }
    }

    void Forget(StreamId stream)
    {
        if (!entries.TryGetValue(stream, out var node)) return;
        Weigh(node.Value, null, 0);
        Drop(node);
    }

    void Weigh(Entry entry, object? state, long size)
    {
        bytes += size - entry.Size;
        (entry.State, entry.Size) = (state, size);
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
        return node;
    }

    void Trim()
    {
        for (var last = recent.Last; last is not null && (entries.Count > entriesMax || bytes > bytesMax);)
        {
            // A door that somebody holds or awaits must stay the only one; its state may go all the same.
            var before = last.Previous;
            if (bytes > bytesMax || last.Value.Users == 0) Weigh(last.Value, null, 0);
            Drop(last);
            last = before;
        }
    }

    /// <summary>Takes the entry out unless somebody uses it.</summary>
    void Drop(LinkedListNode<Entry> node)
    {
        if (node.Value.Users > 0) return;
        entries.Remove(node.Value.Stream);
        recent.Remove(node);
    }

    void Leave(Entry entry)
    {
        lock (gate)
        {
            entry.Users--;
            if (entry is { Users: 0, State: null }) Drop(entries[entry.Stream]);
            else Trim();
        }
    }

    internal sealed class Entry(StreamId stream)
    {
        public StreamId Stream { get; } = stream;

        public SemaphoreSlim Door { get; } = new(1);

        public object? State { get; set; }

        public long Size { get; set; }

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
