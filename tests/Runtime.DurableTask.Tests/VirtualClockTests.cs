namespace Runtime.DurableTask.Tests;

public sealed class VirtualClockTests
{
    static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Time_stands_still_until_it_is_moved()
    {
        var clock = new VirtualClock(Start.ToOffset(TimeSpan.FromHours(9)));
        var begun = clock.GetTimestamp();

        Assert.Equal(Start, clock.GetUtcNow());
        Assert.Equal(TimeSpan.Zero, clock.GetUtcNow().Offset);
        clock.Advance(TimeSpan.FromDays(1));
        Assert.Equal(Start.AddDays(1), clock.GetUtcNow());
        Assert.Equal(TimeSpan.FromDays(1), clock.GetElapsedTime(begun));
        clock.AdvanceTo(Start.AddDays(2));
        Assert.Equal(Start.AddDays(2), clock.GetUtcNow());
        Assert.Throws<ArgumentOutOfRangeException>(() => clock.AdvanceTo(Start));
        Assert.Throws<ArgumentOutOfRangeException>(() => clock.Advance(TimeSpan.FromTicks(-1)));
    }

    [Fact]
    public void Whoever_moves_time_while_another_moves_it_further_is_not_refused()
    {
        var clock = new VirtualClock(Start);

        Parallel.For(0, 200_000, i => clock.Advance(TimeSpan.FromTicks(1 + i % 3)));

        Assert.True(clock.GetUtcNow() > Start);
    }

    [Fact]
    public void Timers_fire_in_order_each_at_its_own_time()
    {
        var clock = new VirtualClock(Start);
        var fired = new List<string>();
        using var late = Timer("late", 30, 0);
        using var soon = Timer("soon", 10, 0);
        using var often = Timer("often", 8, 8);
        using var never = Timer("never", 15, 0);
        never.Dispose();

        clock.Advance(TimeSpan.FromMinutes(30));

        Assert.Equal(["often 8", "soon 10", "often 16", "often 24", "late 30"], fired);
        Assert.False(never.Change(TimeSpan.FromMinutes(1), TimeSpan.Zero));

        ITimer Timer(string name, int due, int period) => clock.CreateTimer(
            _ => fired.Add($"{name} {(clock.GetUtcNow() - Start).TotalMinutes}"),
            null,
            TimeSpan.FromMinutes(due),
            TimeSpan.FromMinutes(period));
    }

    [Fact]
    public async Task A_delay_ends_when_the_clock_has_moved()
    {
        var clock = new VirtualClock(Start);
        var delay = Task.Delay(TimeSpan.FromMinutes(5), clock);
        var cancelled = new CancellationTokenSource(TimeSpan.FromMinutes(3), clock);
        clock.Advance(TimeSpan.FromMinutes(4));
        Assert.False(delay.IsCompleted);
        Assert.True(cancelled.IsCancellationRequested);

        clock.Advance(TimeSpan.FromMinutes(1));
        await delay;
    }

    [Fact]
    public async Task A_timer_of_no_delay_fires_by_itself_and_then_by_its_period()
    {
        var clock = new VirtualClock(Start);
        var count = 0;
        var first = new TaskCompletionSource();
        await using var timer = clock.CreateTimer(
            _ =>
            {
                count++;
                first.TrySetResult();
            },
            null,
            TimeSpan.Zero,
            TimeSpan.FromMinutes(1));

        await first.Task;
        clock.Advance(TimeSpan.FromMinutes(2));

        Assert.Equal(3, count);
    }

    [Fact]
    public async Task Advancing_as_time_passes_waits_for_the_busy_between_timers()
    {
        var clock = new VirtualClock(Start);
        var steps = new List<string>();
        var release = new TaskCompletionSource();
        await using var first = clock.CreateTimer(
            _ => WorkAsync(clock.Hold()), null, TimeSpan.FromMinutes(1), Timeout.InfiniteTimeSpan);
        await using var second = clock.CreateTimer(
            _ => steps.Add("second"), null, TimeSpan.FromMinutes(2), Timeout.InfiniteTimeSpan);

        var advance = clock.AdvanceAsync(TimeSpan.FromMinutes(3));
        Assert.False(advance.IsCompleted);
        Assert.Equal(Start.AddMinutes(1), clock.GetUtcNow());
        release.SetResult();
        await advance;

        Assert.Equal(["first", "second"], steps);
        Assert.Equal(Start.AddMinutes(3), clock.GetUtcNow());

        async void WorkAsync(IDisposable hold)
        {
            await release.Task;
            steps.Add("first");
            hold.Dispose();
            hold.Dispose();
        }
    }

    [Fact]
    public void Only_registered_sources_move_the_clock_by_itself()
    {
        var clock = new VirtualClock(Start) { AutoAdvance = TimeSpan.FromMinutes(5) };
        DateTimeOffset? due = Start.AddMinutes(5);
        using var polling = clock.CreateTimer(_ => { }, null, TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(1));
        clock.Hold().Dispose();
        Assert.Equal(Start, clock.GetUtcNow());

        using (clock.AddSource(() => due))
        {
            clock.Hold().Dispose();
            Assert.Equal(Start.AddMinutes(5), clock.GetUtcNow());
            due = Start.AddMinutes(11);
            clock.Hold().Dispose();
            Assert.Equal(Start.AddMinutes(5), clock.GetUtcNow());
            due = null;
            clock.Hold().Dispose();
        }

        due = Start.AddMinutes(6);
        clock.Hold().Dispose();
        Assert.Equal(Start.AddMinutes(5), clock.GetUtcNow());
    }

    [Fact]
    public async Task Waiting_for_idle_can_be_given_up()
    {
        var clock = new VirtualClock(Start);
        using var hold = clock.Hold();
        using var patience = new CancellationTokenSource();
        var idle = clock.WhenIdleAsync(patience.Token);
        await patience.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => idle);
    }

    [Fact]
    public async Task Nothing_falls_due_any_more_once_somebody_has_begun_to_work()
    {
        var clock = new VirtualClock(Start);
        IDisposable? work = null;
        var overdue = 0;
        await using var begins = clock.CreateTimer(
            _ => work = clock.Hold(), null, TimeSpan.FromSeconds(1), Timeout.InfiniteTimeSpan);
        await using var expires = clock.CreateTimer(
            _ => overdue++, null, TimeSpan.FromSeconds(31), Timeout.InfiniteTimeSpan);
        using var source = clock.AddSource(() => Start.AddMinutes(1));

        clock.AutoAdvance = TimeSpan.FromHours(1);

        Assert.Equal((0, Start.AddSeconds(1)), (overdue, clock.GetUtcNow()));
        work!.Dispose();
        Assert.Equal((1, Start.AddMinutes(1)), (overdue, clock.GetUtcNow()));

        // A leap waits for it as well.
        var arrived = clock.AdvanceAsync(TimeSpan.FromDays(3));
        await arrived;
        work = clock.Hold();
        arrived = clock.AdvanceAsync(TimeSpan.FromDays(3));
        Assert.False(arrived.IsCompleted);
        work.Dispose();
        await arrived;
        Assert.Equal(Start.AddMinutes(1).AddDays(6), clock.GetUtcNow());
    }
}
