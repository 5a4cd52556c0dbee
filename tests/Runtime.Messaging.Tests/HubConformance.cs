using Azure.Messaging.EventHubs;
using Azure.Messaging.EventHubs.Consumer;
using Azure.Messaging.EventHubs.Producer;
using Runtime.Messaging.Hubs;

namespace Runtime.Messaging.Tests;

public sealed class MemoryHubTests() : HubConformance(durable: false);

public sealed class SqliteHubTests() : HubConformance(durable: true)
{
    /// <summary>Hardly anything stays in memory, so that everything is read from the file.</summary>
    protected override MessageBrokerOptions Options => base.Options with { ResidentEventBytesMax = 100 };
}

/// <summary>What every event hub promises, wherever it keeps its events.</summary>
public abstract class HubConformance(bool durable) : BrokerWorld(durable)
{
    EventHubProducerClient Producer => Broker.CreateEventHubProducer("clicks");

    EventHubConsumerClient Consumer => Broker.CreateEventHubConsumer("views", "clicks");

    [Fact]
    public async Task Everything_a_producer_sets_arrives()
    {
        var sent = new EventData("body")
        {
            MessageId = "m", CorrelationId = "c", ContentType = "text/plain", Properties = { ["n"] = 1, ["s"] = "x" },
        };
        await Producer.SendAsync([sent], new SendEventOptions { PartitionKey = "key" });

        var partition = $"{PartitionHash.Partition("key", 4)}";
        var read = Assert.Single(await ReadAsync(partition, EventPosition.Earliest, 1));
        Assert.Equal(
            ("body", "m", "c", "text/plain", "key", 0L, "0"),
            (read.EventBody.ToString(), read.MessageId, read.CorrelationId, read.ContentType, read.PartitionKey,
                read.SequenceNumber, read.OffsetString));
        Assert.Equal(sent.Properties, read.Properties);
        Assert.Equal(Clock.GetUtcNow(), read.EnqueuedTime);
        Assert.Equal(0L, read.SystemProperties["x-opt-sequence-number"]);
    }

    [Fact]
    public async Task A_partition_keeps_the_order_and_numbers_its_events()
    {
        await SendAsync("2", "a", "b");
        await SendAsync("2", "c");
        var events = await ReadAsync("2", EventPosition.Earliest, 3);
        Assert.Equal(["a", "b", "c"], events.Select(e => e.EventBody.ToString()));
        Assert.Equal([0, 1, 2], events.Select(e => e.SequenceNumber));
        Assert.True(events.Zip(events.Skip(1)).All(pair =>
            long.Parse(pair.First.OffsetString!, null) < long.Parse(pair.Second.OffsetString!, null)));
    }

    [Fact]
    public async Task Reading_begins_where_it_is_told()
    {
        await SendAsync("0", "0", "1");
        Clock.Advance(TimeSpan.FromSeconds(10));
        var between = Clock.GetUtcNow();
        await SendAsync("0", "2", "3");
        var all = await ReadAsync("0", EventPosition.Earliest, 4);

        Assert.Equal("2", await FirstAsync(EventPosition.FromSequenceNumber(2)));
        Assert.Equal("3", await FirstAsync(EventPosition.FromSequenceNumber(2, isInclusive: false)));
        Assert.Equal("1", await FirstAsync(EventPosition.FromOffset(all[1].OffsetString!)));
        Assert.Equal("2", await FirstAsync(EventPosition.FromOffset(all[1].OffsetString!, isInclusive: false)));
        Assert.Equal("2", await FirstAsync(EventPosition.FromEnqueuedTime(between)));
        Assert.Equal("0", await FirstAsync(EventPosition.FromEnqueuedTime(DateTimeOffset.UnixEpoch)));

        await using var latest = Consumer.ReadEventsFromPartitionAsync("0", EventPosition.Latest).GetAsyncEnumerator();
        var next = latest.MoveNextAsync();
        await SendAsync("0", "4");
        Assert.True(await next);
        Assert.Equal("4", latest.Current.Data.EventBody.ToString());
    }

