using Microsoft.DurableTask;
using Microsoft.Extensions.Logging;

namespace Runtime.DurableTask.Tests;

public sealed class DeterminismTests
{
    [Theory, EveryStorage]
    public async Task NewGuid_is_a_name_based_uuid_and_the_same_on_replay(Storage storage)
    {
        await using var host = await TestHost.StartAsync(storage, registry => registry
            .AddActivityFunc<Guid, Guid>("Same", (_, id) => id)
            .AddOrchestratorFunc<Guid[]>("Draws", async context =>
            {
                var (first, second) = (context.NewGuid(), context.NewGuid());
                var told = await context.CallActivityAsync<Guid>("Same", first);
                await context.CreateTimer(TimeSpan.FromHours(1), CancellationToken.None);
                return [first, second, told, context.NewGuid()];
            }));

        var id = await host.ScheduleAsync("Draws");
        await host.AdvanceAsync(TimeSpan.FromHours(1));
        var drawn = (await host.AtRestAsync(id)).ReadOutputAs<Guid[]>()!;

        Assert.Equal(drawn[0], drawn[2]);
        Assert.Equal(3, drawn.Distinct().Count());
        Assert.All(drawn, guid => Assert.Equal(5, guid.Version));
        Assert.All(drawn, guid => Assert.InRange(guid.Variant, 8, 11));
    }

    [Theory, EveryStorage]
    public async Task Time_stands_still_within_a_turn_and_repeats_on_replay(Storage storage)
    {
        await using var host = await TestHost.StartAsync(storage, registry => registry
            .AddOrchestratorFunc<DateTime[]>("Looks", async context =>
            {
                var begun = context.CurrentUtcDateTime;
                await context.CreateTimer(TimeSpan.FromHours(1), CancellationToken.None);
                var later = context.CurrentUtcDateTime;
                await context.WaitForExternalEvent<string>("Go");
                return [begun, later, context.CurrentUtcDateTime];
            }));

        var id = await host.ScheduleAsync("Looks");
        await host.AdvanceAsync(TimeSpan.FromHours(3));
        await host.RaiseAsync(id, "Go");

        var start = TestHost.Start.UtcDateTime;
        var seen = (await host.AtRestAsync(id)).ReadOutputAs<DateTime[]>()!;
        Assert.Equal([start, start.AddHours(1), start.AddHours(3)], seen);
        Assert.All(seen, time => Assert.Equal(DateTimeKind.Utc, time.Kind));
    }

    [Theory, EveryStorage]
    public async Task A_replay_safe_logger_tells_everything_once(Storage storage)
    {
        var lines = new List<string>();
        using var factory = new ListLoggers(lines);
        await using var host = await TestHost.StartAsync(
            storage,
            registry => registry
                .AddActivityFunc("Nothing", _ => { })
                .AddOrchestratorFunc("Logs", async context =>
                {
                    var logger = context.CreateReplaySafeLogger("Test");
                    var same = context.ReplaySafeLoggerFactory.CreateLogger("Test");
                    for (var i = 0; i < 3; i++)
                    {
                        logger.LogInformation("before {Number}", i);
                        await context.CallActivityAsync("Nothing");
                        same.LogInformation("after {Number}", i);
                    }
                }),
            options => options with { LoggerFactory = factory });

        await host.RunAsync("Logs");

        Assert.Equal(["before 0", "after 0", "before 1", "after 1", "before 2", "after 2"], lines);
    }

    [Theory, EveryStorage]
    public async Task Continuations_run_in_order_on_the_orchestrations_own_thread(Storage storage)
    {
        await using var host = await TestHost.StartAsync(storage, registry => registry
            .AddActivityFunc<int, int>("Same", (_, number) => number)
            .AddOrchestratorFunc<string>("Mixes", async context =>
            {
                // Everything here must come back to the orchestration: a thread of the pool would be reported.
                var gate = new TaskCompletionSource();
                var seen = new List<string>();
                await Task.WhenAll(Enumerable.Range(0, 4).Select(Guarded));
                seen.Sort(StringComparer.Ordinal);
                var continued = await context.CallActivityAsync<int>("Same", 7).ContinueWith(
                    task => context.IsReplaying || task.Result == 7,
                    CancellationToken.None,
                    TaskContinuationOptions.ExecuteSynchronously,
                    TaskScheduler.Default);
                await Task.Yield();
                seen.Add(continued.ToString());
                await foreach (var number in Numbers())
                {
                    seen.Add($"n{number}");
                }

                return string.Join(' ', seen);

                async Task Guarded(int number)
                {
                    if (number == 3)
                    {
                        gate.SetResult();
                    }

                    await gate.Task;
                    seen.Add((await context.CallActivityAsync<int>("Same", number)).ToString(
                        System.Globalization.CultureInfo.InvariantCulture));
                }

                async IAsyncEnumerable<int> Numbers()
                {
                    yield return await context.CallActivityAsync<int>("Same", 1);
                    yield return await context.CallActivityAsync<int>("Same", 2);
                }
            }));

        var ended = await host.RunAsync("Mixes");

        Assert.Null(ended.FailureDetails);
        Assert.Equal("0 1 2 3 True n1 n2", ended.ReadOutputAs<string>());
    }

    [Fact]
    public async Task A_seed_makes_all_ids_repeatable()
    {
        Assert.Equal(await RunAsync(), await RunAsync());

        static async Task<(string Id, string Output)> RunAsync()
        {
            await using var host = await TestHost.StartAsync(
                Storage.Memory,
                registry => registry
                    .AddOrchestratorFunc<string>("Child", context => context.InstanceId)
                    .AddOrchestratorFunc<string>("Parent", c => c.CallSubOrchestratorAsync<string>("Child")),
                options => options with { Random = new Random(42) });
            var ended = await host.RunAsync("Parent");
            return (ended.InstanceId, ended.ReadOutputAs<string>()!);
        }
    }

    sealed class ListLoggers(List<string> lines) : ILoggerFactory, ILogger
    {
        public ILogger CreateLogger(string categoryName) => categoryName == "Test" ? this : Silent();

        public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

        public void Dispose()
        {
        }

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel,
            EventId eventId,
            TState state,
            Exception? exception,
            Func<TState, Exception?, string> formatter) => lines.Add(formatter(state, exception));

        static Microsoft.Extensions.Logging.Abstractions.NullLogger Silent() =>
            Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance;
    }
}
