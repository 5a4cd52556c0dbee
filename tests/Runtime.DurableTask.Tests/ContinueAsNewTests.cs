using Microsoft.DurableTask;
using static Microsoft.DurableTask.Client.OrchestrationRuntimeStatus;

namespace Runtime.DurableTask.Tests;

public sealed class ContinueAsNewTests
{
    [Theory, EveryStorage]
    public async Task Each_generation_begins_with_the_input_the_last_one_left(Storage storage)
    {
        await using var host = await TestHost.StartAsync(storage, registry => registry
            .AddActivityFunc<int, int>("Next", (_, number) => number + 1)
            .AddOrchestratorFunc<int, int>("Counts", async (context, number) =>
            {
                if (number < 10)
                {
                    context.ContinueAsNew(await context.CallActivityAsync<int>("Next", number));
                }

                return number;
            }));

        var ended = await host.RunAsync("Counts", 0, "counter");

        Assert.Equal(10, ended.ReadOutputAs<int>());
        Assert.Equal(10, ended.ReadInputAs<int>());
        Assert.Single((await host.Client.GetOrchestrationHistoryAsync("counter"))
            .OfType<global::DurableTask.Core.History.ExecutionStartedEvent>());
    }

    [Theory, EveryStorage]
    public async Task The_custom_status_does_not_carry_over(Storage storage)
    {
        await using var host = await TestHost.StartAsync(storage, registry => registry
            .AddOrchestratorFunc<int>("Waits", async (context, generation) =>
            {
                if (generation == 0)
                {
                    context.SetCustomStatus("first");
                    context.ContinueAsNew(1);
                    return;
                }

                await context.WaitForExternalEvent<string>("Go");
            }));

        var id = await host.ScheduleAsync("Waits", 0);

        Assert.Null((await host.AtRestAsync(id)).SerializedCustomStatus);
    }

    [Theory, EveryStorage]
    public async Task Unread_events_carry_over_in_order(Storage storage)
    {
        await using var host = await TestHost.StartAsync(storage, Reader);
        var id = await host.ScheduleAsync("Reader", "");
        await host.RaiseAsync(id, "Letter", "a");
        await host.RaiseAsync(id, "Letter", "b");
        await host.RaiseAsync(id, "Letter", "c");
        await host.AdvanceAsync(TimeSpan.FromHours(4));

        Assert.Equal("abc", (await host.AtRestAsync(id)).ReadOutputAs<string>());
    }

    [Theory, EveryStorage]
    public async Task Unread_events_stay_in_order_when_the_process_dies_in_between(Storage storage)
    {
        await using var host = await TestHost.StartAsync(storage, Reader);
        var id = await host.ScheduleAsync("Reader", "");
        foreach (var letter in new[] { "a", "b", "c" })
        {
            await host.RaiseAsync(id, "Letter", letter);
            await host.RestartAsync();
        }

        for (var hours = 0; hours < 4; hours++)
        {
            await host.AdvanceAsync(TimeSpan.FromHours(1));
            await host.RestartAsync();
        }

        Assert.Equal("abc", (await host.AtRestAsync(id)).ReadOutputAs<string>());
    }

    [Theory, EveryStorage]
    public async Task Events_that_arrive_in_the_same_turn_carry_over_as_well(Storage storage)
    {
        await using var host = await TestHost.StartAsync(storage, registry => registry
            .AddOrchestratorFunc<string, string>("Reader", async (context, read) =>
            {
                read += await context.WaitForExternalEvent<string>("Letter");
                if (read.Length < 4)
                {
                    context.ContinueAsNew(read);
                }

                return read;
            }));

        var id = await host.ScheduleAsync("Reader", "");
        await host.Client.SuspendInstanceAsync(id);
        foreach (var letter in new[] { "a", "b", "c", "d" })
        {
            await host.RaiseAsync(id, "Letter", letter);
        }

        await host.Client.ResumeInstanceAsync(id);

        Assert.Equal("abcd", (await host.EndAsync(id)).ReadOutputAs<string>());
    }

