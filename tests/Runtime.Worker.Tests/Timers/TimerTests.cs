using System.Globalization;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Runtime.Worker.Tests;

public sealed class HourlyFunctions(Probe probe, TimeProvider clock)
{
    [Function("Hourly")]
    public void Hourly([TimerTrigger("%Schedule%")] TimerInfo timer) =>
        probe.Write($"{clock.GetUtcNow():HH:mm} late={timer.IsPastDue} next={timer.ScheduleStatus?.Next:HH:mm}");
}

public sealed class EagerFunctions(Probe probe, TimeProvider clock)
{
    [Function("AtStart")]
    public void AtStart([TimerTrigger("01:00:00", RunOnStartup = true, UseMonitor = false)] TimerInfo timer) =>
        probe.Write($"{clock.GetUtcNow():HH:mm} {timer.ScheduleStatus is null}");
}

public sealed class SlowTimerFunctions(Probe probe, TimeProvider clock)
{
    int running;

    [Function("Slow")]
    public async Task Slow([TimerTrigger("0 * * * * *")] TimerInfo timer, CancellationToken cancellation)
    {
        Assert.Equal(1, Interlocked.Increment(ref running));
        var minute = clock.GetUtcNow().ToString("HH:mm", CultureInfo.InvariantCulture);
        probe.Write($"start {minute}");
        await probe.Opened(minute).WaitAsync(cancellation);
        Interlocked.Decrement(ref running);
        probe.Write($"end {minute}");
    }
}

public sealed class FailingTimerFunctions(Probe probe, TimeProvider clock)
{
    [Function("Failing")]
    [FixedDelayRetry(2, "00:00:10")]
    public void Failing([TimerTrigger("0 0 * * * *")] TimerInfo timer, FunctionContext context)
    {
        var retry = context.RetryContext;
        probe.Write($"{clock.GetUtcNow():HH:mm:ss} {retry.RetryCount}/{retry.MaxRetryCount}");
        throw new InvalidOperationException("no");
    }
}

public sealed class TimerTests
{
    static readonly DateTimeOffset midnight = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    readonly Probe probe = new();
    readonly ManualClock clock = new(midnight.AddMinutes(30));
    readonly TestLog log = new();

    [Fact]
    public async Task A_timer_fires_by_the_injected_clock()
    {
        await using var host = await StartAsync<HourlyFunctions>();

        await StepTo(midnight.AddHours(1));
        await probe.Until(diary => diary.Count == 1);
        await StepTo(midnight.AddHours(2));
        await probe.Until(diary => diary.Count == 2);

        Assert.Equal(["01:00 late=False next=01:00", "02:00 late=False next=02:00"], probe.Diary);
        Assert.Equal("Hourly: [timerTrigger] 0 0 * * * *", host.Functions.Single().ToString());
    }

    [Fact]
    public async Task A_timer_may_also_fire_at_start_and_at_a_fixed_interval()
    {
        await using var host = await StartAsync<EagerFunctions>();

        await probe.Until(diary => diary.Count == 1);
        await StepTo(midnight.AddMinutes(90));
        await probe.Until(diary => diary.Count == 2);

        Assert.Equal(["00:30 True", "01:30 True"], probe.Diary);
    }

