using Microsoft.DurableTask;
using static Microsoft.DurableTask.Client.OrchestrationRuntimeStatus;

namespace Runtime.DurableTask.Tests;

public sealed class CompletionTests
{
    [Theory, EveryStorage]
    public async Task An_instance_without_any_call_completes_in_its_first_turn(Storage storage)
    {
        await using var host = await TestHost.StartAsync(
            storage, registry => registry.AddOrchestratorFunc<string, string>("Echo", (_, text) => text));

        var ended = await host.RunAsync("Echo", "hello");

        Assert.Equal("hello", ended.ReadOutputAs<string>());
        Assert.Equal(1, host.Engine.Counters.Turns);
    }

    [Theory, EveryStorage]
    public async Task An_activity_nobody_awaits_keeps_the_instance_running(Storage storage)
    {
        var release = new TaskCompletionSource();
        await using var host = await TestHost.StartAsync(storage, registry => registry
            .AddActivityFunc("Wait", async _ => await release.Task)
            .AddOrchestratorFunc<string>("Forgetful", context =>
            {
                _ = context.CallActivityAsync("Wait");
                return "done";
            }));

        var id = await host.ScheduleAsync("Forgetful");
        var started = await host.Client.WaitForInstanceStartAsync(id);
        Assert.Equal(Running, started.RuntimeStatus);

        release.SetResult();
        var ended = await host.EndAsync(id);
        Assert.Equal("done", ended.ReadOutputAs<string>());
    }

    [Theory, EveryStorage]
    public async Task The_loser_of_a_race_keeps_the_instance_running(Storage storage)
    {
        await using var host = await TestHost.StartAsync(storage, registry => registry
            .AddActivityFunc("Quick", _ => "quick")
            .AddOrchestratorFunc<string>("Race", async context =>
            {
                var late = context.CreateTimer(TimeSpan.FromHours(1), CancellationToken.None);
                var quick = context.CallActivityAsync<string>("Quick");
                return await Task.WhenAny(late, quick) == quick ? "quick" : "late";
            }));

        var id = await host.ScheduleAsync("Race");
        Assert.Equal(Running, await host.StatusAsync(id));

        await host.AdvanceAsync(TimeSpan.FromHours(1));
        Assert.Equal("quick", (await host.AtRestAsync(id)).ReadOutputAs<string>());
    }

    [Theory, EveryStorage]
    public async Task An_open_timer_delays_a_failure_as_well(Storage storage)
    {
        await using var host = await TestHost.StartAsync(storage, registry => registry
            .AddOrchestratorFunc("Fails", context =>
            {
                _ = context.CreateTimer(TimeSpan.FromHours(1), CancellationToken.None);
                throw new InvalidOperationException("no");
            }));

        var id = await host.ScheduleAsync("Fails");
        Assert.Equal(Running, await host.StatusAsync(id));

        await host.AdvanceAsync(TimeSpan.FromHours(1));
        var ended = await host.AtRestAsync(id);
        Assert.Equal(Failed, ended.RuntimeStatus);
        Assert.Equal("no", ended.FailureDetails!.ErrorMessage);
    }

    [Theory, EveryStorage]
    public async Task Cancelling_a_timer_frees_it_at_once(Storage storage)
    {
        await using var host = await TestHost.StartAsync(storage, registry => registry
            .AddActivityFunc("Quick", _ => { })
            .AddOrchestratorFunc<bool>("Race", async context =>
            {
                using var source = new CancellationTokenSource();
                var late = context.CreateTimer(TimeSpan.FromDays(30), source.Token);
                await context.CallActivityAsync("Quick");
                source.Cancel();
                return late.IsCanceled;
            }));

        var ended = await host.RunAsync("Race");

        Assert.True(ended.ReadOutputAs<bool>());
        Assert.Equal(TestHost.Start, host.Clock.GetUtcNow());
    }

    [Theory, EveryStorage]
    public async Task An_open_wait_for_an_event_does_not_keep_the_instance_running(Storage storage)
    {
        await using var host = await TestHost.StartAsync(storage, registry => registry
            .AddOrchestratorFunc("Impatient", context => { _ = context.WaitForExternalEvent<int>("Never"); }));

        Assert.Equal(Completed, (await host.RunAsync("Impatient")).RuntimeStatus);
    }

    [Theory, EveryStorage]
    public async Task After_continuing_as_new_an_open_timer_is_discarded(Storage storage)
    {
        await using var host = await TestHost.StartAsync(storage, registry => registry
            .AddOrchestratorFunc<int, int>("Twice", (context, generation) =>
            {
                if (generation == 0)
                {
                    _ = context.CreateTimer(TimeSpan.FromHours(1), CancellationToken.None);
                    context.ContinueAsNew(1);
                }

                return generation;
            }));

        var ended = await host.RunAsync("Twice", 0);

        Assert.Equal(1, ended.ReadOutputAs<int>());
        Assert.Equal(TestHost.Start, host.Clock.GetUtcNow());
    }
}
