namespace EventSourcing.Tests.Stores;

/// <summary>What every archive must do; the store behind it is this test class's own.</summary>
public abstract class EventArchiveConformance(IEventStore store, IEventArchive archive)
{
    static readonly CancellationToken None = CancellationToken.None;

    [Fact]
    public async Task All_events_of_all_streams_are_read_once_in_order_of_each_stream_and_a_command_on_one_page()
    {
        var streams = Enumerable.Range(0, 5).Select(_ => Samples.NewStream()).ToList();
        for (var round = 0; round < 3; round++)
        {
            foreach (var stream in streams)
            {
                var events = Samples.Events(stream, round * 90, 90, $"round-{round}");
                await store.AppendAsync(
                    stream, round * 90, events, Samples.Snapshot(events[^1], new { value = 1 }), None);
            }
        }

        // The store may hold other streams as well; only the order of one stream's events means anything.
        var pages = await archive.ReadAllAsync(null, None).ToListAsync();
        Assert.InRange(pages.Count, 2, 20);
        foreach (var stream in streams)
            Assert.Equal(Enumerable.Range(1, 270).Select(i => (long)i), pages.SelectMany(page => Of(stream, page)));
        Assert.All(pages, page => Assert.All(streams, stream => Assert.Equal(0, Of(stream, page).Count() % 90)));

        // Behind any page the rest follows, and behind the last only what is new.
        var rest = await archive.ReadAllAsync(pages[0].Continuation, None).ToListAsync();
        foreach (var stream in streams)
        {
            Assert.Equal(
                pages.Skip(1).SelectMany(page => Of(stream, page)), rest.SelectMany(page => Of(stream, page)));
        }

        await store.AppendAsync(streams[0], 270, [Samples.Event(streams[0], 271)], null, None);
        var fresh = await archive.ReadAllAsync(pages[^1].Continuation, None).ToListAsync();
        Assert.Equal([271L], fresh.SelectMany(page => Of(streams[0], page)));
        Assert.Empty(fresh.SelectMany(page => Of(streams[1], page)));

        static IEnumerable<long> Of(StreamId stream, ArchivePage page) =>
            page.Events.Where(e => e.StreamId == stream.ToString()).Select(e => e.Sequence);
    }

    [Fact]
    public async Task The_events_of_one_correlation_are_found_in_all_streams_oldest_first()
    {
        var correlation = $"request-{Guid.NewGuid():N}";
        var (left, right) = (Samples.NewStream(), Samples.NewStream());
        await AppendAsync(right, 1, correlation, second: 5);
        await AppendAsync(left, 1, correlation, second: 1);
        await AppendAsync(left, 2, "another", second: 2);
        await AppendAsync(left, 3, correlation, second: 9);

        var found = await archive.CorrelatedAsync(correlation, 10, None);
        Assert.Equal(
            [(left.ToString(), 1L), (right.ToString(), 1L), (left.ToString(), 3L)],
            found.Select(e => (e.StreamId, e.Sequence)));
        Assert.Equal(2, (await archive.CorrelatedAsync(correlation, 2, None)).Count);
        Assert.Empty(await archive.CorrelatedAsync("nobody", 10, None));
    }

    Task<AppendResult> AppendAsync(StreamId stream, long sequence, string correlation, int second) =>
        store.AppendAsync(
            stream,
            sequence - 1,
            [
                Samples.Event(stream, sequence) with
                {
                    CorrelationId = correlation,
                    Timestamp = Samples.Noon.AddSeconds(second),
                },
            ],
            null,
            None);
}

public sealed class InMemoryArchiveTests : EventArchiveConformance
{
    public InMemoryArchiveTests()
        : this(new())
    {
    }

    InMemoryArchiveTests(InMemoryEventStore store)
        : base(store, store)
    {
    }
}

public sealed class CosmosArchiveTests(LocalCosmos cosmos)
    : EventArchiveConformance(cosmos.Store, cosmos.Archive), IClassFixture<LocalCosmos>;
