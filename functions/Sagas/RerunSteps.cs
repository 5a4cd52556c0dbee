using System.Collections.Immutable;
using Commerce;
using Commerce.Inventory;
using Commerce.Payments;
using Commerce.Shipping;
using EventSourcing;
using Microsoft.Azure.Functions.Worker;

namespace Functions.Sagas;

public sealed record TakenBackQuestion(Origin Origin, ImmutableArray<ProductId> Products);

/// <summary>What a saga that is run again asks of the streams before it repeats its steps.</summary>
public sealed class RerunSteps(
    CommandHandler<Stock, StockCommand, StockEvent> stocks,
    CommandHandler<Payment, PaymentCommand, PaymentEvent> payments,
    CommandHandler<Shipment, ShipmentCommand, ShipmentEvent> shipments)
{
    public static readonly Refusal TakenBack = new(
        "order-taken-back", "An earlier run of the saga had begun to take the order back.");

    /// <summary>
    /// Refuses when anything of the order was taken back. A repeat of the step would only say that it was done once,
    /// and the order be confirmed without its goods.
    /// </summary>
    [Function(nameof(FindTakenBack))]
    public async Task<Refusal?> FindTakenBack(
        [ActivityTrigger] TakenBackQuestion step, CancellationToken cancellation)
    {
        var order = step.Origin.Order;
        var payment = await payments.LoadAsync(
            Payment.Stream(PaymentId.Of(order)), StreamRange.All, cancellation);
        if (payment.State.Status == PaymentStatus.Voided) return TakenBack;
        var shipment = await shipments.LoadAsync(
            Shipment.Stream(ShipmentId.Of(order)), StreamRange.All, cancellation);
        if (shipment.State.Status == ShipmentStatus.Cancelled) return TakenBack;
        foreach (var product in step.Products)
        {
            var stock = await stocks.KnownAsync(Stock.Stream(product), TimeSpan.Zero, cancellation);
            if (stock.State.Closed.TryFind(ReservationId.Of(order), out var closure) && !closure.Committed)
                return TakenBack;
        }

        return null;
    }
}
