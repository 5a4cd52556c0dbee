using Commerce.Ordering;
using static Commerce.Ordering.OrderEvent;
using static Commerce.Tests.Samples;

namespace Commerce.Tests.Ordering;

public sealed class OrderViews
{
    static readonly Placed Placed = new(TheCustomer, Lines, Euros(43_00), Home, Visa, "orchestration");

    [Fact]
    public void A_row_shows_whose_order_it_is_and_what_it_costs() => Assert.Equal(
        new OrderSummary(TheOrder, TheCustomer, OrderStatus.Pending, Euros(43_00), 2, Noon),
        Summary(Placed));

    [Fact]
    public void A_row_follows_the_order()
    {
        Assert.Equal(OrderStatus.Pending, Summary(Placed, new CancellationRequested("why", "who"))?.Status);
        Assert.Equal(OrderStatus.Cancelled, Summary(Placed, new Cancelled("code", "detail"))?.Status);
        Assert.Equal(OrderStatus.Confirmed, Summary(Placed, new Confirmed())?.Status);
        Assert.Equal(OrderStatus.Shipped, Summary(Placed, new Confirmed(), new Shipped("T1"))?.Status);
        Assert.Equal(
            OrderStatus.Delivered, Summary(Placed, new Confirmed(), new Shipped("T1"), new Delivered())?.Status);
    }

    [Fact]
    public void A_row_says_when_somebody_has_to_look_at_an_order_that_nobody_leads()
    {
        var placed = Placed with { Workflow = Order.Choreography };
        var until = Noon.AddDays(3);
        Assert.Null(Summary(Placed)!.Due);
        Assert.Null(Summary(Placed, new ApprovalRequested(until))!.Due);
        Assert.Equal(Noon + Order.PendingMax, Summary(placed)!.Due);
        Assert.Equal(until, Summary(placed, new ApprovalRequested(until))!.Due);
        Assert.Equal(
            Noon.AddHours(2) + Order.PendingMax,
            Summary(placed, new ApprovalRequested(until), new Approved("boss"))!.Due);
        OrderEvent[] ends =
        [
            new CancellationRequested("why", "who"), new Rejected("why", "who"), new ApprovalExpired(), new Confirmed(),
        ];
        Assert.All(ends, end => Assert.Null(Summary(placed, new ApprovalRequested(until), end)!.Due));
    }

    [Fact]
    public void The_details_tell_the_whole_way_to_the_door() => Assert.Equal(
        new OrderDetails(
            TheOrder, TheCustomer, OrderStatus.Delivered, Lines, Euros(43_00), Home, "orchestration", Noon)
        {
            ConfirmedAt = Noon.AddHours(1),
            ShippedAt = Noon.AddHours(2),
            Tracking = "T1",
            DeliveredAt = Noon.AddHours(3),
        },
        Details(Placed, new Confirmed(), new Shipped("T1"), new Delivered()));

    [Fact]
    public void The_details_tell_who_cancelled_and_why() => Assert.Equal(
        new OrderDetails(
            TheOrder, TheCustomer, OrderStatus.Cancelled, Lines, Euros(43_00), Home, "orchestration", Noon)
        {
            CancellationRequestedAt = Noon.AddHours(1),
            CancellationRequestedBy = "customer",
            CancellationReason = "Changed my mind",
            CancelledAt = Noon.AddHours(2),
            CancelledCode = "cancellation-requested",
            CancelledDetail = "The customer changed their mind.",
        },
        Details(
            Placed,
            new CancellationRequested("Changed my mind", "customer"),
            new Cancelled("cancellation-requested", "The customer changed their mind.")));

    static OrderSummary? Summary(params OrderEvent[] events) =>
        Scenario.Project<OrderSummary, OrderEvent>(Order.Stream(TheOrder), OrderSummary.Project, events);

    static OrderDetails? Details(params OrderEvent[] events) =>
        Scenario.Project<OrderDetails, OrderEvent>(Order.Stream(TheOrder), OrderDetails.Project, events);
}
