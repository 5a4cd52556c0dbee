using System.Diagnostics;
using EventSourcing;
using static Commerce.Ordering.OrderEvent;

namespace Commerce.Ordering;

/// <summary>One row in a list of orders: whose, how much, since when, and where it stands.</summary>
public sealed record OrderSummary(
    OrderId Order, CustomerId Customer, OrderStatus Status, Money Total, int LineCount, DateTimeOffset PlacedAt)
{
    /// <summary>
    /// When somebody has to look at a pending order that nobody leads; null when a saga does, and when it is being
    /// undone or over.
    /// </summary>
    public DateTimeOffset? Due { get; init; }

    public static OrderSummary? Project(OrderSummary? view, Recorded<OrderEvent> recorded) =>
        (recorded.Event, view) switch
        {
            (Placed e, _) => new(
                Ordering.Order.IdOf(recorded.Stream), e.Customer, OrderStatus.Pending, e.Total, e.Lines.Length,
                recorded.Metadata.Timestamp)
            {
                Due = e.Workflow == Ordering.Order.Choreography ? DueFrom(recorded) : null,
            },
            (ReturnRequested, { } row) => row,
            (ApprovalRequested e, { } row) => row with { Due = row.Due is null ? null : e.Until },
            (Approved, { } row) => row with { Due = row.Due is null ? null : DueFrom(recorded) },
            (CancellationRequested or Rejected or ApprovalExpired, { } row) => row with { Due = null },
            (Confirmed, { } row) => row with { Status = OrderStatus.Confirmed, Due = null },
            (Cancelled, { } row) => row with { Status = OrderStatus.Cancelled, Due = null },
            (Shipped, { } row) => row with { Status = OrderStatus.Shipped },
            (Delivered, { } row) => row with { Status = OrderStatus.Delivered },
            (Returned, { } row) => row with { Status = OrderStatus.Returned },
            _ => throw new UnreachableException(),
        };

    static DateTimeOffset DueFrom(Recorded<OrderEvent> recorded) =>
        recorded.Metadata.Timestamp + Ordering.Order.PendingMax;
}
