using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using Commerce;
using Commerce.Catalog;
using Commerce.Customers;
using Commerce.Inventory;
using Commerce.Ordering;
using Commerce.Shipping;
using EventSourcing;
using Functions.EventStore;
using Functions.Projections;
using static Functions.Projections.Views;

namespace Functions.Tests.Views;

/// <summary>
/// What the views of one order cost, on the ledger of the local server; docs/internals/costs.md says the same.
/// </summary>
public sealed class ViewCostTests
{
    static readonly ProductId[] Products = [new("blue-mug"), new("red-teapot")];
    static readonly Address Home = new("Ada Kim", "Torstr. 1", "Berlin", "10119", "DE");
    static readonly OrderId TheOrder = new(Guid.Parse("11111111-1111-1111-1111-111111111111"));
    static readonly CustomerId TheCustomer = new(Guid.Parse("22222222-2222-2222-2222-222222222222"));

    readonly List<StoredEvent> told = [];

    [Fact]
    public async Task The_views_of_a_confirmed_order_cost_what_the_page_says_and_each_at_most_eleven_units_an_event()
    {
        await using var system = await QuietSystem.StartAsync(seed: 1);
        Before();
        var known = told.Count;
        AnOrder();
        var store = system.Get<IEventStore>();
        foreach (var one in told)
        {
            Assert.True(StreamId.TryParse(one.StreamId, out var stream));
            Assert.Equal(
                AppendResult.Appended, await store.AppendAsync(stream, one.Sequence - 1, [one], null, default));
        }

        var (rows, whole, events, all) = (new List<string>(), 0.0, 0, 0.0);
        foreach (var view in All)
        {
            foreach (var one in told[..known]) await TakeInAsync(system, view, one);
            var (spent, taken, dearest) = (0.0, 0, 0.0);
            foreach (var one in told[known..].Where(view.TakesIn))
            {
                var cost = await TakeInAsync(system, view, one);
                (spent, taken) = (spent + cost, taken + 1);
                dearest = Math.Max(dearest, cost);
            }

            if (taken > 0 && view != OrderStatistics)
                Assert.True(spent / taken <= 11, $"{view.Name} took {spent} for {taken} events");
            (whole, events, all) = (whole + spent, events + taken, Math.Max(all, dearest));
            if (taken > 0) rows.Add(Row(view.Name, taken, spent, dearest));
        }

        rows.Add(Row("**all**", events, whole, all));
        var page = await File.ReadAllLinesAsync(PageOfCosts());
        Assert.True(rows.TrueForAll(page.Contains), $"costs.md should have the rows\n{string.Join('\n', rows)}");
    }

    /// <summary>One event alone in its batch: the dearest way there is.</summary>
    static async Task<double> TakeInAsync(QuietSystem system, View view, StoredEvent one)
    {
        var before = system.Local.Cosmos.Ledger.Snapshot().Of(view.Container);
        await system.Get<ProjectionRunner>().RunAsync(
            view, [JsonSerializer.SerializeToElement(one, StoredJson.Options)], default);
        return (system.Local.Cosmos.Ledger.Snapshot().Of(view.Container) - before).Total.Charge;
    }

    static string Row(string view, int events, double charge, double dearest) => string.Create(
        CultureInfo.InvariantCulture,
        $"| {view} | {events} | {charge:0.00} | {charge / events:0.00} | {dearest:0.00} |");

    void Before()
    {
        Add(Customer.Stream(TheCustomer), Aggregates.Customers.Codec,
            new CustomerEvent.Registered("Ada", "ada@example.com", Home, new(0, Currency.EUR)));
        foreach (var product in Products)
        {
            Add(Product.Stream(product), Aggregates.Products.Codec,
                new ProductEvent.Registered("Blue mug", "kitchen", new(12_50, Currency.EUR)));
            Add(Stock.Stream(product), Aggregates.Stocks.Codec, new StockEvent.Received(100, "opening"));
        }
    }

    void AnOrder()
    {
        ImmutableArray<OrderLine> lines = [.. Products.Select(p => new OrderLine(p, 2, new(12_50, Currency.EUR)))];
        var (order, hold) = (Order.Stream(TheOrder), ReservationId.Of(TheOrder));
        Add(order, Aggregates.Orders.Codec, new OrderEvent.Placed(
            TheCustomer, lines, new(50_00, Currency.EUR), Home, new("card_4242"), Order.Orchestration));
        foreach (var product in Products)
            Add(Stock.Stream(product), Aggregates.Stocks.Codec, new StockEvent.Reserved(hold, 2));
        Add(Shipment.Stream(ShipmentId.Of(TheOrder)), Aggregates.Shipments.Codec,
            new ShipmentEvent.Booked(Home, "TRACK-1"));
        Add(order, Aggregates.Orders.Codec, new OrderEvent.Confirmed());
        foreach (var product in Products)
            Add(Stock.Stream(product), Aggregates.Stocks.Codec, new StockEvent.Committed(hold, 2));
    }

    void Add<TEvent>(StreamId stream, EventCodec<TEvent> codec, TEvent @event)
        where TEvent : notnull
    {
        var sequence = told.Count(e => e.StreamId == stream.ToString()) + 1;
        var (type, data) = codec.Encode(@event);
        told.Add(new()
        {
            Id = StoredEvent.IdOf(sequence),
            StreamId = stream.ToString(),
            Sequence = sequence,
            EventId = new(told.Count + 1, 0, 0, new byte[8]),
            EventType = type.Name,
            EventVersion = type.Version,
            EventData = data,
            Timestamp = new(2030, 1, 1, 12, 0, told.Count, TimeSpan.Zero),
            CorrelationId = "test",
            CausationId = "test",
            CommandId = $"command-{sequence}",
            CommandKey = $"command-{sequence}/0",
            CommandHash = "",
        });
    }

    static string PageOfCosts()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "Serverless.sln"))) folder = folder.Parent!;
        return Path.Combine(folder.FullName, "docs", "internals", "costs.md");
    }
}
