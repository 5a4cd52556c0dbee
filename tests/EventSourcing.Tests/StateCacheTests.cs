namespace EventSourcing.Tests;

/// <summary>Bounded in entries and bytes, and the one queue before each stream whatever is evicted.</summary>
public sealed class StateCacheTests
{
    static readonly CancellationToken None = CancellationToken.None;

    static StreamId Stream(int i) => StreamId.Of("counter", $"{i}");

    [Fact]
    public void The_least_recently_used_is_forgotten_first()
    {
        var cache = new StateCache(entriesMax: 3);
        for (var i = 1; i <= 3; i++) cache.Set(Stream(i), $"state {i}");
        Assert.Equal("state 1", cache.Get<string>(Stream(1)));
        cache.Set(Stream(4), "state 4");

        Assert.Null(cache.Get<string>(Stream(2)));
        Assert.Equal(["state 1", "state 3", "state 4"], new[] { 1, 3, 4 }.Select(i => cache.Get<string>(Stream(i))));
        Assert.Equal(3, cache.Count);
    }

    [Fact]
    public void Bytes_are_bounded_as_well_as_entries()
    {
        var cache = new StateCache(entriesMax: 1000, bytesMax: 1000);
        for (var i = 1; i <= 20; i++) cache.Set(Stream(i), $"state {i}", size: 100);
        Assert.Equal((10, 1000L), (cache.Count, cache.Bytes));
        Assert.Null(cache.Get<string>(Stream(10)));
        Assert.NotNull(cache.Get<string>(Stream(11)));

        cache.Set(Stream(20), "grown", size: 120);
        Assert.Equal((9, 920L), (cache.Count, cache.Bytes));
        cache.Remove(Stream(20));
        Assert.Equal((8, 800L), (cache.Count, cache.Bytes));
    }

    [Fact]
    public void A_giant_is_not_remembered_and_pushes_nothing_out()
    {
        var cache = new StateCache(bytesMax: 1000);
        for (var i = 1; i <= 5; i++) cache.Set(Stream(i), "small", size: 100);
        cache.Set(Stream(5), "giant", size: 126);
        Assert.Null(cache.Get<string>(Stream(5)));
        Assert.Equal((4, 400L), (cache.Count, cache.Bytes));
    }

    [Fact]
    public async Task Switched_off_it_remembers_nothing_and_still_queues()
    {
        var cache = new StateCache(entriesMax: 0);
        using (await cache.EnterAsync(Stream(1), None))
        {
            cache.Set(Stream(1), "state");
            Assert.Null(cache.Get<string>(Stream(1)));
            var second = cache.EnterAsync(Stream(1), None).AsTask();
            Assert.False(second.IsCompleted);
            Assert.Equal(1, cache.Count);
            using var cancelled = new CancellationTokenSource();
            var third = cache.EnterAsync(Stream(1), cancelled.Token).AsTask();
            await cancelled.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => third);
            _ = second.ContinueWith(t => t.Result.Dispose(), TaskScheduler.Default);
        }
    }

    [Fact]
    public async Task A_door_in_use_is_never_forgotten_however_full_it_gets()
    {
        var cache = new StateCache(entriesMax: 2, bytesMax: 1000);
        var turn = await cache.EnterAsync(Stream(1), None);
        cache.Set(Stream(1), "state 1", size: 100);
        var waiting = cache.EnterAsync(Stream(1), None).AsTask();
        for (var i = 2; i <= 50; i++) cache.Set(Stream(i), "state", size: 125);

        // Its state may go, its door may not: whoever comes now waits behind the others.
        var third = cache.EnterAsync(Stream(1), None).AsTask();
        Assert.False(waiting.IsCompleted || third.IsCompleted);
        turn.Dispose();
        (await waiting).Dispose();
        (await third).Dispose();
        Assert.InRange(cache.Count, 0, 2);
    }

    [Fact]
    public async Task Many_streams_at_once_leave_no_more_than_allowed_and_no_two_inside_together()
    {
        const int Streams = 40, Tasks = 400;
        var cache = new StateCache(entriesMax: 5, bytesMax: 400);
        var inside = new int[Streams];
        var seen = 0;
        await Task.WhenAll(Enumerable.Range(0, Tasks).Select(i => Task.Run(async () =>
        {
            var stream = i * 7 % Streams;
            using var cancel = new CancellationTokenSource();
            if (i % 5 == 0) await cancel.CancelAsync();
            try
            {
                using var turn = await cache.EnterAsync(Stream(stream), cancel.Token);
                Assert.Equal(1, Interlocked.Increment(ref inside[stream]));
                await Task.Yield();
                cache.Set(Stream(stream), "state", size: i % 50);
                if (i % 11 == 0) cache.Remove(Stream(stream));
                await Task.Yield();
                Interlocked.Decrement(ref inside[stream]);
                Interlocked.Increment(ref seen);
            }
            catch (OperationCanceledException)
            {
            }
        })));

        Assert.InRange(seen, Tasks * 4 / 5, Tasks);
        Assert.InRange(cache.Count, 0, 5);
        Assert.InRange(cache.Bytes, 0, 400);
    }

    [Fact]
    public async Task Streams_without_a_state_leave_nothing_behind()
    {
        var cache = new StateCache();
        for (var i = 0; i < 100; i++) (await cache.EnterAsync(Stream(i), None)).Dispose();
        Assert.Equal((0, 0L), (cache.Count, cache.Bytes));
    }

    [Fact]
    public async Task A_states_size_is_bounded_by_what_was_folded_and_measured_when_that_is_much()
    {
        var small = new Commands.Instance(new InMemoryEventStore());
        await small.AddAsync(Stream(1), 1);
        Assert.InRange(small.Cache.Bytes, 1, 100);

        // A hundred notes of 10 kB leave a state of two numbers.
        var notes = new Commands.Instance(new InMemoryEventStore());
        for (var i = 0; i < 10; i++) await notes.AskAsync(Stream(1), new CounterCommand.Note(10_000, 10));
        Assert.InRange(notes.Cache.Bytes, 1, 100_000);

        // And ten thousand pieces are as large as they are, cold or warm.
        var store = new InMemoryEventStore();
        var pieces = new Commands.Instance(store);
        for (var i = 0; i < 3_000; i++)
            await pieces.AskAsync(Stream(1), new CounterCommand.Place(new(Guid.NewGuid()), i));
        var cold = new Commands.Instance(store);
        await cold.Handler.LoadAsync(Stream(1), StreamRange.All, None);
        const int Json = 3_000 * 42;
        Assert.InRange(pieces.Cache.Bytes, Json * 3, Json * 8);
        Assert.InRange(cold.Cache.Bytes, Json * 3, Json * 8);
    }
}
