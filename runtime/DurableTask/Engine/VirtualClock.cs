namespace Runtime.DurableTask;

/// <summary>Time that moves only when told to, or when everybody who registered work is idle.</summary>
/// <remarks>
/// <see cref="AdvanceAsync"/> and <see cref="AutoAdvance"/> let everybody come to rest between one timer and the next,
/// so that a chain of timers runs as it would in real time: nothing falls due while work is in flight.
/// <see cref="Advance"/> moves at once, whoever is busy: what is in flight then runs out of its time, and so may every
/// attempt that follows it within one long leap. It is for work that waits for this clock while it counts as busy (an
/// activity in <c>Task.Delay</c>), which nothing else can move.
/// </remarks>
public sealed class VirtualClock : TimeProvider
{
    readonly Lock _gate = new();
    readonly SortedSet<VirtualTimer> _timers = new(VirtualTimer.InFiringOrder);
    readonly List<Func<DateTimeOffset?>> _sources = [];
    readonly List<TaskCompletionSource> _waitingForIdle = [];
    readonly DateTimeOffset _start;
    DateTimeOffset _now;
    TimeSpan _autoAdvance;
    long _timersMade;
    int _holds;
    bool _advancing;
    bool _askedAgain;

    public VirtualClock(DateTimeOffset start) => _start = _now = start.ToUniversalTime();

    public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    /// <summary>While nobody is busy, what a source has due within this much of now happens at once.</summary>
    public TimeSpan AutoAdvance
    {
        get
        {
            lock (_gate)
            {
                return _autoAdvance;
            }
        }

        set
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, TimeSpan.Zero);
            lock (_gate)
            {
                _autoAdvance = value;
            }

