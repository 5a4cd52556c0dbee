using System.Collections.Concurrent;
using DurableTask.Core.Exceptions;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.DependencyInjection;

namespace Runtime.DurableTask.Tests;

/// <summary>
/// Processes that die at every kind of moment, repeatably by seed. Whatever was acknowledged happens, everything that
/// was begun ends as if nothing had been, and only activities may run more than once.
/// </summary>
public sealed class CrashTests
{
    const int Orders = 6;
    const int Letters = 10;

    static readonly string[] Statuses =
        ["Completed", "Failed", "Terminated", "Canceled", "Pending", "Running", "Suspended"];

    public static TheoryData<Storage, int> Seeds
    {
        get
        {
            var seeds = new TheoryData<Storage, int>();
            for (var seed = 0; seed < 40; seed++)
            {
                seeds.Add(seed % 2 == 0 ? Storage.Memory : Storage.Replayed, seed);
            }

            for (var seed = 40; seed < 46; seed++)
            {
                seeds.Add(Storage.Sqlite, seed);
            }

            return seeds;
        }
    }

    [Theory, MemberData(nameof(Seeds))]
    public async Task Every_instance_ends_as_if_no_process_had_ever_died(Storage storage, int seed)
    {
        await using var world = new World(storage, seed);
        await world.StartAsync();

        await world.UntilDoneAsync(client => client.ScheduleNewOrchestrationInstanceAsync(
            "Mailbox", null, Strict("mailbox")));
        for (var i = 0; i < Orders; i++)
        {
            var number = i;
            await world.UntilDoneAsync(client => client.ScheduleNewOrchestrationInstanceAsync(
                "Order", number, Strict($"order-{number}")));
        }

        for (var i = 0; i < Letters; i++)
        {
            var letter = i;
            await world.UntilDoneAsync(client => client.RaiseEventAsync("mailbox", "Letter", letter));
        }

        for (var i = 0; i < Orders; i++)
        {
            var order = await world.EndAsync($"order-{i}");
            Assert.Equal($"{i}: 0 1 2 3 | child of order-{i} | retried | late", order.ReadOutputAs<string>());
        }

        // The orders have sent one event each: no more, no less, whatever was told twice.
        await world.UntilDoneAsync(client => client.RaiseEventAsync("mailbox", "Close"));
        var mailbox = (await world.EndAsync("mailbox")).ReadOutputAs<Post>()!;
        Assert.Equal(Enumerable.Range(0, Letters), mailbox.Letters.Distinct().Order());
        Assert.Equal(Enumerable.Range(0, Orders), mailbox.Reports.Order());
        Assert.Equal(Enumerable.Range(0, Orders * 4), world.Stepped.Keys.Order());
        Assert.True(world.Crashes > 0, "No process died: this seed tests nothing.");
    }

    [Fact]
    public async Task Nothing_happens_outside_before_the_turn_that_wants_it_is_durable()
    {
        var runs = 0;
        var registry = new DurableTaskRegistry()
            .AddActivityFunc("Pay", _ => runs++)
            .AddOrchestratorFunc("Pays", context =>
            {
                context.SendEvent("other", "Paid", "x");
                return context.CallActivityAsync("Pay");
            });
        var memory = new MemoryStore();
        var services = new ServiceCollection().BuildServiceProvider();

        // The second commit is the first turn: its process dies before it is stored.
        var store = new FaultyStore(memory, new Random(0), 0) { DieBefore = 2 };
        await using (var engine = new DurableEngine(registry, services, new DurableEngineOptions(), store))
        {
            await engine.StartAsync(CancellationToken.None);

            // Stored, but the process may die before it has said so.
            _ = await Record.ExceptionAsync(
                () => engine.Client.ScheduleNewOrchestrationInstanceAsync("Pays", new StartOrchestrationOptions("a")));
            await engine.WhenIdleAsync().WaitAsync(TimeSpan.FromMinutes(2));
            await engine.StopAsync(CancellationToken.None);
        }

        Assert.Equal(0, runs);
        Assert.Equal(InstanceStatus.Pending, memory.Find("a")!.Status);
        Assert.Empty(memory.Open().Messages);
    }

    static StartOrchestrationOptions Strict(string id) => new(id) { DedupeStatuses = Statuses };

    sealed record Post(List<int> Letters, List<int> Reports);

    sealed class World(Storage storage, int seed) : IAsyncDisposable
    {
        const int CrashesMax = 25;

        readonly Random _random = new(seed);
        readonly MemoryStore _memory = new();
        readonly string _file = Path.Combine(Path.GetTempPath(), "durable-tests", $"crash-{Guid.NewGuid():N}.db");
        DateTimeOffset _now = TestHost.Start;
        VirtualClock? _clock;
        DurableEngine? _engine;

        public int Crashes { get; private set; }

        public ConcurrentDictionary<int, int> Stepped { get; } = [];