    [Theory, EveryStorage]
    public async Task Unread_events_are_dropped_on_request(Storage storage)
    {
        await using var host = await TestHost.StartAsync(storage, registry => registry
            .AddOrchestratorFunc<int, string>("Waits", async (context, generation) =>
            {
                if (generation == 0)
                {
                    await context.CreateTimer(TimeSpan.FromHours(1), CancellationToken.None);
                    context.ContinueAsNew(1, preserveUnprocessedEvents: false);
                    return "";
                }

                return await context.WaitForExternalEvent<string>("Letter");
            }));

        var id = await host.ScheduleAsync("Waits", 0);
        await host.RaiseAsync(id, "Letter", "early");
        await host.AdvanceAsync(TimeSpan.FromHours(1));
        Assert.Equal(Running, await host.StatusAsync(id));
        await host.RaiseAsync(id, "Letter", "late");

        Assert.Equal("late", (await host.AtRestAsync(id)).ReadOutputAs<string>());
    }

    [Theory, EveryStorage]
    public async Task Throwing_after_continuing_as_new_fails(Storage storage)
    {
        await using var host = await TestHost.StartAsync(storage, registry => registry
            .AddOrchestratorFunc("Throws", context =>
            {
                context.ContinueAsNew();
                throw new InvalidOperationException("after");
            }));

        Assert.Equal("after", (await host.RunAsync("Throws")).FailureDetails!.ErrorMessage);
    }

    [Theory, EveryStorage]
    public async Task A_parent_waits_for_its_childs_last_generation_which_still_knows_it(Storage storage)
    {
        await using var host = await TestHost.StartAsync(storage, registry => registry
            .AddOrchestratorFunc<int, string>("Child", (context, generation) =>
            {
                if (generation < 3)
                {
                    context.ContinueAsNew(generation + 1);
                }

                return $"{generation} {context.Parent!.Name} {context.Parent.InstanceId}";
            })
            .AddOrchestratorFunc<string>("Parent", context => context.CallSubOrchestratorAsync<string>("Child", 0)));

        Assert.Equal("3 Parent dad", (await host.RunAsync("Parent", id: "dad")).ReadOutputAs<string>());
    }

    [Theory, EveryStorage]
    public async Task An_answer_to_an_earlier_generation_is_dropped(Storage storage)
    {
        var release = new TaskCompletionSource<string>();
        await using var host = await TestHost.StartAsync(storage, registry => registry
            .AddActivityFunc<int, string>("Slow", async (_, generation) =>
                generation == 0 ? await release.Task : "mine")
            .AddOrchestratorFunc<int, string>("Twice", async (context, generation) =>
            {
                var call = context.CallActivityAsync<string>("Slow", generation);
                if (generation == 0)
                {
                    await context.WaitForExternalEvent<string>("Go");
                    context.ContinueAsNew(1);
                    return "";
                }

                var answer = await call;
                await context.WaitForExternalEvent<string>("Go");
                return answer;
            }));

        var id = await host.ScheduleAsync("Twice", 0);
        await host.Client.RaiseEventAsync(id, "Go", "on");
        var second = host.EndAsync(id);
        release.SetResult("somebody else's");
        await host.RaiseAsync(id, "Go", "on");

        Assert.Equal("mine", (await second).ReadOutputAs<string>());
    }

    [Theory, EveryStorage]
    public async Task Ids_differ_from_one_generation_to_the_next_even_when_time_stands_still(Storage storage)
    {
        await using var host = await TestHost.StartAsync(storage, registry => registry
            .AddOrchestratorFunc<Guid[], Guid[]>("Draws", (context, drawn) =>
            {
                if (drawn is null || drawn.Length < 3)
                {
                    context.ContinueAsNew((drawn ?? []).Append(context.NewGuid()).ToArray());
                }

                return drawn ?? [];
            }));

        Assert.Equal(3, (await host.RunAsync("Draws")).ReadOutputAs<Guid[]>()!.Distinct().Count());
    }

    static void Reader(DurableTaskRegistry registry) => registry
        .AddOrchestratorFunc<string, string>("Reader", async (context, read) =>
        {
            // Buffered before it is read, so that each generation hands the rest on.
            await context.CreateTimer(TimeSpan.FromHours(1), CancellationToken.None);
            read += await context.WaitForExternalEvent<string>("Letter");
            if (read.Length < 3)
            {
                context.ContinueAsNew(read);
            }

            return read;
        });
}
