using System.Net;
using System.Threading.Channels;
using Microsoft.Azure.Cosmos;

namespace Runtime.Cosmos.Tests;

public abstract class Feeds(RunningServer running)
{
    static readonly PartitionKey Key = new("p");

    public sealed class InMemory(MemoryServer running) : Feeds(running), IClassFixture<MemoryServer>;

    public sealed class OnFile(FileServer running) : Feeds(running), IClassFixture<FileServer>;

    [Fact]
    public async Task From_the_beginning_each_item_comes_once_at_its_latest_place()
    {
        var container = await running.ContainerAsync();
        foreach (var id in new[] { "1", "2", "3" })
        {
            await container.CreateItemAsync(new Line(id, "p"), Key);
        }

        await container.UpsertItemAsync(new Line("1", "p", 5), Key);
        await container.DeleteItemAsync<Line>("2", Key);
        var (items, token) = await ReadAsync(container, ChangeFeedStartFrom.Beginning());
        Assert.Equal(["3", "1"], items.Select(item => item.Id));
        await container.CreateItemAsync(new Line("4", "p"), Key);
        (items, _) = await ReadAsync(container, ChangeFeedStartFrom.ContinuationToken(token));
        Assert.Equal(["4"], items.Select(item => item.Id));
    }

    [Fact]
    public async Task From_now_only_what_is_written_later_comes()
    {
        var container = await running.ContainerAsync();
        await container.CreateItemAsync(new Line("1", "p"), Key);
        var (items, token) = await ReadAsync(container, ChangeFeedStartFrom.Now());
        Assert.Empty(items);
        await container.CreateItemAsync(new Line("2", "p"), Key);
        (items, _) = await ReadAsync(container, ChangeFeedStartFrom.ContinuationToken(token));
        Assert.Equal(["2"], items.Select(item => item.Id));
    }

    [Fact]
    public async Task From_a_time_what_was_written_before_it_is_left_out()
    {
        var container = await running.ContainerAsync();
        await container.CreateItemAsync(new Line("1", "p"), Key);
        var (past, _) = await ReadAsync(container, ChangeFeedStartFrom.Time(DateTimeOffset.UnixEpoch.UtcDateTime));
        Assert.Single(past);
        var future = TimeProvider.System.GetUtcNow().AddHours(1).UtcDateTime;
        var (none, _) = await ReadAsync(container, ChangeFeedStartFrom.Time(future));
        Assert.Empty(none);
    }

    [Fact]
    public async Task A_partition_key_or_a_range_of_keys_has_a_feed_of_its_own()
    {
        var container = await running.ContainerAsync();
        foreach (var number in Enumerable.Range(0, 60))
        {
            var key = $"k{number % 20}";
            await container.CreateItemAsync(new Line($"{number}", key), new PartitionKey(key));
        }

        var (one, _) = await ReadAsync(container, ChangeFeedStartFrom.Beginning(FeedRange.FromPartitionKey(new("k7"))));
        Assert.Equal(["7", "27", "47"], one.Select(item => item.Id));
        var range = Assert.Single(await container.GetFeedRangesAsync());
        var (all, _) = await ReadAsync(container, ChangeFeedStartFrom.Beginning(range), pageItems: 7);
        Assert.Equal(60, all.Count);
        var halves = new[] { ("", "1FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF"), ("1FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF", "FF") };
        var counts = new List<int>();
        foreach (var (from, to) in halves)
        {
            var half = FeedRange.FromJsonString($$"""{"Range":{"min":"{{from}}","max":"{{to}}"} }""");
            counts.Add((await ReadAsync(container, ChangeFeedStartFrom.Beginning(half))).Items.Count);
        }

        Assert.All(counts, count => Assert.InRange(count, 1, 59));
        Assert.Equal(60, counts.Sum());
    }

    [Fact]
    public async Task A_batch_is_never_cut_by_a_page()
    {
        var container = await running.ContainerAsync();
        foreach (var first in new[] { 0, 10 })
        {
            var batch = container.CreateTransactionalBatch(Key);
            for (var number = first; number < first + 10; number++)
            {
                batch.CreateItem(new Line($"{number}", "p"));
            }

            using var answer = await batch.ExecuteAsync();
            Assert.True(answer.IsSuccessStatusCode);
        }

        using var pages = container.GetChangeFeedIterator<Line>(
            ChangeFeedStartFrom.Beginning(), ChangeFeedMode.Incremental, new() { PageSizeHint = 3 });
        var page = await pages.ReadNextAsync();
        Assert.Equal(10, page.Count);
        Assert.Equal(10, (await pages.ReadNextAsync()).Count);
    }