        public async Task StartAsync()
        {
            _clock = new VirtualClock(_now) { AutoAdvance = TimeSpan.FromDays(7) };
            var registry = new DurableTaskRegistry();
            Register(registry);
            IInstanceStore inner =
                storage == Storage.Sqlite ? new SqliteStore(_file, survivesPowerLoss: false) : _memory;
            var store = new FaultyStore(inner, _random, Crashes < CrashesMax ? 0.06 : 0);
            _engine = new DurableEngine(
                registry,
                new ServiceCollection().BuildServiceProvider(),
                new DurableEngineOptions
                {
                    Clock = _clock,
                    LiveInstancesMax = storage == Storage.Memory ? 3 : 0,
                    ActivitiesMax = 3,
                    OrchestrationsMax = 3,
                },
                store);
            await _engine.StartAsync(CancellationToken.None);
        }

        // Whatever was not acknowledged is tried again, as a caller would.
        public async Task UntilDoneAsync(Func<DurableTaskClient, Task> call)
        {
            while (true)
            {
                try
                {
                    await call(_engine!.Client).WaitAsync(TimeSpan.FromMinutes(2));
                    return;
                }
                catch (OrchestrationAlreadyExistsException)
                {
                    return;
                }
                catch (Exception exception) when (exception is InvalidOperationException or IOException)
                {
                    await ReviveAsync();
                }
            }
        }

        public async Task<OrchestrationMetadata> EndAsync(string id)
        {
            OrchestrationMetadata? ended = null;
            await UntilDoneAsync(async client =>
                ended = await client.WaitForInstanceCompletionAsync(id, getInputsAndOutputs: true));
            Assert.NotNull(ended);
            Assert.Null(ended.FailureDetails);
            return ended;
        }

        public async ValueTask DisposeAsync()
        {
            await _engine!.DisposeAsync();
            if (storage == Storage.Sqlite)
            {
                Array.ForEach([_file, _file + ".lock", _file + "-wal", _file + "-shm"], File.Delete);
            }
        }

        async Task ReviveAsync()
        {
            Crashes++;
            await _engine!.DisposeAsync();
            _now = _clock!.GetUtcNow();
            await StartAsync();
        }

        void Register(DurableTaskRegistry registry) => registry
            .AddActivityFunc<int, int>("Step", (_, number) =>
            {
                Stepped.AddOrUpdate(number, 1, (_, count) => count + 1);
                return number % 4;
            })
            .AddActivityFunc<int, string>("Fails at first", (_, attempt) =>
                attempt < 2 ? throw new TimeoutException() : "retried")
            .AddOrchestratorFunc<string>("Child", async context =>
            {
                await context.CallActivityAsync<int>("Step", 0);
                return "child of " + context.Parent!.InstanceId;
            })
            .AddOrchestratorFunc<int, string>("Order", OrderAsync)
            .AddOrchestratorFunc<Post, Post>("Mailbox", MailboxAsync);

        static async Task<string> OrderAsync(TaskOrchestrationContext context, int number)
        {
            var steps = await Task.WhenAll(
                Enumerable.Range(0, 4).Select(i => context.CallActivityAsync<int>("Step", number * 4 + i)));
            var child = await context.CallSubOrchestratorAsync<string>(
                "Child", new SubOrchestrationOptions(instanceId: $"child-{number}"));
            var attempt = 0;
            string? retried = null;
            while (retried is null)
            {
                try
                {
                    retried = await context.CallActivityAsync<string>("Fails at first", attempt++);
                }
                catch (TaskFailedException)
                {
                    await context.CreateTimer(TimeSpan.FromHours(1), CancellationToken.None);
                }
            }

            context.SendEvent("mailbox", "Report", number);
            var late = "early";
            try
            {
                await context.WaitForExternalEvent<string>("Never", TimeSpan.FromDays(1));
            }
            catch (TaskCanceledException)
            {
                late = "late";
            }

            return $"{number}: {string.Join(' ', steps)} | {child} | {retried} | {late}";
        }

        // Begins anew after each event, so that unread ones are carried over all the time.
        static async Task<Post> MailboxAsync(TaskOrchestrationContext context, Post? post)
        {
            post ??= new Post([], []);
            var letter = context.WaitForExternalEvent<int>("Letter");
            var report = context.WaitForExternalEvent<int>("Report");
            var close = context.WaitForExternalEvent<object?>("Close");
            var first = await Task.WhenAny(letter, report, close);
            if (first == close && post.Reports.Count >= Orders)
            {
                return post;
            }

            if (first == letter)
            {
                post.Letters.Add(await letter);
            }
            else if (first == report)
            {
                post.Reports.Add(await report);
            }
            else
            {
                context.SendEvent(context.InstanceId, "Close", "again");
                await context.CreateTimer(TimeSpan.FromMinutes(1), CancellationToken.None);
            }

            context.ContinueAsNew(post);
            return post;
        }
    }
}
