using Microsoft.DurableTask;
using static Microsoft.DurableTask.Client.OrchestrationRuntimeStatus;

namespace Runtime.DurableTask.Tests;

public sealed class NonDeterminismTests
{
    public static TheoryData<string, string> Changes => new()
    {
        { "another activity", "#1 was to call activity 'Second', the code now chose to call activity 'Other'" },
        { "a timer instead", "#1 was to call activity 'Second', the code now chose to set a timer" },
        { "one more call", "#2 was to do nothing more, the code now chose to call activity 'Other'" },
        { "one call less", "#1 was to call activity 'Second', the code now chose to do nothing more" },
        { "an early end", "#1 was to call activity 'Second', the code now chose to do nothing more" },
        { "a child instead", "the code now chose to call orchestrator 'Other' as instance 'child'" },
        { "an event instead", "the code now chose to send event 'Go' to instance 'other'" },
    };

    [Theory, MemberData(nameof(Changes))]
    public async Task Code_that_differs_from_its_history_fails_and_says_how(string change, string expected)
    {
        await using var host = await TestHost.StartAsync(Storage.Memory, registry => Register(registry, "none"));
        var id = await host.ScheduleAsync("Story", id: "story-1");
        Assert.Equal(Running, await host.StatusAsync(id));

        await host.RestartAsync(registry => Register(registry, change));
        await host.RaiseAsync(id, "Go");

        var details = (await host.EndAsync(id)).FailureDetails!;
        Assert.Equal("DurableTask.Core.Exceptions.NonDeterministicOrchestrationException", details.ErrorType);
        Assert.Contains("Orchestrator 'Story'", details.ErrorMessage, StringComparison.Ordinal);
        Assert.Contains("instance 'story-1', turn 1", details.ErrorMessage, StringComparison.Ordinal);
        Assert.Contains(expected, details.ErrorMessage, StringComparison.Ordinal);
        Assert.Contains("new name or version", details.ErrorMessage, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Code_that_ends_where_its_history_goes_on_fails()
    {
        await using var host = await TestHost.StartAsync(Storage.Memory, registry => registry
            .AddOrchestratorFunc("Story", async context =>
            {
                await context.WaitForExternalEvent<string>("Go");
                await context.WaitForExternalEvent<string>("Go");
            }));
        var id = await host.ScheduleAsync("Story");
        await host.RaiseAsync(id, "Go");

        await host.RestartAsync(registry => registry
            .AddOrchestratorFunc("Story", context => context.WaitForExternalEvent<string>("Go")));
        await host.RaiseAsync(id, "Go");

        Assert.Contains(
            "went on here, with today's code it ended as Completed",
            (await host.EndAsync(id)).FailureDetails!.ErrorMessage,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task Code_with_other_inputs_and_delays_still_repeats_its_history()
    {
        await using var host = await TestHost.StartAsync(Storage.Memory, registry => Story(registry, "old", 1));
        var id = await host.ScheduleAsync("Story");
        await host.IdleAsync();

        await host.RestartAsync(registry => Story(registry, "new", 2));
        await host.AdvanceAsync(TimeSpan.FromHours(1));

        Assert.Equal(Completed, await host.StatusAsync(id));

        static void Story(DurableTaskRegistry registry, string input, int hours) => registry
            .AddActivityFunc<string>("Note", (_, _) => { })
            .AddOrchestratorFunc("Story", async context =>
            {
                await context.CallActivityAsync("Note", input);
                await context.CreateTimer(TimeSpan.FromHours(hours), CancellationToken.None);
            });
    }

    static void Register(DurableTaskRegistry registry, string change) => registry
        .AddActivityFunc("First", _ => { })
        .AddActivityFunc("Second", _ => { })
        .AddActivityFunc("Other", _ => { })
        .AddOrchestratorFunc("Story", async context =>
        {
            await context.CallActivityAsync("First");
            switch (change)
            {
                case "another activity":
                    await context.CallActivityAsync("Other");
                    break;
                case "a timer instead":
                    await context.CreateTimer(TimeSpan.FromHours(1), CancellationToken.None);
                    break;
                case "a child instead":
                    await context.CallSubOrchestratorAsync("Other", new SubOrchestrationOptions(instanceId: "child"));
                    break;
                case "an event instead":
                    context.SendEvent("other", "Go", "on");
                    break;
                case "one call less":
                    break;
                case "an early end":
                    return;
                case "one more call":
                    await Task.WhenAll(context.CallActivityAsync("Second"), context.CallActivityAsync("Other"));
                    break;
                default:
                    await context.CallActivityAsync("Second");
                    break;
            }

            await context.WaitForExternalEvent<string>("Go");
            await context.WaitForExternalEvent<string>("Go");
        });
}
