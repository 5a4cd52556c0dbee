using System.Collections.Concurrent;
using System.Threading.Channels;
using Microsoft.DurableTask;
using Microsoft.Extensions.Logging;

namespace Runtime.DurableTask;

/// <summary>
/// What all instances of an engine share: the store, the mail between them, the queues of ready work and the count of
/// what is going on. If the store ever fails, nothing is known for certain any more: the hub then stops for good, as if
/// the process had been killed, and the next start takes up from what was committed.
/// </summary>
sealed class TaskHub : IExecutionHost
{
    internal const int StartTimer = -1;

    readonly ConcurrentDictionary<string, Instance> _instances = new(StringComparer.Ordinal);
    readonly Channel<Instance> _ready = Channel.CreateUnbounded<Instance>();
    readonly LinkedList<Instance> _live = [];
    readonly Lock _liveGate = new();
    readonly Lock _idleGate = new();
    readonly List<TaskCompletionSource> _waitingForIdle = [];
    readonly VirtualClock.Holder? _virtual;
    readonly Lock _randomGate = new();
    readonly TaskCompletionSource _stopped = new(TaskCreationOptions.RunContinuationsAsynchronously);
    long _working;
    long _turns;
    long _actions;
    long _replays;

    internal TaskHub(
        DurableTaskRegistry registry, IServiceProvider services, DurableEngineOptions options, IInstanceStore store)
    {
        Registry = registry;
        Options = options;
        Store = store;
        Limits = new Limits(options);
        Log = options.LoggerFactory.CreateLogger("Runtime.DurableTask");
        Timers = new Timers(options.Clock, OnTimer);
        Activities = new ActivityRunner(this);
        Services = services;
        _virtual = (options.Clock as VirtualClock)?.Join();
    }

    public DurableEngineOptions Options { get; }

    public Limits Limits { get; }

    internal DurableTaskRegistry Registry { get; }

    internal IServiceProvider Services { get; }

    internal IInstanceStore Store { get; }

    internal ILogger Log { get; }

    internal Timers Timers { get; }

    internal ActivityRunner Activities { get; }

    internal Watchers Watchers { get; } = new();

    /// <summary>Why the hub stopped for good, if it did.</summary>
    internal Exception? Fault { get; private set; }

    /// <summary>Fails when the hub stops; never completes otherwise.</summary>
    internal Task Stopped => _stopped.Task;

    internal bool IsRunning { get; set; }

    internal ChannelReader<Instance> Ready => _ready.Reader;

    internal DurableEngineCounters Counters => new(
        Interlocked.Read(ref _turns),
        Activities.Count,
        Interlocked.Read(ref _actions) + Activities.Count,
        Interlocked.Read(ref _replays));

    internal DateTime Now => Options.Clock.GetUtcNow().UtcDateTime;

    /// <summary>Puts a message into an instance's mail; a stored one must have been committed before.</summary>
    internal void Post(Message message) => Enqueue(message.InstanceId, message);

    internal void Post(string instanceId, InstanceCommand command) => Enqueue(instanceId, command);

    /// <summary>Has an instance look at its own state, which may say that it is time to start.</summary>
    internal void Nudge(string instanceId) => Enqueue(instanceId, Instance.LookAgain);

    internal void Schedule(Instance instance) => _ready.Writer.TryWrite(instance);

    internal bool Retire(Instance instance) =>
        _instances.TryRemove(new KeyValuePair<string, Instance>(instance.Id, instance));

    internal int UnreadOf(string instanceId) => _instances.TryGetValue(instanceId, out var instance)
        ? instance.Unread
        : Store.Find(instanceId)?.Unread ?? 0;

    internal Guid NewId()
    {
        if (Options.Random is not { } random)
        {
            return Guid.NewGuid();
        }

        Span<byte> bytes = stackalloc byte[16];
        lock (_randomGate)
        {
            random.NextBytes(bytes);
        }

        return new Guid(bytes);
    }

