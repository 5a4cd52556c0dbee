using Microsoft.DurableTask;
using static Microsoft.DurableTask.Client.OrchestrationRuntimeStatus;

namespace Runtime.DurableTask.Tests;

/// <summary>What comes from outside is bounded, and refused before anything is done with it.</summary>
public sealed class LimitTests
{
    public static TheoryData<string> BadIds =>
        ["@entity", "a/b", "a\\b", "a#b", "a?b", "a\nb", "a\0", "", new string('x', 101)];

    [Theory, MemberData(nameof(BadIds))]
    public async Task Instance_ids_that_no_backend_takes_are_refused_everywhere(string id)
    {
        await using var host = await StartAsync();
        Func<Task>[] calls =
        [
            () => host.ScheduleAsync("Echo", id: id),
            () => host.Client.RaiseEventAsync(id, "Go"),
            () => host.Client.TerminateInstanceAsync(id),
            () => host.Client.SuspendInstanceAsync(id),
            () => host.Client.ResumeInstanceAsync(id),
            () => host.Client.GetInstanceAsync(id),
            () => host.Client.WaitForInstanceCompletionAsync(id),
            () => host.Client.PurgeInstanceAsync(id),
            () => host.Client.RestartAsync(id),
            () => host.Client.RewindInstanceAsync(id, ""),
            () => host.Client.GetOrchestrationHistoryAsync(id),
            () => host.Engine.ExportHistoryAsync(id),
        ];

        foreach (var call in calls)
        {
            await Assert.ThrowsAsync<ArgumentException>(call);
        }

        Assert.Equal(Failed, (await host.RunAsync("Calls child", id)).RuntimeStatus);
        Assert.Equal(Failed, (await host.RunAsync("Sends", id)).RuntimeStatus);
    }

    [Fact]
    public async Task An_id_of_broken_surrogates_is_refused_since_storage_would_change_it()
    {
        await using var host = await StartAsync();

        foreach (var id in new[] { "\ud800", "a\udc00b", "\udc00\ud800" })
        {
            await Assert.ThrowsAsync<ArgumentException>(() => host.ScheduleAsync("Echo", id: id));
        }
    }

    [Fact]
    public async Task Odd_but_honest_ids_work()
    {
        await using var host = await StartAsync();

        foreach (var id in new[] { "ünï 😀 'x'; DROP TABLE instances --", "%_", new string('x', 100) })
        {
            Assert.Equal(Completed, (await host.RunAsync("Echo", "x", id)).RuntimeStatus);
        }
    }

    [Fact]
    public async Task Names_must_exist_and_be_bounded()
    {
        await using var host = await StartAsync();

        foreach (var name in new[] { "", " ", null! })
        {
            await Assert.ThrowsAsync<ArgumentNullException>(() => host.ScheduleAsync(name));
            await Assert.ThrowsAsync<ArgumentNullException>(() => host.Client.RaiseEventAsync("a", name));
        }

        var endless = new string('x', 257);
        await Assert.ThrowsAsync<ArgumentException>(() => host.ScheduleAsync(endless));
        await Assert.ThrowsAsync<ArgumentException>(() => host.Client.RaiseEventAsync("a", endless));
        await Assert.ThrowsAsync<ArgumentException>(() => host.Client.RaiseEventAsync("a", "a\nb"));
        await Assert.ThrowsAsync<ArgumentException>(
            () => host.ScheduleAsync("Echo", options: new() { Version = endless }));
        await Assert.ThrowsAsync<ArgumentException>(() => host.ScheduleAsync("Echo", options: new()
        {
            Tags = Enumerable.Range(0, 65).ToDictionary(i => $"tag{i}", _ => ""),
        }));
    }

    [Fact]
    public async Task Payloads_are_bounded_wherever_they_enter()
    {
        await using var host = await StartAsync(options => options with { PayloadCharsMax = 100 });
        var large = new string('x', 99);
        await host.ScheduleAsync("Waits", id: "waits");
        await host.ScheduleAsync("Waits", id: "other");

        await Assert.ThrowsAsync<ArgumentException>(() => host.ScheduleAsync("Echo", large));
        await Assert.ThrowsAsync<ArgumentException>(() => host.Client.RaiseEventAsync("waits", "Go", large));
        await Assert.ThrowsAsync<ArgumentException>(
            () => host.Client.TerminateInstanceAsync("waits", (object)large));
        await Assert.ThrowsAsync<ArgumentException>(
            () => host.Client.SuspendInstanceAsync("waits", new string('x', 101)));
        foreach (var name in new[] { "Returns", "Calls with it", "Calls for it", "Sends it", "Continues with it" })
        {
            var details = (await host.RunAsync(name)).FailureDetails!;
            Assert.Contains("PayloadCharsMax", details.InnerFailure?.ErrorMessage ?? details.ErrorMessage, Ordinal);
        }

        Assert.Equal(Running, await host.StatusAsync("waits"));
    }

