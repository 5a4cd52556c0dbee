using Commerce.Inventory;
using EventSourcing;
using EventSourcing.Cosmos;
using EventSourcing.Tests;
using Functions.EventStore;
using Runtime.Cosmos;
using Runtime.Local;

namespace Functions.Tests.Backup;

/// <summary>Stock deliveries by the hundred, written straight into a store.</summary>
static class FilledFolder
{
    public static async Task WriteAsync(string folder, int events)
    {
        Directory.CreateDirectory(folder);
        await using var cosmos = CosmosServer.Open(new() { File = Path.Combine(folder, LocalSystem.CosmosFile) });
        await Topology.CreateAsync(LocalSystem.ClientOf(cosmos), CancellationToken.None);
        await WriteAsync(cosmos, events);
    }

    public static async Task WriteAsync(CosmosServer cosmos, int events)
    {
        using var client = LocalSystem.ClientOf(cosmos);
        var store = new CosmosEventStore(client.GetContainer(Store.Database, Store.Events));
        for (var done = 0; done < events;)
        {
            var stream = StreamId.Of(Stock.Category, $"filled-{Guid.NewGuid():N}");
            var count = Math.Min(events - done, AppendLimits.EventsMax);
            var batch = Enumerable.Range(1, count).Select(sequence => Received(stream, sequence)).ToArray();
            Assert.Equal(
                AppendResult.Appended, await store.AppendAsync(stream, 0, batch, null, CancellationToken.None));
            done += count;
        }
    }

    static StoredEvent Received(StreamId stream, long sequence)
    {
        var (type, data) = Aggregates.Stocks.Codec.Encode(new StockEvent.Received(1, $"filling-{sequence}"));
        return SampleEvent.Of(stream.ToString(), sequence, type.Name, data, "filling", (int)sequence - 1) with
        {
            EventVersion = type.Version,
        };
    }
}
