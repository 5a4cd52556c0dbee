using Commerce.Ordering;
using FsCheck;
using FsCheck.Fluent;
using static Commerce.Ordering.OrderCommand;
using static Commerce.Ordering.OrderStatus;

namespace Commerce.Tests.Laws;

public sealed class OrderLaws
{
    static readonly Gen<OrderCommand> Commands = Gen.Frequency<OrderCommand>(
        (3, Gen.Choose(1, 2).Select(i => (OrderCommand)new Place(
            Samples.TheCustomer, [new(Samples.Mug, i, Samples.Euros(5_00))], Samples.Home, Samples.Visa))),
        (2, Gen.Constant<OrderCommand>(new Confirm())),
        (1, Gen.Elements("why", "because", "").Select(why => (OrderCommand)new RequestCancellation(why, "who"))),
        (1, Gen.Elements("code", "other", "No").Select(code => (OrderCommand)new Cancel(code, "detail"))),
        (2, Gen.Elements("T1", "T2", "").Select(tracking => (OrderCommand)new Ship(tracking))),
        (2, Gen.Constant<OrderCommand>(new Deliver())),
        (1, Gen.Constant<OrderCommand>(new RequestApproval(Samples.Noon))),
        (1, Gen.Elements<OrderCommand>(new Approve("who"), new Reject("why", "who"), new ExpireApproval())),
        (1, Gen.Elements<OrderCommand>(new Withdraw("why", "who"), new CompleteReturn())));

    static readonly HashSet<(OrderStatus From, OrderStatus To)> Ways =
    [
        (None, Pending), (Pending, Confirmed), (Pending, Cancelled), (Confirmed, Shipped), (Shipped, Delivered),
        (Confirmed, Returned), (Shipped, Returned), (Delivered, Returned),
    ];

    [Fact]
    public void An_order_only_goes_the_ways_there_are() => Law.Hold(Order.Decider, Commands, (before, _, after) =>
        Assert.True(before.Status == after.Status || Ways.Contains((before.Status, after.Status))));

    [Fact]
    public void A_final_order_never_changes_again() => Law.Hold(Order.Decider, Commands, (before, events, _) =>
        Assert.True(before.Status is not (Cancelled or Returned) || events is []));

    [Fact]
    public void A_wish_to_cancel_is_never_answered_by_confirming() => Law.Hold(Order.Decider, Commands, (_, _, after) =>
        Assert.True(after.Request is null || after.Status is Pending or Cancelled));

    [Fact]
    public void An_order_somebody_had_to_approve_is_confirmed_only_with_their_word() =>
        Law.Hold(Order.Decider, Commands, (before, _, after) => Assert.True(
            after.Status != Confirmed || before.Status == Confirmed
            || before.Approval is ApprovalState.None or ApprovalState.Approved));

    [Fact]
    public void The_views_agree_with_the_order() => Law.HoldInTheEnd(Order.Decider, Commands, (facts, order) =>
    {
        var stream = Order.Stream(Samples.TheOrder);
        var row = Scenario.Project<OrderSummary, OrderEvent>(stream, OrderSummary.Project, facts);
        var details = Scenario.Project<OrderDetails, OrderEvent>(stream, OrderDetails.Project, facts);
        Assert.Equal((order.Status, order.Status), (row?.Status ?? None, details?.Status ?? None));
        Assert.Equal((order.Tracking, order.Cancellation?.Code), (details?.Tracking, details?.CancelledCode));
    });
}
