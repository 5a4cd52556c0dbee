using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.DependencyInjection;
using static Microsoft.DurableTask.Client.OrchestrationRuntimeStatus;

namespace Runtime.DurableTask.Tests;

public sealed class EngineTests
{
    [Fact]
    public async Task An_engine_serves_between_its_start_and_its_stop_only()
    {
        var engine = Make(_ => { });
        await AssertRefusesAsync(engine, "not been started");
        await engine.StartAsync(CancellationToken.None);
        await Assert.ThrowsAsync<InvalidOperationException>(() => engine.StartAsync(CancellationToken.None));

        await engine.StopAsync(CancellationToken.None);
        await engine.StopAsync(CancellationToken.None);

        await AssertRefusesAsync(engine, "has been stopped");
        Assert.Null(engine.Fault);
        await engine.WhenIdleAsync();
    }

    [Theory, EveryStorage]
    public async Task Stopping_lets_running_activities_finish_and_leaves_queued_ones_for_the_next_start(Storage storage)
    {
        var (begun, release) = (new TaskCompletionSource(), new TaskCompletionSource());
        var runs = new List<int>();
        await using var host = await TestHost.StartAsync(
            storage,
            registry => registry
                .AddActivityFunc<int, int>("Work", async (_, number) =>
                {
                    runs.Add(number);
                    begun.TrySetResult();
                    await release.Task;
                    return number;
                })
                .AddOrchestratorFunc<int>("Works", async context => (await Task.WhenAll(
                    context.CallActivityAsync<int>("Work", 1), context.CallActivityAsync<int>("Work", 2))).Sum()),
            options => options with { ActivitiesMax = 1 });
        var id = await host.ScheduleAsync("Works");
        await begun.Task;
        var stop = host.Engine.StopAsync(CancellationToken.None);
        Assert.False(stop.IsCompleted);
        release.SetResult();
        await stop;
        Assert.Equal([1], runs);

        await host.RestartAsync();

        Assert.Equal(3, (await host.EndAsync(id)).ReadOutputAs<int>());
        Assert.Equal([1, 2], runs);
    }

    [Theory, EveryStorage]
    public async Task An_activity_cut_short_runs_again(Storage storage)
    {
        var runs = 0;
        var begun = new TaskCompletionSource();
        await using var host = await TestHost.StartAsync(storage, registry => registry
            .AddActivityFunc("Work", async _ =>
            {
                if (++runs == 1)
                {
                    begun.SetResult();
                    await new TaskCompletionSource().Task;
                }
            })
            .AddOrchestratorFunc("Works", context => context.CallActivityAsync("Work")));
        var id = await host.ScheduleAsync("Works");
        await begun.Task;

        await host.RestartAsync();

        Assert.Equal(Completed, (await host.EndAsync(id)).RuntimeStatus);
        Assert.Equal(2, runs);
    }

    [Fact]
    public async Task An_engine_whose_store_fails_stops_and_says_so()
    {
        var registry = new DurableTaskRegistry()
            .AddOrchestratorFunc("Waits", context => context.WaitForExternalEvent<string>("Go"));
        var store = new FaultyStore(new MemoryStore(), new Random(1), 0.2);
        await using var engine = new DurableEngine(registry, Services(), new DurableEngineOptions(), store);
        await engine.StartAsync(CancellationToken.None);

        var schedule = Record.ExceptionAsync(async () =>
        {
            while (true)
            {
                await engine.Client.ScheduleNewOrchestrationInstanceAsync("Waits");
            }
        });

        Assert.IsType<InvalidOperationException>(await schedule.WaitAsync(TimeSpan.FromMinutes(2)));
        Assert.Contains("its store failed", engine.Fault!.Message, StringComparison.Ordinal);
        Assert.True(engine.Stopped.IsFaulted, "a host that waits for it must be told");
        await AssertRefusesAsync(engine, "its store failed");
    }

    [Theory, EveryStorage]
    public async Task Actions_are_counted_as_they_are_billed(Storage storage)
    {
        await using var host = await TestHost.StartAsync(storage, registry => registry
            .AddActivityFunc("Work", _ => { })
            .AddOrchestratorFunc("Three", async context =>
            {
                for (var i = 0; i < 3; i++)
                {
                    await context.CallActivityAsync("Work");
                }
            }));

        await host.RunAsync("Three");
        await host.IdleAsync();

        var counters = host.Engine.Counters;
        Assert.Equal(3, counters.Activities);
        Assert.Equal(4, counters.Turns);
        Assert.Equal(7, counters.Actions);
        Assert.Equal(storage == Storage.Memory ? 0 : 3, counters.Replays);
    }

    [Fact]
    public async Task Only_the_instances_used_last_are_kept_in_memory()
    {
        await using var host = await TestHost.StartAsync(
            Storage.Memory,
            registry => registry.AddOrchestratorFunc("Waits", async context =>
            {
                await context.WaitForExternalEvent<string>("Go");
                await context.WaitForExternalEvent<string>("Go");
            }),
            options => options with { LiveInstancesMax = 2 });
        foreach (var id in new[] { "a", "b", "c" })
        {
            await host.ScheduleAsync("Waits", id: id);
            await host.IdleAsync();
        }

        await host.RaiseAsync("b", "Go");
        await host.RaiseAsync("c", "Go");
        Assert.Equal(0, host.Engine.Counters.Replays);
        await host.RaiseAsync("a", "Go");
        Assert.Equal(1, host.Engine.Counters.Replays);
        await host.RaiseAsync("b", "Go");
        Assert.Equal(2, host.Engine.Counters.Replays);
    }

