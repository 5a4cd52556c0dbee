using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;
using static Microsoft.DurableTask.Client.OrchestrationRuntimeStatus;

namespace Runtime.DurableTask.Tests;

public sealed class MetadataTests
{
    [Theory, EveryStorage]
    public async Task Payloads_are_told_only_when_asked_for(Storage storage)
    {
        await using var host = await StartAsync(storage);
        await host.RunAsync("Fails", "in", "a");

        var (bare, full) = (await host.Client.GetInstanceAsync("a"), await host.GetAsync("a"));

        Assert.Equal(Failed, bare!.RuntimeStatus);
        Assert.Null(bare.FailureDetails);
        Assert.Null(bare.SerializedInput);
        Assert.Null(bare.SerializedCustomStatus);
        Assert.Contains("getInputsAndOutputs", Assert.Throws<InvalidOperationException>(
            () => bare.ReadInputAs<string>()).Message, StringComparison.Ordinal);
        Assert.Throws<InvalidOperationException>(() => bare.ReadOutputAs<string>());
        Assert.Throws<InvalidOperationException>(() => bare.ReadCustomStatusAs<string>());
        Assert.Equal("in", full.ReadInputAs<string>());
        Assert.Equal("half way", full.ReadCustomStatusAs<string>());
        Assert.Equal("no", full.FailureDetails!.ErrorMessage);
        Assert.Null(full.ReadOutputAs<string>());
        Assert.Contains("'a'", full.ToString(), StringComparison.Ordinal);
    }

    [Theory, EveryStorage]
    public async Task A_custom_status_is_seen_while_the_instance_runs_and_can_be_cleared(Storage storage)
    {
        await using var host = await StartAsync(storage);
        await host.ScheduleAsync("Reports", id: "a");
        Assert.Equal(1, (await host.AtRestAsync("a")).ReadCustomStatusAs<int>());
        await host.RaiseAsync("a", "Go");
        Assert.Equal(2, (await host.AtRestAsync("a")).ReadCustomStatusAs<int>());
        await host.RaiseAsync("a", "Go");

        Assert.Null((await host.EndAsync("a")).SerializedCustomStatus);
    }

    [Theory, EveryStorage]
    public async Task Waiting_for_an_unknown_instance_answers_null(Storage storage)
    {
        await using var host = await StartAsync(storage);

        Assert.Null(await host.Client.WaitForInstanceStartAsync("nobody"));
        Assert.Null(await host.Client.WaitForInstanceCompletionAsync("nobody"));
        Assert.Null(await host.Client.GetInstanceAsync("nobody"));
    }

