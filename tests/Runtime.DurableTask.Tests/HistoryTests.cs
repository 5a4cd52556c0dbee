using DurableTask.Core.History;
using Microsoft.DurableTask;

namespace Runtime.DurableTask.Tests;

public sealed class HistoryTests
{
    [Theory, EveryStorage]
    public async Task The_history_is_told_in_the_sdks_words(Storage storage)
    {
        await using var host = await StartAsync(storage);
        var id = await host.ScheduleAsync("Story", "in");
        await host.RaiseAsync(id, "Letter", "hello");
        await host.AdvanceAsync(TimeSpan.FromHours(1));
        await host.EndAsync(id);

        var history = await host.Client.GetOrchestrationHistoryAsync(id);

        EventType[] expected =
        [
            EventType.ExecutionStarted, EventType.TaskScheduled,
            EventType.TaskFailed, EventType.SubOrchestrationInstanceCreated,
            EventType.SubOrchestrationInstanceCompleted, EventType.EventSent, EventType.TimerCreated,
            EventType.TimerFired, EventType.ExecutionCompleted,
        ];
        Assert.Equal(expected, history.Select(e => e.EventType).Where(type => type
            is not (EventType.OrchestratorStarted or EventType.OrchestratorCompleted or EventType.EventRaised)));
        Assert.Equal("\"in\"", history.OfType<ExecutionStartedEvent>().Single().Input);
        Assert.Equal("\"hello\"", history.OfType<EventRaisedEvent>().Single().Input);
        Assert.Equal("no", history.OfType<TaskFailedEvent>().Single().Reason);
        var timer = history.OfType<TimerFiredEvent>().Single();
        Assert.Equal((3, TestHost.Start.UtcDateTime.AddHours(1)), (timer.TimerId, timer.FireAt));
        Assert.Equal(timer.FireAt, timer.Timestamp);
        Assert.Equal("\"done\"", history.OfType<ExecutionCompletedEvent>().Single().Result);
    }

    [Theory, EveryStorage]
    public async Task The_history_of_an_unknown_instance_is_an_argument_error(Storage storage)
    {
        await using var host = await StartAsync(storage);

        await Assert.ThrowsAsync<ArgumentException>(() => host.Client.GetOrchestrationHistoryAsync("nobody"));
        await Assert.ThrowsAsync<ArgumentException>(() => host.Engine.ExportHistoryAsync("nobody"));
    }

    [Theory, EveryStorage]
    public async Task An_exported_history_replays_with_the_same_code_at_any_time(Storage storage)
    {
        await using var host = await StartAsync(storage);
        var id = await host.ScheduleAsync("Story", "in");
        await host.RaiseAsync(id, "Letter", "hello");
        var half = DurableEngine.Replay(await host.Engine.ExportHistoryAsync(id), Registry(Story));
        await host.AdvanceAsync(TimeSpan.FromHours(1));
        await host.EndAsync(id);
        var whole = DurableEngine.Replay(await host.Engine.ExportHistoryAsync(id), Registry(Story));

        Assert.Null(half.Divergence);
        Assert.True(whole.Matches);
        Assert.Equal("Story", whole.Orchestrator);
        Assert.True(whole.Turns > half.Turns);
    }

    [Fact]
    public async Task An_exported_history_tells_how_changed_code_differs()
    {
        await using var host = await StartAsync(Storage.Memory);
        var id = await host.ScheduleAsync("Story", "in");
        await host.RaiseAsync(id, "Letter", "hello");
        await host.AdvanceAsync(TimeSpan.FromHours(1));
        await host.EndAsync(id);
        var history = await host.Engine.ExportHistoryAsync(id);

        var other = DurableEngine.Replay(history, Registry(context => context.CallActivityAsync<string>("Other")));
        var sooner = DurableEngine.Replay(history, Registry(_ => Task.FromResult("done")));
        var straying = DurableEngine.Replay(history, Registry(_ => new TaskCompletionSource<string>().Task));
        var gone = DurableEngine.Replay(history, new DurableTaskRegistry());

        Assert.Contains(
            "history says that #0 was to call activity 'Fails', the code now chose to call activity 'Other'",
            other.Divergence,
            StringComparison.Ordinal);
        Assert.False(sooner.Matches);
        Assert.False(straying.Matches);
        Assert.Contains("no orchestrator named 'Story'", gone.Divergence, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_no_exported_history_is_refused()
    {
        foreach (var text in new[] { "{}", "[]", "null", "x", """{"format":2,"instance":null,"turns":[]}""" })
        {
            Assert.Throws<ArgumentException>(() => DurableEngine.Replay(text, new DurableTaskRegistry()));
        }
    }

    /// <summary>Histories are stored for ever: this one was written by the first format.</summary>
    [Fact]
    public void A_history_of_the_first_format_still_replays()
    {
        const string Stored = """
            {
              "format": 1,
              "instance": {
                "instanceId": "a", "executionId": "b", "name": "Story", "version": "", "input": "\"in\"",
                "createdAt": "2026-01-01T12:00:00Z", "status": "Running", "updatedAt": "2026-01-01T12:00:00Z",
                "turns": 3, "hasStarted": true, "entries": 8
              },
              "turns": [
                { "at": "2026-01-01T12:00:00Z", "entries": [
                  { "event": "started" },
                  { "event": "activity-called", "name": "Fails", "version": "", "task": 0 } ] },
                { "at": "2026-01-01T12:00:00Z", "entries": [
                  { "event": "event-raised", "name": "Letter", "payload": "\"x\"", "sequence": 7 },
                  { "event": "activity-failed", "failure": { "errorType": "System.Exception", "message": "no" },
                    "task": 0 },
                  { "event": "child-called", "instanceId": "c", "name": "Child", "version": "", "task": 1 } ] },
                { "at": "2026-01-01T12:00:00Z", "entries": [
                  { "event": "child-completed", "result": "1", "task": 1 },
                  { "event": "event-sent", "instanceId": "elsewhere", "name": "Done", "task": 2 },
                  { "event": "timer-set", "fireAt": "2026-01-01T13:00:00Z", "task": 3 } ] }
              ]
            }
            """;

        Assert.Null(DurableEngine.Replay(Stored, Registry(Story)).Divergence);
    }

    static async Task<string> Story(TaskOrchestrationContext context)
    {
        try
        {
            await context.CallActivityAsync("Fails");
        }
        catch (TaskFailedException)
        {
            await context.CallSubOrchestratorAsync("Child", new SubOrchestrationOptions(instanceId: "c"));
        }

        context.SendEvent("elsewhere", "Done", "x");
        await context.CreateTimer(TimeSpan.FromHours(1), CancellationToken.None);
        await context.WaitForExternalEvent<string>("Letter");
        return "done";
    }

    static DurableTaskRegistry Registry(Func<TaskOrchestrationContext, Task<string>> story) =>
        new DurableTaskRegistry().AddOrchestratorFunc("Story", story);

    static Task<TestHost> StartAsync(Storage storage) => TestHost.StartAsync(storage, registry => registry
        .AddActivityFunc("Fails", new Action<TaskActivityContext>(_ => throw new TimeoutException("no")))
        .AddOrchestratorFunc<int>("Child", _ => 1)
        .AddOrchestratorFunc("Story", Story));
}
