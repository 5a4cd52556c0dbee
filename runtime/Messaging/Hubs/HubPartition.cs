using Runtime.Messaging.Storage;

namespace Runtime.Messaging.Hubs;

/// <summary>An event on its way in.</summary>
readonly record struct IncomingEvent(byte[] Payload, string? Key);

/// <summary>How far a consumer group has come in a partition.</summary>
readonly record struct Checkpoint(long Sequence, long Offset);

/// <summary>One partition of an event hub: events in order, each with a number, until they grow too old.</summary>
/// <remarks>Memory holds the newest events (without a file: all), the file holds all. Readers see an event only when
/// it is durable. Members are called under the kernel's gate.</remarks>
sealed class HubPartition : ITimed
{
    /// <summary>Old events leave in sweeps, not one by one.</summary>
    static readonly long SweepEvery = TimeSpan.FromMinutes(1).Ticks;

    /// <summary>What an event takes in the numbering of offsets beside its bytes, so that no two share one. Stored for
    /// ever: offsets go on from it after a restart.</summary>
    public const int OffsetOverhead = 32;

    readonly Kernel kernel;
    readonly int agendaId;
    readonly long retention;
    readonly List<StoredEvent> tail = [];
    readonly Dictionary<string, int> readers = [];

    /// <summary>The groups that read with a cursor, and up to which number they have dealt with everything.</summary>
    readonly Dictionary<string, long> followers = [];
    TaskCompletionSource grown = new(TaskCreationOptions.RunContinuationsAsynchronously);
    long tailBytes;
    long? oldestAt;
    PartitionHead head;

    public HubPartition(Kernel kernel, string id, int row, long createdAt, PartitionHead head, long retention)
    {
        this.kernel = kernel;
        this.head = head;
        this.retention = retention;
        Id = id;
        Row = row;
        CreatedAt = createdAt;
        Visible = head.NextSequence;
        First = head.NextSequence;
        if (kernel.Store?.ReadEvents(row, 0, 1) is [var oldest, ..])
        {
            First = oldest.Sequence;
            oldestAt = oldest.EnqueuedAt;
        }

        agendaId = kernel.Register(this);
        kernel.Touch(agendaId);
    }

    public string Id { get; }

    public int Row { get; }

    public long CreatedAt { get; }

    /// <summary>The oldest event that is still there, or the next one.</summary>
    public long First { get; private set; }

    /// <summary>Behind the newest event a reader may see.</summary>
    public long Visible { get; private set; }

    public PartitionHead Head => head;

    public Dictionary<string, Checkpoint> Checkpoints { get; } = [];

    /// <summary>Whether a group that follows has not yet dealt with all there is.</summary>
    public bool IsBusy => followers.Values.Any(done => Math.Max(done, First) < Visible);

    /// <summary>Completes when there is more to see than now.</summary>
    public Task Grown => grown.Task;

    public long NextDue => oldestAt is { } oldest ? oldest + retention + SweepEvery : Agenda.Never;

    long TailFirst => head.NextSequence - tail.Count;

    public void Append(IReadOnlyList<IncomingEvent> events)
    {
        foreach (var (payload, key) in events)
        {
            var added = new StoredEvent(head.NextSequence, head.NextOffset, kernel.Now, key, payload);
            tail.Add(added);
            tailBytes += payload.Length;
            head = new(head.NextSequence + 1, head.NextOffset + payload.Length + OffsetOverhead, kernel.Now);
            oldestAt ??= kernel.Now;
            kernel.Commit.Add(new Change.EventAdded(Row, added.Sequence, added.Offset, added.EnqueuedAt, key, payload));
        }

        kernel.Touch(agendaId);
        var visible = head.NextSequence;
        kernel.Commit.Afterwards(failure =>
        {
            if (failure is null)
            {
                Show(visible);
            }
        });
    }

    /// <summary>What memory has from a number on; null when it is only in the file.</summary>
    public IReadOnlyList<StoredEvent>? Read(long from, int countMax)
    {
        if (from >= Visible)
        {
            return [];
        }

        var start = from - TailFirst;
        return start < 0 ? null : tail.GetRange((int)start, (int)Math.Min(countMax, Visible - from));
    }

    public void SetCheckpoint(string group, Checkpoint checkpoint)
    {
        Checkpoints[group] = checkpoint;
        if (followers.ContainsKey(group))
        {
            followers[group] = checkpoint.Sequence + 1;
        }

        kernel.Commit.Add(new Change.Checkpointed(Row, group, checkpoint.Sequence, checkpoint.Offset));
    }

    public bool AddReader(string group)
    {
        var count = readers.GetValueOrDefault(group);
        if (count >= kernel.Options.ReadersPerGroupMax)
        {
            return false;
        }

        readers[group] = count + 1;
        return true;
    }

    public void RemoveReader(string group)
    {
        if (--readers[group] == 0)
        {
            followers.Remove(group);
        }
    }

    public void Follow(string group, long from) => followers[group] = from;

    /// <summary>
    /// The first event for which a condition holds that holds for all behind it; the next one if for none.
    /// </summary>
    public long FirstWhere(Predicate<StoredEvent> condition, Func<SqliteStore, long?> inFile)
    {
        if (kernel.Store is { } store && TailFirst > First && (tail.Count == 0 || condition(tail[0])) &&
            inFile(store) is { } sequence)
        {
            return Math.Max(sequence, First);
        }

        var index = tail.FindIndex(condition);
        return index < 0 ? head.NextSequence : TailFirst + index;
    }

    public void Advance(long now)
    {
        var cut = now - retention;
        First = FirstWhere(e => e.EnqueuedAt > cut, store => store.FindTime(Row, cut + 1));
        kernel.Commit.Add(new Change.EventsTrimmed(Row, First));

        // Otherwise the last event tells where the partition goes on; it may be gone now.
        kernel.Commit.Reached(Row, head);
        DropTail(count: (int)Math.Max(0, First - TailFirst));
        oldestAt = First >= head.NextSequence ? null
            : First >= TailFirst ? tail[(int)(First - TailFirst)].EnqueuedAt
            : kernel.Store!.ReadEvents(Row, First, 1)[0].EnqueuedAt;
    }

    void Show(long visible)
    {
        Visible = visible;
        grown.SetResult();
        grown = new(TaskCreationOptions.RunContinuationsAsynchronously);
        if (!kernel.Commit.IsDurable || tailBytes <= kernel.Options.ResidentEventBytesMax)
        {
            return;
        }

        // In one go and to the half, so that the list is not moved for every event; only what is in the file by now.
        var count = 0;
        for (var bytes = tailBytes; bytes > kernel.Options.ResidentEventBytesMax / 2
            && TailFirst + count < Visible; count++)
        {
            bytes -= tail[count].Payload.Length;
        }

        DropTail(count);
    }

    void DropTail(int count)
    {
        for (var i = 0; i < count; i++)
        {
            tailBytes -= tail[i].Payload.Length;
        }

        tail.RemoveRange(0, count);
    }
}
