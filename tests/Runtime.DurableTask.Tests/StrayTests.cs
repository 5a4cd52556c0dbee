using Microsoft.DurableTask;
using static Microsoft.DurableTask.Client.OrchestrationRuntimeStatus;

namespace Runtime.DurableTask.Tests;

/// <summary>Code that awaits what its context has not made fails at once with advice instead of hanging.</summary>
public sealed class StrayTests
{
    [Theory, EveryStorage]
    public async Task Awaiting_a_delay_fails_with_advice(Storage storage) =>
        await FailsAsync(storage, async (_, host) => await Task.Delay(TimeSpan.FromDays(1), host.Clock));

    [Theory, EveryStorage]
    public async Task Awaiting_a_task_that_never_ends_fails_with_advice(Storage storage) =>
        await FailsAsync(storage, async (_, _) => await new TaskCompletionSource().Task);

    [Theory, EveryStorage]
    public async Task Leaving_the_context_by_ConfigureAwait_fails_with_advice(Storage storage) =>
        await FailsAsync(storage, async (context, _) =>
        {
            await context.CallActivityAsync("Nothing").ConfigureAwait(false);
            await context.CallActivityAsync("Nothing");
        });

    [Theory, EveryStorage]
    public async Task Awaiting_work_of_another_thread_fails_although_an_event_is_awaited_too(Storage storage)
    {
        var work = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var host = await StartAsync(storage, async (context, _) =>
        {
            var never = context.WaitForExternalEvent<string>("Never");
            await Task.WhenAny(never, OnItsOwn());

            async Task OnItsOwn() => await work.Task;
        });
        var id = await host.ScheduleAsync("Strays");
        Assert.Equal(Running, await host.StatusAsync(id));

        work.SetResult();

        AssertAdvice(await host.EndAsync(id));
    }

    [Theory, EveryStorage]
    public async Task Using_the_context_on_another_thread_fails_with_advice(Storage storage)
    {
        var used = new TaskCompletionSource<Exception?>();
        await using var host = await StartAsync(storage, (context, hosting) =>
        {
            ThreadPool.UnsafeQueueUserWorkItem(
                _ => used.TrySetResult(Record.Exception(() => context.SetCustomStatus("elsewhere"))), null);
            return context.WaitForExternalEvent<string>("Never");
        });
        var id = await host.ScheduleAsync("Strays");

        Assert.IsType<InvalidOperationException>(await used.Task);
        AssertAdvice(await host.EndAsync(id));
    }

    [Theory, EveryStorage]
    public async Task A_token_cancelled_by_real_time_fails_with_advice(Storage storage)
    {
        await using var host = await StartAsync(storage, async (context, hosting) =>
        {
            var source = new CancellationTokenSource(TimeSpan.FromHours(1), hosting.Clock);
            await context.CreateTimer(TimeSpan.FromDays(1), source.Token);
        });
        var id = await host.ScheduleAsync("Strays");
        await host.AdvanceAsync(TimeSpan.FromHours(1));

        AssertAdvice(await host.EndAsync(id));
    }

    [Theory, EveryStorage]
    public async Task A_task_left_alone_does_no_harm(Storage storage)
    {
        await using var host = await StartAsync(storage, (context, hosting) =>
        {
            _ = Task.Delay(TimeSpan.FromHours(1), hosting.Clock);
            return Task.CompletedTask;
        });
        var id = await host.ScheduleAsync("Strays");
        Assert.Equal(Completed, await host.StatusAsync(id));

        await host.AdvanceAsync(TimeSpan.FromHours(2));
        Assert.Equal(Completed, await host.StatusAsync(id));
    }

    static async Task FailsAsync(Storage storage, Func<TaskOrchestrationContext, TestHost, Task> code)
    {
        await using var host = await StartAsync(storage, code);
        AssertAdvice(await host.RunAsync("Strays"));
    }

    static void AssertAdvice(Microsoft.DurableTask.Client.OrchestrationMetadata ended)
    {
        Assert.Equal(Failed, ended.RuntimeStatus);
        Assert.Equal(typeof(InvalidOperationException).FullName, ended.FailureDetails!.ErrorType);
        Assert.Contains($"'Strays' (instance '{ended.InstanceId}')", ended.FailureDetails.ErrorMessage, Ordinal);
        Assert.Contains("use CreateTimer for delays", ended.FailureDetails.ErrorMessage, Ordinal);
    }

    const StringComparison Ordinal = StringComparison.Ordinal;

    static async Task<TestHost> StartAsync(Storage storage, Func<TaskOrchestrationContext, TestHost, Task> code)
    {
        TestHost? host = null;
        return host = await TestHost.StartAsync(storage, registry => registry
            .AddActivityFunc("Nothing", _ => { })
            .AddOrchestratorFunc("Strays", context => code(context, host!)));
    }
}
