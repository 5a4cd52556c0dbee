using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.Logging;

namespace Runtime.Worker;

/// <summary>Runs one timer function, one occurrence at a time.</summary>
/// <remarks>An occurrence that comes due while the function still runs is not queued: the function runs once more as
/// soon as it can, and the log says how many were missed. A monitored occurrence that was missed while the host was
/// down is made up for once at start, with IsPastDue.</remarks>
sealed class TimerSource(
    TriggeredFunction function, TimerTriggerAttribute trigger, Schedule schedule,
    TimerStatuses statuses, TimeProvider clock, ILogger logger) : ITriggerSource, IDisposable
{
    // A timer of the platform counts in 32-bit milliseconds; a longer wait is made of several.
    static readonly TimeSpan waitMax = TimeSpan.FromDays(24);
    static readonly TimeSpan monitoredIntervalMin = TimeSpan.FromMinutes(1);
    const int MissedCountMax = 10_000;

    readonly CancellationTokenSource stopping = new();
    readonly CancellationTokenSource aborting = new();
    Task running = Task.CompletedTask;

    public string Description => schedule.ToString()!;

    public Task StartAsync(CancellationToken cancellation)
    {
        // As in Azure, what comes round within a minute is not worth remembering.
        var now = clock.GetUtcNow();
        var first = schedule.After(now);
        var monitored = trigger.UseMonitor &&
            !(first is { } a && schedule.After(a) is { } b && b - a < monitoredIntervalMin);
        var known = monitored ? statuses.Read(function.Name, schedule.ToString()!) : null;

        // Elsewhere, because a function that runs at once must not hold up the start of the others.
        running = Task.Run(
            () => RunAsync(monitored, now, known?.Last ?? default, known?.Next ?? first), CancellationToken.None);
        return Task.CompletedTask;
    }

    public async Task StopAsync(CancellationToken cancellation)
    {
        await stopping.CancelAsync();
        await using var _ = cancellation.UnsafeRegister(static o => ((CancellationTokenSource)o!).Cancel(), aborting);
        await running;
    }

    public void Dispose()
    {
        stopping.Dispose();
        aborting.Dispose();
    }

    async Task RunAsync(bool monitored, DateTimeOffset now, DateTimeOffset last, DateTimeOffset? next)
    {
        var late = next is { } due && due < now;
        if (late)
        {
            logger.LogWarning(
                "Timer '{Function}' was due at {Due} while the host was down; it runs now", function.Name, next);
        }

        if (late || trigger.RunOnStartup)
        {
            (last, next) = await InvokeAsync(monitored, late, last, now, next);
        }
        else if (monitored)
        {
            Remember(last, next);
        }

        while (next is { } occurrence && await WaitUntilAsync(occurrence))
        {
            // Never counted as earlier than it was due, or the same occurrence would come once more.
            var started = clock.GetUtcNow() is var instant && instant < occurrence ? occurrence : instant;
            (last, next) = await InvokeAsync(monitored, pastDue: false, last, started, next);
        }
    }

    async Task<(DateTimeOffset Last, DateTimeOffset? Next)> InvokeAsync(
        bool monitored, bool pastDue, DateTimeOffset last, DateTimeOffset started, DateTimeOffset? due)
    {
        var info = new TimerInfo
        {
            IsPastDue = pastDue,
            ScheduleStatus = monitored ? Status(last, due) : null,
        };

        try
        {
            await function.InvokeAsync(new(info) { Stopping = stopping.Token }, aborting.Token);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // Not remembered: an occurrence cut off by the host is due again at the next start.
            return (last, null);
        }
        catch (Exception)
        {
            // The failure is in the log; the schedule goes on, as in Azure.
        }

        var next = schedule.After(started);
        NoteMissed(next);
        if (monitored)
        {
            Remember(started, next);
        }

        return (started, next);
    }

    void NoteMissed(DateTimeOffset? next)
    {
        var (now, missed) = (clock.GetUtcNow(), 0);
        for (var each = next; each <= now && missed < MissedCountMax; each = schedule.After(each.Value))
        {
            missed++;
        }

        if (missed > 0)
        {
            logger.LogWarning(
                "Timer '{Function}' ran past {Missed} of its occurrences; it runs once for all of them",
                function.Name, missed);
        }
    }

    /// <summary>False when the host stops first.</summary>
    async Task<bool> WaitUntilAsync(DateTimeOffset occurrence)
    {
        try
        {
            for (var rest = occurrence - clock.GetUtcNow(); rest > TimeSpan.Zero; rest = occurrence - clock.GetUtcNow())
            {
                await Task.Delay(rest < waitMax ? rest : waitMax, clock, stopping.Token);
            }

            return !stopping.IsCancellationRequested;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    void Remember(DateTimeOffset last, DateTimeOffset? next)
    {
        if (next is not { } due)
        {
            return;
        }

        try
        {
            statuses.Write(function.Name, new(schedule.ToString()!, last, due));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The schedule itself goes on: all that suffers is making up for missed occurrences after a restart.
            logger.LogError(e, "The state of timer '{Function}' cannot be written", function.Name);
        }
    }

    static ScheduleStatus Status(DateTimeOffset last, DateTimeOffset? next) => new()
    {
        Last = last.UtcDateTime,
        Next = next?.UtcDateTime ?? default,
        LastUpdated = last.UtcDateTime,
    };
}
