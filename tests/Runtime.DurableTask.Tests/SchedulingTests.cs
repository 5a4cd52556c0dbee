using DurableTask.Core.Exceptions;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;
using static Microsoft.DurableTask.Client.OrchestrationRuntimeStatus;

namespace Runtime.DurableTask.Tests;

public sealed class SchedulingTests
{
    static readonly string[] All = ["Completed", "Failed", "Terminated", "Pending", "Running", "Suspended"];

    [Theory, EveryStorage]
    public async Task An_instance_is_visible_as_soon_as_it_is_scheduled(Storage storage)
    {
        await using var host = await StartAsync(storage);

        var id = await host.ScheduleAsync("Waits", "input", options: new()
        {
            Tags = new Dictionary<string, string> { ["kind"] = "test" },
        });
        var seen = await host.GetAsync(id);

        Assert.Equal("Waits", seen.Name);
        Assert.Equal("input", seen.ReadInputAs<string>());
        Assert.Equal("test", seen.Tags["kind"]);
        Assert.Equal(TestHost.Start, seen.CreatedAt);
    }

    [Theory, EveryStorage]
    public async Task Without_statuses_only_an_unfinished_instance_is_refused(Storage storage)
    {
        await using var host = await StartAsync(storage);
        await host.RunAsync("Done", id: "same");
        await host.ScheduleAsync("Waits", id: "same");

        var refused = await Assert.ThrowsAsync<OrchestrationAlreadyExistsException>(
            () => host.ScheduleAsync("Waits", id: "same"));
        Assert.Contains("'same'", refused.Message, StringComparison.Ordinal);
        Assert.Contains("'Waits'", refused.Message, StringComparison.Ordinal);

        await host.Client.SuspendInstanceAsync("same");
        await host.IdleAsync();
        await Assert.ThrowsAsync<OrchestrationAlreadyExistsException>(() => host.ScheduleAsync("Waits", id: "same"));
    }

    [Theory, EveryStorage]
    public async Task Listed_statuses_are_refused_the_finished_ones_too(Storage storage)
    {
        await using var host = await StartAsync(storage);
        await host.RunAsync("Done", id: "done");
        await host.RunAsync("Fails", id: "failed");

        var strict = new StartOrchestrationOptions { DedupeStatuses = All };
        await Assert.ThrowsAsync<OrchestrationAlreadyExistsException>(
            () => host.ScheduleAsync("Done", id: "done", options: strict));
        await Assert.ThrowsAsync<OrchestrationAlreadyExistsException>(
            () => host.ScheduleAsync("Done", id: "failed", options: strict));
        await host.ScheduleAsync("Done", id: "failed", options: new StartOrchestrationOptions()
            .WithDedupeStatuses(Completed, Running, Pending, Suspended));

        Assert.Equal(Completed, (await host.EndAsync("failed")).RuntimeStatus);
    }

    [Theory, EveryStorage]
    public async Task An_empty_list_replaces_even_a_running_instance(Storage storage)
    {
        await using var host = await StartAsync(storage);
        await host.ScheduleAsync("Waits", id: "same");
        await host.Client.SuspendInstanceAsync("same");
        await host.RaiseAsync("same", "Go", "for the first");
        var first = host.EndAsync("same");

        await host.ScheduleAsync("Waits", id: "same", options: new() { DedupeStatuses = [] });

        Assert.Equal(Terminated, (await first).RuntimeStatus);
        Assert.Equal(Running, await host.StatusAsync("same"));
        await host.RaiseAsync("same", "Go", "for the second");
        Assert.Equal("for the second", (await host.AtRestAsync("same")).ReadOutputAs<string>());
    }

    [Theory, EveryStorage]
    public async Task Replacing_a_child_fails_its_parents_call(Storage storage)
    {
        await using var host = await StartAsync(storage);
        var id = await host.ScheduleAsync("Parent");
        await host.IdleAsync();

        await host.ScheduleAsync("Waits", id: "child", options: new() { DedupeStatuses = [] });

        Assert.Equal("OrchestrationTerminated", (await host.EndAsync(id)).FailureDetails!.InnerFailure!.ErrorType);
    }

