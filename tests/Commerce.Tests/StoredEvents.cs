using System.Text.Json;
using System.Text.Json.Nodes;
using Commerce.Catalog;
using Commerce.Customers;
using Commerce.Inventory;
using Commerce.Ordering;
using Commerce.Payments;
using Commerce.Restocking;
using Commerce.Shipping;
using EventSourcing;
using static Commerce.Tests.Samples;

namespace Commerce.Tests;

/// <summary>
/// Every event as it lies in the store. These texts are never edited: what was written once must be read for ever. A
/// changed shape is a new version with its upcaster, and a new text beside the old one.
/// </summary>
public sealed class StoredEvents
{
    const string Id = "11111111-1111-1111-1111-111111111111";
    const string Mail = "ada@example.org";

    const string ShipTo =
        """{"recipient":"Ada Kim","street":"Torstr. 1","city":"Berlin","postalCode":"10119","country":"DE"}""";

    const string Placed = $$$"""
        {"customer":"22222222-2222-2222-2222-222222222222","lines":[
        {"product":"blue-mug","quantity":2,"unitPrice":{"minorUnits":950,"currency":"EUR"}},
        {"product":"tea-pot","quantity":1,"unitPrice":{"minorUnits":2400,"currency":"EUR"}}],
        "total":{"minorUnits":4300,"currency":"EUR"},
        "shipTo":{{{ShipTo}}},"paymentMethod":"card_4242","workflow":"orchestration"}
        """;

    static readonly Guid AnId = Guid.Parse(Id);

    public static TheoryData<object, string, string> Samples { get; } = new()
    {
        {
            new OrderEvent.Placed(TheCustomer, Lines, Euros(43_00), Home, Visa, "orchestration"),
            "order-placed", Placed
        },
        {
            new OrderEvent.Placed(
                TheCustomer, Lines, Euros(43_00), Home, Visa, "choreography", TimeSpan.FromHours(72)),
            "order-placed",
            Placed.Replace(
                "\"orchestration\"", "\"choreography\",\"approveWithin\":\"3.00:00:00\"", StringComparison.Ordinal)
        },
        {
            new OrderEvent.CancellationRequested("Changed my mind", "customer"),
            "order-cancellation-requested", """{"reason":"Changed my mind","by":"customer"}"""
        },
        { new OrderEvent.Confirmed(), "order-confirmed", "{}" },
        {
            new OrderEvent.Cancelled("insufficient-stock", "Only 1 left."),
            "order-cancelled", """{"code":"insufficient-stock","detail":"Only 1 left."}"""
        },
        { new OrderEvent.Shipped("T1"), "order-shipped", """{"tracking":"T1"}""" },
        { new OrderEvent.Delivered(), "order-delivered", "{}" },
        {
            new OrderEvent.ApprovalRequested(Noon),
            "order-approval-requested", """{"until":"2026-03-01T12:00:00+00:00"}"""
        },
        { new OrderEvent.Approved("boss"), "order-approved", """{"by":"boss"}""" },
        { new OrderEvent.Rejected("Too much", "boss"), "order-rejected", """{"reason":"Too much","by":"boss"}""" },
        { new OrderEvent.ApprovalExpired(), "order-approval-expired", "{}" },
        {
            new OrderEvent.ReturnRequested("Broken", "customer"),
            "order-return-requested", """{"reason":"Broken","by":"customer"}"""
        },
        { new OrderEvent.Returned(), "order-returned", "{}" },

        { new StockEvent.Received(5, "R-1"), "stock-received", """{"quantity":5,"receipt":"R-1"}""" },
        {
            new StockEvent.Reserved(new(AnId), 4),
            "stock-reserved", $$"""{"reservation":"{{Id}}","quantity":4}"""
        },
        {
            new StockEvent.Released(new(AnId), 0),
            "stock-released", $$"""{"reservation":"{{Id}}","quantity":0}"""
        },
        {
            new StockEvent.Committed(new(AnId), 4),
            "stock-committed", $$"""{"reservation":"{{Id}}","quantity":4}"""
        },

        {
            new AllocationEvent.Reserved([new(Mug, 2)]),
            "allocation-reserved", """{"lines":[{"product":"blue-mug","quantity":2}]}"""
        },
        {
            new AllocationEvent.Refused("insufficient-stock", "No"),
            "allocation-refused", """{"code":"insufficient-stock","detail":"No"}"""
        },
        {
            new AllocationEvent.Released("card-declined"),
            "allocation-released", """{"why":"card-declined"}"""
        },
        { new AllocationEvent.Committed(), "allocation-committed", "{}" },

        {
            new PaymentEvent.Authorized(Won(4300), "auth-1"),
            "payment-authorized", """{"amount":{"minorUnits":4300,"currency":"KRW"},"authorizationId":"auth-1"}"""
        },
        {
            new PaymentEvent.Declined("card-declined", "No"),
            "payment-declined", """{"code":"card-declined","detail":"No"}"""
        },
        {
            new PaymentEvent.Captured(Won(4300)),
            "payment-captured", """{"amount":{"minorUnits":4300,"currency":"KRW"}}"""
        },
        { new PaymentEvent.Voided(), "payment-voided", "{}" },
        {
            new PaymentEvent.Refunded(new(AnId), Won(300)),
            "payment-refunded", $$$"""{"refund":"{{{Id}}}","amount":{"minorUnits":300,"currency":"KRW"}}"""
        },

        {
            new ShipmentEvent.Booked(Home, "T1"),
            "shipment-booked", $$$"""{"shipTo":{{{ShipTo}}},"tracking":"T1"}"""
        },
        { new ShipmentEvent.Cancelled(), "shipment-cancelled", "{}" },
        {
            new ShipmentEvent.Refused("address-not-served", "No"),
            "shipment-refused", """{"code":"address-not-served","detail":"No"}"""
        },
        { new ShipmentEvent.Dispatched(), "shipment-dispatched", "{}" },
        { new ShipmentEvent.Delivered(), "shipment-delivered", "{}" },

        {
            new CustomerEvent.Registered("김하나", Mail, Home, Euros(100_00)),
            "customer-registered",
            $$$"""
            {"name":"김하나","email":"{{{Mail}}}","address":{{{ShipTo}}},
            "creditLimit":{"minorUnits":10000,"currency":"EUR"}}
            """
        },
        {
            new CustomerEvent.DetailsChanged("Ada Lee", Mail, null),
            "customer-details-changed", $$"""{"name":"Ada Lee","email":"{{Mail}}"}"""
        },
        {
            new CustomerEvent.CreditReserved(new(AnId), Euros(60_00)),
            "customer-credit-reserved",
            $$$"""{"reservation":"{{{Id}}}","amount":{"minorUnits":6000,"currency":"EUR"}}"""
        },
        {
            new CustomerEvent.CreditReleased(new(AnId), null),
            "customer-credit-released", $$"""{"reservation":"{{Id}}"}"""
        },
        {
            new CustomerEvent.CreditRefused(new(AnId), "insufficient-credit", "No"),
            "customer-credit-refused",
            $$"""{"reservation":"{{Id}}","code":"insufficient-credit","detail":"No"}"""
        },

        {
            new ProductEvent.Registered("Blue Mug", "kitchen", Euros(9_50)),
            "product-registered",
            """{"name":"Blue Mug","category":"kitchen","price":{"minorUnits":950,"currency":"EUR"}}"""
        },
        { new ProductEvent.Renamed("Azure Mug"), "product-renamed", """{"name":"Azure Mug"}""" },
        { new ProductEvent.Recategorized("gifts"), "product-recategorized", """{"category":"gifts"}""" },
        {
            new ProductEvent.Repriced(Euros(8_50)),
            "product-repriced", """{"price":{"minorUnits":850,"currency":"EUR"}}"""
        },
    };

