using Azure.Messaging.ServiceBus;
using Commerce;
using Commerce.Customers;
using Commerce.Ordering;
using Commerce.Shipping;
using EventSourcing;
using Functions.Messaging;
using Microsoft.Azure.Functions.Worker;
using static Commerce.Shipping.ShipmentCommand;

namespace Functions.Choreography;

/// <summary>
/// Shipping: book the parcel of an order whose money is set aside; close the shipment when the order is to be stopped,
/// from where the undoing runs back through all the others.
/// </summary>
public sealed class ShippingReactions(
    CommandHandler<Shipment, ShipmentCommand, ShipmentEvent> shipments,
    ICarrier carrier,
    PlacedOrders orders,
    Listening listening)
{
    const string Context = "shipping";

    [Function(nameof(ReactShipping))]
    public Task ReactShipping(
        [ServiceBusTrigger(Outbox.Topic, Context, Connection = Connections.ServiceBus, IsSessionsEnabled = true)]
        ServiceBusReceivedMessage message,
        CancellationToken cancellation) =>
        listening.HearAsync(
            Context,
            message,
            heard => heard.Content switch
            {
                PaymentAuthorized e => BookAsync(heard, new(e.Order), cancellation),
                OrderCancellationRequested e => CancelAsync(heard, new(e.Order), e.Code, cancellation),
                OrderRejected e => CancelAsync(heard, new(e.Order), OrderRefusal.Rejected.Code, cancellation),
                OrderApprovalExpired e =>
                    CancelAsync(heard, new(e.Order), OrderRefusal.ApprovalExpired.Code, cancellation),
                _ => throw heard.Unexpected(),
            },
            cancellation);

    async Task BookAsync(Heard heard, OrderId order, CancellationToken cancellation)
    {
        var placed = await orders.FindAsync(order, cancellation);
        var shipment = ShipmentId.Of(order);

        // Answered already: a message may come again long after a carrier has forgotten that it was asked.
        if ((await shipments.LoadAsync(Shipment.Stream(shipment), StreamRange.All, cancellation)).Sequence > 0) return;

        // The address is checked before the carrier hears of it.
        var no = Shipment.Fault(placed.ShipTo);
        if (no is null)
        {
            no = await carrier.BookAsync(shipment, placed.ShipTo, cancellation) switch
            {
                CarrierAnswer.Booked booked => await RecordAsync(
                    heard, shipment, placed.ShipTo, booked.Tracking, placed.Customer, cancellation),
                CarrierAnswer.Refused refused => new(refused.Code, refused.Detail),
                var other => throw new InvalidOperationException($"The carrier answered a booking with {other}."),
            };
        }

        if (no is null) return;

        // Closed meanwhile, or the person was forgotten: whatever the carrier has booked goes back first.
        await TakeBackAsync(heard, shipment, cancellation);
        await MustAsync(heard, "refuse", shipment, new RecordRefused(no.Code, no.Detail), cancellation);
    }

    async Task CancelAsync(Heard heard, OrderId order, string why, CancellationToken cancellation)
    {
        // Who stops an order does not say how the order is carried out; another workflow undoes itself.
        if ((await orders.FindAsync(order, cancellation)).Workflow != Order.Choreography) return;
        var shipment = ShipmentId.Of(order);
        await TakeBackAsync(heard, shipment, cancellation);
        await MustAsync(heard, "cancel", shipment, new Cancel(why), cancellation);
    }

    async Task<Refusal?> RecordAsync(
        Heard heard, ShipmentId shipment, Address shipTo, string tracking, CustomerId customer,
        CancellationToken cancellation) =>
        (await shipments.HandleAsync(
            Shipment.Stream(shipment),
            new Book(shipTo, tracking),
            heard.Command("book") with { Subject = Customer.Stream(customer) },
            cancellation)).Refusal;

    async Task TakeBackAsync(Heard heard, ShipmentId shipment, CancellationToken cancellation)
    {
        if (await carrier.CancelAsync(shipment, cancellation) is CarrierAnswer.Refused refused)
            heard.Demand(new(refused.Code, refused.Detail));
    }

    async Task MustAsync(
        Heard heard, string verb, ShipmentId shipment, ShipmentCommand command, CancellationToken cancellation)
    {
        var outcome = await shipments.HandleAsync(
            Shipment.Stream(shipment), command, heard.Command(verb), cancellation);
        heard.Demand(outcome.Refusal);
    }
}
