using Microsoft.DurableTask;
using static Microsoft.DurableTask.Client.OrchestrationRuntimeStatus;

namespace Runtime.DurableTask.Tests;

public sealed class SuspensionTests
{
    [Theory, EveryStorage]
    public async Task While_suspended_events_results_and_timers_are_held_in_order(Storage storage)
    {
        var release = new TaskCompletionSource();
        await using var host = await StartAsync(storage, release.Task);
        var id = await host.ScheduleAsync("Gathers");
        await host.Client.WaitForInstanceStartAsync(id);
        await host.Client.SuspendInstanceAsync(id, "a moment");
        await host.Client.RaiseEventAsync(id, "First", "event");

        release.SetResult();
        await host.IdleAsync();
        await host.AdvanceAsync(TimeSpan.FromHours(1));
        await host.RaiseAsync(id, "Second", "event");
        Assert.Equal(Suspended, await host.StatusAsync(id));

        await host.Client.ResumeInstanceAsync(id, "go on");
        Assert.Equal("First Activity Timer Second", (await host.EndAsync(id)).ReadOutputAs<string>());
    }

    [Theory, EveryStorage]
    public async Task What_is_held_survives_the_process(Storage storage)
    {
        var runs = 0;
        await using var host = await StartAsync(storage, Task.CompletedTask, () => runs++);
        var id = await host.ScheduleAsync("Gathers", options: new(StartAt: TestHost.Start + TimeSpan.FromMinutes(1)));
        await host.Client.SuspendInstanceAsync(id);
        await host.RaiseAsync(id, "First", "event");
        await host.RestartAsync();
        await host.AdvanceAsync(TimeSpan.FromMinutes(1));
        Assert.Equal(Suspended, await host.StatusAsync(id));
        Assert.Equal(0, runs);

        await host.Client.ResumeInstanceAsync(id);
        await host.IdleAsync();
        await host.Client.SuspendInstanceAsync(id);
        await host.IdleAsync();
        await host.AdvanceAsync(TimeSpan.FromHours(1));
        await host.RestartAsync();
        await host.RaiseAsync(id, "Second", "event");
        await host.RestartAsync();
        await host.Client.ResumeInstanceAsync(id);

        Assert.Equal("First Activity Timer Second", (await host.EndAsync(id)).ReadOutputAs<string>());
        Assert.Equal(1, runs);
    }

    [Theory, EveryStorage]
    public async Task An_activity_that_ends_while_its_instance_is_suspended_does_not_run_again(Storage storage)
    {
        var runs = 0;
        var (begun, release) = (new TaskCompletionSource(), new TaskCompletionSource());
        await using var host = await TestHost.StartAsync(storage, registry => registry
            .AddActivityFunc("Slow", async _ =>
            {
                runs++;
                begun.TrySetResult();
                await release.Task;
                return "result";
            })
            .AddOrchestratorFunc<string>("Calls", context => context.CallActivityAsync<string>("Slow")));
        var id = await host.ScheduleAsync("Calls");
        await begun.Task;
        await host.Client.SuspendInstanceAsync(id);
        release.SetResult();
        Assert.Equal(Suspended, await host.StatusAsync(id));

        await host.RestartAsync();
        await host.Client.ResumeInstanceAsync(id);

        Assert.Equal("result", (await host.EndAsync(id)).ReadOutputAs<string>());
        Assert.Equal(1, runs);
    }

    [Theory, EveryStorage]
    public async Task Suspending_twice_needs_one_resume_and_resuming_the_running_changes_nothing(Storage storage)
    {
        await using var host = await TestHost.StartAsync(storage, registry => registry
            .AddOrchestratorFunc<string>("Waits", context => context.WaitForExternalEvent<string>("Go")));
        var id = await host.ScheduleAsync("Waits");
        await host.Client.ResumeInstanceAsync(id);
        await host.Client.SuspendInstanceAsync(id);
        await host.Client.SuspendInstanceAsync(id);
        await host.Client.ResumeInstanceAsync(id);
        Assert.Equal(Running, await host.StatusAsync(id));
        await host.RaiseAsync(id, "Go", "on");

        Assert.Equal("on", (await host.AtRestAsync(id)).ReadOutputAs<string>());
    }

    static Task<TestHost> StartAsync(Storage storage, Task release, Action? ran = null) =>
        TestHost.StartAsync(storage, registry => registry
            .AddActivityFunc("Activity", async _ =>
            {
                ran?.Invoke();
                await release;
            })
            .AddOrchestratorFunc<string>("Gathers", async context =>
            {
                var order = new List<string>();
                await Task.WhenAll(
                    Note("First", context.WaitForExternalEvent<string>("First")),
                    Note("Activity", context.CallActivityAsync("Activity")),
                    Note("Timer", context.CreateTimer(TimeSpan.FromHours(1), CancellationToken.None)),
                    Note("Second", context.WaitForExternalEvent<string>("Second")));
                return string.Join(' ', order);

                async Task Note(string what, Task task)
                {
                    await task;
                    order.Add(what);
                }
            }));
}
