using System.Text.Json;
using Commerce.Inventory;
using EventSourcing;
using Functions.EventStore;

namespace Benchmarks.Events;

/// <summary>What one core does with events once they are here: read their JSON and fold them into a state.</summary>
static class Folding
{
    const int Events = 10_000;

    public static void Measure(Run run)
    {
        var table = run.Add("On one core", "What", "Events/s", "Best round", "Bytes allocated each");
        table.Note = $"Rounds of {Events:#,0} events: their median, and the best of them, which is what the code can "
            + "do when nothing else runs.";
        var tallies = Enumerable.Range(1, Events).Select(i => new Tally.Counted(i % 7, "small")).ToArray();
        Row("fold the smallest events", () => Tally.Aggregate().Decider.Fold(tallies));
        var stock = StockEvents();
        Row("fold stock events of the domain", () => Aggregates.Stocks.Decider.Fold(stock));

        var codec = Tally.Aggregate().Codec;
        var stored = Stored(codec, tallies);
        Row("decode the smallest events", () => Each(stored, codec.DecodeEvent));
        var stockStored = Stored(Aggregates.Stocks.Codec, stock);
        Row("decode stock events", () => Each(stockStored, Aggregates.Stocks.Codec.DecodeEvent));
        var pages = stockStored.Chunk(500)
            .Select(page => JsonSerializer.SerializeToUtf8Bytes(page, StoredJson.Options)).ToArray();
        Row("parse stored documents, decode and fold stock events", () => Aggregates.Stocks.Decider.Fold(
            pages.SelectMany(page => JsonSerializer.Deserialize<StoredEvent[]>(page, StoredJson.Options)!)
                .Select(Aggregates.Stocks.Codec.DecodeEvent)));
        Row("encode stock events", () => Each(stock, Aggregates.Stocks.Codec.Encode));

        void Row(string what, Action round)
        {
            Run.Say(what);
            var speed = Benchmarks.Measure.SpeedOf(Events, run.For(1.5), round, run.Stop);
            table.Row(what, speed.Median, speed.Best, speed.BytesEach);
        }
    }

    static void Each<T, TResult>(T[] items, Func<T, TResult> work)
    {
        foreach (var item in items) work(item);
    }

    /// <summary>A product's life: deliveries, and orders that reserve and then take or give back.</summary>
    static StockEvent[] StockEvents()
    {
        var random = new Random(1);
        var (events, open) = (new List<StockEvent>(Events), new Queue<StockEvent.Reserved>());
        while (events.Count < Events)
        {
            if (events.Count % 100 == 0)
            {
                events.Add(new StockEvent.Received(500, $"delivery-{events.Count}"));
            }
            else if (open.Count < 20)
            {
                var id = new byte[16];
                random.NextBytes(id);
                open.Enqueue(new(new(new(id)), random.Next(1, 5)));
                events.Add(open.Last());
            }
            else
            {
                var (reservation, quantity) = open.Dequeue();
                events.Add(random.Next(5) == 0
                    ? new StockEvent.Released(reservation, quantity)
                    : new StockEvent.Committed(reservation, quantity));
            }
        }

        return [.. events];
    }

    static StoredEvent[] Stored<TEvent>(EventCodec<TEvent> codec, TEvent[] events)
        where TEvent : notnull =>
        [
            .. events.Select((e, i) => Filling.Stored(
                StreamId.Of("tally", "folding"), i + 1, codec.Encode(e), $"command-{i}", 0)),
        ];
}
