using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;

namespace Runtime.DurableTask;

/// <summary>What an engine has done so far; <c>Actions</c> are counted as the Durable Task Scheduler bills.</summary>
public readonly record struct DurableEngineCounters(long Turns, long Activities, long Actions, long Replays);

/// <summary>How today's code fares against a recorded history.</summary>
public sealed record ReplayReport(string InstanceId, string Orchestrator, int Turns, string? Divergence)
{
    public bool Matches => Divergence is null;
}

/// <summary>Runs orchestrations and activities in this process and remembers all they did.</summary>
public sealed class DurableEngine : IAsyncDisposable
{
    public DurableEngine(DurableTaskRegistry registry, IServiceProvider services, DurableEngineOptions options)
    {
        ArgumentNullException.ThrowIfNull(registry);
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(options);
    }

    public DurableTaskClient Client => throw new NotImplementedException();

    public DurableEngineCounters Counters => throw new NotImplementedException();

    /// <summary>Takes up whatever the last process left unfinished.</summary>
    public Task StartAsync(CancellationToken cancellation) => throw new NotImplementedException();

    /// <summary>Lets running turns and activities finish; what the token cuts short runs again next time.</summary>
    public Task StopAsync(CancellationToken cancellation) => throw new NotImplementedException();

    /// <summary>Completes when no turn or activity is running or ready; timers still to come do not count.</summary>
    public Task WhenIdleAsync(CancellationToken cancellation = default) => throw new NotImplementedException();

    /// <summary>The recorded history of an instance as JSON, to be kept beside the code and replayed.</summary>
    public Task<string> ExportHistoryAsync(string instanceId, CancellationToken cancellation = default) =>
        throw new NotImplementedException();

    /// <summary>Runs today's code against an exported history, without any effect.</summary>
    public static ReplayReport Replay(
        string history, DurableTaskRegistry registry, IServiceProvider? services = null) =>
        throw new NotImplementedException();

    public ValueTask DisposeAsync() => throw new NotImplementedException();
}
