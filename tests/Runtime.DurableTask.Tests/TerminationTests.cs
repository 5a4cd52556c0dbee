using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;
using static Microsoft.DurableTask.Client.OrchestrationRuntimeStatus;

namespace Runtime.DurableTask.Tests;

public sealed class TerminationTests
{
    [Theory, EveryStorage]
    public async Task Terminating_takes_effect_while_an_activity_runs_which_goes_on_undisturbed(Storage storage)
    {
        var (begun, release, finished) =
            (new TaskCompletionSource(), new TaskCompletionSource(), new TaskCompletionSource());
        await using var host = await TestHost.StartAsync(storage, registry => registry
            .AddActivityFunc("Slow", async _ =>
            {
                begun.SetResult();
                await release.Task;
                finished.SetResult();
            })
            .AddOrchestratorFunc("Calls", context => context.CallActivityAsync("Slow")));

        var id = await host.ScheduleAsync("Calls");
        await begun.Task;
        await host.Client.TerminateInstanceAsync(id, "enough");
        var ended = await host.EndAsync(id);
        release.SetResult();
        await finished.Task;

        Assert.Equal(Terminated, ended.RuntimeStatus);
        Assert.Equal("enough", ended.ReadOutputAs<string>());
        Assert.Equal(Terminated, await host.StatusAsync(id));
    }

    [Theory, EveryStorage]
    public async Task An_activity_of_a_terminated_instance_does_not_run_again_after_a_restart(Storage storage)
    {
        var runs = 0;
        var begun = new TaskCompletionSource();
        await using var host = await TestHost.StartAsync(storage, registry => registry
            .AddActivityFunc("Endless", async _ =>
            {
                runs++;
                begun.TrySetResult();
                await new TaskCompletionSource().Task;
            })
            .AddOrchestratorFunc("Calls", context => context.CallActivityAsync("Endless")));
        var id = await host.ScheduleAsync("Calls");
        await begun.Task;
        await host.Client.TerminateInstanceAsync(id);
        await host.EndAsync(id);

        await host.RestartAsync();
        await host.IdleAsync();

        Assert.Equal(1, runs);
    }

    [Theory, EveryStorage]
    public async Task A_suspended_instance_can_be_terminated(Storage storage)
    {
        await using var host = await StartAsync(storage);
        var id = await host.ScheduleAsync("Waits");
        await host.Client.SuspendInstanceAsync(id);
        await host.RaiseAsync(id, "Go", "held");
        await host.Client.TerminateInstanceAsync(id);

        Assert.Equal(Terminated, (await host.EndAsync(id)).RuntimeStatus);
    }

    [Theory, EveryStorage]
    public async Task An_instance_can_be_terminated_before_it_starts(Storage storage)
    {
        await using var host = await StartAsync(storage);
        var id = await host.ScheduleAsync("Waits", options: new(StartAt: TestHost.Start + TimeSpan.FromDays(1)));
        await host.Client.TerminateInstanceAsync(id);
        Assert.Equal(Terminated, (await host.EndAsync(id)).RuntimeStatus);

        await host.AdvanceAsync(TimeSpan.FromDays(2));
        Assert.Equal(Terminated, await host.StatusAsync(id));
    }

    [Theory, EveryStorage]
    public async Task A_terminated_instance_leaves_no_timer_behind(Storage storage)
    {
        await using var host = await StartAsync(storage);
        var id = await host.ScheduleAsync("Sleeps");
        await host.IdleAsync();
        await host.Client.TerminateInstanceAsync(id);
        await host.EndAsync(id);
        await host.IdleAsync();
        host.Clock.AutoAdvance = TimeSpan.FromDays(365);
        await host.IdleAsync();

        Assert.Equal(TestHost.Start, host.Clock.GetUtcNow());
    }

