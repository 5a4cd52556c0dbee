namespace Runtime.DurableTask;

/// <summary>
/// Makes asynchronous code deterministic: continuations of one orchestration run one after the other, in the order in
/// which they became ready, on whichever thread runs the turn, and nowhere else. It is both the synchronisation context
/// that `await` returns to and the scheduler that `ContinueWith` and `Task.Factory` use. Whatever arrives from another
/// thread stems from a task that the orchestration did not get from its context, and is reported instead of run.
/// </summary>
sealed class TurnThread : TaskScheduler
{
    readonly Queue<(SendOrPostCallback? Continuation, object? State)> _ready = new();
    readonly Context _context;
    readonly Action _foreign;
    int _thread;

    internal TurnThread(Action foreign)
    {
        _foreign = foreign;
        _context = new Context(this);
    }

    public override int MaximumConcurrencyLevel => 1;

    internal bool IsCurrent => Volatile.Read(ref _thread) == Environment.CurrentManagedThreadId;

    /// <summary>Runs the action and all that becomes ready through it.</summary>
    internal void Run(Action action)
    {
        var outside = SynchronizationContext.Current;
        SynchronizationContext.SetSynchronizationContext(_context);
        Volatile.Write(ref _thread, Environment.CurrentManagedThreadId);
        try
        {
            // A task, so that TaskScheduler.Current is this one for all code below.
            var turn = new Task(() =>
            {
                action();
                RunReady();
            });
            turn.RunSynchronously(this);
            turn.GetAwaiter().GetResult();
        }
        finally
        {
            Volatile.Write(ref _thread, 0);
            SynchronizationContext.SetSynchronizationContext(outside);
        }
    }

    protected override void QueueTask(Task task) => Enqueue(null, task);

    protected override bool TryExecuteTaskInline(Task task, bool taskWasPreviouslyQueued) =>
        IsCurrent && !taskWasPreviouslyQueued && TryExecuteTask(task);

    protected override IEnumerable<Task>? GetScheduledTasks() => null;

    internal void RunReady()
    {
        while (_ready.TryDequeue(out var next))
        {
            if (next.Continuation is { } continuation)
            {
                continuation(next.State);
            }
            else
            {
                TryExecuteTask((Task)next.State!);
            }
        }
    }

    void Enqueue(SendOrPostCallback? continuation, object? state)
    {
        if (IsCurrent)
        {
            _ready.Enqueue((continuation, state));
        }
        else
        {
            _foreign();
        }
    }

    sealed class Context(TurnThread thread) : SynchronizationContext
    {
        public override void Post(SendOrPostCallback d, object? state) => thread.Enqueue(d, state);

        public override void Send(SendOrPostCallback d, object? state)
        {
            if (thread.IsCurrent)
            {
                d(state);
            }
            else
            {
                thread._foreign();
            }
        }

        public override SynchronizationContext CreateCopy() => this;
    }
}