    [Fact]
    public async Task A_processor_delivers_everything_and_resumes_where_it_stopped()
    {
        var (container, leases) = (await running.ContainerAsync(), await running.ContainerAsync(key: "/id"));
        await container.CreateItemAsync(new Line("1", "p"), Key);
        var first = new Received();
        var processor = Processor(container, leases, first, "a");
        await processor.StartAsync();
        await container.CreateItemAsync(new Line("2", "p"), Key);
        await first.UntilAsync("1", "2");
        await processor.StopAsync();

        await container.CreateItemAsync(new Line("3", "p"), Key);
        var second = new Received();
        processor = Processor(container, leases, second, "b");
        await processor.StartAsync();
        await second.UntilAsync("3");
        await processor.StopAsync();
        Assert.Equal(["3"], second.Ids);
    }

    [Fact]
    public async Task Of_two_instances_one_has_the_lease_and_the_other_takes_over()
    {
        var (container, leases) = (await running.ContainerAsync(), await running.ContainerAsync(key: "/id"));
        var received = new Received();
        var (a, b) = (Processor(container, leases, received, "a"), Processor(container, leases, received, "b"));
        await a.StartAsync();
        await container.CreateItemAsync(new Line("1", "p"), Key);
        await received.UntilAsync("1");
        await b.StartAsync();
        await a.StopAsync();
        await container.CreateItemAsync(new Line("2", "p"), Key);
        await received.UntilAsync("1", "2");
        await b.StopAsync();
    }

    [Fact]
    public async Task The_estimator_counts_what_is_still_to_be_delivered()
    {
        var (container, leases) = (await running.ContainerAsync(), await running.ContainerAsync(key: "/id"));
        var received = new Received();
        var processor = Processor(container, leases, received, "a");
        await processor.StartAsync();
        await container.CreateItemAsync(new Line("0", "p"), Key);
        await received.UntilAsync("0");
        await processor.StopAsync();
        var estimator = container.GetChangeFeedEstimator("views", leases);
        Assert.Equal(0, await LagAsync(estimator));
        foreach (var number in Enumerable.Range(1, 5))
        {
            await container.CreateItemAsync(new Line($"{number}", "p"), Key);
        }

        Assert.Equal(5, await LagAsync(estimator));
    }

    static async Task<long> LagAsync(ChangeFeedEstimator estimator)
    {
        using var states = estimator.GetCurrentStateIterator();
        return (await states.ReadNextAsync()).Sum(state => state.EstimatedLag);
    }

    static ChangeFeedProcessor Processor(Container container, Container leases, Received received, string instance) =>
        container.GetChangeFeedProcessorBuilder<Line>("views", received.OnChangesAsync)
            .WithInstanceName(instance)
            .WithLeaseContainer(leases)
            .WithPollInterval(TimeSpan.FromMilliseconds(20))
            .WithLeaseConfiguration(
                TimeSpan.FromMilliseconds(200), TimeSpan.FromSeconds(2), TimeSpan.FromMilliseconds(300))
            .WithStartTime(DateTime.SpecifyKind(DateTime.MinValue, DateTimeKind.Utc))
            .Build();

    static async Task<(List<Line> Items, string Token)> ReadAsync(
        Container container, ChangeFeedStartFrom start, int? pageItems = null)
    {
        using var pages = container.GetChangeFeedIterator<Line>(
            start, ChangeFeedMode.Incremental, new() { PageSizeHint = pageItems });
        var items = new List<Line>();
        while (true)
        {
            var page = await pages.ReadNextAsync();
            if (page.StatusCode == HttpStatusCode.NotModified)
            {
                return (items, page.ContinuationToken);
            }

            items.AddRange(page);
        }
    }

    sealed class Received
    {
        static readonly TimeSpan PatienceMax = TimeSpan.FromSeconds(20);
        readonly Channel<string> arriving = Channel.CreateUnbounded<string>();
        readonly List<string> ids = [];

        public IReadOnlyList<string> Ids => ids;

        public async Task OnChangesAsync(
            ChangeFeedProcessorContext context, IReadOnlyCollection<Line> changes, CancellationToken cancellation)
        {
            foreach (var line in changes)
            {
                await arriving.Writer.WriteAsync(line.Id, cancellation);
            }
        }

        public async Task UntilAsync(params string[] expected)
        {
            while (expected.Except(ids).Any())
            {
                ids.Add(await arriving.Reader.ReadAsync().AsTask().WaitAsync(PatienceMax));
            }
        }
    }
}
