using Microsoft.DurableTask;
using Microsoft.DurableTask.Abstractions;
using static Microsoft.DurableTask.Client.OrchestrationRuntimeStatus;
using static Microsoft.DurableTask.Worker.DurableTaskWorkerOptions;

namespace Runtime.DurableTask.Tests;

public sealed class VersionTests
{
    [Theory, EveryStorage]
    public async Task A_new_instance_has_the_default_version_unless_it_asks_for_another(Storage storage)
    {
        await using var host = await StartAsync(storage, options => options with { DefaultVersion = "1.2" });

        Assert.Equal("1.2", (await host.RunAsync("Version")).ReadOutputAs<string>());
        Assert.Equal("3", await VersionOfAsync(host, "3"));
        Assert.Equal("", await VersionOfAsync(host, TaskVersion.Unversioned));
    }

    [Theory, EveryStorage]
    public async Task Code_compares_its_version_to_choose_its_way(Storage storage)
    {
        await using var host = await StartAsync(storage, options => options with { DefaultVersion = "1.10" });

        Assert.Equal("newer", (await host.RunAsync("Compares", "1.9")).ReadOutputAs<string>());
        Assert.Equal("same", (await host.RunAsync("Compares", "1.10")).ReadOutputAs<string>());
        Assert.Equal("older", (await host.RunAsync("Compares", "2.0")).ReadOutputAs<string>());
    }

    [Theory]
    [InlineData("", "", 0)]
    [InlineData("", "1", -1)]
    [InlineData("1", " ", 1)]
    [InlineData("1.9", "1.10", -1)]
    [InlineData("b", "A", 1)]
    [InlineData("v1", "V1", 0)]
    public void Versions_are_ordered(string one, string other, int order) =>
        Assert.Equal(order, Math.Sign(TaskOrchestrationVersioningUtils.CompareVersions(one, other)));

    [Theory, EveryStorage]
    public async Task An_activity_inherits_its_orchestrations_version_and_a_child_the_default(Storage storage)
    {
        await using var host = await StartAsync(storage, options => options with { DefaultVersion = "1" });
        var id = await host.ScheduleAsync("Asks", options: new() { Version = "2" });

        Assert.Equal("2 9 1 7", (await host.EndAsync(id)).ReadOutputAs<string>());
    }

    [Theory, EveryStorage]
    public async Task A_name_with_versions_never_falls_back_to_another(Storage storage)
    {
        await using var host = await StartAsync(storage);

        Assert.Equal("two", await RunAsync(host, "Versioned", "2"));
        Assert.Equal("unversioned", await RunAsync(host, "Versioned", ""));
        Assert.Null(await RunAsync(host, "Versioned", "3"));
        Assert.Equal("3", await VersionOfAsync(host, "3"));
    }

    [Theory]
    [InlineData(VersionMatchStrategy.None, "9", true)]
    [InlineData(VersionMatchStrategy.Strict, "2", true)]
    [InlineData(VersionMatchStrategy.Strict, "1", false)]
    [InlineData(VersionMatchStrategy.CurrentOrOlder, "1", true)]
    [InlineData(VersionMatchStrategy.CurrentOrOlder, "", true)]
    [InlineData(VersionMatchStrategy.CurrentOrOlder, "2.1", false)]
    public async Task A_host_runs_the_versions_that_match(VersionMatchStrategy match, string version, bool runs)
    {
        await using var failing = await StartAsync(Storage.Memory, options => options with
        {
            DefaultVersion = "2",
            VersionMatch = match,
            VersionFailure = VersionFailureStrategy.Fail,
        });
        var id = await failing.ScheduleAsync("Version", options: new() { Version = version });
        var ended = await failing.EndAsync(id);

        Assert.Equal(runs ? Completed : Failed, ended.RuntimeStatus);
        Assert.Equal(runs ? null : "VersionMismatch", ended.FailureDetails?.ErrorType);
    }

    [Theory, EveryStorage]
    public async Task A_rejected_instance_waits_unchanged_for_a_host_that_runs_it(Storage storage)
    {
        await using var host = await StartAsync(storage, Strict("1"));
        await host.ScheduleAsync("Waits", id: "a", options: new() { Version = "2" });
        await host.RaiseAsync("a", "Go", "held");
        Assert.Equal(Pending, await host.StatusAsync("a"));

        await host.RestartAsync(adjust: Strict("2"));

        Assert.Equal("held", (await host.EndAsync("a")).ReadOutputAs<string>());
    }

    [Theory, EveryStorage]
    public async Task Continuing_as_new_may_change_the_version(Storage storage)
    {
        await using var host = await TestHost.StartAsync(storage, registry => registry
            .AddOrchestratorFunc<object?, string>("Grows", (TaskVersion)"1", (context, _) =>
            {
                context.ContinueAsNew(new ContinueAsNewOptions { NewVersion = "2" });
                return Task.FromResult("one");
            })
            .AddOrchestratorFunc<object?, string>("Grows", (TaskVersion)"2", (c, _) => Task.FromResult(c.Version)));

        Assert.Equal("2", await RunAsync(host, "Grows", "1"));
    }

    static async Task<string?> RunAsync(TestHost host, string name, TaskVersion version) =>
        (await host.EndAsync(await host.ScheduleAsync(name, options: new() { Version = version })))
        .ReadOutputAs<string>();

    static Task<string?> VersionOfAsync(TestHost host, TaskVersion version) => RunAsync(host, "Version", version);

    static Func<DurableEngineOptions, DurableEngineOptions> Strict(string version) => options => options with
    {
        DefaultVersion = version,
        VersionMatch = VersionMatchStrategy.Strict,
    };

    static Task<TestHost> StartAsync(
        Storage storage, Func<DurableEngineOptions, DurableEngineOptions>? adjust = null) =>
        TestHost.StartAsync(
            storage,
            registry => registry
                .AddActivityFunc<string>("Version", context => context.Version)
                .AddOrchestratorFunc<string>("Version", context => context.Version)
                .AddOrchestratorFunc<string>("Waits", context => context.WaitForExternalEvent<string>("Go"))
                .AddOrchestratorFunc<string, string>("Compares", (context, other) =>
                    context.CompareVersionTo(other) switch { > 0 => "newer", 0 => "same", _ => "older" })
                .AddOrchestratorFunc<string>("Asks", async context => string.Join(
                    ' ',
                    await context.CallActivityAsync<string>("Version"),
                    await context.CallActivityAsync<string>("Version", new TaskOptions { Version = "9" }),
                    await context.CallSubOrchestratorAsync<string>("Version"),
                    await context.CallSubOrchestratorAsync<string>(
                        "Version", new SubOrchestrationOptions { Version = "7" })))
                .AddOrchestratorFunc<object?, string>("Versioned", (_, _) => Task.FromResult("unversioned"))
                .AddOrchestratorFunc<object?, string>("Versioned", (TaskVersion)"2", (_, _) => Task.FromResult("two")),
            adjust);
}
