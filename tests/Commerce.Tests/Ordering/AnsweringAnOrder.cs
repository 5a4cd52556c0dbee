using Commerce.Ordering;
using EventSourcing;
using static Commerce.Ordering.OrderCommand;
using static Commerce.Ordering.OrderEvent;
using static Commerce.Tests.Samples;

namespace Commerce.Tests.Ordering;

public sealed class AnsweringAnOrder
{
    static readonly Placed Placed = new(TheCustomer, Lines, Euros(43_00), Home, Visa, "orchestration");
    static readonly ApprovalRequested Asked = new(Noon.AddDays(3));
    static readonly Approved Yes = new("boss@example.com");
    static readonly Rejected No = new("Too expensive", "boss@example.com");
    static readonly CancellationRequested Wish = new("Changed my mind", "customer");
    static readonly ReturnRequested Return = new("It is broken", "customer");

    [Fact]
    public void A_pending_order_may_need_somebodys_word() => Order.Decider
        .Given(Placed)
        .When(new RequestApproval(Asked.Until))
        .Then(Asked);

    [Fact]
    public void The_first_question_stands() => Order.Decider
        .Given(Placed, Asked)
        .When(new RequestApproval(Asked.Until.AddDays(1)))
        .Then();

    [Fact]
    public void Nobody_is_asked_about_an_order_that_shall_be_cancelled() => Order.Decider
        .Given(Placed, Wish)
        .When(new RequestApproval(Asked.Until))
        .ThenRefused(OrderRefusal.CancellationRequested);

    [Fact]
    public void An_order_that_waits_is_approved() => Order.Decider
        .Given(Placed, Asked)
        .When(new Approve("boss@example.com"))
        .Then(Yes);

    [Fact]
    public void An_order_that_waits_is_rejected_with_a_reason() => Order.Decider
        .Given(Placed, Asked)
        .When(new Reject("Too expensive", "boss@example.com"))
        .Then(No);

    [Fact]
    public void The_same_answer_again_adds_nothing_whoever_gives_it()
    {
        Order.Decider.Given(Placed, Asked, Yes).When(new Approve("somebody@example.com")).Then();
        Order.Decider.Given(Placed, Asked, No).When(new Reject("Other words", "somebody@example.com")).Then();
        Order.Decider.Given(Placed, Asked, Yes, new Confirmed()).When(new Approve("boss@example.com")).Then();
    }

    [Fact]
    public void The_other_answer_comes_too_late()
    {
        Order.Decider.Given(Placed, Asked, Yes).When(new Reject("why", "who"))
            .ThenRefused(OrderRefusal.AlreadyApproved);
        Order.Decider.Given(Placed, Asked, No).When(new Approve("who")).ThenRefused(OrderRefusal.Rejected);
    }

    [Fact]
    public void An_answer_before_the_question_is_refused() => Order.Decider
        .Given(Placed)
        .When(new Approve("who"))
        .ThenRefused(OrderRefusal.ApprovalNotRequested);

    [Fact]
    public void An_answer_after_the_time_is_refused() => Order.Decider
        .Given(Placed, Asked, new ApprovalExpired())
        .When(new Approve("who"))
        .ThenRefused(OrderRefusal.ApprovalExpired);

    [Fact]
    public void An_answer_after_the_wish_to_cancel_is_refused() => Order.Decider
        .Given(Placed, Asked, Wish)
        .When(new Approve("who"))
        .ThenRefused(OrderRefusal.CancellationRequested);

    [Theory]
    [InlineData("", "who")]
    [InlineData("why", "line\nbreak")]
    public void An_answer_names_a_reason_and_a_person(string reason, string by) => Order.Decider
        .Given(Placed, Asked)
        .When(new Reject(reason, by))
        .ThenRefused("invalid-order", RefusalKind.Invalid);

    [Fact]
    public void The_time_for_an_answer_ends_once() => Order.Decider
        .Given(Placed, Asked)
        .When(new ExpireApproval())
        .Then(new ApprovalExpired());

    [Fact]
    public void An_answer_that_came_in_time_outlives_the_time()
    {
        Order.Decider.Given(Placed, Asked, Yes).When(new ExpireApproval()).Then();
        Order.Decider.Given(Placed, Asked, No).When(new ExpireApproval()).Then();
        Order.Decider.Given(Placed).When(new ExpireApproval()).Then();
    }

