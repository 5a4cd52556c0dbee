using System.Collections.Immutable;
using System.Text.Json;
using Commerce;
using Commerce.Catalog;
using Commerce.Customers;
using Commerce.Inventory;
using Commerce.Ordering;
using Commerce.Shipping;
using EventSourcing;
using Functions.EventStore;

namespace Functions.Tests.Views;

/// <summary>
/// A history of a shop made up from a seed: streams of every kind that feeds a view, in no order among them.
/// </summary>
sealed class JudgedWorld(int seed, DateTimeOffset begin)
{
    const int Customers = 5;
    const int Products = 6;
    const int Orders = 24;

    static readonly Address Home = new("Ada Kim", "Torstr. 1", "Berlin", "10119", "DE");

    readonly Random random = new(seed);
    readonly Dictionary<StreamId, List<StoredEvent>> streams = [];
    DateTimeOffset now = begin;

    public IReadOnlyDictionary<StreamId, List<StoredEvent>> Streams => streams;

    public JudgedWorld Tell()
    {
        var customers = Enumerable.Range(0, Customers).Select(_ => new CustomerId(Id())).ToList();
        var products = Enumerable.Range(0, Products).Select(i => new ProductId($"p{seed}-{i}")).ToList();
        foreach (var customer in customers) Register(customer);
        foreach (var product in products) Offer(product);
        for (var i = 0; i < Orders; i++)
            Order(customers[random.Next(Customers)],
                [.. products.Where(_ => random.Next(3) == 0).Append(products[0]).Distinct()]);
        return this;
    }

    void Register(CustomerId customer)
    {
        var stream = Customer.Stream(customer);
        Add(stream, Aggregates.Customers.Codec, new CustomerEvent.Registered("Ada", "a@b.c", null, Euros(100_00)));
        for (var i = random.Next(3); i > 0; i--)
            Add(stream, Aggregates.Customers.Codec, new CustomerEvent.DetailsChanged($"Ada {i}", "a@b.c", Home));
    }

    void Offer(ProductId product)
    {
        var stream = Product.Stream(product);
        Add(stream, Aggregates.Products.Codec, new ProductEvent.Registered($"Mug {product}", "mugs", Euros(5_00)));
        for (var i = random.Next(4); i > 0; i--)
        {
            Add(stream, Aggregates.Products.Codec, random.Next(2) == 0
                ? new ProductEvent.Renamed($"Mug {product} {i}")
                : new ProductEvent.Repriced(Euros(5_00 + i)));
        }

        for (var i = 1 + random.Next(3); i > 0; i--)
            Add(Stock.Stream(product), Aggregates.Stocks.Codec, new StockEvent.Received(50, $"receipt-{i}"));
    }

    void Order(CustomerId customer, List<ProductId> products)
    {
        var order = new OrderId(Id());
        var stream = Commerce.Ordering.Order.Stream(order);
        var shipment = Shipment.Stream(ShipmentId.Of(order));
        ImmutableArray<OrderLine> lines = [.. products.Select(p => new OrderLine(p, 1 + random.Next(3), Euros(5_00)))];
        var total = Euros(lines.Sum(line => line.UnitPrice.MinorUnits * line.Quantity));
        Add(stream, Aggregates.Orders.Codec, new OrderEvent.Placed(
            customer, lines, total, Home, new("card_4242"), Commerce.Ordering.Order.Orchestration));
        foreach (var line in lines)
            Add(Stock.Stream(line.Product), Aggregates.Stocks.Codec, new StockEvent.Reserved(
                ReservationId.Of(order), line.Quantity));
        var isSold = random.Next(3) > 0;
        foreach (var line in lines)
        {
            Add(Stock.Stream(line.Product), Aggregates.Stocks.Codec, isSold
                ? new StockEvent.Committed(ReservationId.Of(order), line.Quantity)
                : new StockEvent.Released(ReservationId.Of(order), line.Quantity));
        }

        if (random.Next(4) == 0) Add(
            stream, Aggregates.Orders.Codec, new OrderEvent.CancellationRequested("Why not", "me"));
        if (!isSold)
        {
            Add(stream, Aggregates.Orders.Codec, new OrderEvent.Cancelled("card-declined", "No."));
            return;
        }

        Add(shipment, Aggregates.Shipments.Codec, new ShipmentEvent.Booked(Home, $"T{order}"));
        Add(stream, Aggregates.Orders.Codec, new OrderEvent.Confirmed());
        if (random.Next(2) == 0) return;
        Add(shipment, Aggregates.Shipments.Codec, new ShipmentEvent.Dispatched());
        Add(stream, Aggregates.Orders.Codec, new OrderEvent.Shipped($"T{order}"));
        Add(stream, Aggregates.Orders.Codec, new OrderEvent.Delivered());
        Add(shipment, Aggregates.Shipments.Codec, new ShipmentEvent.Delivered());
    }

    void Add<TEvent>(StreamId stream, EventCodec<TEvent> codec, TEvent @event)
        where TEvent : notnull
    {
        if (!streams.TryGetValue(stream, out var told)) streams.Add(stream, told = []);
        var (type, data) = codec.Encode(@event);
        now += TimeSpan.FromMinutes(random.Next(40));
        told.Add(new()
        {
            Id = StoredEvent.IdOf(told.Count + 1),
            StreamId = stream.ToString(),
            Sequence = told.Count + 1,
            EventId = Id(),
            EventType = type.Name,
            EventVersion = type.Version,
            EventData = data,
            Timestamp = now,
            CorrelationId = "test",
            CausationId = "test",
            CommandId = $"command-{told.Count}",
            CommandKey = $"command-{told.Count}/0",
            CommandHash = "",
        });
    }

    static Money Euros(long cents) => new(cents, Currency.EUR);

    Guid Id()
    {
        var bytes = new byte[16];
        random.NextBytes(bytes);
        return new(bytes);
    }
}
