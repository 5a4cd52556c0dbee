using Microsoft.DurableTask;

namespace Runtime.DurableTask;

/// <summary>
/// Tries a call again by its policy or handler. This is orchestrator code like any other: it runs again on replay,
/// waits on durable timers and each attempt is a deed of its own.
/// </summary>
static class Retries
{
    internal static Task<T> Call<T>(TaskOrchestrationContext context, TaskRetryOptions? options, Func<Task<T>> call) =>
        options is null ? call() : RetryAsync(context, options, call);

    static async Task<T> RetryAsync<T>(
        TaskOrchestrationContext context, TaskRetryOptions options, Func<Task<T>> call)
    {
        var begun = context.CurrentUtcDateTime;
        for (var attempt = 1; ; attempt++)
        {
            TaskFailedException failed;
            try
            {
                return await call();
            }
            catch (TaskFailedException exception) when (!Failure.IsFinal(exception.FailureDetails))
            {
                failed = exception;
            }

            var again = options.Policy is { } policy
                ? await WaitAsync(context, policy, attempt, begun, failed)
                : await options.Handler!(new RetryContext(
                    context,
                    attempt,
                    failed.FailureDetails,
                    context.CurrentUtcDateTime - begun,
                    CancellationToken.None));
            if (!again)
            {
                throw failed;
            }
        }
    }

    // The time limit is for deciding, not for the attempt that follows.
    static async Task<bool> WaitAsync(
        TaskOrchestrationContext context, RetryPolicy policy, int attempt, DateTime begun, TaskFailedException failed)
    {
        var spent = context.CurrentUtcDateTime - begun;
        if (attempt >= policy.MaxNumberOfAttempts
            || (policy.RetryTimeout != Timeout.InfiniteTimeSpan && spent >= policy.RetryTimeout)
            || !policy.Handle(failed))
        {
            return false;
        }

        await context.CreateTimer(After(context.CurrentUtcDateTime, Delay(policy, attempt)), CancellationToken.None);
        return true;
    }

    static TimeSpan Delay(RetryPolicy policy, int attempt)
    {
        var longest = policy.MaxRetryInterval == Timeout.InfiniteTimeSpan ? TimeSpan.MaxValue : policy.MaxRetryInterval;
        var ticks = policy.FirstRetryInterval.Ticks * Math.Pow(policy.BackoffCoefficient, attempt - 1);
        return ticks < longest.Ticks ? TimeSpan.FromTicks((long)ticks) : longest;
    }

    static DateTime After(DateTime now, TimeSpan delay) =>
        DateTime.MaxValue - now > delay ? now + delay : DateTime.SpecifyKind(DateTime.MaxValue, DateTimeKind.Utc);
}
