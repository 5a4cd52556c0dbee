using System.Collections.Immutable;
using EventSourcing;

namespace Commerce.Ordering;

/// <summary>So many pieces of one product at the price the customer saw.</summary>
public sealed record OrderLine(ProductId Product, int Quantity, Money UnitPrice);

/// <summary>The facts on an order stream. Names and shapes are stored for ever: add, never edit.</summary>
public abstract record OrderEvent
{
    /// <remarks>
    /// <c>ApproveWithin</c> is set for an order so large that somebody has to agree to it, and in so long. Contexts
    /// that nobody leads must all mean the same by that, so the first event says it; a saga is told when it starts.
    /// </remarks>
    public sealed record Placed(
        CustomerId Customer,
        ImmutableArray<OrderLine> Lines,
        Money Total,
        Address ShipTo,
        PaymentMethod PaymentMethod,
        string Workflow,
        TimeSpan? ApproveWithin = null) : OrderEvent;

    public sealed record CancellationRequested(string Reason, string By) : OrderEvent;

    public sealed record Confirmed : OrderEvent;

    public sealed record Cancelled(string Code, string Detail) : OrderEvent;

    public sealed record Shipped(string Tracking) : OrderEvent;

    public sealed record Delivered : OrderEvent;

    /// <summary>The order waits for somebody's word, until then at the latest.</summary>
    public sealed record ApprovalRequested(DateTimeOffset Until) : OrderEvent;

    public sealed record Approved(string By) : OrderEvent;

    public sealed record Rejected(string Reason, string By) : OrderEvent;

    /// <summary>Nobody answered in time, and nobody can any more.</summary>
    public sealed record ApprovalExpired : OrderEvent;

    /// <summary>The customer wants to give back what is already sold.</summary>
    public sealed record ReturnRequested(string Reason, string By) : OrderEvent;

    /// <summary>The money is refunded and the goods are in stock again.</summary>
    public sealed record Returned : OrderEvent;

    public static readonly EventTypes<OrderEvent> Types = new()
    {
        { "order-placed", typeof(Placed), Personal.Of("customer", "customer", "shipTo") },
        { "order-cancellation-requested", typeof(CancellationRequested) },
        { "order-confirmed", typeof(Confirmed) },
        { "order-cancelled", typeof(Cancelled) },
        { "order-shipped", typeof(Shipped) },
        { "order-delivered", typeof(Delivered) },
        { "order-approval-requested", typeof(ApprovalRequested) },
        { "order-approved", typeof(Approved) },
        { "order-rejected", typeof(Rejected) },
        { "order-approval-expired", typeof(ApprovalExpired) },
        { "order-return-requested", typeof(ReturnRequested) },
        { "order-returned", typeof(Returned) },
    };

    OrderEvent() { }
}

/// <summary>What can be asked of an order.</summary>
public abstract record OrderCommand
{
    /// <summary>The workflow, one of <see cref="Order.Workflows"/>, is the way the order is carried out.</summary>
    public sealed record Place(
        CustomerId Customer,
        ImmutableArray<OrderLine> Lines,
        Address ShipTo,
        PaymentMethod PaymentMethod,
        string Workflow = Order.Orchestration,
        TimeSpan? ApproveWithin = null) : OrderCommand;

    public sealed record Confirm : OrderCommand;

    /// <summary>A person's wish to stop. It does not cancel: it keeps the order from being confirmed.</summary>
    public sealed record RequestCancellation(string Reason, string By) : OrderCommand;

    /// <summary>The end of an order whose steps have all been undone.</summary>
    public sealed record Cancel(string Code, string Detail) : OrderCommand;

    public sealed record Ship(string Tracking) : OrderCommand;

    public sealed record Deliver : OrderCommand;

    /// <summary>The order is too large to go on without somebody's word.</summary>
    public sealed record RequestApproval(DateTimeOffset Until) : OrderCommand;

    public sealed record Approve(string By) : OrderCommand;

    public sealed record Reject(string Reason, string By) : OrderCommand;

    /// <summary>The time for an answer is over; an answer that came before stands.</summary>
    public sealed record ExpireApproval : OrderCommand;

    /// <summary>
    /// The customer wants out, whatever has happened: before the order is confirmed that is a wish to cancel, behind it
    /// a return. The order's stream decides which.
    /// </summary>
    public sealed record Withdraw(string Reason, string By) : OrderCommand;

    /// <summary>The end of an order that was taken back.</summary>
    public sealed record CompleteReturn : OrderCommand;

    OrderCommand() { }
}

/// <summary>Every "no" of an order.</summary>
public static class OrderRefusal
{
    public static readonly Refusal Unknown = new("unknown-order", "There is no such order.", RefusalKind.Unknown);

    public static readonly Refusal OtherContent = new(
        "order-exists-with-other-content", "An order with this id was placed with other content.");

    public static readonly Refusal OtherTracking = new(
        "order-shipped-with-other-tracking", "The order was shipped under another tracking number.");

    public static readonly Refusal CancellationRequested = new(
        "cancellation-requested", "Cancellation was requested, so the order is not confirmed any more.");

    public static readonly Refusal Confirmed = new(
        "order-already-confirmed", "The order is confirmed: too late to cancel.");

    public static readonly Refusal Cancelled = new("order-cancelled", "The order is cancelled.");

    public static readonly Refusal NotConfirmed = new("order-not-confirmed", "The order is not confirmed yet.");

    public static readonly Refusal NotShipped = new("order-not-shipped", "The order is not shipped yet.");

    public static readonly Refusal ApprovalNotRequested = new(
        "approval-not-requested", "The order does not wait for an approval.");

    public static readonly Refusal ApprovalPending = new(
        "approval-pending", "The order waits for an approval and goes on only with it.");

    public static readonly Refusal AlreadyApproved = new("order-already-approved", "The order is approved.");

    public static readonly Refusal Rejected = new("order-rejected", "The order was not approved.");

    public static readonly Refusal ApprovalExpired = new(
        "approval-expired", "Nobody approved the order in time.");

    public static readonly Refusal ReturnRequested = new(
        "return-requested", "The customer gives the order back.");

    public static readonly Refusal Returned = new("order-returned", "The order was given back.");

    public static readonly Refusal ReturnNotRequested = new(
        "return-not-requested", "Nobody wants to give the order back.");

    public static readonly Refusal TotalTooLarge = new(
        "order-total-too-large", $"A total is at most {Money.MinorUnitsMax} minor units.", RefusalKind.Invalid);

    public static Refusal Invalid(string detail) => new("invalid-order", detail, RefusalKind.Invalid);
}
