using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;
using static Microsoft.DurableTask.Client.OrchestrationRuntimeStatus;

namespace Runtime.DurableTask.Tests;

public sealed class PurgeTests
{
    [Theory, EveryStorage]
    public async Task A_finished_instance_can_be_purged_once(Storage storage)
    {
        await using var host = await StartAsync(storage);
        await host.RunAsync("Done", id: "a");

        Assert.Equal(1, (await host.Client.PurgeInstanceAsync("a")).PurgedInstanceCount);
        Assert.Equal(0, (await host.Client.PurgeInstanceAsync("a")).PurgedInstanceCount);
        Assert.Null(await host.Client.GetInstanceAsync("a"));
        await Assert.ThrowsAsync<ArgumentException>(() => host.Client.GetOrchestrationHistoryAsync("a"));
    }

    [Theory, EveryStorage]
    public async Task A_running_instance_is_not_purged(Storage storage)
    {
        await using var host = await StartAsync(storage);
        await host.ScheduleAsync("Waits", id: "a");

        await Assert.ThrowsAsync<InvalidOperationException>(() => host.Client.PurgeInstanceAsync("a"));
        Assert.Equal(Running, await host.StatusAsync("a"));
    }

    [Theory, EveryStorage]
    public async Task Children_stay_unless_the_purge_is_recursive(Storage storage)
    {
        await using var host = await StartAsync(storage);
        await host.RunAsync("Grandparent", id: "oma");
        await host.RunAsync("Parent", "other", "mum");

        Assert.Equal(1, (await host.Client.PurgeInstanceAsync("mum")).PurgedInstanceCount);
        Assert.NotNull(await host.Client.GetInstanceAsync("other"));
        Assert.Equal(3, (await host.Client.PurgeInstanceAsync("oma", new PurgeInstanceOptions(true)))
            .PurgedInstanceCount);
        Assert.Null(await host.Client.GetInstanceAsync("child"));
    }

    [Theory, EveryStorage]
    public async Task Purging_by_filter_leaves_running_instances_and_all_that_do_not_match(Storage storage)
    {
        await using var host = await StartAsync(storage, options => options with { PageInstancesMax = 2 });
        await host.RunAsync("Done", id: "before");
        host.Clock.Advance(TimeSpan.FromHours(1));
        for (var i = 0; i < 5; i++)
        {
            await host.RunAsync("Done", id: $"done-{i}");
        }

        await host.ScheduleAsync("Waits", id: "waits");
        await host.ScheduleAsync("Waits", id: "terminated");
        await host.Client.TerminateInstanceAsync("terminated");
        await host.EndAsync("terminated");
        var from = TestHost.Start + TimeSpan.FromMinutes(30);

        var purged = await host.Client.PurgeInstancesAsync(from, null, [Completed, Running]);

        Assert.Equal(5, purged.PurgedInstanceCount);
        Assert.True(purged.IsComplete);
        var left = await host.Client.GetAllInstancesAsync().ToListAsync();
        Assert.Equal(["before", "terminated", "waits"], left.Select(instance => instance.InstanceId));
    }

    [Theory, EveryStorage]
    public async Task A_purged_id_begins_anew_untouched_by_what_the_old_one_left(Storage storage)
    {
        var release = new TaskCompletionSource<string>();
        await using var host = await TestHost.StartAsync(storage, registry => registry
            .AddActivityFunc<int, string>("Slow", async (_, number) => number == 1 ? await release.Task : "mine")
            .AddOrchestratorFunc<int, string>("Calls", async (context, number) =>
            {
                var answer = context.CallActivityAsync<string>("Slow", number);
                await context.WaitForExternalEvent<string>("Go");
                return await answer;
            }));
        await host.ScheduleAsync("Calls", 1, "a");
        await host.Client.WaitForInstanceStartAsync("a");
        await host.Client.TerminateInstanceAsync("a");
        await host.EndAsync("a");
        await host.Client.PurgeInstanceAsync("a");
        await host.ScheduleAsync("Calls", 2, "a");
        release.SetResult("somebody else's");
        await host.RaiseAsync("a", "Go");

        Assert.Equal("mine", (await host.EndAsync("a")).ReadOutputAs<string>());
    }

    static Task<TestHost> StartAsync(
        Storage storage, Func<DurableEngineOptions, DurableEngineOptions>? adjust = null) =>
        TestHost.StartAsync(
            storage,
            registry => registry
                .AddOrchestratorFunc<int>("Done", _ => 1)
                .AddOrchestratorFunc<string>("Waits", context => context.WaitForExternalEvent<string>("Go"))
                .AddOrchestratorFunc<string>("Parent", (context, child) => context.CallSubOrchestratorAsync(
                    "Done", new SubOrchestrationOptions(instanceId: child ?? "child")))
                .AddOrchestratorFunc("Grandparent", context => context.CallSubOrchestratorAsync("Parent")),
            adjust);
}
