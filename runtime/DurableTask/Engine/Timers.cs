namespace Runtime.DurableTask;

/// <summary>All instances' timers behind one timer of the clock. They are gone with the process and set again from the
/// store when it starts anew.</summary>
sealed class Timers : IDisposable
{
    // The most a timer of the system takes is just under 50 days; longer ones are looked at again on the way.
    static readonly TimeSpan LongestWait = TimeSpan.FromDays(40);

    readonly Lock _gate = new();
    readonly SortedSet<Entry> _entries = new(Entry.InFiringOrder);
    readonly Dictionary<string, Dictionary<int, Entry>> _byInstance = new(StringComparer.Ordinal);
    readonly TimeProvider _clock;
    readonly Action<OpenTask> _fire;
    readonly ITimer _timer;
    long _order;
    bool _disposed;

    internal Timers(TimeProvider clock, Action<OpenTask> fire)
    {
        _clock = clock;
        _fire = fire;
        _timer = clock.CreateTimer(_ => FireDue(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    internal DateTimeOffset? NextDue
    {
        get
        {
            lock (_gate)
            {
                return _entries.Min is { } next ? new DateTimeOffset(next.FireAt) : null;
            }
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _disposed = true;
            _entries.Clear();
            _byInstance.Clear();
        }

        _timer.Dispose();
    }

    internal void Set(OpenTask task)
    {
        lock (_gate)
        {
            if (_disposed)
            {
                return;
            }

            if (!_byInstance.TryGetValue(task.InstanceId, out var mine))
            {
                _byInstance.Add(task.InstanceId, mine = []);
            }

            var entry = new Entry(task, task.FireAt!.Value, _order++);
            if (mine.Remove(task.Task, out var former))
            {
                _entries.Remove(former);
            }

            mine.Add(task.Task, entry);
            _entries.Add(entry);
            if (_entries.Min != entry)
            {
                return;
            }
        }

        FireDue();
    }

    internal void Cancel(string instanceId, int task)
    {
        lock (_gate)
        {
            if (_byInstance.TryGetValue(instanceId, out var mine) && mine.Remove(task, out var entry))
            {
                _entries.Remove(entry);
                if (mine.Count == 0)
                {
                    _byInstance.Remove(instanceId);
                }
            }
        }
    }

    internal void CancelAll(string instanceId)
    {
        lock (_gate)
        {
            if (_byInstance.Remove(instanceId, out var mine))
            {
                _entries.ExceptWith(mine.Values);
            }
        }
    }

    // Fires what is due and sets the clock for what comes next. Due timers are taken under the lock and fired outside.
    void FireDue()
    {
        List<OpenTask> due = [];
        lock (_gate)
        {
            if (_disposed)
            {
                return;
            }

            var now = _clock.GetUtcNow().UtcDateTime;
            while (_entries.Min is { } next && next.FireAt <= now)
            {
                _entries.Remove(next);
                var mine = _byInstance[next.Task.InstanceId];
                mine.Remove(next.Task.Task);
                if (mine.Count == 0)
                {
                    _byInstance.Remove(next.Task.InstanceId);
                }

                due.Add(next.Task);
            }

            var wait = _entries.Min is { } later
                ? TimeSpan.FromTicks(Math.Min((later.FireAt - now).Ticks, LongestWait.Ticks))
                : Timeout.InfiniteTimeSpan;
            _timer.Change(RoundUp(wait), Timeout.InfiniteTimeSpan);
        }

        due.ForEach(_fire);
    }

    // Timers of the system count whole milliseconds, downwards: one that fires early would be set again and again.
    TimeSpan RoundUp(TimeSpan wait) =>
        _clock is VirtualClock || wait == Timeout.InfiniteTimeSpan
            ? wait
            : TimeSpan.FromMilliseconds(Math.Ceiling(wait.TotalMilliseconds));

    sealed class Entry(OpenTask task, DateTime fireAt, long order)
    {
        internal static readonly Comparer<Entry> InFiringOrder = Comparer<Entry>.Create(
            (a, b) => a.FireAt != b.FireAt ? a.FireAt.CompareTo(b.FireAt) : a.Order.CompareTo(b.Order));

        internal OpenTask Task => task;

        internal DateTime FireAt => fireAt;

        long Order => order;
    }
}