    [Fact]
    public async Task Only_so_many_activities_run_at_a_time()
    {
        var (running, most) = (0, 0);
        var full = new TaskCompletionSource();
        var release = new TaskCompletionSource();
        await using var host = await TestHost.StartAsync(
            Storage.Memory,
            registry => registry
                .AddActivityFunc("Work", async _ =>
                {
                    var now = Interlocked.Increment(ref running);
                    most = Math.Max(most, now);
                    if (now == 4)
                    {
                        full.TrySetResult();
                    }

                    await release.Task;
                    Interlocked.Decrement(ref running);
                })
                .AddOrchestratorFunc("Fans", context =>
                    Task.WhenAll(Enumerable.Range(0, 20).Select(_ => context.CallActivityAsync("Work")))),
            options => options with { ActivitiesMax = 4 });

        var id = await host.ScheduleAsync("Fans");
        await full.Task;
        release.SetResult();
        await host.EndAsync(id);

        Assert.Equal(4, most);
    }

    [Fact]
    public async Task Each_activity_has_services_of_its_own()
    {
        var services = new ServiceCollection().AddScoped<Scoped>().BuildServiceProvider(validateScopes: true);
        var registry = new DurableTaskRegistry()
            .AddActivity<UsesService>()
            .AddOrchestratorFunc<bool>("Calls", async context =>
                await context.CallActivityAsync<int>("Renamed") != await context.CallActivityAsync<int>("Renamed"));
        await using var engine = new DurableEngine(registry, services, new DurableEngineOptions());
        await engine.StartAsync(CancellationToken.None);

        var id = await engine.Client.ScheduleNewOrchestrationInstanceAsync("Calls");
        var ended = await engine.Client.WaitForInstanceCompletionAsync(id, getInputsAndOutputs: true);

        Assert.Null(ended.FailureDetails);
        Assert.True(ended.ReadOutputAs<bool>());
        Assert.Equal(2, Scoped.Disposed);
    }

    [Fact]
    public void A_registry_refuses_what_it_already_has_or_cannot_make()
    {
        var registry = new DurableTaskRegistry().AddActivityFunc("A", _ => { }).AddOrchestratorFunc("A", _ => { });

        Assert.Throws<ArgumentException>(() => registry.AddActivityFunc("a", _ => { }));
        Assert.Throws<ArgumentException>(() => registry.AddOrchestratorFunc("a", _ => { }));
        Assert.Throws<ArgumentException>(() => registry.AddActivity(typeof(string)));
        Assert.Throws<ArgumentNullException>(() => registry.AddOrchestrator((Type)null!));
        Assert.Throws<ArgumentException>(() => registry.AddActivityFunc("", _ => { }));
        Assert.Equal("Renamed", new DurableTaskRegistry().AddActivity<UsesService>().GetActivities().Single().Key.Name);
    }

    [Fact]
    public async Task A_file_belongs_to_one_engine_at_a_time()
    {
        var file = Path.Combine(Path.GetTempPath(), "durable-tests", $"{Guid.NewGuid():N}.db");
        await using (var first = Make(_ => { }, file))
        {
            await first.StartAsync(CancellationToken.None);
            await using var second = Make(_ => { }, file);
            var refused = await Assert.ThrowsAsync<InvalidOperationException>(
                () => second.StartAsync(CancellationToken.None));
            Assert.Contains("in use", refused.Message, StringComparison.Ordinal);
        }

        await using (var third = Make(_ => { }, file))
        {
            await third.StartAsync(CancellationToken.None);
        }

        Array.ForEach([file, file + ".lock"], File.Delete);
    }

    [Fact]
    public async Task A_file_of_another_format_is_refused()
    {
        var file = Path.Combine(Path.GetTempPath(), "durable-tests", $"{Guid.NewGuid():N}.db");
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        await using (var connection = new Microsoft.Data.Sqlite.SqliteConnection($"Data Source={file};Pooling=False"))
        {
            connection.Open();
            SqliteSchema.Execute(connection, "PRAGMA user_version = 99");
        }

        await using var engine = Make(_ => { }, file);
        var refused = await Assert.ThrowsAsync<InvalidOperationException>(
            () => engine.StartAsync(CancellationToken.None));
        Assert.Contains("format 99", refused.Message, StringComparison.Ordinal);
    }

    static async Task AssertRefusesAsync(DurableEngine engine, string because)
    {
        Func<Task>[] calls =
        [
            () => engine.Client.ScheduleNewOrchestrationInstanceAsync("Any"),
            () => engine.Client.RaiseEventAsync("a", "Go"),
            () => engine.Client.GetInstanceAsync("a"),
            () => engine.Client.WaitForInstanceCompletionAsync("a"),
            () => engine.Client.GetAllInstancesAsync().ToListAsync().AsTask(),
        ];
        foreach (var call in calls)
        {
            var refused = await Assert.ThrowsAsync<InvalidOperationException>(call);
            Assert.Contains(because, refused.Message, StringComparison.Ordinal);
        }
    }

    static DurableEngine Make(Action<DurableTaskRegistry> register, string? file = null)
    {
        var registry = new DurableTaskRegistry();
        register(registry);
        return new DurableEngine(registry, Services(), new DurableEngineOptions { File = file });
    }

    static ServiceProvider Services() => new ServiceCollection().BuildServiceProvider();

    sealed class Scoped : IDisposable
    {
        static int _made;

        public static int Disposed { get; private set; }

        public int Number { get; } = ++_made;

        public void Dispose() => Disposed++;
    }

    [DurableTask("Renamed")]
    sealed class UsesService(Scoped scoped) : TaskActivity<object?, int>
    {
        public override Task<int> RunAsync(TaskActivityContext context, object? input) =>
            Task.FromResult(scoped.Number);
    }
}
