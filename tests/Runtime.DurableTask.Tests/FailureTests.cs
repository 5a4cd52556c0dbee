using Microsoft.DurableTask;
using static Microsoft.DurableTask.Client.OrchestrationRuntimeStatus;

namespace Runtime.DurableTask.Tests;

public sealed class FailureTests
{
    static readonly string TaskFailed = typeof(TaskFailedException).FullName!;

    [Theory, EveryStorage]
    public async Task A_failed_activity_says_which_task_it_was_and_why(Storage storage)
    {
        await using var host = await StartAsync(storage, registry => registry
            .AddOrchestratorFunc<string>("Calls", async context =>
            {
                await context.CallActivityAsync("Fine");
                try
                {
                    await context.CallActivityAsync("Fails", "bad luck");
                    return "fine";
                }
                catch (TaskFailedException failed)
                {
                    return $"{failed.TaskName} {failed.TaskId} {failed.Message}";
                }
            }));

        Assert.Equal(
            "Fails 1 Task 'Fails' (#1) failed with an unhandled exception: bad luck",
            (await host.RunAsync("Calls")).ReadOutputAs<string>());
    }

    [Theory, EveryStorage]
    public async Task A_failure_nobody_catches_is_a_level_above_the_real_error(Storage storage)
    {
        await using var host = await StartAsync(storage, registry => registry
            .AddOrchestratorFunc("Calls", context => context.CallActivityAsync("Fails", "bad luck")));

        var details = (await host.RunAsync("Calls")).FailureDetails!;

        Assert.Equal(TaskFailed, details.ErrorType);
        Assert.Equal("Task 'Fails' (#0) failed with an unhandled exception: bad luck", details.ErrorMessage);
        Assert.Equal(typeof(ArgumentOutOfRangeException).FullName, details.InnerFailure!.ErrorType);
        Assert.Equal("bad luck", details.InnerFailure.ErrorMessage);
        Assert.Contains(nameof(FailureTests), details.InnerFailure.StackTrace, StringComparison.Ordinal);
    }

    [Theory, EveryStorage]
    public async Task The_orchestrators_own_exception_is_the_failure_with_its_inner_ones(Storage storage)
    {
        await using var host = await StartAsync(storage, registry => registry
            .AddOrchestratorFunc("Throws", new Action<TaskOrchestrationContext>(_ =>
                throw new InvalidOperationException("outer", new TimeoutException("inner")))));

        var ended = await host.RunAsync("Throws");

        Assert.Equal(Failed, ended.RuntimeStatus);
        Assert.Equal("System.InvalidOperationException: outer", ended.FailureDetails!.ToString());
        Assert.Equal("System.TimeoutException: inner", ended.FailureDetails.InnerFailure!.ToString());
        Assert.Null(ended.SerializedOutput);
    }

    [Theory, EveryStorage]
    public async Task A_failed_childs_details_reach_its_parent_as_they_are(Storage storage)
    {
        await using var host = await StartAsync(storage, registry => registry
            .AddOrchestratorFunc("Throws", new Action<TaskOrchestrationContext>(_ =>
                throw new InvalidOperationException("no")))
            .AddOrchestratorFunc<string>("Catches", async context =>
            {
                try
                {
                    await context.CallSubOrchestratorAsync("Throws");
                    return "fine";
                }
                catch (TaskFailedException failed)
                {
                    return failed.FailureDetails.ToString();
                }
            })
            .AddOrchestratorFunc("Lets it go", context => context.CallSubOrchestratorAsync("Throws")));

        Assert.Equal(
            "System.InvalidOperationException: no", (await host.RunAsync("Catches")).ReadOutputAs<string>());
        var uncaught = (await host.RunAsync("Lets it go")).FailureDetails!;
        Assert.Equal(TaskFailed, uncaught.ErrorType);
        Assert.Equal("System.InvalidOperationException: no", uncaught.InnerFailure!.ToString());
    }