    internal async Task CommitAsync(Commit commit)
    {
        try
        {
            await Store.CommitAsync(commit);
        }
        catch (Exception exception)
        {
            var fault = new InvalidOperationException(
                "The engine has stopped because its store failed; what was committed is taken up by the next start.",
                exception);
            Stop(fault);
            throw fault;
        }
    }

    internal void CountTurn(int told)
    {
        Interlocked.Increment(ref _turns);
        Interlocked.Add(ref _actions, told);
    }

    internal void CountReplay() => Interlocked.Increment(ref _replays);

    public void ReportStray(string instanceId, string executionId) =>
        Post(new Message(0, instanceId, executionId, new HistoryEntry.Strayed()));

    /// <summary>Work is counted from before it becomes visible until after what follows from it is counted.</summary>
    internal void Enter()
    {
        Interlocked.Increment(ref _working);
        _virtual?.Enter();
    }

    internal void Exit()
    {
        // The clock first: moving on by itself it may start new work, and then there was no idle moment.
        _virtual?.Exit();
        if (Interlocked.Decrement(ref _working) > 0)
        {
            return;
        }

        TaskCompletionSource[] idle;
        lock (_idleGate)
        {
            if (Interlocked.Read(ref _working) > 0)
            {
                return;
            }

            idle = [.. _waitingForIdle];
            _waitingForIdle.Clear();
        }

        Array.ForEach(idle, waiter => waiter.TrySetResult());
    }

    internal Task WhenIdleAsync(CancellationToken cancellation)
    {
        lock (_idleGate)
        {
            if (Interlocked.Read(ref _working) == 0 || Fault is not null)
            {
                return Task.CompletedTask;
            }

            var idle = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _waitingForIdle.Add(idle);
            return idle.Task.WaitAsync(cancellation);
        }
    }

    /// <summary>Keeps the code of the instances used last in memory; answers whether this one is among them.</summary>
    internal bool KeepLive(Instance instance)
    {
        Instance? oldest = null;
        lock (_liveGate)
        {
            if (instance.LiveNode is { } node)
            {
                _live.Remove(node);
            }

            instance.LiveNode = _live.AddFirst(instance);
            if (_live.Count > Options.LiveInstancesMax)
            {
                oldest = _live.Last!.Value;
                _live.RemoveLast();
                oldest.LiveNode = null;
            }
        }

        if (oldest != instance)
        {
            oldest?.Evict();
        }

        return oldest != instance;
    }

    internal void Forget(Instance instance)
    {
        lock (_liveGate)
        {
            if (instance.LiveNode is { } node)
            {
                _live.Remove(node);
                instance.LiveNode = null;
            }
        }
    }

    /// <summary>No more turns after those that are ready.</summary>
    internal void Drain() => _ready.Writer.TryComplete();

    internal void Stop(Exception reason)
    {
        lock (_idleGate)
        {
            if (Fault is not null)
            {
                return;
            }

            Fault = reason;
            _waitingForIdle.ForEach(waiter => waiter.TrySetResult());
            _waitingForIdle.Clear();
        }

        _ready.Writer.TryComplete();
        Activities.Stop();
        Timers.Dispose();
        _virtual?.Dispose();
        Watchers.Fail(reason);
        _stopped.TrySetException(reason);
        _ = _stopped.Task.Exception;
    }

    void Enqueue(string instanceId, object mail)
    {
        while (!_instances.GetOrAdd(instanceId, static (id, hub) => new Instance(id, hub), this).TryPost(mail))
        {
            // It was just being removed: the next round makes a new one.
        }
    }

    void OnTimer(OpenTask timer)
    {
        if (timer.Task == StartTimer)
        {
            Nudge(timer.InstanceId);
        }
        else
        {
            Post(new Message(0, timer.InstanceId, timer.ExecutionId, new HistoryEntry.TimerFired(timer.Task)));
        }
    }
}
