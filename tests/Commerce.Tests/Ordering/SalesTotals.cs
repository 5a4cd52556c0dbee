using Commerce.Ordering;
using EventSourcing;
using static Commerce.Ordering.OrderEvent;
using static Commerce.Tests.Samples;

namespace Commerce.Tests.Ordering;

public sealed class SalesTotals
{
    static readonly Placed Placed = new(TheCustomer, Lines, Euros(43_00), Home, Visa, "orchestration");

    [Fact]
    public void An_order_counts_on_its_day_for_its_customer_and_for_each_product() => Assert.Equal(
        ["customer-" + TheCustomer, "day-" + Noon.ToString("yyyy-MM-dd", null), "product-blue-mug", "product-tea-pot"],
        SalesGroup.Of(new Recorded<OrderEvent>(Order.Stream(TheOrder), 1, Placed, Metadata(hours: 0)))
            .Select(g => g.Value).Order());

    [Fact]
    public void A_product_is_credited_with_its_line_alone()
    {
        var figures = Share(SalesGroup.Of(Lines[0].Product), Placed, new Confirmed())!.Figures();
        Assert.Equal((2L, 19_00L), (figures.PiecesSold, figures.Revenue["EUR"]));
    }

    [Fact]
    public void What_is_not_confirmed_brings_no_revenue_and_what_is_cancelled_takes_nothing_from_others()
    {
        var pending = Share(SalesGroup.Of(TheCustomer), Placed)!.Figures();
        var cancelled = Share(SalesGroup.Of(TheCustomer), Placed, new Cancelled("code", "detail"))!.Figures();
        Assert.Equal((1L, 1L, 0L, 0L), (pending.Orders, pending.Pending, pending.Sold, pending.PiecesSold));
        Assert.Equal((1L, 0L, 1L), (cancelled.Orders, cancelled.Pending, cancelled.Cancelled));
        Assert.Empty(cancelled.Revenue);
    }

    [Fact]
    public void Taking_away_what_was_added_leaves_nothing()
    {
        var sold = Share(SalesGroup.Of(TheCustomer), Placed, new Confirmed())!.Figures();
        Assert.Equivalent(Sales.None, Sales.None + sold - sold, strict: true);
        Assert.Equal(86_00, (sold + sold).Revenue["EUR"]);
    }

    [Fact]
    public void A_share_follows_the_order_to_the_door()
    {
        OrderEvent[] events =
            [Placed, new CancellationRequested("why", "who"), new Confirmed(), new Shipped("T1"), new Delivered()];
        var figures = Share(SalesGroup.Of(TheCustomer), events)!.Figures();
        Assert.Equal((1L, 1L, 43_00L), (figures.Sold, figures.Delivered, figures.Revenue["EUR"]));
        Assert.Equal(OrderStatus.Shipped, Share(SalesGroup.Of(TheCustomer), events[..4])!.Status);
    }

    static SalesShare? Share(SalesGroup group, params OrderEvent[] events) =>
        Scenario.Project<SalesShare, OrderEvent>(
            Order.Stream(TheOrder), (view, recorded) => SalesShare.Project(group, view, recorded), events);
}
