using System.Text.Json;
using Microsoft.DurableTask;

namespace Runtime.DurableTask.Tests;

/// <summary>
/// Orchestrators made up by chance: whatever one does while it is kept in memory, a replay of its history must do as
/// well and end with the same result. What is kept in memory is a shortcut and never more.
/// </summary>
public sealed class ReplayEquivalenceTests
{
    public static TheoryData<Storage, int> Seeds
    {
        get
        {
            var seeds = new TheoryData<Storage, int>();
            for (var seed = 0; seed < 60; seed++)
            {
                seeds.Add(seed % 10 == 9 ? Storage.Sqlite : seed % 3 == 2 ? Storage.Replayed : Storage.Memory, seed);
            }

            return seeds;
        }
    }

    [Theory, MemberData(nameof(Seeds))]
    public async Task Kept_or_replayed_an_orchestration_does_the_same(Storage storage, int seed)
    {
        await using var host = await TestHost.StartAsync(
            storage,
            registry => registry
                .AddActivityFunc<int, int>("Triple", (_, number) =>
                    number % 5 == 0 ? throw new InvalidOperationException($"no {number}") : number * 3)
                .AddOrchestratorFunc<int, int>("Child", async (context, number) =>
                    await context.CallActivityAsync<int>("Triple", number) + 1)
                .AddOrchestratorFunc<int, string>("Program", (context, number) =>
                    new Program(context, number).RunAsync()));
        host.Clock.AutoAdvance = TimeSpan.FromHours(1);
        var id = await host.ScheduleAsync("Program", seed, "program");
        await host.IdleAsync();
        for (var i = 0; i < 30; i++)
        {
            await host.RaiseAsync(id, $"Event{i % 3}", i);
        }

        var ended = await host.EndAsync(id);
        Assert.Null(ended.FailureDetails);
        var replayed = Replay(await host.Engine.ExportHistoryAsync(id));
        Assert.Equal(ended.SerializedOutput, replayed.Ended!.Output);
        Assert.Equal(ended.SerializedCustomStatus, replayed.CustomStatus);
    }

    static Execution Replay(string history)
    {
        var exported = JsonSerializer.Deserialize(history, StoredJson.Compact.ExportedHistory)!;
        var code = FuncTaskOrchestrator.Create<int, string>((c, number) => new Program(c, number).RunAsync());
        var execution = new Execution(exported.Instance, code, new NoHost());
        for (var turn = 0; turn < exported.Turns.Count; turn++)
        {
            Assert.Null(execution.Replay(exported.Turns[turn], turn));
        }

        return execution;
    }

    sealed class NoHost : IExecutionHost
    {
        public DurableEngineOptions Options { get; } = new();

        public Limits Limits { get; } = new(new DurableEngineOptions());

        public void ReportStray(string instanceId, string executionId) =>
            throw new InvalidOperationException("The program strays.");
    }

    /// <summary>A program that is the same for the same seed.</summary>
    sealed class Program(TaskOrchestrationContext context, int seed)
    {
        readonly Random _random = new(seed);
        readonly List<string> _log = [];

        public async Task<string> RunAsync()
        {
            for (var step = 0; step < 8; step++)
            {
                context.SetCustomStatus(step);
                await StepAsync(2);
                _log.Add($"{context.CurrentUtcDateTime:HH:mm}");
            }

            _log.Add(context.NewGuid().ToString());
            return string.Join(' ', _log);
        }

        async Task StepAsync(int depth)
        {
            switch (_random.Next(depth > 0 ? 8 : 5))
            {
                case 0:
                    await NoteAsync("activity", () => context.CallActivityAsync<int>("Triple", _random.Next(20)));
                    break;
                case 1:
                    await NoteAsync("child", () => context.CallSubOrchestratorAsync<int>("Child", _random.Next(20)));
                    break;
                case 2:
                    await context.CreateTimer(TimeSpan.FromMinutes(_random.Next(30)), CancellationToken.None);
                    _log.Add("timer");
                    break;
                case 3:
                    await NoteAsync("event", () => context.WaitForExternalEvent<int>(
                        $"Event{_random.Next(3)}", TimeSpan.FromMinutes(_random.Next(1, 30))));
                    break;
                case 4:
                    var policy = new RetryPolicy(_random.Next(1, 4), TimeSpan.FromMinutes(1));
                    await NoteAsync("retried", () => context.CallActivityAsync<int>(
                        "Triple", _random.Next(10), TaskOptions.FromRetryPolicy(policy)));
                    break;
                case 5:
                    await Task.WhenAll(Enumerable.Range(0, _random.Next(2, 5)).Select(_ => StepAsync(depth - 1)));
                    break;
                case 6:
                    await Task.WhenAny(Enumerable.Range(0, _random.Next(2, 4)).Select(_ => StepAsync(depth - 1)));
                    _log.Add("any");
                    break;
                default:
                    context.SendEvent(context.InstanceId, $"Event{_random.Next(3)}", _random.Next(100));
                    await StepAsync(depth - 1);
                    break;
            }
        }

        async Task NoteAsync(string what, Func<Task<int>> call)
        {
            try
            {
                _log.Add($"{what} {await call()}");
            }
            catch (Exception exception) when (exception is TaskFailedException or TaskCanceledException)
            {
                _log.Add($"{what} {exception.GetType().Name}");
            }
        }
    }
}