    [Fact]
    public void IsCausedBy_looks_at_base_types_but_not_at_inner_failures()
    {
        var details = TaskFailureDetails.FromException(
            new ArgumentNullException("x", new TimeoutException("inner")));

        Assert.True(details.IsCausedBy<ArgumentNullException>());
        Assert.True(details.IsCausedBy<ArgumentException>());
        Assert.True(details.IsCausedBy<Exception>());
        Assert.False(details.IsCausedBy<TimeoutException>());
        Assert.True(details.InnerFailure!.IsCausedBy<TimeoutException>());
        Assert.True(new TaskFailureDetails(typeof(OwnException).FullName!, "", null, null, null)
            .IsCausedBy<OwnException>());
        Assert.False(new TaskFailureDetails("No.Such.Type", "", null, null, null).IsCausedBy<Exception>());
        Assert.Throws<ArgumentException>(() => details.IsCausedBy(typeof(string)));
    }

    [Theory, EveryStorage]
    public async Task Missing_tasks_fail_by_name(Storage storage)
    {
        await using var host = await StartAsync(storage, registry => registry
            .AddOrchestratorFunc("Activity", context => context.CallActivityAsync("Nowhere"))
            .AddOrchestratorFunc("Child", context => context.CallSubOrchestratorAsync("Nowhere")));

        var activity = (await host.RunAsync("Activity")).FailureDetails!.InnerFailure!;
        var child = (await host.RunAsync("Child")).FailureDetails!.InnerFailure!;
        var orchestrator = (await host.RunAsync("Nowhere")).FailureDetails!;

        Assert.Equal("ActivityTaskNotFound: There is no activity named 'Nowhere'.", activity.ToString());
        Assert.Equal("OrchestratorTaskNotFound: There is no orchestrator named 'Nowhere'.", child.ToString());
        Assert.Equal("OrchestratorTaskNotFound", orchestrator.ErrorType);
    }

    [Theory, EveryStorage]
    public async Task A_missing_task_is_not_retried_and_no_handler_is_asked(Storage storage)
    {
        var asked = 0;
        await using var host = await StartAsync(storage, registry => registry
            .AddOrchestratorFunc<string>("Calls", async context =>
            {
                var policy = TaskOptions.FromRetryPolicy(new RetryPolicy(5, TimeSpan.FromHours(1)));
                var handler = TaskOptions.FromRetryHandler(_ => ++asked < 5);
                return await TypeOf(() => context.CallActivityAsync("Nowhere", policy))
                    + await TypeOf(() => context.CallActivityAsync("Nowhere", handler))
                    + await TypeOf(() => context.CallSubOrchestratorAsync("Nowhere", handler));
            }));

        Assert.Equal(
            "ActivityTaskNotFoundActivityTaskNotFoundOrchestratorTaskNotFound",
            (await host.RunAsync("Calls")).ReadOutputAs<string>());
        Assert.Equal(0, asked);
    }

    [Theory, EveryStorage]
    public async Task An_async_void_method_that_throws_fails_its_instance(Storage storage)
    {
        await using var host = await StartAsync(storage, registry => registry
            .AddOrchestratorFunc("Careless", async context =>
            {
                Later();
                await context.CallActivityAsync("Fine");

                async void Later()
                {
                    await context.CreateTimer(TimeSpan.Zero, CancellationToken.None);
                    throw new NotSupportedException("from async void");
                }
            }));

        Assert.Equal("from async void", (await host.RunAsync("Careless")).FailureDetails!.ErrorMessage);
    }

    static async Task<string> TypeOf(Func<Task> call)
    {
        try
        {
            await call();
            return "fine";
        }
        catch (TaskFailedException failed)
        {
            return failed.FailureDetails.ErrorType;
        }
    }

    static Task<TestHost> StartAsync(Storage storage, Action<DurableTaskRegistry> register) =>
        TestHost.StartAsync(storage, registry =>
        {
            registry.AddActivityFunc("Fine", _ => { });
            registry.AddActivityFunc<string>(
                "Fails", (_, message) => throw new ArgumentOutOfRangeException(null, message));
            register(registry);
        });

    sealed class OwnException : Exception;
}
