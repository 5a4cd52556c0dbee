using System.Security.Cryptography;
using Runtime.Messaging.Storage;

namespace Runtime.Messaging;

/// <summary>The one gate through which all state of a broker is touched: time first, then the operation, then the file.
/// </summary>
/// <remarks>Everything happens under one lock and in memory, so an operation is short and sees a whole state. What
/// time has brought about since the last operation is done before the next one, so no outcome depends on how punctual
/// a timer is. An answer leaves only when what it rests on is durable.</remarks>
sealed class Kernel : IDisposable
{
    readonly Agenda agenda = new();
    readonly List<int> touched = [];
    readonly List<TaskCompletionSource> idleWaiters = [];
    readonly ITimer timer;
    readonly long tokenPrefix;
    long timerDue = Agenda.Never;
    long lockTokens;
    long messages;
    bool closed;

    public Kernel(MessageBrokerOptions options, SqliteStore? store)
    {
        Options = options;
        Store = store;
        Commit = new(store, Gate);
        Faults = new(options.Random);
        Now = options.Clock.GetUtcNow().UtcTicks;

        // A token of an earlier life of this broker must not fit a lock of this one.
        tokenPrefix = BitConverter.ToInt64(RandomNumberGenerator.GetBytes(sizeof(long)));
        timer = options.Clock.CreateTimer(_ => Tick(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    public Lock Gate { get; } = new();

    public MessageBrokerOptions Options { get; }

    public SqliteStore? Store { get; }

    public GroupCommit Commit { get; }

    public MessageFaults Faults { get; }

    /// <summary>UTC ticks. Never runs back, even when the machine's clock is set: locks end in the order they began.
    /// </summary>
    public long Now { get; private set; }

    /// <summary>Message bytes held in memory.</summary>
    public long ResidentBytes { get; set; }

    /// <summary>
    /// Whether something is going to happen by itself; asked only while somebody waits for the end of it.
    /// </summary>
    public Func<bool> IsBusy { get; set; } = () => false;

    public int Register(ITimed item) => agenda.Add(item);

    /// <summary>Notes that an entity has changed, so that its turn on the agenda may be another.</summary>
    public void Touch(int id)
    {
        if (touched.Count == 0 || touched[^1] != id)
        {
            touched.Add(id);
        }
    }

    /// <summary>Continues after the ids a file already holds.</summary>
    public void ContinueAfter(long message) => messages = Math.Max(messages, message);

    public long NextMessageId() => ++messages;

    public Guid NextLockToken()
    {
        Span<byte> token = stackalloc byte[16];
        BitConverter.TryWriteBytes(token, tokenPrefix);
        BitConverter.TryWriteBytes(token[8..], ++lockTokens);
        return new(token);
    }

    /// <summary>Runs an operation and answers when what it did, and saw, is durable.</summary>
    public async Task<T> RunAsync<T>(Func<T> operation)
    {
        T result;
        Task committed;
        lock (Gate)
        {
            Enter();
            try
            {
                result = operation();
            }
            finally
            {
                committed = Leave();
            }
        }

        await committed;
        return result;
    }

    public Task RunAsync(Action operation) => RunAsync(() =>
    {
        operation();
        return true;
    });

    public Task WhenIdleAsync(CancellationToken cancellation)
    {
        var idle = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (Gate)
        {
            Enter();
            idleWaiters.Add(idle);
            Leave();
        }

        return idle.Task.WaitAsync(cancellation);
    }

    /// <summary>Lets nobody in any more; what is under way still finishes.</summary>
    public async Task CloseAsync()
    {
        lock (Gate)
        {
            closed = true;
            idleWaiters.ForEach(waiter => waiter.TrySetException(new ObjectDisposedException(nameof(MessageBroker))));
        }

        await timer.DisposeAsync();
        await Commit.CloseAsync();
    }

    public void Dispose() => timer.Dispose();

    /// <summary>Called under the gate before anything else.</summary>
    public void Enter()
    {
        ObjectDisposedException.ThrowIf(closed, typeof(MessageBroker));
        if (Commit.Failure is { } failure)
        {
            throw new IOException(
                "The broker could not write its file and takes nothing more until it is opened again.", failure);
        }

        Now = Math.Max(Now, Options.Clock.GetUtcNow().UtcTicks);
        CatchUp();
    }

    /// <summary>Called under the gate after everything else.</summary>
    /// <returns>Completes when all that happened so far is durable.</returns>
    public Task Leave()
    {
        Refresh();
        var due = agenda.NextDue;
        if (due < timerDue)
        {
            // Only ever earlier: a timer that fires for nothing is cheaper than one set anew by every operation.
            timerDue = due;
            timer.Change(Until(due), Timeout.InfiniteTimeSpan);
        }

        Commit.Begin();
        if (idleWaiters.Count > 0)
        {
            // Behind what is being written now: a reader may be woken only by that.
            Commit.Afterwards(_ => AnswerIdle());
        }

        return Commit.Committed;
    }

    TimeSpan Until(long due)
    {
        // Timers take at most 49 days; firing too early is harmless, since Advance looks at the time itself.
        var left = TimeSpan.FromTicks(Math.Max(0, due - Options.Clock.GetUtcNow().UtcTicks));
        return left < TimeSpan.FromDays(40) ? left : TimeSpan.FromDays(40);
    }

    void CatchUp()
    {
        while (agenda.NextDue <= Now)
        {
            agenda.ActNext(Now);
            Refresh();
        }
    }

    void Refresh()
    {
        // An entity that acts may touch another: its dead letters, its topic's subscriptions.
        for (var i = 0; i < touched.Count; i++)
        {
            agenda.Refresh(touched[i]);
        }

        touched.Clear();
    }

    void AnswerIdle()
    {
        if (idleWaiters.Count > 0 && !IsBusy())
        {
            idleWaiters.ForEach(waiter => waiter.TrySetResult());
            idleWaiters.Clear();
        }
    }

    void Tick()
    {
        lock (Gate)
        {
            if (closed || Commit.Failure is not null)
            {
                return;
            }

            timerDue = Agenda.Never;
            Enter();
            Leave();
        }
    }
}
