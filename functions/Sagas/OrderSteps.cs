using Commerce.Ordering;
using EventSourcing;
using Microsoft.Azure.Functions.Worker;
using static Commerce.Ordering.OrderCommand;

namespace Functions.Sagas;

public sealed record OrderStep(Origin Origin, Refusal? Why = null);

/// <summary>What the order saga asks of the order itself.</summary>
public sealed class OrderSteps(CommandHandler<Order, OrderCommand, OrderEvent> orders)
{
    [Function(nameof(ConfirmOrder))]
    public Task<Refusal?> ConfirmOrder([ActivityTrigger] OrderStep step, CancellationToken cancellation) =>
        AskAsync(step, "confirm", new Confirm(), cancellation);

    /// <summary>
    /// Keeps a confirmation of which nobody knows whether it happened from happening later; refuses if it has.
    /// </summary>
    [Function(nameof(RuleOutConfirmation))]
    public Task<Refusal?> RuleOutConfirmation([ActivityTrigger] OrderStep step, CancellationToken cancellation) =>
        AskAsync(step, "rule-out", new RequestCancellation("The order could not be confirmed.", step.Origin.Saga),
            cancellation);

    [Function(nameof(CancelOrder))]
    public Task<Refusal?> CancelOrder([ActivityTrigger] OrderStep step, CancellationToken cancellation) =>
        AskAsync(step, "cancel", new Cancel(step.Why!.Code, step.Why.Detail), cancellation);

    async Task<Refusal?> AskAsync(OrderStep step, string name, OrderCommand command, CancellationToken cancellation) =>
        (await orders.HandleAsync(
            Order.Stream(step.Origin.Order), command, step.Origin.Command(name), cancellation)).Refusal;
}