    [Theory, EveryStorage]
    public async Task A_terminated_child_makes_its_parents_call_fail_with_details(Storage storage)
    {
        await using var host = await StartAsync(storage);
        var id = await host.ScheduleAsync("Parent");
        await host.IdleAsync();
        await host.Client.TerminateInstanceAsync("child", "enough");

        var details = (await host.EndAsync(id)).FailureDetails!.InnerFailure!;
        Assert.Equal("OrchestrationTerminated", details.ErrorType);
        Assert.Contains("'child'", details.ErrorMessage, StringComparison.Ordinal);
        Assert.Contains("enough", details.ErrorMessage, StringComparison.Ordinal);
    }

    [Theory, EveryStorage]
    public async Task Terminating_leaves_children_alone_unless_it_is_recursive(Storage storage)
    {
        await using var host = await StartAsync(storage);
        await host.ScheduleAsync("Grandparent", id: "oma");
        await host.IdleAsync();
        await host.Client.TerminateInstanceAsync("oma");
        await host.EndAsync("oma");
        Assert.Equal(Running, await host.StatusAsync("child"));

        await host.ScheduleAsync("Parent of another", id: "mum");
        await host.IdleAsync();
        await host.Client.TerminateInstanceAsync("mum", new TerminateInstanceOptions(Recursive: true));
        Assert.Equal(Terminated, (await host.EndAsync("mum")).RuntimeStatus);
        Assert.Equal(Terminated, (await host.EndAsync("other")).RuntimeStatus);
    }

    [Theory, EveryStorage]
    public async Task Recursive_termination_reaches_grandchildren_and_children_of_earlier_generations(Storage storage)
    {
        await using var host = await StartAsync(storage);
        await host.ScheduleAsync("Grandparent", id: "oma");
        await host.ScheduleAsync("Leaves its child behind", 0, "tree");
        await host.IdleAsync();
        Assert.Equal(Running, await host.StatusAsync("left"));

        await host.Client.TerminateInstanceAsync("oma", new TerminateInstanceOptions(Recursive: true));
        await host.Client.TerminateInstanceAsync("tree", new TerminateInstanceOptions(Recursive: true));

        foreach (var id in new[] { "oma", "mid", "child", "tree", "left" })
        {
            Assert.Equal(Terminated, (await host.EndAsync(id)).RuntimeStatus);
        }
    }

    [Theory, EveryStorage]
    public async Task Terminating_what_is_unknown_or_over_changes_nothing(Storage storage)
    {
        await using var host = await StartAsync(storage);
        await host.RunAsync("Done", id: "done");
        await host.Client.TerminateInstanceAsync("done");
        await host.Client.TerminateInstanceAsync("nobody");

        Assert.Equal(Completed, await host.StatusAsync("done"));
        Assert.Null(await host.Client.GetInstanceAsync("nobody"));
    }

    static Task<TestHost> StartAsync(Storage storage) => TestHost.StartAsync(storage, registry => registry
        .AddOrchestratorFunc<int>("Done", _ => 1)
        .AddOrchestratorFunc<string>("Waits", context => context.WaitForExternalEvent<string>("Go"))
        .AddOrchestratorFunc("Sleeps", c => c.CreateTimer(TimeSpan.FromDays(30), CancellationToken.None))
        .AddOrchestratorFunc("Parent", context => Call(context, "Waits", "child"))
        .AddOrchestratorFunc("Parent of another", context => Call(context, "Waits", "other"))
        .AddOrchestratorFunc("Grandparent", context => Call(context, "Parent", "mid"))
        .AddOrchestratorFunc<int>("Leaves its child behind", async (context, generation) =>
        {
            if (generation == 0)
            {
                _ = Call(context, "Waits", "left");
                context.ContinueAsNew(1);
                return;
            }

            await context.WaitForExternalEvent<string>("Go");
        }));

    static Task Call(TaskOrchestrationContext context, string name, string id) =>
        context.CallSubOrchestratorAsync(name, new SubOrchestrationOptions(instanceId: id));
}
