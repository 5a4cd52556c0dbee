using System.Text.Json;
using Commerce;
using Commerce.Customers;
using Commerce.Inventory;
using Commerce.Ordering;
using Commerce.Payments;
using Commerce.Shipping;
using EventSourcing;
using Functions.EventStore;

namespace Functions.Messaging;

/// <summary>What of a stored event is told to others, and how: pure functions, one for each kind of stream.</summary>
public static class Integration
{
    /// <summary>
    /// A choreographed step's command id begins like this: its events are told to the contexts that go on from there.
    /// </summary>
    public const string ChoreographedPrefix = Order.Choreography + "/";

    /// <summary>Who cancels what stays pending for too long; others hear of it under a code of its own.</summary>
    public const string Watcher = "watcher";

    public const string Overdue = "order-overdue";

    /// <summary>Whether anything on streams of this kind is ever told.</summary>
    public static bool Tells(string category) => category is
        Order.Category or Customer.Category or Allocation.Category or Payment.Category or Shipment.Category;

    /// <summary>Null when nobody outside has to hear of it.</summary>
    /// <exception cref="UndecodableEventException">This code can not read the event.</exception>
    public static CloudEvent? Of(StoredEvent stored)
    {
        if (!StreamId.TryParse(stored.StreamId, out var stream)) return null;
        var data = stream.Category switch
        {
            Order.Category => Of(Aggregates.Orders.Codec.Decode(stored)),
            Customer.Category => Of(Aggregates.Customers.Codec.Decode(stored)),
            Allocation.Category => Of(Aggregates.Allocations.Codec.Decode(stored)),
            Payment.Category => Of(Aggregates.Payments.Codec.Decode(stored)),
            Shipment.Category => Of(Aggregates.Shipments.Codec.Decode(stored)),
            _ => null,
        };
        return data is null ? null : Enveloped(stored, data);
    }

    static CloudEvent Enveloped(StoredEvent stored, object data)
    {
        var name = Contracts.NameOf(data.GetType());
        return new()
        {
            Id = stored.EventId,
            Type = name,
            Subject = stored.StreamId,
            Time = stored.Timestamp,
            DataSchema = Contracts.SchemaOf(name),
            Sequence = stored.Id,
            CorrelationId = stored.CorrelationId,
            CausationId = stored.CausationId,
            Workflow = data is OrderPlaced placed ? placed.Workflow
                : stored.CommandId.StartsWith(ChoreographedPrefix, StringComparison.Ordinal) ? Order.Choreography
                : null,
            TraceParent = stored.TraceParent,
            Data = JsonSerializer.SerializeToElement(data, data.GetType(), StoredJson.Options),
        };
    }

    static object? Of(Recorded<OrderEvent> recorded)
    {
        var order = Order.IdOf(recorded.Stream).Value;
        return recorded.Event switch
        {
            OrderEvent.Placed e => new OrderPlaced(
                order,
                e.Customer.Value,
                [.. e.Lines.Select(line => new PricedLine(line.Product.Value, line.Quantity, Of(line.UnitPrice)))],
                Of(e.Total),
                e.Workflow),
            OrderEvent.CancellationRequested e =>
                new OrderCancellationRequested(order, e.By == Watcher ? Overdue : "cancellation-requested"),
            OrderEvent.ApprovalRequested e => new OrderApprovalRequested(order, e.Until),
            OrderEvent.Approved => new OrderApproved(order),
            OrderEvent.Rejected => new OrderRejected(order),
            OrderEvent.ApprovalExpired => new OrderApprovalExpired(order),
            OrderEvent.Confirmed => new OrderConfirmed(order),
            OrderEvent.Cancelled e => new OrderCancelled(order, e.Code),
            OrderEvent.Shipped => new OrderShipped(order),
            OrderEvent.Delivered => new OrderDelivered(order),
            OrderEvent.Returned => new OrderReturned(order),
            _ => null,
        };
    }

    static object? Of(Recorded<CustomerEvent> recorded)
    {
        var customer = Customer.IdOf(recorded.Stream).Value;
        return recorded.Event switch
        {
            CustomerEvent.CreditReserved e => new CreditReserved(e.Reservation.Value, customer, Of(e.Amount)),
            CustomerEvent.CreditRefused e => new CreditRefused(e.Reservation.Value, customer, e.Code),
            CustomerEvent.CreditReleased { Why: { } why } e => new CreditReleased(e.Reservation.Value, customer, why),
            CustomerEvent.CreditReleased e => new CreditSettled(e.Reservation.Value, customer),
            _ => null,
        };
    }

    static object? Of(Recorded<AllocationEvent> recorded)
    {
        var order = Allocation.IdOf(recorded.Stream).Value;
        return recorded.Event switch
        {
            AllocationEvent.Reserved e => new StockReserved(
                order, [.. e.Lines.Select(line => new ProductLine(line.Product.Value, line.Quantity))]),
            AllocationEvent.Refused e => new StockRefused(order, e.Code),
            AllocationEvent.Released e => new StockReleased(order, e.Why),
            AllocationEvent.Committed => new StockCommitted(order),
            _ => null,
        };
    }

    static object? Of(Recorded<PaymentEvent> recorded)
    {
        var order = Payment.IdOf(recorded.Stream).Value;
        return recorded.Event switch
        {
            PaymentEvent.Authorized e => new PaymentAuthorized(order, Of(e.Amount)),
            PaymentEvent.Declined e => new PaymentDeclined(order, e.Code),
            PaymentEvent.Voided e => new PaymentVoided(order, e.Why),
            PaymentEvent.Captured e => new PaymentCaptured(order, Of(e.Amount)),
            PaymentEvent.Refunded e => new PaymentRefunded(order, e.Refund.Value, Of(e.Amount)),
            _ => null,
        };
    }

    static object? Of(Recorded<ShipmentEvent> recorded)
    {
        var order = Shipment.IdOf(recorded.Stream).Value;
        return recorded.Event switch
        {
            ShipmentEvent.Booked => new ShipmentBooked(order),
            ShipmentEvent.Refused e => new ShipmentRefused(order, e.Code),
            ShipmentEvent.Cancelled e => new ShipmentCancelled(order, e.Why),
            ShipmentEvent.Dispatched => new ShipmentDispatched(order),
            ShipmentEvent.Delivered => new ShipmentDelivered(order),
            _ => null,
        };
    }

    static Amount Of(Money money) => new(money.MinorUnits, money.Currency.Value);
}
