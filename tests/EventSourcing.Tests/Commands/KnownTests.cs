using System.Runtime.CompilerServices;

namespace EventSourcing.Tests.Commands;

/// <summary>Facts looked up in another stream: as fresh as asked for, and no fresher than that costs.</summary>
public sealed class KnownTests
{
    readonly StreamId stream = Samples.NewStream();
    readonly InMemoryEventStore store = new();
    readonly Instance instance;
    readonly Instance rival;

    public KnownTests() => (instance, rival) = (new(store), new(store));

    [Fact]
    public async Task What_is_young_enough_costs_nothing()
    {
        await instance.AddAsync(stream, 1);
        await rival.AddAsync(stream, 1);
        var before = instance.Store.Calls;
        instance.Clock.Advance(TimeSpan.FromSeconds(5));

        Assert.Equal(1, await KnownAsync(TimeSpan.FromSeconds(5)));
        Assert.Equal(1, await KnownAsync(TimeSpan.MaxValue));
        Assert.Equal(before, instance.Store.Calls);
    }

    [Fact]
    public async Task What_is_too_old_is_read_on()
    {
        await instance.AddAsync(stream, 1);
        await rival.AddAsync(stream, 1);
        instance.Clock.Advance(TimeSpan.FromSeconds(6));
        Assert.Equal(2, await KnownAsync(TimeSpan.FromSeconds(5)));
    }

    [Fact]
    public async Task What_has_not_changed_is_young_again_after_one_look()
    {
        await instance.AddAsync(stream, 1);
        instance.Clock.Advance(TimeSpan.FromSeconds(6));
        var before = (instance.Store.Calls, instance.Store.EventsRead);
        await KnownAsync(TimeSpan.FromSeconds(5));
        await KnownAsync(TimeSpan.FromSeconds(5));
        Assert.Equal((before.Calls + 1, before.EventsRead), (instance.Store.Calls, instance.Store.EventsRead));
    }

    [Fact]
    public async Task A_stream_not_known_to_exist_is_always_looked_up()
    {
        Assert.Equal(0, await KnownAsync(TimeSpan.MaxValue));
        await rival.AddAsync(stream, 1);
        Assert.Equal(1, await KnownAsync(TimeSpan.MaxValue));
    }

    [Fact]
    public async Task What_was_looked_up_saves_the_next_command_its_read()
    {
        await rival.AddAsync(stream, 1);
        await KnownAsync(TimeSpan.Zero);
        var before = instance.Store.Calls;
        await instance.AddAsync(stream, 1);
        Assert.Equal(1, instance.Store.Calls - before);
    }

    [Fact]
    public async Task A_slow_look_does_not_put_an_old_state_over_a_newer_one()
    {
        await instance.AddAsync(stream, 1);
        instance.Cache.Remove(stream);
        var reading = new TaskCompletionSource();
        var slow = new Instance(new Delayed(store, reading.Task), instance.Clock, cache: instance.Cache);
        var looking = slow.Handler.KnownAsync(stream, TimeSpan.Zero, CancellationToken.None);

        instance.Clock.Advance(TimeSpan.FromSeconds(1));
        await instance.AddAsync(stream, 1);
        reading.SetResult();
        Assert.Equal(1, (await looking).State.Value);

        var before = instance.Store.Calls;
        await instance.AddAsync(stream, 1);
        Assert.Equal(1, instance.Store.Calls - before);
    }

    async Task<int> KnownAsync(TimeSpan ageMax) =>
        (await instance.Handler.KnownAsync(stream, ageMax, CancellationToken.None)).State.Value;

    /// <summary>Answers with what it held when it was asked, but later.</summary>
    sealed class Delayed(IEventStore inner, Task until) : IEventStore
    {
        public Task<AppendResult> AppendAsync(
            StreamId stream, long expectedSequence, IReadOnlyList<StoredEvent> events, StoredSnapshot? snapshot,
            CancellationToken cancellation) =>
            inner.AppendAsync(stream, expectedSequence, events, snapshot, cancellation);

        public async IAsyncEnumerable<StoredEvent> ReadAsync(
            StreamId stream, StreamRange range, [EnumeratorCancellation] CancellationToken cancellation)
        {
            var then = await inner.ReadAsync(stream, range, cancellation).ToListAsync(cancellation);
            await until;
            foreach (var stored in then) yield return stored;
        }

        public IAsyncEnumerable<StoredEvent> CatchUpAsync(
            StreamId stream, long sequence, string commandId, CancellationToken cancellation) =>
            inner.CatchUpAsync(stream, sequence, commandId, cancellation);

        public Task<long> HeadAsync(StreamId stream, CancellationToken cancellation) =>
            inner.HeadAsync(stream, cancellation);

        public Task<StoredSnapshot?> ReadSnapshotAsync(StreamId stream, CancellationToken cancellation) =>
            inner.ReadSnapshotAsync(stream, cancellation);
    }
}
