using Commerce.Ordering;
using EventSourcing;
using Microsoft.Azure.Functions.Worker;
using static Commerce.Ordering.OrderCommand;

namespace Functions.Sagas;

public sealed record OrderStep(Origin Origin, Refusal? Why = null);

/// <summary>
/// Each run of a saga asks by a command of its own, for it has another time left; who was asked is not asked twice.
/// </summary>
public sealed record ApprovalQuestion(Origin Origin, DateTimeOffset Until)
{
    public int Run { get; init; }
}

public sealed record ApprovalAnswer(Origin Origin, bool IsOverdue);

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

    [Function(nameof(RequestApproval))]
    public async Task<Refusal?> RequestApproval(
        [ActivityTrigger] ApprovalQuestion step, CancellationToken cancellation) =>
        (await orders.HandleAsync(
            Order.Stream(step.Origin.Order),
            new RequestApproval(step.Until),
            step.Origin.Command(step.Run == 0 ? "request-approval" : $"request-approval/{step.Run}"),
            cancellation)).Refusal;

    /// <summary>
    /// What became of the question: nothing stands against the order any more, or why not, or still nothing. The end of
    /// the time is written on the order's stream, where it and an answer at the last moment cannot both come first.
    /// </summary>
    [Function(nameof(SettleApproval))]
    public async Task<Refusal?> SettleApproval(
        [ActivityTrigger] ApprovalAnswer step, CancellationToken cancellation)
    {
        var stream = Order.Stream(step.Origin.Order);
        if (step.IsOverdue)
            await orders.HandleAsync(
                stream, new ExpireApproval(), step.Origin.Command("expire-approval"), cancellation);
        var order = (await orders.LoadAsync(stream, StreamRange.All, cancellation)).State;
        if (order.Request is not null) return OrderRefusal.CancellationRequested;
        return order.Approval switch
        {
            ApprovalState.Approved => null,
            ApprovalState.Rejected => OrderRefusal.Rejected,
            ApprovalState.Expired => OrderRefusal.ApprovalExpired,
            ApprovalState.Requested => OrderRefusal.ApprovalPending,
            _ => OrderRefusal.ApprovalNotRequested,
        };
    }

    async Task<Refusal?> AskAsync(OrderStep step, string name, OrderCommand command, CancellationToken cancellation) =>
        (await orders.HandleAsync(
            Order.Stream(step.Origin.Order), command, step.Origin.Command(name), cancellation)).Refusal;
}