    [Fact]
    public async Task A_reader_with_a_maximum_wait_is_told_that_nothing_came()
    {
        await using var reading = Consumer.ReadEventsFromPartitionAsync(
            "0", EventPosition.Earliest,
                new ReadEventOptions { MaximumWaitTime = TimeSpan.FromSeconds(2) }).GetAsyncEnumerator();
        var first = reading.MoveNextAsync();
        while (!first.IsCompleted)
        {
            Clock.AdvanceToNextTimer();
            await Task.Yield();
        }

        Assert.True(await first);
        Assert.Null(reading.Current.Data);
        await SendAsync("0", "x");
        Assert.True(await reading.MoveNextAsync());
        Assert.Equal("x", reading.Current.Data!.EventBody.ToString());
    }

    [Fact]
    public async Task Reading_a_hub_reads_all_its_partitions()
    {
        for (var partition = 0; partition < 4; partition++)
        {
            await SendAsync($"{partition}", $"{partition}a", $"{partition}b");
        }

        var read = new List<(string Partition, string Body)>();
        await foreach (var e in Consumer.ReadEventsAsync())
        {
            read.Add((e.Partition.PartitionId, e.Data.EventBody.ToString()));
            if (read.Count == 8)
            {
                break;
            }
        }

        Assert.All(
            read.GroupBy(e => e.Partition),
            events => Assert.Equal([events.Key + "a", events.Key + "b"], events.Select(e => e.Body)));
    }

    [Fact]
    public async Task A_key_stays_in_its_partition_and_events_without_one_go_round()
    {
        await Producer.SendAsync([new("1")], new SendEventOptions { PartitionKey = "order-7" });
        await Producer.SendAsync([new("2")], new SendEventOptions { PartitionKey = "order-7" });
        var partition = $"{PartitionHash.Partition("order-7", 4)}";
        Assert.Equal(2, (await ReadAsync(partition, EventPosition.Earliest, 2)).Count);

        for (var i = 0; i < 4; i++)
        {
            await Producer.SendAsync([new EventData("round")]);
        }

        foreach (var id in await Consumer.GetPartitionIdsAsync())
        {
            Assert.Equal(
                id == partition ? 2 : 0, (await Consumer.GetPartitionPropertiesAsync(id)).LastEnqueuedSequenceNumber);
        }
    }

    [Fact]
    public async Task Events_older_than_the_retention_go_and_the_numbering_stays()
    {
        await SendAsync("1", "old");
        Clock.Advance(TimeSpan.FromHours(1));
        await SendAsync("1", "young");
        Clock.Advance(TimeSpan.FromHours(1) + TimeSpan.FromMinutes(2));

        var properties = await Consumer.GetPartitionPropertiesAsync("1");
        Assert.Equal((1L, 1L, false),
            (properties.BeginningSequenceNumber, properties.LastEnqueuedSequenceNumber, properties.IsEmpty));
        Assert.Equal("young", (await ReadAsync("1", EventPosition.FromSequenceNumber(0), 1))[0].EventBody.ToString());
        Clock.Advance(TimeSpan.FromHours(2));
        Assert.True((await Consumer.GetPartitionPropertiesAsync("1")).IsEmpty);
        await SendAsync("1", "new");
        Assert.Equal(2, (await ReadAsync("1", EventPosition.Earliest, 1))[0].SequenceNumber);
    }

    [Fact]
    public async Task A_cursor_goes_on_behind_its_checkpoint()
    {
        await SendAsync("0", "1", "2", "3");
        using (var cursor = await OpenCursorAsync())
        {
            var read = await cursor.ReadAsync(2, NoWait);
            Assert.Equal((2, 1L), (read.Count, await cursor.LagAsync()));
            await cursor.CheckpointAsync(read[0]);
            await Assert.ThrowsAsync<ArgumentException>(() => cursor.CheckpointAsync(new EventData("unread")));
        }

        using (var cursor = await OpenCursorAsync())
        {
            Assert.Equal(1, cursor.NextSequenceNumber);
            var read = await cursor.ReadAsync(10, NoWait);
            Assert.Equal(["2", "3"], read.Select(e => e.EventBody.ToString()));
            cursor.Rewind(1);
            Assert.Equal("2", (await cursor.ReadAsync(1, NoWait))[0].EventBody.ToString());
            await cursor.ReadAsync(1, NoWait);
            await cursor.CheckpointAsync(read[1]);
        }

        using (var cursor = await OpenCursorAsync())
        {
            Assert.Equal((3L, 0L), (cursor.NextSequenceNumber, await cursor.LagAsync()));
            var waiting = cursor.ReadAsync(10, TimeSpan.FromMinutes(1));
            await SendAsync("0", "4");
            Assert.Equal("4", (await waiting)[0].EventBody.ToString());
        }

        using var other = await Broker.OpenCursorAsync("clicks", "$Default", "0", EventPosition.Earliest);
        Assert.Equal(0, other.NextSequenceNumber);
    }

