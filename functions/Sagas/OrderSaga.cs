using System.Collections.Immutable;
using System.Text.Json.Serialization;
using Commerce;
using Commerce.Ordering;
using EventSourcing;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask;

namespace Functions.Sagas;

/// <summary>
/// The order a saga works for, as it was placed, and what the saga's own commands are traced back to.
/// </summary>
/// <remarks>
/// <c>ApproveWithin</c> is set for an order so large that somebody has to agree to it, and in so long. Who starts the
/// saga decides that, once: a setting that changes meanwhile must not change what a replay does. <c>IsConfirmed</c> is
/// an order whose pivot lies behind it already: its saga only goes forward.
/// </remarks>
public sealed record PlacedOrder(
    Origin Origin, ImmutableArray<OrderLine> Lines, Money Total, Address ShipTo, PaymentMethod PaymentMethod,
    TimeSpan? ApproveWithin = null, bool IsConfirmed = false)
{
    /// <summary>Set when an earlier run of the saga broke.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public Rerun? Again { get; init; }
}

/// <summary>Whose step it is: the order, and the request and event it all began with.</summary>
public sealed record Origin(OrderId Order, string CorrelationId, string CausationId)
{
    /// <summary>The order's own saga, unless it is said to be another one.</summary>
    public string Saga { get; init; } = OrderSaga.IdOf(Order);

    /// <summary>The trace of that event: every step goes on in it, however much later.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? TraceParent { get; init; }

    /// <summary>
    /// A step's command: its id is the saga and the step, so asking again is a repeat and not a second effect.
    /// </summary>
    public CommandContext Command(string step) => new($"{Saga}/{step}", CorrelationId, CausationId, Saga)
    {
        TraceParent = TraceParent,
    };
}

/// <summary>Takes a placed order to confirmed and paid, or leaves no trace of it but its cancellation.</summary>
public static class OrderSaga
{
    /// <summary>Wakes a saga that waits for people: something has happened on its order's stream.</summary>
    public const string OrderChanged = "order changed";

    static readonly TimeSpan OutsideTimeout = TimeSpan.FromSeconds(30);

    public static string IdOf(OrderId order) => Order.Stream(order).ToString();

    [Function(nameof(OrderSaga))]
    public static async Task<Refusal?> RunAsync(
        [OrchestrationTrigger] TaskOrchestrationContext context, PlacedOrder order)
    {
        var saga = new Saga(context, SagaStories.Begin(
            order.Origin, nameof(OrderSaga), context.Version, new(context.CurrentUtcDateTime, TimeSpan.Zero),
            order.Again));

        // The step most likely to refuse comes first, the hardest to undo last. Goods are held while people think it
        // over, a card is not: banks let go of what was set aside for days.
        var refusal = order.IsConfirmed ? null :
            await TakenBackAsync(saga, order) ??
            await saga.TryAllAsync(order.Lines.Select(line => ReserveStock(order, line))) ??
            await ApprovedAsync(saga, order) ??
            await saga.TryAsync(AuthorizePayment(order)) ??
            await saga.TryAsync(BookShipment(order)) ??
            await saga.PivotAsync(ConfirmOrder(order));

        if (refusal is not null)
        {
            // An earlier run may have come further than this one.
            if (order.Again is not null)
                saga.MayHaveBegun(
                    [.. order.Lines.Select(line => ReserveStock(order, line)), AuthorizePayment(order),
                        BookShipment(order)]);
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

    /// <summary>Why an order whose saga is run again can only be taken back.</summary>
    static async Task<Refusal?> TakenBackAsync(Saga saga, PlacedOrder order) => order.Again switch
    {
        null => null,
        { Refusal: { } refusal } => refusal,
        _ => await saga.AskAsync(new(
            "look for what is taken back", nameof(RerunSteps.FindTakenBack),
            new TakenBackQuestion(order.Origin, [.. order.Lines.Select(line => line.Product)]))
        {
            Policy = StepPolicy.Behind,
        }),
    };

    static async Task<Refusal?> ApprovedAsync(Saga saga, PlacedOrder order) => order.ApproveWithin is { } within
        ? await saga.WaitAsync(Approval(order, within))
        : null;

    static Wait Approval(PlacedOrder order, TimeSpan within) =>
        new("approval", OrderChanged, within,
            until => new(
                "ask for approval", nameof(OrderSteps.RequestApproval), new ApprovalQuestion(order.Origin, until)
                {
                    Run = order.Again?.Run ?? 0,
                }),
            overdue => new(
                "approval", nameof(OrderSteps.SettleApproval), new ApprovalAnswer(order.Origin, overdue)),
            OrderRefusal.ApprovalPending);

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

            // As long as the parcel may still leave, nobody gets its goods and its money stays set aside.
            Guards = true,
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
