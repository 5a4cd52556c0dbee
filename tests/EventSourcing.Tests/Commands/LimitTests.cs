using static EventSourcing.Tests.CounterCommand;

namespace EventSourcing.Tests.Commands;

/// <summary>What can not be done is refused in words before anything is sent and leaves all as it was.</summary>
public sealed class LimitTests
{
    readonly StreamId stream = Samples.NewStream();
    readonly InMemoryEventStore store = new();
    readonly Instance instance;

    public LimitTests() => instance = new(store);

    [Fact]
    public async Task The_most_events_one_command_may_have_are_appended_together()
    {
        var outcome = await instance.AskAsync(stream, new AddOnes(AppendLimits.EventsMax));
        Assert.Equal(AppendLimits.EventsMax, outcome.Sequence);
    }

    [Theory]
    [InlineData(AppendLimits.EventsMax + 1, 1)]
    [InlineData(1, AppendLimits.EventBytesMax)]
    [InlineData(5, AppendLimits.EventBytesMax - 1000)]
    public async Task More_than_fits_is_refused_and_nothing_is_half_written(int count, int length)
    {
        await instance.AddAsync(stream, 7);
        var refused = await Assert.ThrowsAsync<AppendTooLargeException>(
            () => instance.AskAsync(stream, new Note(length, count)));
        Assert.Contains(stream.ToString(), refused.Message, StringComparison.Ordinal);
        Assert.Equal(1, await store.HeadAsync(stream, CancellationToken.None));

        // The memory is as good as before, so the next command is one call.
        var before = instance.Store.Calls;
        Assert.Equal(8, (await instance.AddAsync(stream, 1)).State.Value);
        Assert.Equal(1, instance.Store.Calls - before);
    }

    [Fact]
    public async Task Size_is_counted_in_bytes_and_not_in_letters()
    {
        // Three bytes a letter: the same number of Latin letters fits.
        const int Length = AppendLimits.EventBytesMax / 2;
        await instance.AskAsync(stream, new Note(Length, Letter: 'n'));
        await Assert.ThrowsAsync<AppendTooLargeException>(
            () => instance.AskAsync(stream, new Note(Length, Letter: '주')));
    }

    [Fact]
    public async Task A_clock_a_little_behind_is_taken_for_skew()
    {
        await instance.AddAsync(stream, 1);
        var behind = new Instance(store, new ManualClock { Now = instance.Clock.Now - TimeSpan.FromMinutes(1) });
        await behind.AddAsync(stream, 1);
        Assert.All(await store.ListAsync(stream), stored => Assert.Equal(instance.Clock.Now, stored.Timestamp));
    }

    [Fact]
    public async Task A_clock_far_behind_is_refused_and_nothing_is_stored()
    {
        await instance.AddAsync(stream, 1);
        var clock = new ManualClock { Now = instance.Clock.Now - TimeSpan.FromMinutes(1) - TimeSpan.FromTicks(1) };
        var behind = new Instance(store, clock);
        var refused = await Assert.ThrowsAsync<ClockBehindException>(() => behind.AddAsync(stream, 1));
        Assert.Contains(stream.ToString(), refused.Message, StringComparison.Ordinal);
        Assert.Equal(1, await store.HeadAsync(stream, CancellationToken.None));

        // A command that stores nothing needs no clock.
        Assert.Equal(Counter.TooLittle, (await behind.AskAsync(stream, new Take(5))).Refusal);
    }

    [Theory]
    [InlineData("empty")]
    [InlineData("too long")]
    [InlineData("a control character")]
    [InlineData("half a character")]
    public async Task An_id_that_can_not_be_stored_is_refused(string how)
    {
        var good = Instance.Context();
        var bad = how switch
        {
            "empty" => "",
            "too long" => new('x', CommandContext.IdLengthMax + 1),
            "a control character" => "line\nbreak",
            _ => "lone\ud800surrogate",
        };
        CommandContext[] contexts =
        [
            good with { CommandId = bad }, good with { CorrelationId = bad }, good with { CausationId = bad },
            good with { UserId = bad },
        ];
        foreach (var context in contexts)
            await Assert.ThrowsAsync<ArgumentException>(
                () => instance.Handler.HandleAsync(stream, new Add(1), context, CancellationToken.None));
        Assert.Equal(0, instance.Store.Calls);
    }

    [Fact]
    public async Task A_stream_of_another_kind_is_refused()
    {
        var order = StreamId.Of("order", Guid.NewGuid());
        await Assert.ThrowsAsync<ArgumentException>(() => instance.AddAsync(order, 1));
        await Assert.ThrowsAsync<ArgumentException>(async () =>
            await instance.Handler.KnownAsync(order, TimeSpan.Zero, CancellationToken.None));
        await Assert.ThrowsAsync<ArgumentException>(
            () => instance.Handler.LoadAsync(order, StreamRange.All, CancellationToken.None));
        await Assert.ThrowsAsync<ArgumentException>(
            () => instance.Handler.LoadAsOfAsync(order, Samples.Noon, CancellationToken.None));
    }

    [Fact]
    public async Task A_command_cancelled_before_it_begins_does_nothing()
    {
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => instance.AskAsync(stream, new Add(1), cancellation: new(canceled: true)));
        Assert.Equal(0, await store.HeadAsync(stream, CancellationToken.None));
        Assert.Equal(0, instance.Cache.Count);
    }

    [Fact]
    public async Task A_command_cancelled_while_it_waits_its_turn_does_nothing_and_holds_up_nobody()
    {
        var (inside, go) = (new TaskCompletionSource(), new TaskCompletionSource());
        instance.Store.BeforeAppend = () =>
        {
            inside.TrySetResult();
            return go.Task;
        };
        var first = instance.AddAsync(stream, 1);
        await inside.Task;

        using var cancel = new CancellationTokenSource();
        var second = instance.AskAsync(stream, new Add(10), cancellation: cancel.Token);
        var third = instance.AddAsync(stream, 100);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => second);

        go.SetResult();
        await first;
        Assert.Equal(101, (await third).State.Value);
    }

    [Fact]
    public async Task A_command_cancelled_after_it_was_stored_can_be_asked_for_its_answer()
    {
        await instance.AddAsync(stream, 1);
        instance.Store.AfterAppend = () => throw new OperationCanceledException();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => instance.AddAsync(stream, 1, "mine"));

        instance.Store.AfterAppend = () => Task.CompletedTask;
        var repeat = await instance.AddAsync(stream, 1, "mine");
        Assert.True(repeat.IsRepeat);
        Assert.Equal((2, 2), (repeat.Sequence, repeat.State.Value));
    }

    [Fact]
    public async Task A_store_that_fails_lets_the_next_command_in()
    {
        instance.Store.BeforeRead = () => throw new IOException("The store does not answer.");
        await Assert.ThrowsAsync<IOException>(() => instance.AddAsync(stream, 1));
        instance.Store.BeforeRead = () => Task.CompletedTask;
        Assert.Equal(1, (await instance.AddAsync(stream, 1)).State.Value);
    }
}
