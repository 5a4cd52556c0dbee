namespace Runtime.DurableTask;

/// <summary>Keeps everything in this process, with the same promises as a file while the process lives.</summary>
sealed class MemoryStore : IInstanceStore
{
    // No id comes after this one.
    static readonly string Last = new('\uffff', 1_024);

    readonly Lock _gate = new();
    readonly SortedSet<string> _ids = new(StringComparer.Ordinal);
    readonly Dictionary<string, Stored> _instances = new(StringComparer.Ordinal);
    readonly Dictionary<string, HashSet<string>> _children = new(StringComparer.Ordinal);
    readonly Dictionary<long, Message> _inbox = [];
    long _sequence;

    public Unfinished Open()
    {
        lock (_gate)
        {
            return new(
                [.. _instances.Values.Select(stored => stored.Record).Where(record => record.IsUnstarted)],
                [.. _inbox.Values.OrderBy(message => message.Sequence)],
                [.. _instances.Values.SelectMany(stored => stored.Tasks.Values)]);
        }
    }

    public long NextSequence() => Interlocked.Increment(ref _sequence);

    public InstanceRecord? Find(string instanceId)
    {
        lock (_gate)
        {
            return _instances.GetValueOrDefault(instanceId)?.Record;
        }
    }

    public IReadOnlyList<HistoryTurn> ReadHistory(string instanceId)
    {
        lock (_gate)
        {
            return _instances.TryGetValue(instanceId, out var stored) ? [.. stored.History] : [];
        }
    }

    public IReadOnlyList<InstanceRecord> ReadChildren(string parentInstanceId)
    {
        lock (_gate)
        {
            return _children.TryGetValue(parentInstanceId, out var ids)
                ? [.. ids.Select(id => _instances[id].Record)]
                : [];
        }
    }

    public IReadOnlyList<InstanceRecord> List(ListFilter filter)
    {
        var from = string.CompareOrdinal(filter.After, filter.Prefix) > 0 ? filter.After : filter.Prefix;
        lock (_gate)
        {
            return
            [
                .. _ids.GetViewBetween(from, Last)
                    .Where(id => id != filter.After)
                    .TakeWhile(id => id.StartsWith(filter.Prefix, StringComparison.Ordinal))
                    .Select(id => _instances[id].Record)
                    .Where(filter.Matches)
                    .Take(filter.Max),
            ];
        }
    }

    public Task CommitAsync(Commit commit)
    {
        lock (_gate)
        {
            var stored = _instances.GetValueOrDefault(commit.InstanceId);
            if (commit.ForgetExecution)
            {
                stored?.Forget();
            }

            if (commit.CutHistoryAt is { } cut)
            {
                stored?.History.RemoveRange(cut, stored.History.Count - cut);
            }

            Put(commit, stored);
            commit.Consumed.ForEach(sequence => _inbox.Remove(sequence));
            commit.Outgoing.ForEach(message => _inbox[message.Sequence] = message);
        }

        return Task.CompletedTask;
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    void Put(Commit commit, Stored? stored)
    {
        if (commit.Purge)
        {
            Remove(stored);
        }

        if (commit.Record is not { } record)
        {
            return;
        }

        if (stored is null)
        {
            stored = new Stored(record);
            _instances.Add(record.InstanceId, stored);
            _ids.Add(record.InstanceId);
        }

        LinkParent(stored.Record.Parent, record);
        stored.Record = record;
        if (commit.Turn is { } turn)
        {
            stored.History.Add(turn);
        }

        if (commit.CloseAll)
        {
            stored.Tasks.Clear();
        }

        commit.Closed.ForEach(task => stored.Tasks.Remove(task));
        commit.Opened.ForEach(task => stored.Tasks[task.Task] = task);
    }

    void Remove(Stored? stored)
    {
        if (stored is null)
        {
            return;
        }

        _instances.Remove(stored.Record.InstanceId);
        _ids.Remove(stored.Record.InstanceId);
        LinkParent(stored.Record.Parent, stored.Record with { Parent = null });
    }

    void LinkParent(ParentLink? former, InstanceRecord record)
    {
        if (former is not null && former != record.Parent && _children.TryGetValue(former.InstanceId, out var siblings))
        {
            siblings.Remove(record.InstanceId);
            if (siblings.Count == 0)
            {
                _children.Remove(former.InstanceId);
            }
        }

        if (record.Parent is { } parent)
        {
            if (!_children.TryGetValue(parent.InstanceId, out var children))
            {
                _children.Add(parent.InstanceId, children = []);
            }

            children.Add(record.InstanceId);
        }
    }

    sealed class Stored(InstanceRecord record)
    {
        internal InstanceRecord Record { get; set; } = record;

        internal List<HistoryTurn> History { get; } = [];

        internal SortedDictionary<int, OpenTask> Tasks { get; } = [];

        internal void Forget()
        {
            History.Clear();
            Tasks.Clear();
        }
    }
}