    [Theory, EveryStorage]
    public async Task A_child_whose_id_is_taken_fails(Storage storage)
    {
        await using var host = await StartAsync(storage);
        await host.ScheduleAsync("Waits", id: "child");
        var details = (await host.RunAsync("Parent")).FailureDetails!.InnerFailure!;

        Assert.Equal(typeof(OrchestrationAlreadyExistsException).FullName, details.ErrorType);
        Assert.Equal(Running, await host.StatusAsync("child"));
    }

    [Fact]
    public async Task Statuses_that_do_not_exist_or_contradict_themselves_are_refused()
    {
        await using var host = await StartAsync(Storage.Memory);

        foreach (var statuses in new[] { ["Done"], ["1"], [""], new[] { "Terminated" }, ["Terminated", "Running"] })
        {
            await Assert.ThrowsAsync<ArgumentException>(
                () => host.ScheduleAsync("Done", options: new() { DedupeStatuses = statuses }));
        }

        await host.ScheduleAsync("Done", options: new() { DedupeStatuses = ["completed", "FAILED"] });
    }

    [Theory, EveryStorage]
    public async Task A_start_time_in_the_future_is_honoured(Storage storage)
    {
        await using var host = await StartAsync(storage);
        var id = await host.ScheduleAsync("Done", options: new(StartAt: TestHost.Start + TimeSpan.FromDays(30)));
        await host.AdvanceAsync(TimeSpan.FromDays(30) - TimeSpan.FromTicks(1));
        Assert.Equal(Pending, await host.StatusAsync(id));

        await host.RestartAsync();
        await host.AdvanceAsync(TimeSpan.FromTicks(1));
        Assert.Equal(Completed, await host.StatusAsync(id));
    }

    [Theory, EveryStorage]
    public async Task A_start_time_in_the_past_is_now(Storage storage)
    {
        await using var host = await StartAsync(storage);
        var id = await host.ScheduleAsync("Done", options: new(StartAt: TestHost.Start - TimeSpan.FromDays(30)));

        Assert.Equal(Completed, await host.StatusAsync(id));
    }

    [Theory, EveryStorage]
    public async Task Restarting_runs_the_same_input_again_under_the_same_or_a_new_id(Storage storage)
    {
        await using var host = await StartAsync(storage);
        await host.RunAsync("Echo", "hello", "same");

        Assert.Equal("same", await host.Client.RestartAsync("same"));
        Assert.Equal("hello", (await host.EndAsync("same")).ReadOutputAs<string>());

        var other = await host.Client.RestartAsync("same", restartWithNewInstanceId: true);
        Assert.NotEqual("same", other);
        Assert.Equal("hello", (await host.EndAsync(other)).ReadOutputAs<string>());
    }

    [Theory, EveryStorage]
    public async Task Restarting_a_running_or_unknown_instance_is_refused(Storage storage)
    {
        await using var host = await StartAsync(storage);
        await host.ScheduleAsync("Waits", id: "waits");

        await Assert.ThrowsAsync<InvalidOperationException>(() => host.Client.RestartAsync("waits"));
        await Assert.ThrowsAsync<ArgumentException>(() => host.Client.RestartAsync("nobody"));
    }

    static Task<TestHost> StartAsync(Storage storage) => TestHost.StartAsync(storage, registry => registry
        .AddOrchestratorFunc<int>("Done", _ => 1)
        .AddOrchestratorFunc<string, string>("Echo", (_, text) => text)
        .AddOrchestratorFunc("Fails", new Action<TaskOrchestrationContext>(_ => throw new TimeoutException()))
        .AddOrchestratorFunc<string>("Waits", context => context.WaitForExternalEvent<string>("Go"))
        .AddOrchestratorFunc("Parent", context =>
            context.CallSubOrchestratorAsync("Waits", new SubOrchestrationOptions(instanceId: "child"))));
}