    [Fact]
    public async Task A_timer_never_overlaps_itself_and_notes_what_it_ran_past()
    {
        await using var host = await StartAsync<SlowTimerFunctions>();

        await StepTo(midnight.AddMinutes(31));
        await probe.Until(diary => diary.Contains("start 00:31"));
        clock.Advance(TimeSpan.FromMinutes(4));
        Assert.Equal(["start 00:31"], probe.Diary);

        probe.Open("00:31");
        await probe.Until(diary => diary.Contains("start 00:35"));
        probe.Open("00:35");
        await probe.Until(diary => diary.Contains("end 00:35"));

        Assert.Equal(["start 00:31", "end 00:31", "start 00:35", "end 00:35"], probe.Diary);
        Assert.Contains(
            log.Lines, line => line.Text.Contains("ran past 4 of its occurrences", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_failing_timer_is_repeated_as_its_attribute_says_and_then_goes_on()
    {
        await using var host = await StartAsync<FailingTimerFunctions>();

        await StepTo(midnight.AddHours(1));
        await StepTo(midnight.AddHours(1).AddSeconds(10));
        await StepTo(midnight.AddHours(1).AddSeconds(20));
        await StepTo(midnight.AddHours(2));
        await probe.Until(diary => diary.Count == 4);

        Assert.Equal(["01:00:00 0/2", "01:00:10 1/2", "01:00:20 2/2", "02:00:00 0/2"], probe.Diary);
        Assert.True(log.Lines.Count(line => line.Level is LogLevel.Error && line.Category == "Function.Failing") >= 3);
    }

    [Fact]
    public async Task An_occurrence_missed_while_the_host_was_down_is_made_up_for_once()
    {
        var file = Path.Combine(Path.GetTempPath(), $"timers-{Guid.NewGuid():N}.db");
        await using (var host = await StartAsync<HourlyFunctions>(file))
        {
            await StepTo(midnight.AddHours(1));
            await probe.Until(diary => diary.Count == 1);
        }

        clock.Advance(TimeSpan.FromHours(3.5));
        await using (var host = await StartAsync<HourlyFunctions>(file))
        {
            await probe.Until(diary => diary.Count == 2);
            await StepTo(midnight.AddHours(5));
            await probe.Until(diary => diary.Count == 3);
        }

        await using (var host = await StartAsync<HourlyFunctions>(file))
        {
            await clock.UntilAwaited(midnight.AddHours(6));
        }

        Assert.Equal(
            ["01:00 late=False next=01:00", "04:30 late=True next=02:00", "05:00 late=False next=05:00"], probe.Diary);
        Assert.Contains(log.Lines, line => line.Text.Contains("while the host was down", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_changed_schedule_is_not_late()
    {
        var file = Path.Combine(Path.GetTempPath(), $"timers-{Guid.NewGuid():N}.db");
        await (await StartAsync<HourlyFunctions>(file)).DisposeAsync();

        clock.Advance(TimeSpan.FromHours(3));
        await using var host = await StartAsync<HourlyFunctions>(file, schedule: "0 15 * * * *");
        await clock.UntilAwaited(midnight.AddHours(4.25));

        Assert.Empty(probe.Diary);
    }

    [Fact]
    public async Task A_damaged_memory_of_timers_is_refused_rather_than_forgotten()
    {
        var file = Path.Combine(Path.GetTempPath(), $"timers-{Guid.NewGuid():N}.db");
        await File.WriteAllTextAsync($"{file}.timers.json", "{ \"Hourly\": ");

        var refused = await Assert.ThrowsAsync<FunctionsRefusedException>(() => StartAsync<HourlyFunctions>(file));

        Assert.Contains("is damaged", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Stopping_waits_for_a_running_timer_unless_told_not_to()
    {
        var host = await StartAsync<SlowTimerFunctions>();
        await StepTo(midnight.AddMinutes(31));
        await probe.Until(diary => diary.Contains("start 00:31"));

        var stopping = host.StopAsync();
        Assert.False(stopping.IsCompleted);
        probe.Open("00:31");
        await stopping;
        await host.DisposeAsync();
        Assert.Equal(["start 00:31", "end 00:31"], probe.Diary);

        host = await StartAsync<SlowTimerFunctions>();
        await StepTo(midnight.AddMinutes(32));
        await probe.Until(diary => diary.Contains("start 00:32"));
        using var now = new CancellationTokenSource();
        stopping = host.StopAsync(now.Token);
        await now.CancelAsync();
        await stopping;
        await host.DisposeAsync();
        Assert.DoesNotContain("end 00:32", probe.Diary);
    }

    async Task StepTo(DateTimeOffset time)
    {
        await clock.UntilAwaited(time);
        clock.Advance(time - clock.GetUtcNow());
    }

    Task<FunctionsHost> StartAsync<T>(string? file = null, string schedule = "0 0 * * * *") => FunctionsHost.StartAsync(
        (TestHost.Options(typeof(T)) with
        {
            Clock = clock,
            DurableFile = file,
            Configure = builder => builder.Services.AddSingleton(probe).AddSingleton<TimeProvider>(clock),
        }).With(("Schedule", schedule)).WithLog(log));
}