    [Theory]
    [MemberData(nameof(Samples))]
    public void An_event_is_written_and_read_as_it_always_was(object @event, string name, string json)
    {
        switch (@event)
        {
            case OrderEvent e: Check(OrderEvent.Types, e, name, json); break;
            case StockEvent e: Check(StockEvent.Types, e, name, json); break;
            case AllocationEvent e: Check(AllocationEvent.Types, e, name, json); break;
            case PaymentEvent e: Check(PaymentEvent.Types, e, name, json); break;
            case ShipmentEvent e: Check(ShipmentEvent.Types, e, name, json); break;
            case CustomerEvent e: Check(CustomerEvent.Types, e, name, json); break;
            case RestockEvent e: Check(RestockEvent.Types, e, name, json); break;
            case ProductEvent e: Check(ProductEvent.Types, e, name, json); break;
            default: Assert.Fail($"{@event} belongs to no family."); break;
        }
    }

    [Fact]
    public void Every_event_there_is_has_its_text()
    {
        IEnumerable<EventType>[] families =
        [
            OrderEvent.Types, StockEvent.Types, PaymentEvent.Types, ShipmentEvent.Types, CustomerEvent.Types,
            ProductEvent.Types, AllocationEvent.Types,
        ];
        Assert.Equal(
            families.SelectMany(types => types).Select(type => type.Name).Order(),
            Samples.Select(row => (string)row[1]!).Distinct().Order());
    }

    static void Check<TEvent>(EventTypes<TEvent> types, TEvent @event, string name, string json)
        where TEvent : notnull
    {
        var codec = new EventCodec<TEvent>(types);
        var (type, data) = codec.Encode(@event);
        Assert.Equal((name, 1), (type.Name, type.Version));
        AssertSame(json, data);

        var read = codec.DecodeEvent(Stored(name, json));
        Assert.Equal(@event.GetType(), read.GetType());
        AssertSame(json, codec.Encode(read).Data);
    }

    static void AssertSame(string json, JsonElement data) =>
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(json), JsonNode.Parse(data.GetRawText())), data.GetRawText());

    static StoredEvent Stored(string name, string json) => new()
    {
        Id = StoredEvent.IdOf(1),
        StreamId = $"order-{Id}",
        Sequence = 1,
        EventId = AnId,
        EventType = name,
        EventVersion = 1,
        EventData = JsonElement.Parse(json),
        Timestamp = Noon,
        CorrelationId = "correlation",
        CausationId = "causation",
        CommandId = "command",
        CommandKey = StoredEvent.CommandKeyOf("command", 0),
        CommandHash = "hash",
    };
}
