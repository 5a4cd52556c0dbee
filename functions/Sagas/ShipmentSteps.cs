using Commerce;
using Commerce.Customers;
using Commerce.Ordering;
using Commerce.Shipping;
using EventSourcing;
using Microsoft.Azure.Functions.Worker;
using static Commerce.Shipping.ShipmentCommand;

namespace Functions.Sagas;

public sealed record ShipmentStep(Origin Origin, Address ShipTo)
{
    public ShipmentId Shipment => ShipmentId.Of(Origin.Order);
}

/// <summary>
/// What sagas ask of shipping: first the carrier, idempotent under the shipment's id, then the record of its answer.
/// </summary>
public sealed class ShipmentSteps(
    CommandHandler<Shipment, ShipmentCommand, ShipmentEvent> shipments,
    CommandHandler<Order, OrderCommand, OrderEvent> orders,
    ICarrier carrier)
{
    [Function(nameof(BookShipment))]
    public async Task<Refusal?> BookShipment([ActivityTrigger] ShipmentStep step, CancellationToken cancellation)
    {
        // The saga knows the address only as it is stored, sealed: here it is opened, from the order itself.
        var placed = (await orders.KnownAsync(
            Order.Stream(step.Origin.Order), TimeSpan.MaxValue, cancellation)).State.Content;
        if (placed is null) return OrderRefusal.Unknown;

        // The address is checked before the carrier hears of it.
        if (Shipment.Fault(placed.ShipTo) is { } fault) return fault;
        return await carrier.BookAsync(step.Shipment, placed.ShipTo, cancellation) switch
        {
            CarrierAnswer.Booked booked =>
                await RecordAsync(
                    step, "book", new Book(placed.ShipTo, booked.Tracking), placed.Customer, cancellation),
            CarrierAnswer.Refused refused => new(refused.Code, refused.Detail),
            var other => throw new InvalidOperationException($"The carrier answered a booking with {other}."),
        };
    }

    [Function(nameof(CancelShipment))]
    public async Task<Refusal?> CancelShipment([ActivityTrigger] ShipmentStep step, CancellationToken cancellation) =>
        await carrier.CancelAsync(step.Shipment, cancellation) is CarrierAnswer.Refused refused
            ? new(refused.Code, refused.Detail)
            : await RecordAsync(step, "cancel", new Cancel(), customer: null, cancellation);

    async Task<Refusal?> RecordAsync(
        ShipmentStep step, string name, ShipmentCommand command, CustomerId? customer,
        CancellationToken cancellation) =>
        (await shipments.HandleAsync(
            Shipment.Stream(step.Shipment),
            command,
            step.Origin.Command(name) with { Subject = customer is { } whose ? Customer.Stream(whose) : null },
            cancellation)).Refusal;
}