            AdvanceIfIdle();
        }
    }

    public override DateTimeOffset GetUtcNow()
    {
        lock (_gate)
        {
            return _now;
        }
    }

    public override long GetTimestamp() => (GetUtcNow() - _start).Ticks;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        ArgumentNullException.ThrowIfNull(callback);
        var timer = new VirtualTimer(this, callback, state, Interlocked.Increment(ref _timersMade));
        timer.Change(dueTime, period);
        return timer;
    }

    /// <summary>Marks its holder as busy until disposed: meanwhile time does not move by itself.</summary>
    public IDisposable Hold()
    {
        var hold = new Holder(this);
        hold.Enter();
        return hold;
    }

    /// <summary>Registers when its owner next has something due, for <see cref="AutoAdvance"/>.</summary>
    public IDisposable AddSource(Func<DateTimeOffset?> nextDue)
    {
        ArgumentNullException.ThrowIfNull(nextDue);
        lock (_gate)
        {
            _sources.Add(nextDue);
        }

        return new Source(this, nextDue);
    }

    /// <summary>Completes when nobody is busy.</summary>
    public Task WhenIdleAsync(CancellationToken cancellation = default)
    {
        lock (_gate)
        {
            if (_holds == 0)
            {
                return Task.CompletedTask;
            }

            var idle = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _waitingForIdle.Add(idle);
            return idle.Task.WaitAsync(cancellation);
        }
    }

    /// <summary>Moves time at once, firing what falls due on the way, whoever is busy.</summary>
    public void Advance(TimeSpan by)
    {
        // Somebody else may move it further at the same moment: then there is nothing left to do, and nothing wrong.
        ArgumentOutOfRangeException.ThrowIfLessThan(by, TimeSpan.Zero);
        MoveTo(GetUtcNow() + by);
    }

    /// <inheritdoc cref="Advance"/>
    public void AdvanceTo(DateTimeOffset instant)
    {
        RefusePast(instant);
        MoveTo(instant);
    }

    /// <summary>Moves time from timer to timer and lets everybody come to rest in between.</summary>
    public Task AdvanceAsync(TimeSpan by, CancellationToken cancellation = default) =>
        AdvanceToAsync(GetUtcNow() + by, cancellation);

    /// <inheritdoc cref="AdvanceAsync"/>
    public async Task AdvanceToAsync(DateTimeOffset instant, CancellationToken cancellation = default)
    {
        RefusePast(instant);
        do
        {
            await WhenIdleAsync(cancellation);
        }
        while (Next(instant, resting: true) != Move.Arrived);

        AdvanceIfIdle();
        await WhenIdleAsync(cancellation);
    }

    /// <summary>Somebody whose work is counted piece by piece.</summary>
    internal Holder Join() => new(this);

    void Released()
    {
        AdvanceIfIdle();
        TaskCompletionSource[] idle;
        lock (_gate)
        {
            if (_holds > 0 || _waitingForIdle.Count == 0)
            {
                return;
            }

            idle = [.. _waitingForIdle];
            _waitingForIdle.Clear();
        }

        Array.ForEach(idle, waiter => waiter.TrySetResult());
    }

    void MoveTo(DateTimeOffset instant)
    {
        while (Next(instant, resting: false) != Move.Arrived)
        {
        }

        AdvanceIfIdle();
    }

    void RefusePast(DateTimeOffset instant) =>
        ArgumentOutOfRangeException.ThrowIfLessThan(instant, GetUtcNow(), nameof(instant));

    // All timers of one instant fire together: nobody could tell their order in real time. Whether everybody rests is
    // asked under the lock that moves the time: in between, somebody could begin what then runs out of its time.
    Move Next(DateTimeOffset until, bool resting)
    {
        var due = new List<VirtualTimer>();
        lock (_gate)
        {
            if (resting && _holds > 0)
            {
                return Move.Refused;
            }

            if (_timers.Min is not { } first || first.Due > until)
            {
                _now = until > _now ? until.ToUniversalTime() : _now;
                return Move.Arrived;
            }

            _now = first.Due > _now ? first.Due : _now;
            while (_timers.Min is { } next && next.Due <= _now)
            {
                _timers.Remove(next);
                due.Add(next);
                next.Repeat();
            }
        }

        due.ForEach(timer => timer.Fire());
        return Move.Fired;
    }

    void AdvanceIfIdle()
    {
        lock (_gate)
        {
            _askedAgain = true;
            if (_advancing || _holds > 0 || _autoAdvance == TimeSpan.Zero)
            {
                return;
            }

            _advancing = true;
        }

        while (AskedAgain())
        {
            // A source whose due time does not move on would keep this loop for ever.
            DateTimeOffset? last = null;
            while (NextWithinReach() is { } due && due != last)
            {
                last = due;
                while (Next(due, resting: true) == Move.Fired)
                {
                }
            }
        }
    }

    // Whoever came to rest while another was moving the time has left only this mark behind.
    bool AskedAgain()
    {
        lock (_gate)
        {
            _advancing = _askedAgain;
            _askedAgain = false;
            return _advancing;
        }
    }

    DateTimeOffset? NextWithinReach()
    {
        Func<DateTimeOffset?>[] sources;
        lock (_gate)
        {
            sources = [.. _sources];
        }

        // Asked outside the lock: a source has its own, and holds it when it calls this clock.
        var next = sources.Min(source => source());
        lock (_gate)
        {
            return _holds == 0 && next - _now <= _autoAdvance ? (next > _now ? next : _now) : null;
        }
    }

    enum Move
    {
        /// <summary>Some timers fired, perhaps with more to come.</summary>
        Fired,

        /// <summary>It is that time now.</summary>
        Arrived,

        /// <summary>Somebody is busy.</summary>
        Refused,
    }

    sealed class VirtualTimer(VirtualClock clock, TimerCallback callback, object? state, long number) : ITimer
    {
        internal static readonly Comparer<VirtualTimer> InFiringOrder = Comparer<VirtualTimer>.Create(
            (a, b) => a.Due != b.Due ? a.Due.CompareTo(b.Due) : a.Number.CompareTo(b.Number));

        TimeSpan _period;
        bool _disposed;

        internal DateTimeOffset Due { get; private set; }

        long Number => number;

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            lock (clock._gate)
            {
                if (_disposed)
                {
                    return false;
                }

                clock._timers.Remove(this);
                _period = period;
                var first = dueTime == TimeSpan.Zero ? period : dueTime;
                if (first > TimeSpan.Zero)
                {
                    Due = DateTimeOffset.MaxValue - clock._now > first ? clock._now + first : DateTimeOffset.MaxValue;
                    clock._timers.Add(this);
                }
            }

            if (dueTime == TimeSpan.Zero)
            {
                ThreadPool.UnsafeQueueUserWorkItem(timer => timer.Fire(), this, preferLocal: false);
            }

            return true;
        }

        public void Dispose()
        {
            lock (clock._gate)
            {
                _disposed = true;
                clock._timers.Remove(this);
            }
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }

        internal void Repeat()
        {
            if (_period > TimeSpan.Zero)
            {
                Due += _period;
                clock._timers.Add(this);
            }
        }

        internal void Fire() => callback(state);
    }

    /// <summary>Pieces of work that keep the time from moving by itself; disposing ends all that are left.</summary>
    internal sealed class Holder(VirtualClock clock) : IDisposable
    {
        int _pieces;
        bool _left;

        public void Dispose()
        {
            lock (clock._gate)
            {
                clock._holds -= _pieces;
                _pieces = 0;
                _left = true;
            }

            clock.Released();
        }

        internal void Enter()
        {
            lock (clock._gate)
            {
                if (!_left)
                {
                    _pieces++;
                    clock._holds++;
                }
            }
        }

        internal void Exit()
        {
            lock (clock._gate)
            {
                if (!_left)
                {
                    _pieces--;
                    clock._holds--;
                }
            }

            clock.Released();
        }
    }

    sealed class Source(VirtualClock clock, Func<DateTimeOffset?> nextDue) : IDisposable
    {
        public void Dispose()
        {
            lock (clock._gate)
            {
                clock._sources.Remove(nextDue);
            }
        }
    }
}
