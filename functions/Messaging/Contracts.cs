using System.Collections.Frozen;
using System.ComponentModel;

namespace Functions.Messaging;

// What leaves this system, in shapes of its own: a stored event may change its version without anybody outside hearing
// of it. A name and its shape are published for ever; a new meaning is a new version beside the old one. Only ids and
// codes leave: no name, no address, no free text, nothing that would have to be forgotten with a person.

/// <summary>An amount in minor units of its currency, an ISO 4217 code.</summary>
public sealed record Amount(long MinorUnits, string Currency);

public sealed record ProductLine(string Product, int Quantity);

public sealed record PricedLine(string Product, int Quantity, Amount UnitPrice);

[Description("A customer placed an order; nothing is reserved for it yet.")]
public sealed record OrderPlaced(
    Guid Order, Guid Customer, IReadOnlyList<PricedLine> Lines, Amount Total, string Workflow);

[Description("Somebody wants a pending order stopped: it is not confirmed any more, and what it holds is given back.")]
public sealed record OrderCancellationRequested(Guid Order, string Code);

[Description("Somebody has to agree to a large order before its money is set aside, until then at the latest.")]
public sealed record OrderApprovalRequested(Guid Order, DateTimeOffset Until);

[Description("Somebody agreed to a large order: it goes on.")]
public sealed record OrderApproved(Guid Order);

[Description("Somebody did not agree to a large order: what it holds is given back.")]
public sealed record OrderRejected(Guid Order);

[Description("Nobody agreed to a large order in time: what it holds is given back.")]
public sealed record OrderApprovalExpired(Guid Order);

[Description("Everything an order needs is reserved; from here it only goes forward.")]
public sealed record OrderConfirmed(Guid Order);

[Description("An order ended with nothing left of it; the code says why.")]
public sealed record OrderCancelled(Guid Order, string Code);

[Description("The goods of an order are on their way.")]
public sealed record OrderShipped(Guid Order);

[Description("The goods of an order have arrived.")]
public sealed record OrderDelivered(Guid Order);

[Description("A sold order was given back: its money is refunded, its goods are in stock again.")]
public sealed record OrderReturned(Guid Order);

[Description("A part of the customer's credit is held for an order.")]
public sealed record CreditReserved(Guid Order, Guid Customer, Amount Amount);

[Description("The customer's credit does not suffice for an order.")]
public sealed record CreditRefused(Guid Order, Guid Customer, string Code);

[Description("An order was taken back: its credit, if any was held, can be used again.")]
public sealed record CreditReleased(Guid Order, Guid Customer, string Code);

[Description("An order was paid: its credit can be used again.")]
public sealed record CreditSettled(Guid Order, Guid Customer);

[Description("Every line of an order is held in stock.")]
public sealed record StockReserved(Guid Order, IReadOnlyList<ProductLine> Lines);

[Description("At least one line of an order can not be had; none is held.")]
public sealed record StockRefused(Guid Order, string Code);

[Description("An order was taken back: its goods, if any were held, can be sold again.")]
public sealed record StockReleased(Guid Order, string Code);

[Description("The goods of an order have left the stock.")]
public sealed record StockCommitted(Guid Order);

[Description("The money for an order is set aside.")]
public sealed record PaymentAuthorized(Guid Order, Amount Amount);

[Description("The money for an order could not be set aside.")]
public sealed record PaymentDeclined(Guid Order, string Code);

[Description("No money moves for an order; what was set aside, if anything, is let go.")]
public sealed record PaymentVoided(Guid Order, string? Code = null);

[Description("The money for an order has moved.")]
public sealed record PaymentCaptured(Guid Order, Amount Amount);

[Description("A part or all of the money for an order was given back.")]
public sealed record PaymentRefunded(Guid Order, Guid Refund, Amount Amount);

[Description("A carrier has taken on the parcel of an order.")]
public sealed record ShipmentBooked(Guid Order);

[Description("No carrier takes the parcel of an order.")]
public sealed record ShipmentRefused(Guid Order, string Code);

[Description("The parcel of an order does not go; a booking, if there was one, is taken back.")]
public sealed record ShipmentCancelled(Guid Order, string? Code = null);

[Description("The parcel of an order is on its way.")]
public sealed record ShipmentDispatched(Guid Order);

[Description("The parcel of an order was handed over.")]
public sealed record ShipmentDelivered(Guid Order);

/// <summary>Every integration event under its published name and version.</summary>
public static class Contracts
{
    public static readonly IReadOnlyDictionary<string, Type> ByName = new Dictionary<string, Type>
    {
        { "order-placed.v1", typeof(OrderPlaced) },
        { "order-cancellation-requested.v1", typeof(OrderCancellationRequested) },
        { "order-approval-requested.v1", typeof(OrderApprovalRequested) },
        { "order-approved.v1", typeof(OrderApproved) },
        { "order-rejected.v1", typeof(OrderRejected) },
        { "order-approval-expired.v1", typeof(OrderApprovalExpired) },
        { "order-confirmed.v1", typeof(OrderConfirmed) },
        { "order-cancelled.v1", typeof(OrderCancelled) },
        { "order-shipped.v1", typeof(OrderShipped) },
        { "order-delivered.v1", typeof(OrderDelivered) },
        { "order-returned.v1", typeof(OrderReturned) },
        { "credit-reserved.v1", typeof(CreditReserved) },
        { "credit-refused.v1", typeof(CreditRefused) },
        { "credit-released.v1", typeof(CreditReleased) },
        { "credit-settled.v1", typeof(CreditSettled) },
        { "stock-reserved.v1", typeof(StockReserved) },
        { "stock-refused.v1", typeof(StockRefused) },
        { "stock-released.v1", typeof(StockReleased) },
        { "stock-committed.v1", typeof(StockCommitted) },
        { "payment-authorized.v1", typeof(PaymentAuthorized) },
        { "payment-declined.v1", typeof(PaymentDeclined) },
        { "payment-voided.v1", typeof(PaymentVoided) },
        { "payment-captured.v1", typeof(PaymentCaptured) },
        { "payment-refunded.v1", typeof(PaymentRefunded) },
        { "shipment-booked.v1", typeof(ShipmentBooked) },
        { "shipment-refused.v1", typeof(ShipmentRefused) },
        { "shipment-cancelled.v1", typeof(ShipmentCancelled) },
        { "shipment-dispatched.v1", typeof(ShipmentDispatched) },
        { "shipment-delivered.v1", typeof(ShipmentDelivered) },
    }.ToFrozenDictionary();

    static readonly FrozenDictionary<Type, string> Names =
        ByName.ToFrozenDictionary(contract => contract.Value, contract => contract.Key);

    public static string NameOf(Type contract) => Names[contract];

    /// <summary>Names the schema for ever, wherever it is served.</summary>
    public static string SchemaOf(string name) => $"urn:orders:schema:{name}";
}
