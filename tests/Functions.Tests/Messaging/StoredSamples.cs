using Commerce;
using Commerce.Catalog;
using Commerce.Customers;
using Commerce.Inventory;
using Commerce.Ordering;
using Commerce.Payments;
using Commerce.Shipping;
using EventSourcing;
using EventSourcing.Tests;
using Functions.EventStore;

namespace Functions.Tests.Messaging;

/// <summary>One stored event of every kind that is told to others, made up by hand.</summary>
static class StoredSamples
{
    public static readonly OrderId Order = new(Guid.Parse("0d000000-0000-4000-8000-000000000001"));
    public static readonly CustomerId Buyer = new(Guid.Parse("0c000000-0000-4000-8000-000000000001"));
    public static readonly Address Home = new("Ada Kim", "Torstr. 1", "Berlin", "10119", "DE");

    static readonly Money Price = new(9_50, Currency.EUR);
    static readonly ProductId Mug = new("blue-mug");

    public static IReadOnlyList<StoredEvent> All { get; } =
    [
        Of(new OrderEvent.Placed(Buyer, [new(Mug, 2, Price)], Price * 2, Home, new("card_4242"), "choreography")),
        Of(new OrderEvent.CancellationRequested("Ada Kim changed her mind", "ada@example.org")),
        Of(new OrderEvent.ApprovalRequested(new(2030, 1, 1, 0, 0, 0, TimeSpan.Zero))),
        Of(new OrderEvent.Approved("ada@example.org")),
        Of(new OrderEvent.Rejected("Ada Kim owes us enough.", "ada@example.org")),
        Of(new OrderEvent.ApprovalExpired()),
        Of(new OrderEvent.Confirmed()),
        Of(new OrderEvent.Cancelled("card-declined", "Ada Kim has no money.")),
        Of(new OrderEvent.Shipped("T-Ada")),
        Of(new OrderEvent.Delivered()),
        Of(new OrderEvent.Returned()),
        Of(new CustomerEvent.CreditReserved(new(Order.Value), Price)),
        Of(new CustomerEvent.CreditRefused(new(Order.Value), "insufficient-credit", "Ada Kim has none.")),
        Of(new CustomerEvent.CreditReleased(new(Order.Value), Price, "card-declined")),
        Of(new CustomerEvent.CreditReleased(new(Order.Value), Price)),
        Of(new AllocationEvent.Reserved([new(Mug, 2)])),
        Of(new AllocationEvent.Refused("insufficient-stock", "Only 1 left for Ada Kim.")),
        Of(new AllocationEvent.Released("card-declined")),
        Of(new AllocationEvent.Committed()),
        Of(new PaymentEvent.Authorized(Price, "auth-of-Ada")),
        Of(new PaymentEvent.Declined("card-declined", "Ada Kim has no money.")),
        Of(new PaymentEvent.Voided()),
        Of(new PaymentEvent.Captured(Price)),
        Of(new PaymentEvent.Refunded(new(Order.Value), Price)),
        Of(new ShipmentEvent.Booked(Home, "T-Ada")),
        Of(new ShipmentEvent.Refused("address-not-served", "No parcels for Ada Kim.")),
        Of(new ShipmentEvent.Cancelled("order-overdue")),
        Of(new ShipmentEvent.Dispatched()),
        Of(new ShipmentEvent.Delivered()),
    ];

    /// <summary>Events that concern nobody outside, by their kind or by themselves.</summary>
    public static IReadOnlyList<StoredEvent> Untold { get; } =
    [
        Of(new OrderEvent.ReturnRequested("It did not please Ada Kim.", "ada@example.org")),
        Of(new CustomerEvent.Registered("Ada Kim", "ada@example.org", Home, Price)),
        Of(new CustomerEvent.DetailsChanged("Ada Kim", "ada@example.org", Home)),
        Of(new StockEvent.Reserved(new(Order.Value), 2)),
        Of(new ProductEvent.Renamed("Blue mug")),
    ];

    public static StoredEvent Of(object @event, long sequence = 1, string command = "choreography/test/1/do") =>
        @event switch
        {
            OrderEvent e => Of(Aggregates.Orders.Codec, e, $"order-{Order}", sequence, command),
            CustomerEvent e => Of(Aggregates.Customers.Codec, e, $"customer-{Buyer}", sequence, command),
            AllocationEvent e => Of(Aggregates.Allocations.Codec, e, $"allocation-{Order}", sequence, command),
            PaymentEvent e => Of(Aggregates.Payments.Codec, e, $"payment-{Order}", sequence, command),
            ShipmentEvent e => Of(Aggregates.Shipments.Codec, e, $"shipment-{Order}", sequence, command),
            StockEvent e => Of(Aggregates.Stocks.Codec, e, $"stock-{Mug}", sequence, command),
            ProductEvent e => Of(Aggregates.Products.Codec, e, $"product-{Mug}", sequence, command),
            _ => throw new ArgumentException($"{@event} is of no family."),
        };

    static StoredEvent Of<TEvent>(
        EventCodec<TEvent> codec, TEvent @event, string stream, long sequence, string command)
        where TEvent : notnull
    {
        var (type, data) = codec.Encode(@event);
        return SampleEvent.Of(stream, sequence, type.Name, data, command) with
        {
            EventVersion = type.Version,
            UserId = "ada@example.org",
        };
    }
}
