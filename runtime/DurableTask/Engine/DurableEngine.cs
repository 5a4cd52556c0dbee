using System.Text.Json;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Logging;

namespace Runtime.DurableTask;

/// <summary>What an engine has done so far; <c>Actions</c> are counted as the Durable Task Scheduler bills.</summary>
public readonly record struct DurableEngineCounters(long Turns, long Activities, long Actions, long Replays);

/// <summary>Runs orchestrations and activities in this process and remembers all they did.</summary>
public sealed class DurableEngine : IAsyncDisposable
{
    readonly TaskHub _hub;
    readonly EngineClient _client;
    readonly List<Task> _turns = [];
    readonly List<Task> _activities = [];
    IDisposable? _dueTimes;
    bool _started;
    bool _stopped;

    public DurableEngine(DurableTaskRegistry registry, IServiceProvider services, DurableEngineOptions options)
        : this(registry, services, options, OpenStore(options))
    {
    }

    internal DurableEngine(
        DurableTaskRegistry registry, IServiceProvider services, DurableEngineOptions options, IInstanceStore store)
    {
        ArgumentNullException.ThrowIfNull(registry);
        ArgumentNullException.ThrowIfNull(services);
        options.RefuseNonsense();
        _hub = new TaskHub(registry, services, options, store);
        _client = new EngineClient(_hub);
    }

    public DurableTaskClient Client => _client;

    public DurableEngineCounters Counters => _hub.Counters;

    /// <summary>Why the engine has stopped by itself: its store failed. A host should end its process then.</summary>
    public Exception? Fault => _stopped ? null : _hub.Fault;

    /// <summary>
    /// Fails as soon as the engine runs nothing any more; <see cref="Fault"/> then says whether by itself.
    /// </summary>
    public Task Stopped => _hub.Stopped;

    /// <summary>Takes up whatever the last process left unfinished.</summary>
    public Task StartAsync(CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        if (_started)
        {
            throw new InvalidOperationException("An engine is started once; make another one.");
        }

        _started = true;
        var unfinished = _hub.Store.Open();
        _dueTimes = (_hub.Options.Clock as VirtualClock)?.AddSource(() => _hub.Timers.NextDue);
        _hub.IsRunning = true;

        // Counted as work, so that a clock that moves by itself looks at the timers once they are all set.
        _hub.Enter();
        Recovery.TakeUp(_hub, unfinished);

        // What flows with the caller's context (a trace, a culture) is none of the instances' business.
        using (ExecutionContext.SuppressFlow())
        {
            _turns.AddRange(Enumerable.Range(0, _hub.Options.OrchestrationsMax).Select(_ => Task.Run(RunTurnsAsync)));
            _activities.AddRange(
                Enumerable.Range(0, _hub.Options.ActivitiesMax).Select(_ => Task.Run(_hub.Activities.WorkAsync)));
        }

        _hub.Exit();
        return Task.CompletedTask;
    }

    /// <summary>Lets running turns and activities finish; what the token cuts short runs again next time.</summary>
    public async Task StopAsync(CancellationToken cancellation)
    {
        if (_stopped)
        {
            return;
        }

        _stopped = true;
        _dueTimes?.Dispose();
        _hub.Activities.Stop();
        try
        {
            await Task.WhenAll(_activities).WaitAsync(cancellation);

            // A turn under way takes their last answers in when it comes round again, which it can not once drained.
            await _hub.WhenIdleAsync(cancellation);
        }
        catch (OperationCanceledException)
        {
            _hub.Log.LogWarning("Activities were still running at the end; they run again after the next start.");
        }

        // Turns are short and never wait for anything but the store.
        _hub.Drain();
        await Task.WhenAll(_turns);
        _hub.IsRunning = false;
        _hub.Stop(new InvalidOperationException("The engine has been stopped."));
        await _hub.Store.DisposeAsync();
    }

    /// <summary>Completes when no turn or activity is running or ready; timers still to come do not count.</summary>
    public Task WhenIdleAsync(CancellationToken cancellation = default) => _hub.WhenIdleAsync(cancellation);

    /// <summary>The recorded history of an instance as JSON, to be kept beside the code and replayed.</summary>
    public Task<string> ExportHistoryAsync(string instanceId, CancellationToken cancellation = default)
    {
        cancellation.ThrowIfCancellationRequested();
        _client.RefuseWhenStopped();
        var record = _hub.Store.Find(_hub.Limits.InstanceId(instanceId)) ?? throw EngineClient.Unknown(instanceId);
        var turns = _hub.Store.ReadHistory(instanceId);
        return Task.FromResult(JsonSerializer.Serialize(
            new ExportedHistory(ExportedHistory.CurrentFormat, record, turns), StoredJson.Readable.ExportedHistory));
    }

    /// <summary>Runs today's code against an exported history, without any effect.</summary>
    public static ReplayReport Replay(
        string history,
        DurableTaskRegistry registry,
        IServiceProvider? services = null,
        DurableEngineOptions? options = null) =>
        HistoryReplay.Run(history, registry, services, options ?? new DurableEngineOptions());

    public async ValueTask DisposeAsync() => await StopAsync(new CancellationToken(canceled: true));

    async Task RunTurnsAsync()
    {
        await foreach (var instance in _hub.Ready.ReadAllAsync())
        {
            if (_hub.Fault is null)
            {
                await RunAsync(instance);
            }
        }
    }

    // The outermost loop: what reaches it is a failed store or a defect of this engine. Neither is survivable, because
    // memory and store may differ now; the store alone is right, and the next start begins from it.
    async Task RunAsync(Instance instance)
    {
        try
        {
            await instance.RunAsync();
        }
        catch (Exception exception)
        {
            _hub.Log.LogCritical(exception, "The engine stops: instance {Instance} could not be run", instance.Id);
            _hub.Stop(new InvalidOperationException("The engine has stopped: " + exception.Message, exception));
        }
    }

    static IInstanceStore OpenStore(DurableEngineOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return options.File is { } file ? new SqliteStore(file, options.SurvivesPowerLoss) : new MemoryStore();
    }
}
