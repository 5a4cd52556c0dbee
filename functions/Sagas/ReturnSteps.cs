using Commerce;
using Commerce.Inventory;
using Commerce.Ordering;
using Commerce.Payments;
using Commerce.Shipping;
using EventSourcing;
using Microsoft.Azure.Functions.Worker;

namespace Functions.Sagas;

public sealed record RefundStep(Origin Origin, Money Amount);

/// <summary>What the return saga asks of the contexts that sold the order. Each call is a command of its own.</summary>
public sealed class ReturnSteps(
    CommandHandler<Order, OrderCommand, OrderEvent> orders,
    CommandHandler<Payment, PaymentCommand, PaymentEvent> payments,
    CommandHandler<Shipment, ShipmentCommand, ShipmentEvent> shipments,
    CommandHandler<Stock, StockCommand, StockEvent> stocks,
    IPaymentGateway gateway,
    ICarrier carrier)
{
    /// <summary>
    /// Done when the money was taken and the goods have left the books: what is sold only half can not be taken back
    /// whole. Until then it is a fault, so that it is asked again.
    /// </summary>
    [Function(nameof(AwaitSale))]
    public async Task<Refusal?> AwaitSale([ActivityTrigger] ReturnedOrder order, CancellationToken cancellation)
    {
        var payment = await payments.LoadAsync(PaymentOf(order.Origin), StreamRange.All, cancellation);
        if (payment.State.Status != PaymentStatus.Captured)
            throw new InvalidOperationException("The payment is not captured yet.");
        foreach (var line in order.Lines)
        {
            var stock = await stocks.LoadAsync(Stock.Stream(line.Product), StreamRange.All, cancellation);
            if (stock.State.Held.ContainsKey(ReservationId.Of(order.Origin.Order)))
                throw new InvalidOperationException($"{line.Product} has not left the books yet.");
        }

        return null;
    }

    /// <summary>A parcel that is on its way comes back by post; one that is not stays here.</summary>
    [Function(nameof(RecallParcel))]
    public async Task<Refusal?> RecallParcel([ActivityTrigger] Origin origin, CancellationToken cancellation)
    {
        var stream = Shipment.Stream(ShipmentId.Of(origin.Order));
        var parcel = await shipments.LoadAsync(stream, StreamRange.All, cancellation);
        if (parcel.State.Status is ShipmentStatus.Dispatched or ShipmentStatus.Delivered) return null;
        if (await carrier.CancelAsync(ShipmentId.Of(origin.Order), cancellation) is CarrierAnswer.Refused) return null;
        var refusal = (await shipments.HandleAsync(
            stream, new ShipmentCommand.Cancel(), origin.Command("recall"), cancellation)).Refusal;
        return refusal?.Code == ShipmentRefusal.Dispatched.Code ? null : refusal;
    }

    [Function(nameof(RefundPayment))]
    public async Task<Refusal?> RefundPayment([ActivityTrigger] RefundStep step, CancellationToken cancellation)
    {
        var payment = PaymentId.Of(step.Origin.Order);
        var known = await payments.LoadAsync(Payment.Stream(payment), StreamRange.All, cancellation);
        if (known.State.Authorization is not { } authorization) return PaymentRefusal.Unknown;

        // An order is given back once, so its own id names the refund.
        var refund = new RefundId(step.Origin.Order.Value);
        var answer = await gateway.RefundAsync(
            payment, authorization.AuthorizationId, refund, step.Amount, cancellation);
        if (answer is PaymentAnswer.Declined declined) return new(declined.Code, declined.Detail);
        return (await payments.HandleAsync(
            Payment.Stream(payment),
            new PaymentCommand.RecordRefunded(refund, step.Amount),
            step.Origin.Command("refund"),
            cancellation)).Refusal;
    }

    /// <summary>The receipt names the return: goods that come back are counted once.</summary>
    [Function(nameof(RestockReturned))]
    public async Task<Refusal?> RestockReturned([ActivityTrigger] StockStep step, CancellationToken cancellation) =>
        (await stocks.HandleAsync(
            Stock.Stream(step.Product),
            new StockCommand.Receive(step.Quantity, step.Origin.Saga),
            step.Origin.Command("restock"),
            cancellation)).Refusal;

    [Function(nameof(CompleteReturn))]
    public async Task<Refusal?> CompleteReturn([ActivityTrigger] Origin origin, CancellationToken cancellation) =>
        (await orders.HandleAsync(
            Order.Stream(origin.Order), new OrderCommand.CompleteReturn(), origin.Command("complete"), cancellation))
        .Refusal;

    static StreamId PaymentOf(Origin origin) => Payment.Stream(PaymentId.Of(origin.Order));
}
