using Microsoft.DurableTask;
using static Microsoft.DurableTask.Client.OrchestrationRuntimeStatus;

namespace Runtime.DurableTask.Tests;

public sealed class EventTests
{
    [Theory, EveryStorage]
    public async Task Events_are_buffered_and_handed_out_in_order(Storage storage)
    {
        await using var host = await TestHost.StartAsync(storage, registry => registry
            .AddOrchestratorFunc<string>("Reader", async context =>
            {
                await context.CreateTimer(TimeSpan.FromHours(1), CancellationToken.None);
                var read = "";
                for (var i = 0; i < 3; i++)
                {
                    read += await context.WaitForExternalEvent<string>("Letter");
                }

                return read;
            }));

        var id = await host.ScheduleAsync("Reader");
        await host.RaiseAsync(id, "Letter", "a");
        await host.RaiseAsync(id, "Letter", "b");
        await host.AdvanceAsync(TimeSpan.FromHours(1));
        Assert.Equal(Running, await host.StatusAsync(id));
        await host.RaiseAsync(id, "Letter", "c");

        Assert.Equal("abc", (await host.AtRestAsync(id)).ReadOutputAs<string>());
    }

    [Theory, EveryStorage]
    public async Task The_newest_wait_is_served_first(Storage storage)
    {
        await using var host = await TestHost.StartAsync(storage, registry => registry
            .AddOrchestratorFunc<string>("Waits", async context =>
            {
                var (first, second) = (Named("first"), Named("second"));
                return await await Task.WhenAny(first, second);
                async Task<string> Named(string name) => name + await context.WaitForExternalEvent<string>("Go");
            }));

        var id = await host.ScheduleAsync("Waits");
        await host.RaiseAsync(id, "Go", "!");

        Assert.Equal("second!", (await host.AtRestAsync(id)).ReadOutputAs<string>());
    }

    [Theory, EveryStorage]
    public async Task A_cancelled_wait_does_not_swallow_a_later_event(Storage storage)
    {
        await using var host = await TestHost.StartAsync(storage, registry => registry
            .AddOrchestratorFunc<string>("Waits", async context =>
            {
                var kept = context.WaitForExternalEvent<string>("Go");
                try
                {
                    await context.WaitForExternalEvent<string>("Go", TimeSpan.FromMinutes(1));
                }
                catch (TaskCanceledException)
                {
                    return "late, then " + await kept;
                }

                return "in time";
            }));

        var id = await host.ScheduleAsync("Waits");
        await host.IdleAsync();
        await host.AdvanceAsync(TimeSpan.FromMinutes(1));
        await host.RaiseAsync(id, "Go", "served");

        Assert.Equal("late, then served", (await host.AtRestAsync(id)).ReadOutputAs<string>());
    }

    [Theory, EveryStorage]
    public async Task An_event_in_time_frees_the_timer_of_its_wait(Storage storage)
    {
        await using var host = await TestHost.StartAsync(storage, registry => registry
            .AddOrchestratorFunc<string>("Waits", context =>
                context.WaitForExternalEvent<string>("Go", TimeSpan.FromDays(30))));

        var id = await host.ScheduleAsync("Waits");
        await host.RaiseAsync(id, "Go", "in time");

        Assert.Equal("in time", (await host.AtRestAsync(id)).ReadOutputAs<string>());
    }

    [Theory, EveryStorage]
    public async Task Two_types_for_one_event_name_are_refused_at_the_wait(Storage storage)
    {
        await using var host = await TestHost.StartAsync(storage, registry => registry
            .AddOrchestratorFunc<string>("Waits", context =>
            {
                _ = context.WaitForExternalEvent<string>("Go");
                return Assert.Throws<ArgumentException>(() =>
                {
                    _ = context.WaitForExternalEvent<int>("go");
                }).Message;
            }));

        var refusal = (await host.RunAsync("Waits")).ReadOutputAs<string>();
        Assert.Contains("System.Int32", refusal, StringComparison.Ordinal);
    }

    [Theory, EveryStorage]
    public async Task Names_of_events_activities_and_orchestrators_ignore_case(Storage storage)
    {
        await using var host = await TestHost.StartAsync(storage, registry => registry
            .AddActivityFunc<string, string>("Shout", (_, text) => text + "!")
            .AddOrchestratorFunc<string>("Waits", async context =>
                await context.CallActivityAsync<string>("sHOUT", await context.WaitForExternalEvent<string>("Go"))));

        var id = await host.ScheduleAsync("wAITS");
        await host.RaiseAsync(id, "GO", "now");

        Assert.Equal("now!", (await host.AtRestAsync(id)).ReadOutputAs<string>());
    }

    [Theory, EveryStorage]
    public async Task An_event_to_an_unknown_instance_is_discarded(Storage storage)
    {
        await using var host = await TestHost.StartAsync(storage, registry => registry
            .AddOrchestratorFunc<string>("Waits", context => context.WaitForExternalEvent<string>("Go")));

        await host.RaiseAsync("later", "Go", "too early");
        await host.ScheduleAsync("Waits", id: "later");

        Assert.Equal(Running, await host.StatusAsync("later"));
    }

    [Theory, EveryStorage]
    public async Task An_event_to_an_instance_that_is_over_changes_nothing(Storage storage)
    {
        await using var host = await TestHost.StartAsync(
            storage, registry => registry.AddOrchestratorFunc<int>("Done", _ => 1));
        var before = await host.RunAsync("Done", id: "over");

        host.Clock.Advance(TimeSpan.FromMinutes(1));
        await host.RaiseAsync("over", "Go");

        Assert.Equal(before.LastUpdatedAt, (await host.AtRestAsync("over")).LastUpdatedAt);
    }

    [Theory, EveryStorage]
    public async Task An_orchestration_sends_events_to_another_and_to_itself(Storage storage)
    {
        await using var host = await TestHost.StartAsync(storage, registry => registry
            .AddOrchestratorFunc<string>("Receiver", context => context.WaitForExternalEvent<string>("Letter"))
            .AddOrchestratorFunc<string>("Sender", async context =>
            {
                context.SendEvent("receiver", "Letter", "from " + context.InstanceId);
                context.SendEvent(context.InstanceId, "Letter", "from myself");
                return await context.WaitForExternalEvent<string>("Letter");
            }));

        await host.ScheduleAsync("Receiver", id: "receiver");
        var sender = await host.RunAsync("Sender", id: "sender");

        Assert.Equal("from myself", sender.ReadOutputAs<string>());
        Assert.Equal("from sender", (await host.EndAsync("receiver")).ReadOutputAs<string>());
    }

    [Theory, EveryStorage]
    public async Task Events_of_several_types_and_none_arrive_as_sent(Storage storage)
    {
        await using var host = await TestHost.StartAsync(storage, registry => registry
            .AddOrchestratorFunc<string>("Waits", async context =>
            {
                var number = await context.WaitForExternalEvent<int>("Number");
                var nothing = await context.WaitForExternalEvent<string?>("Nothing");
                var pair = await context.WaitForExternalEvent<(int, string)>("Pair");
                return $"{number} {nothing ?? "null"} {pair}";
            }));

        var id = await host.ScheduleAsync("Waits");
        await host.RaiseAsync(id, "Pair", (2, "two"));
        await host.RaiseAsync(id, "Nothing");
        await host.RaiseAsync(id, "Number", 7);

        Assert.Equal("7 null (2, two)", (await host.AtRestAsync(id)).ReadOutputAs<string>());
    }
}
