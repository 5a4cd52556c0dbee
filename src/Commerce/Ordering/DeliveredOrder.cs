using System.Collections.Immutable;
using System.Diagnostics;
using EventSourcing;
using static Commerce.Ordering.OrderEvent;

namespace Commerce.Ordering;

/// <summary>So many pieces of one product.</summary>
public sealed record DeliveredLine(ProductId Product, int Quantity);

/// <summary>What of an order concerns its delivery: for whom, where to, what is in it, and how far it is.</summary>
public sealed record DeliveredOrder(
    CustomerId Customer, OrderStatus Status, ImmutableArray<DeliveredLine> Lines, Address ShipTo)
{
    public DateTimeOffset? ShippedAt { get; init; }

    public DateTimeOffset? DeliveredAt { get; init; }

    public string? Tracking { get; init; }

    public static DeliveredOrder? Project(DeliveredOrder? view, Recorded<OrderEvent> recorded)
    {
        var at = recorded.Metadata.Timestamp;
        return (recorded.Event, view) switch
        {
            (Placed e, _) => new(
                e.Customer, OrderStatus.Pending,
                [.. e.Lines.Select(line => new DeliveredLine(line.Product, line.Quantity))], e.ShipTo),
            (CancellationRequested or ReturnRequested, { } order) => order,
            (ApprovalRequested or Approved or Rejected or ApprovalExpired, { } order) => order,
            (Confirmed, { } order) => order with { Status = OrderStatus.Confirmed },
            (Cancelled, { } order) => order with { Status = OrderStatus.Cancelled },
            (Shipped e, { } order) => order with
            {
                Status = OrderStatus.Shipped,
                ShippedAt = at,
                Tracking = e.Tracking,
            },
            (Delivered, { } order) => order with { Status = OrderStatus.Delivered, DeliveredAt = at },
            (Returned, { } order) => order with { Status = OrderStatus.Returned },
            _ => throw new UnreachableException(),
        };
    }
}
