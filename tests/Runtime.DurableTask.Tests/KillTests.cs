using System.Diagnostics;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.DependencyInjection;

namespace Runtime.DurableTask.Tests;

/// <summary>A real process, killed while it works: what it acknowledged ends in the next one.</summary>
public sealed class KillTests
{
    [Theory, InlineData(1), InlineData(2)]
    public async Task A_killed_process_loses_nothing_it_has_acknowledged(int seed)
    {
        var random = new Random(seed);
        var file = Path.Combine(Path.GetTempPath(), "durable-tests", $"kill-{Guid.NewGuid():N}.db");
        var acknowledged = new List<string>();
        for (var life = 0; life < 2; life++)
        {
            acknowledged.AddRange(await LiveAsync(file, $"{life}", random.Next(1, 60)));
        }

        // Two days later: the timers that the killed processes had set are due, others are set only now.
        var clock = new VirtualClock(TimeProvider.System.GetUtcNow().AddDays(2)) { AutoAdvance = TimeSpan.FromDays(2) };
        await using (var engine = Make(file, clock))
        {
            await engine.StartAsync(CancellationToken.None);
            foreach (var id in acknowledged)
            {
                var ended = await engine.Client.WaitForInstanceCompletionAsync(id, getInputsAndOutputs: true)
                    .WaitAsync(TimeSpan.FromMinutes(2));
                Assert.NotNull(ended);
                Assert.Equal($"{id} heard {id}", ended.ReadOutputAs<string>());
            }
        }

        Array.ForEach([file, file + ".lock"], File.Delete);
    }

    /// <summary>The life of the process that is going to be killed: it tells each thing that it was promised.</summary>
    internal static async Task LiveUntilKilledAsync(string file, string life)
    {
        await using var engine = Make(file, TimeProvider.System);
        await engine.StartAsync(CancellationToken.None);
        for (var i = 0; ; i++)
        {
            var id = $"{life}-{i}";
            await engine.Client.ScheduleNewOrchestrationInstanceAsync(
                "Listens", new StartOrchestrationOptions(id));
            await engine.Client.RaiseEventAsync(id, "Word", id);
            await Console.Out.WriteLineAsync(id);
        }
    }

    static async Task<List<string>> LiveAsync(string file, string life, int count)
    {
        using var process = Process.Start(new ProcessStartInfo("dotnet")
        {
            ArgumentList = { "exec", typeof(KillTests).Assembly.Location, file, life },
            RedirectStandardOutput = true,
        })!;
        var told = new List<string>();
        while (told.Count < count)
        {
            told.Add(await process.StandardOutput.ReadLineAsync().WaitAsync(TimeSpan.FromMinutes(2))
                ?? throw new InvalidOperationException("The process ended by itself."));
        }

        process.Kill();
        await process.WaitForExitAsync();
        return told;
    }

    static DurableEngine Make(string file, TimeProvider clock)
    {
        var registry = new DurableTaskRegistry()
            .AddActivityFunc<string, string>("Echo", (_, text) => text)
            .AddOrchestratorFunc<string>("Listens", async context =>
            {
                var name = await context.CallActivityAsync<string>("Echo", context.InstanceId);
                await context.CreateTimer(TimeSpan.FromDays(1), CancellationToken.None);
                return $"{name} heard {await context.WaitForExternalEvent<string>("Word")}";
            });
        return new DurableEngine(
            registry,
            new ServiceCollection().BuildServiceProvider(),
            new DurableEngineOptions { File = file, Clock = clock });
    }
}