    [Fact]
    public async Task A_custom_status_is_bounded_as_on_Azure()
    {
        await using var host = await StartAsync();

        Assert.Equal(Completed, (await host.RunAsync("Reports", 8_190)).RuntimeStatus);
        Assert.Contains(
            "CustomStatusCharsMax", (await host.RunAsync("Reports", 8_191)).FailureDetails!.ErrorMessage, Ordinal);
    }

    [Fact]
    public async Task A_history_that_grows_too_long_fails_with_advice()
    {
        await using var host = await StartAsync(options => options with { HistoryEventsMax = 50 });

        var slowly = (await host.RunAsync("Never ends")).FailureDetails!;
        var atOnce = (await host.RunAsync("Never ends at once")).FailureDetails!;

        Assert.Contains("Use ContinueAsNew", slowly.ErrorMessage, Ordinal);
        Assert.Contains("Use ContinueAsNew", atOnce.ErrorMessage, Ordinal);
    }

    [Theory, EveryStorage]
    public async Task Unread_events_are_bounded(Storage storage)
    {
        await using var host = await TestHost.StartAsync(
            storage,
            registry => registry.AddOrchestratorFunc("Waits", c => c.WaitForExternalEvent<string>("Go")),
            options => options with { UnreadEventsMax = 3 });
        foreach (var suspended in new[] { false, true })
        {
            var id = await host.ScheduleAsync("Waits");
            if (suspended)
            {
                await host.Client.SuspendInstanceAsync(id);
            }

            for (var i = 0; i < 3; i++)
            {
                await host.RaiseAsync(id, "Other", i);
            }

            await Assert.ThrowsAsync<InvalidOperationException>(() => host.RaiseAsync(id, "Other", 4));
        }
    }

    [Fact]
    public async Task Options_given_as_an_input_are_refused_with_advice()
    {
        await using var host = await TestHost.StartAsync(Storage.Memory, registry => registry
            .AddOrchestratorFunc("Mixes up", context => context.CallActivityAsync<int>(
                "Any", (object)TaskOptions.FromRetryPolicy(new RetryPolicy(3, TimeSpan.FromHours(1))))));

        Assert.Contains("options:", (await host.RunAsync("Mixes up")).FailureDetails!.ErrorMessage, Ordinal);
    }

    const StringComparison Ordinal = StringComparison.Ordinal;

    static Task<TestHost> StartAsync(Func<DurableEngineOptions, DurableEngineOptions>? adjust = null)
    {
        var large = new string('x', 99);
        return TestHost.StartAsync(
            Storage.Sqlite,
            registry => registry
                .AddActivityFunc("Large", _ => large)
                .AddActivityFunc<string>("Nothing", (_, _) => { })
                .AddOrchestratorFunc<string, string>("Echo", (_, text) => text)
                .AddOrchestratorFunc<string>("Calls child", (context, id) => context.CallSubOrchestratorAsync(
                    "Echo", new SubOrchestrationOptions(instanceId: id)))
                .AddOrchestratorFunc<string>("Sends", (context, id) => context.SendEvent(id, "Go", "x"))
                .AddOrchestratorFunc<int>("Reports", (c, length) => c.SetCustomStatus(new string('x', length)))
                .AddOrchestratorFunc("Waits", context => context.WaitForExternalEvent<string>("Go"))
                .AddOrchestratorFunc("Returns", _ => large)
                .AddOrchestratorFunc("Calls with it", context => context.CallActivityAsync("Nothing", large))
                .AddOrchestratorFunc("Calls for it", context => context.CallActivityAsync("Large"))
                .AddOrchestratorFunc("Sends it", context => context.SendEvent("other", "Go", large))
                .AddOrchestratorFunc("Continues with it", context => context.ContinueAsNew(large))
                .AddOrchestratorFunc("Never ends", async context =>
                {
                    while (true)
                    {
                        await context.CallActivityAsync("Nothing");
                    }
                })
                .AddOrchestratorFunc("Never ends at once", context =>
                {
                    while (true)
                    {
                        context.SendEvent("other", "Other", "x");
                    }
                }),
            adjust);
    }
}
