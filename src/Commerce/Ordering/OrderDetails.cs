using System.Collections.Immutable;
using System.Diagnostics;
using EventSourcing;
using static Commerce.Ordering.OrderEvent;

namespace Commerce.Ordering;

/// <summary>Who was asked to agree to an order until when, and what was answered.</summary>
public sealed record OrderApproval(ApprovalState State, DateTimeOffset RequestedAt, DateTimeOffset Until)
{
    public DateTimeOffset? AnsweredAt { get; init; }

    public string? AnsweredBy { get; init; }

    public string? Reason { get; init; }
}

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

    /// <summary>Null when nobody had to agree.</summary>
    public OrderApproval? Approval { get; init; }

    public DateTimeOffset? ReturnRequestedAt { get; init; }

    public string? ReturnRequestedBy { get; init; }

    public string? ReturnReason { get; init; }

    public DateTimeOffset? ReturnedAt { get; init; }

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
            (ReturnRequested e, { } order) => order with
            {
                ReturnRequestedAt = at,
                ReturnRequestedBy = e.By,
                ReturnReason = e.Reason,
            },
            (Returned, { } order) => order with { Status = OrderStatus.Returned, ReturnedAt = at },
            (_, { } order) => order with { Approval = Project(order.Approval, recorded.Event, at) },
            _ => throw new UnreachableException(),
        };
    }

    static OrderApproval? Project(OrderApproval? asked, OrderEvent @event, DateTimeOffset at) => @event switch
    {
        ApprovalRequested e => new(ApprovalState.Requested, at, e.Until),
        Approved e => asked is null
            ? null
            : asked with { State = ApprovalState.Approved, AnsweredAt = at, AnsweredBy = e.By },
        Rejected e => asked is null
            ? null
            : asked with { State = ApprovalState.Rejected, AnsweredAt = at, AnsweredBy = e.By, Reason = e.Reason },
        ApprovalExpired => asked is null ? null : asked with { State = ApprovalState.Expired, AnsweredAt = at },
        _ => throw new UnreachableException(),
    };
}