    [Fact]
    public async Task Large_and_contradictory_sends_are_refused_whole()
    {
        await RefusedAsync(
            EventHubsException.FailureReason.MessageSizeExceeded, () =>
                Producer.SendAsync([new(new byte[1024 * 1024])]));
        await RefusedAsync(
            EventHubsException.FailureReason.MessageSizeExceeded,
            () => Producer.SendAsync(
                [new(new byte[600_000]), new(new byte[600_000])], new SendEventOptions { PartitionId = "0" }));
        await Assert.ThrowsAsync<InvalidOperationException>(() => Producer.SendAsync(
            [new("x")], new SendEventOptions { PartitionId = "0", PartitionKey = "k" }));
        Assert.True((await Consumer.GetPartitionPropertiesAsync("0")).IsEmpty);

        using var batch = await Producer.CreateBatchAsync(
            new CreateBatchOptions { MaximumSizeInBytes = 2_000, PartitionId = "3" });
        Assert.True(batch.TryAdd(new(new byte[900])));
        Assert.True(batch.TryAdd(new(new byte[900])));
        Assert.False(batch.TryAdd(new(new byte[900])));
        await Producer.SendAsync(batch);
        Assert.Equal(1, (await Consumer.GetPartitionPropertiesAsync("3")).LastEnqueuedSequenceNumber);
    }

    [Fact]
    public async Task What_is_not_there_is_named()
    {
        const EventHubsException.FailureReason Missing = EventHubsException.FailureReason.ResourceNotFound;
        await RefusedAsync(Missing, () => Broker.CreateEventHubProducer("nowhere").SendAsync([new EventData("x")]));
        await RefusedAsync(Missing, () => SendAsync("9", "x"));
        await RefusedAsync(Missing, () => Consumer.GetPartitionPropertiesAsync("9"));
        await RefusedAsync(Missing, () => Broker.OpenCursorAsync("clicks", "strangers", "0", EventPosition.Earliest));
        var producer = Producer;
        await producer.CloseAsync();
        await RefusedAsync(
            EventHubsException.FailureReason.ClientClosed, () => producer.SendAsync([new EventData("x")]));
    }

    [Fact]
    public async Task A_partition_bears_so_many_readers_of_a_group_and_no_more()
    {
        var cursors = new List<PartitionCursor>();
        for (var i = 0; i < 5; i++)
        {
            cursors.Add(await OpenCursorAsync());
        }

        await RefusedAsync(EventHubsException.FailureReason.QuotaExceeded, OpenCursorAsync);
        cursors[0].Dispose();
        (await OpenCursorAsync()).Dispose();
    }

    static async Task RefusedAsync(EventHubsException.FailureReason reason, Func<Task> call) =>
        Assert.Equal(reason, (await Assert.ThrowsAsync<EventHubsException>(call)).Reason);

    Task<PartitionCursor> OpenCursorAsync() => Broker.OpenCursorAsync("clicks", "views", "0", EventPosition.Earliest);

    Task SendAsync(string partition, params string[] bodies) => Producer.SendAsync(
        bodies.Select(body => new EventData(body)), new SendEventOptions { PartitionId = partition });

    async Task<string> FirstAsync(EventPosition position) =>
        (await ReadAsync("0", position, 1))[0].EventBody.ToString();

    async Task<List<EventData>> ReadAsync(string partition, EventPosition position, int count)
    {
        var events = new List<EventData>();
        await foreach (var e in Consumer.ReadEventsFromPartitionAsync(partition, position))
        {
            events.Add(e.Data);
            if (events.Count == count)
            {
                break;
            }
        }

        return events;
    }
}
