using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.DependencyInjection;

namespace Runtime.DurableTask.Tests;

/// <summary>An engine under a clock that stands still, and its store, which outlives it.</summary>
sealed class TestHost : IAsyncDisposable
{
    // Only a hanging test ever comes near it.
    static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    readonly Action<DurableTaskRegistry> _register;
    readonly Func<DurableEngineOptions, DurableEngineOptions> _adjust;
    readonly Storage _storage;
    readonly MemoryStore _memory = new();
    readonly string _file = Path.Combine(Path.GetTempPath(), "durable-tests", $"{Guid.NewGuid():N}.db");

    TestHost(
        Storage storage,
        Action<DurableTaskRegistry> register,
        Func<DurableEngineOptions, DurableEngineOptions>? adjust)
    {
        _storage = storage;
        _register = register;
        _adjust = adjust ?? (options => options);
        Engine = Make(null, null);
    }

    public static DateTimeOffset Start { get; } = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);

    public VirtualClock Clock { get; } = new(Start);

    public DurableEngine Engine { get; private set; }

    public DurableTaskClient Client => Engine.Client;

    public static async Task<TestHost> StartAsync(
        Storage storage,
        Action<DurableTaskRegistry> register,
        Func<DurableEngineOptions, DurableEngineOptions>? adjust = null)
    {
        var host = new TestHost(storage, register, adjust);
        await host.Engine.StartAsync(CancellationToken.None);
        return host;
    }

    /// <summary>Ends the engine and starts another on what it left, with other code or limits if given.</summary>
    public async Task RestartAsync(
        Action<DurableTaskRegistry>? register = null,
        Func<DurableEngineOptions, DurableEngineOptions>? adjust = null)
    {
        await Engine.DisposeAsync();
        Engine = Make(register, adjust);
        await Engine.StartAsync(CancellationToken.None);
    }

    public Task<string> ScheduleAsync(
        string name, object? input = null, string? id = null, StartOrchestrationOptions? options = null) =>
        Client.ScheduleNewOrchestrationInstanceAsync(
            name, input, (options ?? new()) with { InstanceId = id ?? options?.InstanceId });

    public async Task<OrchestrationMetadata> RunAsync(string name, object? input = null, string? id = null) =>
        await EndAsync(await ScheduleAsync(name, input, id));

    public Task<OrchestrationMetadata> EndAsync(string id) =>
        Client.WaitForInstanceCompletionAsync(id, getInputsAndOutputs: true).WaitAsync(Patience);

    public async Task<OrchestrationMetadata> GetAsync(string id) =>
        await Client.GetInstanceAsync(id, getInputsAndOutputs: true)
        ?? throw new InvalidOperationException($"There is no instance {id}.");

    /// <summary>The instance once nothing is going on any more.</summary>
    public async Task<OrchestrationMetadata> AtRestAsync(string id)
    {
        await IdleAsync();
        return await GetAsync(id);
    }

    public async Task<OrchestrationRuntimeStatus> StatusAsync(string id) => (await AtRestAsync(id)).RuntimeStatus;

    public Task IdleAsync() => Engine.WhenIdleAsync().WaitAsync(Patience);

    public Task AdvanceAsync(TimeSpan by) => Clock.AdvanceAsync(by).WaitAsync(Patience);

    public async Task RaiseAsync(string id, string name, object? payload = null)
    {
        await Client.RaiseEventAsync(id, name, payload);
        await IdleAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await Engine.DisposeAsync();
        if (_storage == Storage.Sqlite)
        {
            Array.ForEach([_file, _file + ".lock", _file + "-wal", _file + "-shm"], File.Delete);
        }
    }

    DurableEngine Make(
        Action<DurableTaskRegistry>? register, Func<DurableEngineOptions, DurableEngineOptions>? adjust)
    {
        var registry = new DurableTaskRegistry();
        (register ?? _register)(registry);
        var options = (adjust ?? _adjust)(new DurableEngineOptions
        {
            Clock = Clock,
            LiveInstancesMax = _storage == Storage.Memory ? 1_000 : 0,
        });
        IInstanceStore store = _storage == Storage.Sqlite ? new SqliteStore(_file, survivesPowerLoss: false) : _memory;
        return new DurableEngine(registry, new ServiceCollection().BuildServiceProvider(), options, store);
    }
}
