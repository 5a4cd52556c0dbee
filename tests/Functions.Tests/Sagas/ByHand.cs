using Commerce;
using Commerce.Ordering;
using EventSourcing;
using Functions.EventStore;
using Functions.Sagas;
using Microsoft.Extensions.DependencyInjection;

namespace Functions.Tests.Sagas;

/// <summary>What an operator does himself before he says "resolve": the same work, past the saga.</summary>
sealed class ByHand(FaultySystem system)
{
    public async Task DoAsync(string activity, Guid id, string parked)
    {
        var services = system.System.Host.Services;
        var order = new OrderId(id);
        var orders = services.GetRequiredService<CommandHandler<Order, OrderCommand, OrderEvent>>();
        var placed = (await orders.LoadAsync(Order.Stream(order), StreamRange.All, default)).State.Content!;
        var origin = new Origin(order, "by-hand", "by-hand");
        T Steps<T>() => ActivatorUtilities.CreateInstance<T>(services);
        StockStep Line()
        {
            var line = placed.Lines.Single(line => parked.EndsWith($" {line.Product}", StringComparison.Ordinal));
            return new(origin, line.Product, line.Quantity);
        }

        var payment = new PaymentStep(origin, placed.Total, placed.PaymentMethod);
        var refusal = await (activity switch
        {
            nameof(StockSteps.ReleaseStock) => Steps<StockSteps>().ReleaseStock(Line(), default),
            nameof(StockSteps.CommitStock) => Steps<StockSteps>().CommitStock(Line(), default),
            nameof(PaymentSteps.VoidPayment) => Steps<PaymentSteps>().VoidPayment(payment, default),
            nameof(PaymentSteps.CapturePayment) => Steps<PaymentSteps>().CapturePayment(payment, default),
            nameof(ShipmentSteps.CancelShipment) =>
                Steps<ShipmentSteps>().CancelShipment(new(origin, placed.ShipTo), default),
            nameof(OrderSteps.CancelOrder) => CancelAsync(orders, order),
            nameof(OrderSteps.RuleOutConfirmation) => Steps<OrderSteps>().RuleOutConfirmation(new(origin), default),
            _ => throw new InvalidOperationException($"Nobody knows how to do {activity} by hand."),
        });
        Assert.True(refusal is null, $"{activity} by hand: {refusal?.Code}");
    }

    // Other words than the saga's, hence a command of its own.
    static async Task<Refusal?> CancelAsync(CommandHandler<Order, OrderCommand, OrderEvent> orders, OrderId order) =>
        (await orders.HandleAsync(
            Order.Stream(order),
            new OrderCommand.Cancel("by-hand", "Cancelled by hand."),
            new($"by-hand/{order}", "by-hand", "by-hand", "operator@example.com"),
            default)).Refusal;
}
