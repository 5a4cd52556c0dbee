using Microsoft.DurableTask;
using static Microsoft.DurableTask.Client.OrchestrationRuntimeStatus;

namespace Runtime.DurableTask.Tests;

public sealed class RetryTests
{
    [Theory, EveryStorage]
    public async Task The_first_attempt_counts(Storage storage)
    {
        var attempts = 0;
        await using var host = await StartAsync(
            storage, () => ++attempts, new RetryPolicy(3, TimeSpan.FromMinutes(1)));

        var id = await host.ScheduleAsync("Calls");
        await host.AdvanceAsync(TimeSpan.FromDays(1));

        Assert.Equal(Failed, await host.StatusAsync(id));
        Assert.Equal(3, attempts);
    }

    [Theory, EveryStorage]
    public async Task Delays_grow_by_the_coefficient_up_to_the_longest(Storage storage)
    {
        var times = new List<TimeSpan>();
        TestHost? host = null;
        await using (host = await StartAsync(
            storage,
            () => times.Add(host!.Clock.GetUtcNow() - TestHost.Start),
            new RetryPolicy(5, TimeSpan.FromMinutes(1), 3, TimeSpan.FromMinutes(5))))
        {
            await host.ScheduleAsync("Calls");
            await host.AdvanceAsync(TimeSpan.FromDays(1));

            Assert.Equal([0, 1, 4, 9, 14], times.Select(time => time.TotalMinutes));
        }
    }

    [Theory, EveryStorage]
    public async Task An_attempt_may_start_after_the_time_limit_that_allowed_it(Storage storage)
    {
        var attempts = 0;
        await using var host = await StartAsync(
            storage,
            () => ++attempts,
            new RetryPolicy(100, TimeSpan.FromMinutes(4), retryTimeout: TimeSpan.FromMinutes(10)));

        await host.ScheduleAsync("Calls");
        await host.AdvanceAsync(TimeSpan.FromDays(1));

        // At 0, 4 and 8 minutes, and at 12: that was decided at 8, before the limit.
        Assert.Equal(4, attempts);
    }

    [Theory, EveryStorage]
    public async Task A_policy_may_refuse_to_retry_some_failures(Storage storage)
    {
        var attempts = 0;
        await using var host = await StartAsync(
            storage,
            () => ++attempts,
            new RetryPolicy(9, TimeSpan.FromMinutes(1))
            {
                HandleFailure = failure => !failure.IsCausedBy<TimeoutException>(),
            });

        Assert.Equal(Failed, (await host.RunAsync("Calls")).RuntimeStatus);
        Assert.Equal(1, attempts);
    }

    [Theory, EveryStorage]
    public async Task A_call_that_succeeds_at_last_has_its_result(Storage storage)
    {
        var attempts = 0;
        await using var host = await TestHost.StartAsync(storage, registry => registry
            .AddActivityFunc("Third time", _ => ++attempts < 3 ? throw new TimeoutException() : attempts)
            .AddOrchestratorFunc<int>("Calls", context => context.CallActivityAsync<int>(
                "Third time", TaskOptions.FromRetryPolicy(new RetryPolicy(5, TimeSpan.FromHours(1))))));

        var id = await host.ScheduleAsync("Calls");
        await host.AdvanceAsync(TimeSpan.FromHours(2));

        Assert.Equal(3, (await host.AtRestAsync(id)).ReadOutputAs<int>());
    }

    [Theory, EveryStorage]
    public async Task Retries_of_a_child_reuse_its_instance_id(Storage storage)
    {
        var ids = new List<string>();
        await using var host = await TestHost.StartAsync(storage, registry => registry
            .AddActivityFunc<string>("Note", (_, id) => ids.Add(id))
            .AddOrchestratorFunc("Fails", async context =>
            {
                await context.CallActivityAsync("Note", context.InstanceId);
                throw new TimeoutException();
            })
            .AddOrchestratorFunc("Calls", context => context.CallSubOrchestratorAsync(
                "Fails", TaskOptions.FromRetryPolicy(new RetryPolicy(3, TimeSpan.FromHours(1))))));

        var id = await host.ScheduleAsync("Calls");
        await host.AdvanceAsync(TimeSpan.FromDays(1));

        Assert.Equal(Failed, await host.StatusAsync(id));
        Assert.Equal(3, ids.Count);
        Assert.Single(ids.Distinct());
    }

