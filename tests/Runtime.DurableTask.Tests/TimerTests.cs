using Microsoft.DurableTask;
using static Microsoft.DurableTask.Client.OrchestrationRuntimeStatus;

namespace Runtime.DurableTask.Tests;

public sealed class TimerTests
{
    [Theory, EveryStorage]
    public async Task A_timer_fires_when_its_time_has_come_and_not_before(Storage storage)
    {
        await using var host = await TestHost.StartAsync(storage, registry => registry
            .AddOrchestratorFunc("Sleeps", c => c.CreateTimer(TimeSpan.FromDays(30), CancellationToken.None)));
        var id = await host.ScheduleAsync("Sleeps");
        await host.IdleAsync();
        await host.AdvanceAsync(TimeSpan.FromDays(30) - TimeSpan.FromTicks(1));
        Assert.Equal(Running, await host.StatusAsync(id));

        await host.AdvanceAsync(TimeSpan.FromTicks(1));
        Assert.Equal(Completed, await host.StatusAsync(id));
    }

    [Theory, EveryStorage]
    public async Task A_timer_longer_than_any_timer_of_the_system_fires_too(Storage storage)
    {
        await using var host = await TestHost.StartAsync(storage, registry => registry
            .AddOrchestratorFunc("Sleeps", c => c.CreateTimer(TimeSpan.FromDays(1_000), CancellationToken.None)));
        var id = await host.ScheduleAsync("Sleeps");
        await host.AdvanceAsync(TimeSpan.FromDays(999));
        Assert.Equal(Running, await host.StatusAsync(id));

        await host.AdvanceAsync(TimeSpan.FromDays(1));
        Assert.Equal(Completed, await host.StatusAsync(id));
    }

    [Theory, EveryStorage]
    public async Task Timers_one_after_the_other_each_fire_at_their_own_time(Storage storage)
    {
        await using var host = await TestHost.StartAsync(storage, registry => registry
            .AddOrchestratorFunc<string>("Days", async context =>
            {
                var days = new List<int>();
                for (var i = 0; i < 5; i++)
                {
                    await context.CreateTimer(TimeSpan.FromDays(1), CancellationToken.None);
                    days.Add(context.CurrentUtcDateTime.Day);
                }

                return string.Join(' ', days);
            }));
        var id = await host.ScheduleAsync("Days");
        await host.AdvanceAsync(TimeSpan.FromDays(30));

        Assert.Equal("2 3 4 5 6", (await host.AtRestAsync(id)).ReadOutputAs<string>());
    }

    [Theory, EveryStorage]
    public async Task Timers_are_set_again_after_a_restart_and_late_ones_fire_at_once(Storage storage)
    {
        await using var host = await TestHost.StartAsync(storage, registry => registry
            .AddOrchestratorFunc<int>("Sleeps", (context, days) =>
                context.CreateTimer(TimeSpan.FromDays(days), CancellationToken.None)));
        await host.ScheduleAsync("Sleeps", 1, "short");
        await host.ScheduleAsync("Sleeps", 3, "long");
        await host.IdleAsync();
        await host.Engine.DisposeAsync();
        host.Clock.Advance(TimeSpan.FromDays(2));

        await host.RestartAsync();
        Assert.Equal(Completed, await host.StatusAsync("short"));
        Assert.Equal(Running, await host.StatusAsync("long"));
        await host.AdvanceAsync(TimeSpan.FromDays(1));
        Assert.Equal(Completed, await host.StatusAsync("long"));
    }

    [Theory, EveryStorage]
    public async Task A_timer_in_the_past_fires_at_once(Storage storage)
    {
        await using var host = await TestHost.StartAsync(storage, registry => registry
            .AddOrchestratorFunc("Sleeps", context => context.CreateTimer(
                context.CurrentUtcDateTime.AddDays(-1), CancellationToken.None)));

        Assert.Equal(Completed, (await host.RunAsync("Sleeps")).RuntimeStatus);
    }

    [Theory, EveryStorage]
    public async Task A_timer_with_a_cancelled_token_is_cancelled_from_the_start(Storage storage)
    {
        await using var host = await TestHost.StartAsync(storage, registry => registry
            .AddOrchestratorFunc<bool>("Sleeps", context => context.CreateTimer(
                TimeSpan.FromDays(1), new CancellationToken(canceled: true)).IsCanceled));

        Assert.True((await host.RunAsync("Sleeps")).ReadOutputAs<bool>());
    }

    [Fact]
    public async Task The_clock_moves_by_itself_to_timers_within_the_horizon_only()
    {
        await using var host = await TestHost.StartAsync(Storage.Memory, registry => registry
            .AddOrchestratorFunc<int>("Sleeps", async (context, minutes) =>
            {
                await context.CreateTimer(TimeSpan.FromMinutes(minutes), CancellationToken.None);
                await context.CreateTimer(TimeSpan.FromMinutes(minutes), CancellationToken.None);
            }));
        host.Clock.AutoAdvance = TimeSpan.FromMinutes(5);

        await host.RunAsync("Sleeps", 3);
        Assert.Equal(TestHost.Start + TimeSpan.FromMinutes(6), host.Clock.GetUtcNow());
        var id = await host.ScheduleAsync("Sleeps", 10);
        Assert.Equal(Running, await host.StatusAsync(id));

        await host.AdvanceAsync(TimeSpan.FromMinutes(5));
        await host.IdleAsync();
        Assert.Equal(TestHost.Start + TimeSpan.FromMinutes(16), host.Clock.GetUtcNow());
    }

    [Fact]
    public async Task The_clock_does_not_move_by_itself_while_anybody_is_busy()
    {
        await using var host = await TestHost.StartAsync(Storage.Memory, registry => registry
            .AddOrchestratorFunc("Sleeps", c => c.CreateTimer(TimeSpan.FromMinutes(1), CancellationToken.None)));
        host.Clock.AutoAdvance = TimeSpan.FromHours(1);
        string id;
        using (host.Clock.Hold())
        {
            id = await host.ScheduleAsync("Sleeps");
            Assert.Equal(Running, await host.StatusAsync(id));
            Assert.Equal(TestHost.Start, host.Clock.GetUtcNow());
        }

        Assert.Equal(Completed, (await host.EndAsync(id)).RuntimeStatus);
    }
}
