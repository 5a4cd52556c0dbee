using System.Collections.Immutable;
using EventSourcing;

namespace Commerce.Ordering;

/// <summary>So many pieces of one product at the price the customer saw.</summary>
public sealed record OrderLine(ProductId Product, int Quantity, Money UnitPrice);

/// <summary>The facts on an order stream. Names and shapes are stored for ever: add, never edit.</summary>
public abstract record OrderEvent
{
    public sealed record Placed(
        CustomerId Customer,
        ImmutableArray<OrderLine> Lines,
        Money Total,
        Address ShipTo,
        PaymentMethod PaymentMethod,
        string Workflow) : OrderEvent;

    public sealed record CancellationRequested(string Reason, string By) : OrderEvent;

    public sealed record Confirmed : OrderEvent;

    public sealed record Cancelled(string Code, string Detail) : OrderEvent;

    public sealed record Shipped(string Tracking) : OrderEvent;

    public sealed record Delivered : OrderEvent;

    public static readonly EventTypes<OrderEvent> Types = new()
    {
        { "order-placed", typeof(Placed), Personal.Of("customer", "customer", "shipTo") },
        { "order-cancellation-requested", typeof(CancellationRequested) },
        { "order-confirmed", typeof(Confirmed) },
        { "order-cancelled", typeof(Cancelled) },
        { "order-shipped", typeof(Shipped) },
        { "order-delivered", typeof(Delivered) },
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
        string Workflow = Order.Orchestration) : OrderCommand;

    public sealed record Confirm : OrderCommand;

    /// <summary>A person's wish to stop. It does not cancel: it keeps the order from being confirmed.</summary>
    public sealed record RequestCancellation(string Reason, string By) : OrderCommand;

    /// <summary>The end of an order whose steps have all been undone.</summary>
    public sealed record Cancel(string Code, string Detail) : OrderCommand;

    public sealed record Ship(string Tracking) : OrderCommand;

    public sealed record Deliver : OrderCommand;

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

    public static readonly Refusal TotalTooLarge = new(
        "order-total-too-large", $"A total is at most {Money.MinorUnitsMax} minor units.", RefusalKind.Invalid);

    public static Refusal Invalid(string detail) => new("invalid-order", detail, RefusalKind.Invalid);
}
