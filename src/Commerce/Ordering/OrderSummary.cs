using System.Diagnostics;
using EventSourcing;
using static Commerce.Ordering.OrderEvent;

namespace Commerce.Ordering;

/// <summary>One row in a list of orders: whose, how much, since when, and where it stands.</summary>
public sealed record OrderSummary(
    OrderId Order, CustomerId Customer, OrderStatus Status, Money Total, int LineCount, DateTimeOffset PlacedAt)
{
    public static OrderSummary? Project(OrderSummary? view, Recorded<OrderEvent> recorded) =>
        (recorded.Event, view) switch
        {
            (Placed e, _) => new(
                Ordering.Order.IdOf(recorded.Stream), e.Customer, OrderStatus.Pending, e.Total, e.Lines.Length,
                recorded.Metadata.Timestamp),
            (CancellationRequested or ReturnRequested, { } row) => row,
            (ApprovalRequested or Approved or Rejected or ApprovalExpired, { } row) => row,
            (Confirmed, { } row) => row with { Status = OrderStatus.Confirmed },
            (Cancelled, { } row) => row with { Status = OrderStatus.Cancelled },
            (Shipped, { } row) => row with { Status = OrderStatus.Shipped },
            (Delivered, { } row) => row with { Status = OrderStatus.Delivered },
            (Returned, { } row) => row with { Status = OrderStatus.Returned },
            _ => throw new UnreachableException(),
        };
}
