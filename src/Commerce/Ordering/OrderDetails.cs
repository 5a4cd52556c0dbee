using System.Collections.Immutable;
using System.Diagnostics;
using EventSourcing;
using static Commerce.Ordering.OrderEvent;

namespace Commerce.Ordering;

/// <summary>Everything a customer or an operator asks about one order.</summary>
public sealed record OrderDetails(
    OrderId Order,
    CustomerId Customer,
    OrderStatus Status,
    ImmutableArray<OrderLine> Lines,
    Money Total,
    Address ShipTo,
    string Workflow,
    DateTimeOffset PlacedAt)
{
    public DateTimeOffset? ConfirmedAt { get; init; }

    public DateTimeOffset? ShippedAt { get; init; }

    public DateTimeOffset? DeliveredAt { get; init; }

    public string? Tracking { get; init; }

    public DateTimeOffset? CancellationRequestedAt { get; init; }

    public string? CancellationRequestedBy { get; init; }

    public string? CancellationReason { get; init; }

    public DateTimeOffset? CancelledAt { get; init; }

    /// <summary>Why the order was cancelled, for machines: the code of the refusal that ended it.</summary>
    public string? CancelledCode { get; init; }

    public string? CancelledDetail { get; init; }

    public static OrderDetails? Project(OrderDetails? view, Recorded<OrderEvent> recorded)
    {
        var at = recorded.Metadata.Timestamp;
        return (recorded.Event, view) switch
        {
            (Placed e, _) => new(
                Ordering.Order.IdOf(recorded.Stream), e.Customer, OrderStatus.Pending, e.Lines, e.Total, e.ShipTo,
                e.Workflow, at),
            (CancellationRequested e, { } order) => order with
            {
                CancellationRequestedAt = at,
                CancellationRequestedBy = e.By,
                CancellationReason = e.Reason,
            },
            (Confirmed, { } order) => order with { Status = OrderStatus.Confirmed, ConfirmedAt = at },
            (Cancelled e, { } order) => order with
            {
                Status = OrderStatus.Cancelled,
                CancelledAt = at,
                CancelledCode = e.Code,
                CancelledDetail = e.Detail,
            },
            (Shipped e, { } order) => order with
            {
                Status = OrderStatus.Shipped,
                ShippedAt = at,
                Tracking = e.Tracking,
            },
            (Delivered, { } order) => order with { Status = OrderStatus.Delivered, DeliveredAt = at },
            _ => throw new UnreachableException(),
        };
    }
}