    [Theory, EveryStorage]
    public async Task A_handler_sees_each_failure_and_may_wait_before_it_decides(Storage storage)
    {
        var seen = new List<string>();
        await using var host = await TestHost.StartAsync(storage, registry => registry
            .AddActivityFunc("Fails", new Action<TaskActivityContext>(_ => throw new TimeoutException("late")))
            .AddOrchestratorFunc("Calls", context => context.CallActivityAsync(
                "Fails",
                TaskOptions.FromRetryHandler(async retry =>
                {
                    if (!retry.OrchestrationContext.IsReplaying)
                    {
                        seen.Add($"{retry.LastAttemptNumber} {retry.LastFailure.ErrorMessage} {retry.TotalRetryTime}");
                    }

                    await retry.OrchestrationContext.CreateTimer(TimeSpan.FromHours(1), retry.CancellationToken);
                    return retry.LastAttemptNumber < 3;
                }))));

        var id = await host.ScheduleAsync("Calls");
        await host.AdvanceAsync(TimeSpan.FromDays(1));

        Assert.Equal(Failed, await host.StatusAsync(id));
        Assert.Equal(["1 late 00:00:00", "2 late 01:00:00", "3 late 02:00:00"], seen);
    }

    [Fact]
    public async Task A_handler_runs_again_on_replay()
    {
        var asked = 0;
        await using var host = await TestHost.StartAsync(Storage.Replayed, registry => registry
            .AddActivityFunc("Fails", new Action<TaskActivityContext>(_ => throw new TimeoutException("late")))
            .AddOrchestratorFunc("Calls", context => context.CallActivityAsync(
                "Fails", TaskOptions.FromRetryHandler(retry => ++asked > 0 && retry.LastAttemptNumber < 3))));

        await host.RunAsync("Calls");

        // Three failures, told in turns of their own: one, then two, then three are decided.
        Assert.Equal(6, asked);
    }

    [Theory, EveryStorage]
    public async Task A_handlers_own_exception_reaches_the_orchestrator_unwrapped(Storage storage)
    {
        await using var host = await TestHost.StartAsync(storage, registry => registry
            .AddActivityFunc("Fails", new Action<TaskActivityContext>(_ => throw new TimeoutException("late")))
            .AddOrchestratorFunc("Calls", context => context.CallActivityAsync(
                "Fails",
                TaskOptions.FromRetryHandler(new RetryHandler(_ => throw new NotSupportedException("mine"))))));

        Assert.Equal("System.NotSupportedException: mine", (await host.RunAsync("Calls")).FailureDetails!.ToString());
    }

    [Fact]
    public void A_policy_refuses_numbers_that_make_no_sense()
    {
        var minute = TimeSpan.FromMinutes(1);

        Assert.Throws<ArgumentOutOfRangeException>(() => new RetryPolicy(0, minute));
        Assert.Throws<ArgumentOutOfRangeException>(() => new RetryPolicy(1, TimeSpan.Zero));
        Assert.Throws<ArgumentOutOfRangeException>(() => new RetryPolicy(1, minute, 0.5));
        Assert.Throws<ArgumentOutOfRangeException>(() => new RetryPolicy(1, minute, double.NaN));
        Assert.Throws<ArgumentOutOfRangeException>(() => new RetryPolicy(1, minute, 1, TimeSpan.FromSeconds(1)));
        Assert.Throws<ArgumentOutOfRangeException>(
            () => new RetryPolicy(1, minute, retryTimeout: TimeSpan.FromSeconds(1)));
        Assert.Equal(TimeSpan.FromHours(1), new RetryPolicy(1, minute).MaxRetryInterval);
    }

    static Task<TestHost> StartAsync(Storage storage, Action attempt, RetryPolicy policy) =>
        TestHost.StartAsync(storage, registry => registry
            .AddActivityFunc("Fails", new Action<TaskActivityContext>(_ =>
            {
                attempt();
                throw new TimeoutException("late");
            }))
            .AddOrchestratorFunc(
                "Calls", context => context.CallActivityAsync("Fails", TaskOptions.FromRetryPolicy(policy))));
}
