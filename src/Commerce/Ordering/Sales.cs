using System.Collections.Immutable;
using System.Diagnostics;
using System.Globalization;
using EventSourcing;
using static Commerce.Ordering.OrderEvent;

namespace Commerce.Ordering;

/// <summary>What sales are added up by: a day (UTC), a product or a customer, each with a total of its own.</summary>
public readonly record struct SalesGroup(string Value)
{
    public static SalesGroup Of(DateOnly day) => new($"day-{day.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)}");

    public static SalesGroup Of(ProductId product) => new($"product-{product}");

    public static SalesGroup Of(CustomerId customer) => new($"customer-{customer}");

    /// <summary>All totals an order counts in. What was placed never changes, so neither do they.</summary>
    public static IEnumerable<SalesGroup> Of(Recorded<OrderEvent> first)
    {
        var placed = (Placed)first.Event;
        return
        [
            Of(DateOnly.FromDateTime(first.Metadata.Timestamp.UtcDateTime)),
            Of(placed.Customer),
            .. placed.Lines.Select(line => Of(line.Product)),
        ];
    }

    public override string ToString() => Value;
}

/// <summary>What one order adds to one total; of a product, its line alone.</summary>
public sealed record SalesShare(OrderStatus Status, int Pieces, Money Amount)
{
    public static SalesShare? Project(SalesGroup group, SalesShare? view, Recorded<OrderEvent> recorded) =>
        (recorded.Event, view) switch
        {
            (Placed e, _) => e.Lines.SingleOrDefault(line => SalesGroup.Of(line.Product) == group) is { } only
                ? new(OrderStatus.Pending, only.Quantity, only.UnitPrice * only.Quantity)
                : new(OrderStatus.Pending, e.Lines.Sum(line => line.Quantity), e.Total),
            (CancellationRequested or ReturnRequested, { } share) => share,
            (ApprovalRequested or Approved or Rejected or ApprovalExpired, { } share) => share,
            (Confirmed, { } share) => share with { Status = OrderStatus.Confirmed },
            (Cancelled, { } share) => share with { Status = OrderStatus.Cancelled },
            (Shipped, { } share) => share with { Status = OrderStatus.Shipped },
            (Delivered, { } share) => share with { Status = OrderStatus.Delivered },
            (Returned, { } share) => share with { Status = OrderStatus.Returned },
            _ => throw new UnreachableException(),
        };

    /// <summary>An order is sold once it is confirmed, until it is given back.</summary>
    public Sales Figures()
    {
        var isSold = Status is OrderStatus.Confirmed or OrderStatus.Shipped or OrderStatus.Delivered;
        return new(
            Orders: 1,
            Pending: Status == OrderStatus.Pending ? 1 : 0,
            Sold: isSold ? 1 : 0,
            Cancelled: Status is OrderStatus.Cancelled or OrderStatus.Returned ? 1 : 0,
            Delivered: Status == OrderStatus.Delivered ? 1 : 0,
            PiecesSold: isSold ? Pieces : 0,
            Revenue: isSold ? Sales.None.Revenue.Add(Amount.Currency.Value, Amount.MinorUnits) : Sales.None.Revenue);
    }
}

/// <summary>
/// A total of orders; revenue is in minor units by currency. Sums of shares, so what an order no longer is can be taken
/// away as exactly as it was added.
/// </summary>
public sealed record Sales(
    long Orders,
    long Pending,
    long Sold,
    long Cancelled,
    long Delivered,
    long PiecesSold,
    ImmutableSortedDictionary<string, long> Revenue)
{
    public static readonly Sales None = new(
        0, 0, 0, 0, 0, 0, ImmutableSortedDictionary.Create<string, long>(StringComparer.Ordinal));

    public static Sales operator +(Sales left, Sales right) => left.Plus(right, 1);

    public static Sales operator -(Sales left, Sales right) => left.Plus(right, -1);

    Sales Plus(Sales other, int sign) => new(
        Orders + sign * other.Orders,
        Pending + sign * other.Pending,
        Sold + sign * other.Sold,
        Cancelled + sign * other.Cancelled,
        Delivered + sign * other.Delivered,
        PiecesSold + sign * other.PiecesSold,
        other.Revenue.Aggregate(Revenue, (revenue, one) => checked(
            revenue.GetValueOrDefault(one.Key) + sign * one.Value) is var sum && sum == 0
                ? revenue.Remove(one.Key)
                : revenue.SetItem(one.Key, sum)));
}
