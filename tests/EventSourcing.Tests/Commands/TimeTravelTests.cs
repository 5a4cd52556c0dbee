namespace EventSourcing.Tests.Commands;

/// <summary>A stream's state at any sequence and any instant, with or without a snapshot to start from.</summary>
public sealed class TimeTravelTests
{
    static readonly CancellationToken None = CancellationToken.None;

    readonly StreamId stream = Samples.NewStream();
    readonly InMemoryEventStore store = new();

    public static TheoryData<int?> Snapshots => [null, 1, 4, 100];

    [Theory, MemberData(nameof(Snapshots))]
    public async Task Every_sequence_shows_what_was_true_then(int? every)
    {
        var instance = await TenAddedAsync(every);
        for (var sequence = 1; sequence <= 10; sequence++)
        {
            var then = await instance.Handler.LoadAsync(stream, new(1, sequence), None);
            Assert.Equal((sequence, sequence), (then.Sequence, then.State.Value));
        }

        Assert.Equal(10, (await instance.Handler.LoadAsync(stream, new(1, 99), None)).Sequence);
    }

    [Theory, MemberData(nameof(Snapshots))]
    public async Task Every_instant_shows_what_was_true_then(int? every)
    {
        var instance = await TenAddedAsync(every);
        var start = Samples.Noon;
        Assert.Equal(0, await AtAsync(start - TimeSpan.FromTicks(1)));
        Assert.Equal(1, await AtAsync(start));
        Assert.Equal(3, await AtAsync(start.AddMinutes(3) - TimeSpan.FromTicks(1)));
        Assert.Equal(4, await AtAsync(start.AddMinutes(3)));
        Assert.Equal(10, await AtAsync(DateTimeOffset.MaxValue));

        async Task<int> AtAsync(DateTimeOffset at) =>
            (await instance.Handler.LoadAsOfAsync(stream, at, None)).State.Value;
    }

    [Fact]
    public async Task A_snapshot_before_the_moment_shortens_the_way()
    {
        await TenAddedAsync(every: 5);
        var cold = new Instance(store, snapshots: new(5, "1"));
        await cold.Handler.LoadAsync(stream, new(1, 10), None);
        Assert.Equal(1, cold.Store.EventsRead);
    }

    [Fact]
    public async Task Looking_back_does_not_change_what_is_remembered()
    {
        var instance = await TenAddedAsync(every: null);
        await instance.Handler.LoadAsync(stream, new(1, 3), None);
        await instance.Handler.LoadAsOfAsync(stream, Samples.Noon, None);
        Assert.Equal(11, (await instance.AddAsync(stream, 1)).State.Value);
    }

    [Fact]
    public async Task A_state_is_made_of_everything_before_it()
    {
        var instance = new Instance(store);
        await Assert.ThrowsAsync<ArgumentException>(() => instance.Handler.LoadAsync(stream, new(2), None));
        await Assert.ThrowsAsync<ArgumentException>(
            () => instance.Handler.LoadAsync(stream, new(1, Backwards: true), None));
    }

    /// <summary>Ten events, a minute between each, the first at noon.</summary>
    async Task<Instance> TenAddedAsync(int? every)
    {
        var instance = new Instance(store, snapshots: every is { } count ? new(count, "1") : null);
        for (var i = 0; i < 10; i++)
        {
            await instance.AddAsync(stream, 1);
            instance.Clock.Advance(TimeSpan.FromMinutes(1));
        }

        return instance;
    }
}
