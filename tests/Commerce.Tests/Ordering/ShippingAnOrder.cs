using Commerce.Ordering;
using EventSourcing;
using static Commerce.Ordering.OrderCommand;
using static Commerce.Ordering.OrderEvent;
using static Commerce.Tests.Samples;

namespace Commerce.Tests.Ordering;

public sealed class ShippingAnOrder
{
    static readonly Placed Placed = new(TheCustomer, Lines, Euros(43_00), Home, Visa, "orchestration");

    [Fact]
    public void A_confirmed_order_is_shipped() => Order.Decider
        .Given(Placed, new Confirmed())
        .When(new Ship("T1"))
        .Then(new Shipped("T1"));

    [Fact]
    public void Shipping_again_under_the_same_number_is_already_done() => Order.Decider
        .Given(Placed, new Confirmed(), new Shipped("T1"), new Delivered())
        .When(new Ship("T1"))
        .Then();

    [Fact]
    public void Shipping_again_under_another_number_is_refused() => Order.Decider
        .Given(Placed, new Confirmed(), new Shipped("T1"))
        .When(new Ship("T2"))
        .ThenRefused(OrderRefusal.OtherTracking);

    [Fact]
    public void A_pending_order_is_not_shipped() => Order.Decider
        .Given(Placed)
        .When(new Ship("T1"))
        .ThenRefused(OrderRefusal.NotConfirmed);

    [Fact]
    public void A_cancelled_order_is_not_shipped() => Order.Decider
        .Given(Placed, new Cancelled("code", "detail"))
        .When(new Ship("T1"))
        .ThenRefused(OrderRefusal.Cancelled);

    [Fact]
    public void A_parcel_has_a_tracking_number() => Order.Decider
        .Given(Placed, new Confirmed())
        .When(new Ship(Long(Order.NameLengthMax + 1)))
        .ThenRefused("invalid-order", RefusalKind.Invalid);

    [Fact]
    public void A_shipped_order_is_delivered() => Order.Decider
        .Given(Placed, new Confirmed(), new Shipped("T1"))
        .When(new Deliver())
        .Then(new Delivered());

    [Fact]
    public void A_confirmed_order_is_not_delivered_before_it_is_shipped() => Order.Decider
        .Given(Placed, new Confirmed())
        .When(new Deliver())
        .ThenRefused(OrderRefusal.NotShipped);

    [Fact]
    public void A_cancelled_order_is_not_delivered() => Order.Decider
        .Given(Placed, new Cancelled("code", "detail"))
        .When(new Deliver())
        .ThenRefused(OrderRefusal.Cancelled);
}