    [Fact]
    public void Nobody_confirms_an_order_without_the_answer_it_waits_for()
    {
        Order.Decider.Given(Placed, Asked).When(new Confirm()).ThenRefused(OrderRefusal.ApprovalPending);
        Order.Decider.Given(Placed, Asked, No).When(new Confirm()).ThenRefused(OrderRefusal.Rejected);
        Order.Decider.Given(Placed, Asked, new ApprovalExpired()).When(new Confirm())
            .ThenRefused(OrderRefusal.ApprovalExpired);
        Order.Decider.Given(Placed, Asked, Yes).When(new Confirm()).Then(new Confirmed());
    }

    [Fact]
    public void Who_withdraws_before_the_order_is_confirmed_cancels_it() => Order.Decider
        .Given(Placed)
        .When(new Withdraw("Changed my mind", "customer"))
        .Then(Wish);

    [Fact]
    public void Who_withdraws_after_that_gives_it_back()
    {
        Order.Decider.Given(Placed, new Confirmed()).When(new Withdraw("It is broken", "customer")).Then(Return);
        Order.Decider.Given(Placed, new Confirmed(), new Shipped("T1"), new Delivered())
            .When(new Withdraw("It is broken", "customer")).Then(Return);
    }

    [Fact]
    public void Withdrawing_twice_is_withdrawing_once()
    {
        Order.Decider.Given(Placed, Wish).When(new Withdraw("why", "who")).Then();
        Order.Decider.Given(Placed, new Confirmed(), Return).When(new Withdraw("why", "who")).Then();
        Order.Decider.Given(Placed, new Cancelled("code", "detail")).When(new Withdraw("why", "who")).Then();
        Order.Decider.Given(Placed, new Confirmed(), Return, new Returned()).When(new Withdraw("why", "who")).Then();
    }

    [Fact]
    public void What_is_given_back_does_not_leave_any_more()
    {
        Order.Decider.Given(Placed, new Confirmed(), Return).When(new Ship("T1"))
            .ThenRefused(OrderRefusal.ReturnRequested);
        Order.Decider.Given(Placed, new Confirmed(), Return, new Returned()).When(new Ship("T1"))
            .ThenRefused(OrderRefusal.Returned);
    }

    [Fact]
    public void A_return_ends_once_and_only_if_somebody_wanted_it()
    {
        Order.Decider.Given(Placed, new Confirmed(), Return).When(new CompleteReturn()).Then(new Returned());
        Order.Decider.Given(Placed, new Confirmed()).When(new CompleteReturn())
            .ThenRefused(OrderRefusal.ReturnNotRequested);
    }

    [Fact]
    public void The_details_tell_who_agreed() => Assert.Equal(
        new OrderApproval(ApprovalState.Approved, Noon.AddHours(1), Asked.Until)
        {
            AnsweredAt = Noon.AddHours(2),
            AnsweredBy = "boss@example.com",
        },
        Details(Placed, Asked, Yes).Approval);

    [Fact]
    public void The_details_tell_who_did_not_agree_and_why_and_who_did_not_answer()
    {
        Assert.Equal(
            (ApprovalState.Rejected, "Too expensive"),
            (Details(Placed, Asked, No).Approval!.State, Details(Placed, Asked, No).Approval!.Reason));
        Assert.Equal(ApprovalState.Expired, Details(Placed, Asked, new ApprovalExpired()).Approval!.State);
    }

    [Fact]
    public void The_details_tell_of_a_return()
    {
        var details = Details(Placed, new Confirmed(), Return, new Returned());
        Assert.Equal(
            (OrderStatus.Returned, "It is broken", Noon.AddHours(3)),
            (details.Status, details.ReturnReason, details.ReturnedAt));
    }

    [Fact]
    public void What_is_given_back_is_not_sold_any_more()
    {
        var share = Scenario.Project<SalesShare, OrderEvent>(
            Order.Stream(TheOrder),
            (view, recorded) => SalesShare.Project(SalesGroup.Of(TheCustomer), view, recorded),
            Placed, new Confirmed(), Return, new Returned())!;
        Assert.Equal((0L, 1L), (share.Figures().Sold, share.Figures().Cancelled));
        Assert.Empty(share.Figures().Revenue);
    }

    static OrderDetails Details(params OrderEvent[] events) =>
        Scenario.Project<OrderDetails, OrderEvent>(Order.Stream(TheOrder), OrderDetails.Project, events)!;
}