    [Theory, EveryStorage]
    public async Task Waiting_ends_when_the_caller_gives_up(Storage storage)
    {
        await using var host = await StartAsync(storage);
        await host.ScheduleAsync("Reports", id: "a");
        using var patience = new CancellationTokenSource();
        var given = host.Client.WaitForInstanceCompletionAsync("a", patience.Token);
        await patience.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => given);
    }

    [Theory, EveryStorage]
    public async Task A_start_is_awaited_until_the_code_runs(Storage storage)
    {
        await using var host = await StartAsync(storage);
        await host.ScheduleAsync("Reports", id: "a", options: new(StartAt: TestHost.Start + TimeSpan.FromHours(1)));
        var started = host.Client.WaitForInstanceStartAsync("a", getInputsAndOutputs: true);
        await host.IdleAsync();
        Assert.False(started.IsCompleted);

        await host.AdvanceAsync(TimeSpan.FromHours(1));

        Assert.Equal(Running, (await started).RuntimeStatus);
    }

    [Theory, EveryStorage]
    public async Task Lists_page_through_all_that_match(Storage storage)
    {
        await using var host = await StartAsync(storage);
        for (var i = 0; i < 7; i++)
        {
            await host.RunAsync("Fails", i.ToString("x", null), $"order-{i}");
            host.Clock.Advance(TimeSpan.FromMinutes(1));
        }

        await host.ScheduleAsync("Reports", id: "other");

        var orders = await ListAsync(host, new(InstanceIdPrefix: "order-", PageSize: 3));
        var pages = await host.Client.GetAllInstancesAsync(new(PageSize: 3)).AsPages().ToListAsync();
        var failed = await ListAsync(host, new(Statuses: [Failed, Completed]));
        var middle = await ListAsync(host, new(
            TestHost.Start + TimeSpan.FromMinutes(2), TestHost.Start + TimeSpan.FromMinutes(4)));
        var rest = await host.Client.GetAllInstancesAsync(
            new(PageSize: 3, ContinuationToken: pages[0].ContinuationToken)).ToListAsync();

        Assert.Equal(Enumerable.Range(0, 7).Select(i => $"order-{i}"), orders.Select(o => o.InstanceId));
        Assert.Equal([3, 3, 2], pages.Select(page => page.Values.Count));
        Assert.Equal(7, failed.Count);
        Assert.Equal(["order-2", "order-3", "order-4"], middle.Select(m => m.InstanceId));
        Assert.Equal(5, rest.Count);
    }

    [Theory, EveryStorage]
    public async Task Lists_tell_payloads_only_when_asked_for(Storage storage)
    {
        await using var host = await StartAsync(storage);
        await host.RunAsync("Fails", "in", "a");

        Assert.Null((await ListAsync(host, new()))[0].SerializedInput);
        Assert.Equal("in", (await ListAsync(host, new(FetchInputsAndOutputs: true)))[0].ReadInputAs<string>());
    }

    [Theory, EveryStorage]
    public async Task Ids_are_listed_by_the_time_of_their_end(Storage storage)
    {
        await using var host = await StartAsync(storage);
        foreach (var id in new[] { "a", "b", "c" })
        {
            await host.RunAsync("Fails", id: id);
            host.Clock.Advance(TimeSpan.FromHours(1));
        }

        await host.ScheduleAsync("Reports", id: "d");
        var first = await host.Client.ListInstanceIdsAsync([Failed], TestHost.Start, pageSize: 2);
        var second = await host.Client.ListInstanceIdsAsync(
            [Failed], TestHost.Start, pageSize: 2, lastInstanceKey: first.ContinuationToken);
        var early = await host.Client.ListInstanceIdsAsync(completedTimeTo: TestHost.Start + TimeSpan.FromHours(1));

        Assert.Equal(["a", "b"], first.Values);
        Assert.Equal(["c"], second.Values);
        Assert.Null(second.ContinuationToken);
        Assert.Equal(["a", "b"], early.Values);
    }

    [Fact]
    public async Task Bad_page_sizes_tokens_and_hubs_are_refused()
    {
        await using var host = await StartAsync(Storage.Memory);

        Assert.Throws<ArgumentOutOfRangeException>(() => host.Client.GetAllInstancesAsync(new(PageSize: 0)));
        Assert.Throws<NotSupportedException>(() => host.Client.GetAllInstancesAsync(new(TaskHubNames: ["other"])));
        await Assert.ThrowsAsync<ArgumentException>(() => ListAsync(host, new(ContinuationToken: "%%%")));
    }

    [Theory, EveryStorage]
    public async Task Tags_of_an_instance_and_of_a_child_are_told(Storage storage)
    {
        var tags = new Dictionary<string, string> { ["kind"] = "gold" };
        await using var host = await TestHost.StartAsync(storage, registry => registry
            .AddOrchestratorFunc<string>("Child", context => context.Parent!.Name)
            .AddOrchestratorFunc<string>("Parent", context => context.CallSubOrchestratorAsync<string>(
                "Child", new SubOrchestrationOptions(new TaskOptions(null, tags), "child"))));
        await host.ScheduleAsync("Parent", id: "parent", options: new() { Tags = tags });

        Assert.Equal("Parent", (await host.EndAsync("parent")).ReadOutputAs<string>());
        Assert.Equal("gold", (await host.GetAsync("parent")).Tags["kind"]);
        Assert.Equal("gold", (await host.GetAsync("child")).Tags["kind"]);
    }

    static async Task<List<OrchestrationMetadata>> ListAsync(TestHost host, OrchestrationQuery query) =>
        await host.Client.GetAllInstancesAsync(query).ToListAsync();

    static Task<TestHost> StartAsync(Storage storage) => TestHost.StartAsync(storage, registry => registry
        .AddOrchestratorFunc<string>("Fails", new Action<TaskOrchestrationContext, string>((context, _) =>
        {
            context.SetCustomStatus("half way");
            throw new InvalidOperationException("no");
        }))
        .AddOrchestratorFunc("Reports", async context =>
        {
            context.SetCustomStatus(1);
            await context.WaitForExternalEvent<string>("Go");
            context.SetCustomStatus(2);
            await context.WaitForExternalEvent<string>("Go");
            context.SetCustomStatus(null);
        }));
}
