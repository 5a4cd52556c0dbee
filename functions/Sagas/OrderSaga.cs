using System.Collections.Immutable;
using Commerce;
using Commerce.Ordering;
using EventSourcing;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask;

namespace Functions.Sagas;

/// <summary>
/// The order a saga works for, as it was placed, and what the saga's own commands are traced back to.
/// </summary>
public sealed record PlacedOrder(
    Origin Origin, ImmutableArray<OrderLine> Lines, Money Total, Address ShipTo, PaymentMethod PaymentMethod);

/// <summary>Whose step it is: the order, and the request and event it all began with.</summary>
public sealed record Origin(OrderId Order, string CorrelationId, string CausationId)
{
    public string Saga => OrderSaga.IdOf(Order);

    /// <summary>
    /// A step's command: its id is the saga and the step, so asking again is a repeat and not a second effect.
    /// </summary>
    public CommandContext Command(string step) => new($"{Saga}/{step}", CorrelationId, CausationId, Saga);
}

/// <summary>Takes a placed order to confirmed and paid, or leaves no trace of it but its cancellation.</summary>
public static class OrderSaga
{
    static readonly TimeSpan OutsideTimeout = TimeSpan.FromSeconds(30);

    public static string IdOf(OrderId order) => Order.Stream(order).ToString();

    [Function(nameof(OrderSaga))]
    public static async Task<Refusal?> RunAsync(
        [OrchestrationTrigger] TaskOrchestrationContext context, PlacedOrder order)
    {
        var saga = new Saga(context, SagaStories.Begin(order.Origin, new(context.CurrentUtcDateTime, TimeSpan.Zero)));

        // The step most likely to refuse comes first, the hardest to undo last.
        var refusal =
            await saga.TryAllAsync(order.Lines.Select(line => ReserveStock(order, line))) ??
            await saga.TryAsync(AuthorizePayment(order)) ??
            await saga.TryAsync(BookShipment(order)) ??
            await saga.PivotAsync(ConfirmOrder(order));

        if (refusal is not null)
        {
            await saga.UndoAsync(refusal);
            await saga.MustAsync(CancelOrder(order, refusal));
        }
        else
        {
            // The order is confirmed: from here the saga only goes forward.
            await saga.MustAsync(CapturePayment(order));
            await saga.MustAllAsync(order.Lines.Select(line => CommitStock(order, line)));
        }

        await saga.EndAsync();
        return refusal;
    }

    static Step ReserveStock(PlacedOrder order, OrderLine line) =>
        new($"reserve {line.Product}", nameof(StockSteps.ReserveStock), Stock(order, line),
            nameof(StockSteps.ReleaseStock));

    static Step AuthorizePayment(PlacedOrder order) =>
        new("authorize payment", nameof(PaymentSteps.AuthorizePayment), Payment(order),
            nameof(PaymentSteps.VoidPayment))
        {
            Timeout = OutsideTimeout,
        };

    static Step BookShipment(PlacedOrder order) =>
        new(
            "book shipment",
            nameof(ShipmentSteps.BookShipment),
            new ShipmentStep(order.Origin, order.ShipTo),
            nameof(ShipmentSteps.CancelShipment))
        {
            Timeout = OutsideTimeout,
        };

    static Step ConfirmOrder(PlacedOrder order) =>
        new("confirm order", nameof(OrderSteps.ConfirmOrder), new OrderStep(order.Origin),
            nameof(OrderSteps.RuleOutConfirmation));

    static Step CancelOrder(PlacedOrder order, Refusal why) =>
        new("cancel order", nameof(OrderSteps.CancelOrder), new OrderStep(order.Origin, why));

    static Step CapturePayment(PlacedOrder order) =>
        new("capture payment", nameof(PaymentSteps.CapturePayment), Payment(order))
        {
            Timeout = OutsideTimeout,
        };

    static Step CommitStock(PlacedOrder order, OrderLine line) =>
        new($"commit {line.Product}", nameof(StockSteps.CommitStock), Stock(order, line));

    static StockStep Stock(PlacedOrder order, OrderLine line) => new(order.Origin, line.Product, line.Quantity);

    static PaymentStep Payment(PlacedOrder order) => new(order.Origin, order.Total, order.PaymentMethod);
}
