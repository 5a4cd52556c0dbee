using System.Collections.Immutable;
using System.Diagnostics;
using EventSourcing;
using static Commerce.Ordering.OrderCommand;
using static Commerce.Ordering.OrderEvent;

namespace Commerce.Ordering;

/// <summary>Where an order stands. Cancelled and Returned are final, and Delivered but for a return.</summary>
public enum OrderStatus
{
    None,
    Pending,
    Confirmed,
    Cancelled,
    Shipped,
    Delivered,
    Returned,
}

/// <summary>One order, from placed to delivered or cancelled: only what its decisions need to know.</summary>
public sealed partial record Order(
    OrderStatus Status, Placed? Content, CancellationRequested? Request, Cancelled? Cancellation, string? Tracking)
{
    public const string Category = "order";

    public const int LinesMax = 100;
    public const int TextLengthMax = 500;
    public const int NameLengthMax = 64;

    /// <summary>
    /// An order that no saga carries out and that waits for nobody is over after so long, or somebody has to look at
    /// it.
    /// </summary>
    public static readonly TimeSpan PendingMax = TimeSpan.FromMinutes(15);

    /// <summary>One coordinator tells every participant what to do and undoes it all in order.</summary>
    public const string Orchestration = "orchestration";

    /// <summary>Every participant reacts to the events of the others; there is no coordinator.</summary>
    public const string Choreography = "choreography";

    public static IReadOnlyList<string> Workflows { get; } = [Orchestration, Choreography];

    public static readonly Decider<Order, OrderCommand, OrderEvent> Decider =
        new(new(OrderStatus.None, null, null, null, null), Evolve, Decide);

    public static StreamId Stream(OrderId order) => StreamId.Of(Category, order.Value);

    /// <summary>Whose stream it is: the way back from <see cref="Stream"/>.</summary>
    public static OrderId IdOf(StreamId stream) => new(Guid.ParseExact(stream.Id, "D"));

    static Order Evolve(Order order, OrderEvent @event) => @event switch
    {
        Placed e => order with { Status = OrderStatus.Pending, Content = e },
        CancellationRequested e => order with { Request = e },
        Confirmed => order with { Status = OrderStatus.Confirmed },
        Cancelled e => order with { Status = OrderStatus.Cancelled, Cancellation = e },
        Shipped e => order with { Status = OrderStatus.Shipped, Tracking = e.Tracking },
        Delivered => order with { Status = OrderStatus.Delivered },
        ApprovalRequested => order with { Approval = ApprovalState.Requested },
        Approved => order with { Approval = ApprovalState.Approved },
        Rejected => order with { Approval = ApprovalState.Rejected },
        ApprovalExpired => order with { Approval = ApprovalState.Expired },
        ReturnRequested e => order with { Return = e },
        Returned => order with { Status = OrderStatus.Returned },
        _ => throw new UnreachableException(),
    };

    static Decision<OrderEvent> Decide(OrderCommand command, Order order) => (command, order.Status) switch
    {
        (Place c, OrderStatus.None) when Fault(c) is { } fault => fault,
        (Place c, OrderStatus.None) =>
            [new Placed(c.Customer, c.Lines, Total(c.Lines), c.ShipTo, c.PaymentMethod, c.Workflow, c.ApproveWithin)],
        (Place c, _) => IsSame(c, order.Content!) ? [] : OrderRefusal.OtherContent,
        (_, OrderStatus.None) => OrderRefusal.Unknown,
        (RequestApproval or Approve or Reject or ExpireApproval, _) => DecideApproval(command, order),
        (Withdraw c, _) => DecideWithdrawal(c, order),

        // A semantic lock: between the wish to cancel and the end of the undoing, nobody may confirm.
        (Confirm, OrderStatus.Pending) when order.Request is not null => OrderRefusal.CancellationRequested,
        (Confirm, OrderStatus.Pending) when Unapproved(order) is { } refusal => refusal,
        (Confirm, OrderStatus.Pending) => [new Confirmed()],
        (Confirm, OrderStatus.Cancelled) => OrderRefusal.Cancelled,
        (Confirm, _) => [],

        // Only from before the order is confirmed: behind it this refuses, which is how a pivot learns that it
        // happened.
        (RequestCancellation, OrderStatus.Cancelled) => [],
        (RequestCancellation, not OrderStatus.Pending) => OrderRefusal.Confirmed,
        (RequestCancellation, _) when order.Request is not null => [],
        (RequestCancellation c, _) when (FaultOfReason(c.Reason) ?? FaultOfPerson(c.By)) is { } fault => fault,
        (RequestCancellation c, _) => [new CancellationRequested(c.Reason, c.By)],

        // Already cancelled is what the caller wants; the first reason stands.
        (Cancel, OrderStatus.Cancelled) => [],
        (Cancel, not OrderStatus.Pending) => OrderRefusal.Confirmed,
        (Cancel c, _) when !Text.IsSlug(c.Code, NameLengthMax) =>
            OrderRefusal.Invalid($"A code is 1 to {NameLengthMax} lower-case letters, digits and dashes."),
        (Cancel c, _) => [new Cancelled(c.Code, Text.Fit(c.Detail, TextLengthMax))],

        (Ship, OrderStatus.Pending) => OrderRefusal.NotConfirmed,
        (Ship, OrderStatus.Cancelled) => OrderRefusal.Cancelled,
        (Ship, OrderStatus.Returned) => OrderRefusal.Returned,

        // Another semantic lock: what comes back does not leave any more.
        (Ship, OrderStatus.Confirmed) when order.Return is not null => OrderRefusal.ReturnRequested,
        (Ship c, OrderStatus.Confirmed) when !Text.IsLine(c.Tracking, NameLengthMax) =>
            OrderRefusal.Invalid($"The tracking number is 1 to {NameLengthMax} characters."),
        (Ship c, OrderStatus.Confirmed) => [new Shipped(c.Tracking)],
        (Ship c, _) => c.Tracking == order.Tracking ? [] : OrderRefusal.OtherTracking,

        (Deliver, OrderStatus.Shipped) => [new Delivered()],
        (Deliver, OrderStatus.Delivered) => [],
        (Deliver, OrderStatus.Cancelled) => OrderRefusal.Cancelled,
        (Deliver, OrderStatus.Returned) => OrderRefusal.Returned,
        (Deliver, _) => OrderRefusal.NotShipped,

        (CompleteReturn, OrderStatus.Returned) => [],
        (CompleteReturn, _) => order.Return is null ? OrderRefusal.ReturnNotRequested : [new Returned()],
        _ => throw new UnreachableException(),
    };

    static Refusal? Fault(Place c) =>
        c.Customer.Fault() ?? Fault(c.Lines) ?? FaultOf(c.ShipTo) ?? c.PaymentMethod.Fault()
        ?? (c.ApproveWithin <= TimeSpan.Zero ? OrderRefusal.Invalid("An approval takes some time.") : null)
        ?? (Workflows.Contains(c.Workflow)
            ? null
            : new Refusal(
                "unknown-workflow", $"A workflow is one of {string.Join(", ", Workflows)}.", RefusalKind.Invalid));

    static Refusal? FaultOf(Address? address) =>
        address is null ? OrderRefusal.Invalid("An order has an address.") : address.Fault();

    static Refusal? Fault(ImmutableArray<OrderLine> lines)
    {
        if (lines.IsDefaultOrEmpty || lines.Length > LinesMax)
            return OrderRefusal.Invalid($"An order has 1 to {LinesMax} lines.");

        var products = new HashSet<ProductId>();
        foreach (var line in lines)
        {
            if (line is null) return OrderRefusal.Invalid("A line is not null.");
            var fault = line.Product.Fault() ?? Quantity.Fault(line.Quantity) ?? line.UnitPrice.Fault();
            if (fault is not null) return fault;
            if (!products.Add(line.Product)) return OrderRefusal.Invalid($"Product {line.Product} has two lines.");
            if (line.UnitPrice.Currency != lines[0].UnitPrice.Currency)
                return OrderRefusal.Invalid("All lines of an order are in one currency.");
        }

        return Total(lines).MinorUnits switch
        {
            0 => OrderRefusal.Invalid("An order's total is more than nothing."),
            > Money.MinorUnitsMax => OrderRefusal.TotalTooLarge,
            _ => null,
        };
    }

    public static Money Total(ImmutableArray<OrderLine> lines) => lines.Aggregate(
        Money.Zero(lines[0].UnitPrice.Currency), (total, line) => total + line.UnitPrice * line.Quantity);

    // What the customer asked for: not the price nor who must agree to it, which are the shop's and may have changed
    // before a late repeat.
    static bool IsSame(Place c, Placed e) =>
        c.Customer == e.Customer && c.ShipTo == e.ShipTo && c.PaymentMethod == e.PaymentMethod
        && c.Workflow == e.Workflow && !c.Lines.IsDefault && Asked(c.Lines).SequenceEqual(Asked(e.Lines));

    static IEnumerable<(ProductId, int)> Asked(ImmutableArray<OrderLine> lines) =>
        lines.Select(line => (line?.Product ?? default, line?.Quantity ?? 0));
}
