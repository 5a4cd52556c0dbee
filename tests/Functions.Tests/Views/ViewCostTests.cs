using System.Collections.Immutable;
using System.Globalization;
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
    static readonly DateTimeOffset Noon = new(2030, 1, 1, 12, 0, 0, TimeSpan.Zero);
    static readonly OrderId TheOrder = new(Guid.Parse("11111111-1111-1111-1111-111111111111"));
    static readonly CustomerId TheCustomer = new(Guid.Parse("22222222-2222-2222-2222-222222222222"));

    readonly List<StoredEvent> told = [];
    Address home = new("Ada Kim", "Torstr. 1", "Berlin", "10119", "DE");

    [Fact]
    public async Task The_views_of_a_confirmed_order_cost_what_the_page_says()
    {
        await using var system = await QuietSystem.StartAsync(seed: 1);
        home = await SealedAsync(system.Get<PersonalSeal>(), home);
        Before();
        var known = told.Count;
        AnOrder(TheOrder);
        await AppendAsync(system, told);

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

            (whole, events, all) = (whole + spent, events + taken, Math.Max(all, dearest));
            if (taken > 0) rows.Add(Row(view.Name, taken, spent, dearest));
        }

        rows.Add(Row("**all**", events, whole, all));
        await OnThePageAsync(rows);
    }

    [Fact]
    public async Task No_event_costs_a_view_of_one_document_more_than_eleven_units()
    {
        await using var system = await QuietSystem.StartAsync(seed: 1);
        home = await SealedAsync(system.Get<PersonalSeal>(), home);
        Before();
        AWholeLife();
        await AppendAsync(system, told);

        var dear = new List<(string View, string Event, double Cost)>();
        foreach (var view in All.Where(view => view != OrderStatistics))
        {
            var taken = told.Where(view.TakesIn).ToList();
            Assert.NotEmpty(taken);
            foreach (var one in taken)
            {
                var cost = await TakeInAsync(system, view, one);
                if (cost > (one.EventType == "order-returned" ? 11.2 : 11)) dear.Add((view.Name, one.EventType, cost));
            }
        }

        Assert.Empty(dear);
    }

    [Fact]
    public async Task Statistics_of_orders_that_come_together_cost_what_the_page_says()
    {
        const int Orders = 90;
        await using var system = await QuietSystem.StartAsync(seed: 1);
        Before();
        var known = told.Count;
        AnOrder(TheOrder);
        var one = told[known..].Where(OrderStatistics.TakesIn).ToArray();
        for (var i = 1; i < Orders; i++) AnOrder(new(new(i, 0, 0, new byte[8])));
        await AppendAsync(system, told);

        var many = told[known..].Where(OrderStatistics.TakesIn).ToArray();
        var (alone, together, each) = (
            await TakeInAsync(system, OrderStatistics with { Generation = 1 }, one[0])
                + await TakeInAsync(system, OrderStatistics with { Generation = 1 }, one[1]),
            await TakeInAsync(system, OrderStatistics with { Generation = 2 }, one),
            await TakeInAsync(system, OrderStatistics with { Generation = 3 }, many) / Orders);
        await OnThePageAsync(
        [
            Row("its two events one by one", alone), Row("its two events in one batch", together),
            Row($"{Orders} orders in one batch", each),
        ]);

        static string Row(string how, double charge) =>
            string.Create(CultureInfo.InvariantCulture, $"| {how} | {charge:0.00} |");
    }

    static async Task AppendAsync(QuietSystem system, List<StoredEvent> told)
    {
        var store = system.Get<IEventStore>();
        foreach (var one in told)
        {
            Assert.True(StreamId.TryParse(one.StreamId, out var stream));
            Assert.Equal(
                AppendResult.Appended, await store.AppendAsync(stream, one.Sequence - 1, [one], null, default));
        }
    }

    static async Task OnThePageAsync(List<string> rows)
    {
        var page = await File.ReadAllLinesAsync(PageOfCosts());
        Assert.True(rows.TrueForAll(page.Contains), $"costs.md should have the rows\n{string.Join('\n', rows)}");
    }

    /// <summary>What one batch costs; an event alone in its own is the dearest way there is.</summary>
    static async Task<double> TakeInAsync(QuietSystem system, View view, params StoredEvent[] batch)
    {
        var before = system.Local.Cosmos.Ledger.Snapshot().Of(view.Container);
        await view.ProjectAsync(system.Get<ProjectionRunner>(), batch, default);
        return (system.Local.Cosmos.Ledger.Snapshot().Of(view.Container) - before).Total.Charge;
    }

    /// <summary>As the command that placed the order stored it: a sealed text is longer than an open one.</summary>
    static async Task<Address> SealedAsync(PersonalSeal seal, Address open)
    {
        async Task<string> OneAsync(string text) => await seal.SealAsync(Customer.Stream(TheCustomer), text, default);
        return new(
            await OneAsync(open.Recipient), await OneAsync(open.Street), await OneAsync(open.City),
            await OneAsync(open.PostalCode), await OneAsync(open.Country));
    }

    static string Row(string view, int events, double charge, double dearest) => string.Create(
        CultureInfo.InvariantCulture,
        $"| {view} | {events} | {charge:0.00} | {charge / events:0.00} | {dearest:0.00} |");

    void Before()
    {
        Add(Customer.Stream(TheCustomer), Aggregates.Customers.Codec,
            new CustomerEvent.Registered(home.Recipient, home.Street, home, new(0, Currency.EUR)));
        foreach (var product in Products)
        {
            Add(Product.Stream(product), Aggregates.Products.Codec,
                new ProductEvent.Registered("Blue mug", "kitchen", new(12_50, Currency.EUR)));
            Add(Stock.Stream(product), Aggregates.Stocks.Codec, new StockEvent.Received(100, "opening"));
        }
    }

    void AnOrder(OrderId id)
    {
        ImmutableArray<OrderLine> lines = [.. Products.Select(p => new OrderLine(p, 2, new(12_50, Currency.EUR)))];
        var (order, hold) = (Order.Stream(id), ReservationId.Of(id));
        Add(order, Aggregates.Orders.Codec, new OrderEvent.Placed(
            TheCustomer, lines, new(50_00, Currency.EUR), home, new("card_4242"), Order.Orchestration));
        foreach (var product in Products)
            Add(Stock.Stream(product), Aggregates.Stocks.Codec, new StockEvent.Reserved(hold, 2));
        Add(Shipment.Stream(ShipmentId.Of(id)), Aggregates.Shipments.Codec, new ShipmentEvent.Booked(home, "TRACK-1"));
        Add(order, Aggregates.Orders.Codec, new OrderEvent.Confirmed());
        foreach (var product in Products)
            Add(Stock.Stream(product), Aggregates.Stocks.Codec, new StockEvent.Committed(hold, 2));
    }

    /// <summary>From the first word to the return, and what else may happen to customers and products.</summary>
    void AWholeLife()
    {
        var (order, parcel) = (Order.Stream(TheOrder), Shipment.Stream(ShipmentId.Of(TheOrder)));
        AnOrder(TheOrder);
        Add(parcel, Aggregates.Shipments.Codec, new ShipmentEvent.Dispatched());
        Add(order, Aggregates.Orders.Codec, new OrderEvent.Shipped("TRACK-1"));
        Add(order, Aggregates.Orders.Codec, new OrderEvent.Delivered());
        Add(parcel, Aggregates.Shipments.Codec, new ShipmentEvent.Delivered());
        Add(order, Aggregates.Orders.Codec, new OrderEvent.ReturnRequested("Too blue", "ada"));
        Add(order, Aggregates.Orders.Codec, new OrderEvent.Returned());
        Add(Customer.Stream(TheCustomer), Aggregates.Customers.Codec,
            new CustomerEvent.DetailsChanged(home.Recipient, home.Street, home));
        foreach (var product in Products)
        {
            Add(Product.Stream(product), Aggregates.Products.Codec, new ProductEvent.Renamed("Blue cup"));
            Add(Product.Stream(product), Aggregates.Products.Codec, new ProductEvent.Repriced(new(9_50, Currency.EUR)));
            Add(Product.Stream(product), Aggregates.Products.Codec, new ProductEvent.Recategorized("garden"));
            Add(Stock.Stream(product), Aggregates.Stocks.Codec,
                new StockEvent.Reserved(ReservationId.Of(TheOrder), 98));
        }
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
            Timestamp = Noon + TimeSpan.FromTicks(told.Count * 1_234_567L),
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
