using Microsoft.DurableTask;
using static Microsoft.DurableTask.Client.OrchestrationRuntimeStatus;

namespace Runtime.DurableTask.Tests;

public sealed class RewindTests
{
    [Theory, EveryStorage]
    public async Task Rewinding_calls_the_failed_activity_again_and_nothing_else(Storage storage)
    {
        var world = new World { Broken = true };
        await using var host = await StartAsync(storage, world);
        Assert.Equal(Failed, (await host.RunAsync("Story", id: "a")).RuntimeStatus);

        world.Broken = false;
        await host.Client.RewindInstanceAsync("a", "mended");

        Assert.Equal("first second", (await host.EndAsync("a")).ReadOutputAs<string>());
        Assert.Equal(["first", "second", "second"], world.Calls);
        Assert.Null((await host.GetAsync("a")).FailureDetails);
    }

    [Theory, EveryStorage]
    public async Task What_came_in_after_the_failure_is_told_again(Storage storage)
    {
        var world = new World { Broken = true };
        await using var host = await StartAsync(storage, world);
        var id = await host.ScheduleAsync("Slow end");
        await host.IdleAsync();
        await host.RaiseAsync(id, "Letter", "kept");
        await host.AdvanceAsync(TimeSpan.FromHours(1));
        Assert.Equal(Failed, await host.StatusAsync(id));

        world.Broken = false;
        await host.Client.RewindInstanceAsync(id, "mended");
        await host.RestartAsync();

        Assert.Equal("second kept", (await host.EndAsync(id)).ReadOutputAs<string>());
    }

    [Theory, EveryStorage]
    public async Task A_failed_child_is_rewound_with_its_parent(Storage storage)
    {
        var world = new World { Broken = true };
        await using var host = await StartAsync(storage, world);
        await host.RunAsync("Parent", id: "a");

        world.Broken = false;
        await host.Client.RewindInstanceAsync("a", "mended");

        Assert.Equal("first second", (await host.EndAsync("a")).ReadOutputAs<string>());
        Assert.Equal(["first", "second", "second"], world.Calls);
        Assert.Equal(Completed, (await host.EndAsync("child")).RuntimeStatus);
    }

    [Theory, EveryStorage]
    public async Task A_child_is_told_again_what_came_in_after_its_failure(Storage storage)
    {
        var world = new World { Broken = true };
        await using var host = await StartAsync(storage, world);
        var id = await host.ScheduleAsync("Parent of slow end");
        await host.IdleAsync();
        await host.RaiseAsync("slow", "Letter", "kept");
        await host.AdvanceAsync(TimeSpan.FromHours(1));
        Assert.Equal(Failed, await host.StatusAsync(id));

        world.Broken = false;
        await host.Client.RewindInstanceAsync(id, "mended");

        Assert.Equal("second kept", (await host.EndAsync(id)).ReadOutputAs<string>());
    }

    [Theory, EveryStorage]
    public async Task An_instance_that_fails_again_can_be_rewound_again(Storage storage)
    {
        var world = new World { Broken = true };
        await using var host = await StartAsync(storage, world);
        await host.RunAsync("Story", id: "a");
        await host.Client.RewindInstanceAsync("a", "try");
        Assert.Equal(Failed, (await host.EndAsync("a")).RuntimeStatus);

        world.Broken = false;
        await host.Client.RewindInstanceAsync("a", "mended");

        Assert.Equal(Completed, (await host.EndAsync("a")).RuntimeStatus);
    }

    [Theory, EveryStorage]
    public async Task Only_what_failed_by_a_call_can_be_rewound(Storage storage)
    {
        await using var host = await StartAsync(storage, new World());
        await host.RunAsync("Story", id: "fine");
        await host.RunAsync("Own fault", id: "own");

        await Assert.ThrowsAsync<InvalidOperationException>(() => host.Client.RewindInstanceAsync("fine", ""));
        await Assert.ThrowsAsync<InvalidOperationException>(() => host.Client.RewindInstanceAsync("own", ""));
        await Assert.ThrowsAsync<ArgumentException>(() => host.Client.RewindInstanceAsync("nobody", ""));
        Assert.Equal(Failed, await host.StatusAsync("own"));
    }

    static Task<TestHost> StartAsync(Storage storage, World world) => TestHost.StartAsync(storage, registry => registry
        .AddActivityFunc("first", _ => world.Call("first"))
        .AddActivityFunc("second", _ =>
        {
            world.Call("second");
            return world.Broken ? throw new TimeoutException() : "second";
        })
        .AddOrchestratorFunc("Own fault", new Action<TaskOrchestrationContext>(_ => throw new TimeoutException()))
        .AddOrchestratorFunc<string>("Story", async context =>
            await context.CallActivityAsync<string>("first") + " " + await context.CallActivityAsync<string>("second"))
        .AddOrchestratorFunc<string>("Slow end", async context =>
        {
            var timer = context.CreateTimer(TimeSpan.FromHours(1), CancellationToken.None);
            var second = await context.CallActivityAsync<string>("second");
            await timer;
            return second + " " + await context.WaitForExternalEvent<string>("Letter");
        })
        .AddOrchestratorFunc<string>("Parent of slow end", context => context.CallSubOrchestratorAsync<string>(
            "Slow end", new SubOrchestrationOptions(instanceId: "slow")))
        .AddOrchestratorFunc<string>("Parent", context => context.CallSubOrchestratorAsync<string>(
            "Story", new SubOrchestrationOptions(instanceId: "child"))));

    sealed class World
    {
        public bool Broken { get; set; }

        public List<string> Calls { get; } = [];

        public string Call(string name)
        {
            Calls.Add(name);
            return name;
        }
    }
}
