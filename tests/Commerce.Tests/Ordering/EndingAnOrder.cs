using Commerce.Ordering;
using EventSourcing;
using static Commerce.Ordering.OrderCommand;
using static Commerce.Ordering.OrderEvent;
using static Commerce.Tests.Samples;

namespace Commerce.Tests.Ordering;

public sealed class EndingAnOrder
{
    static readonly Placed Placed = new(TheCustomer, Lines, Euros(43_00), Home, Visa, "orchestration");
    static readonly CancellationRequested Wish = new("Changed my mind", "customer");
    static readonly Cancelled Cancelled = new("insufficient-stock", "Only 1 left.");

    public static TheoryData<OrderCommand> AllButPlace => new(
        new Confirm(),
        new RequestCancellation("why", "who"),
        new Cancel("code", "detail"),
        new Ship("T1"),
        new Deliver(),
        new RequestApproval(Noon),
        new Approve("who"),
        new Reject("why", "who"),
        new ExpireApproval(),
        new Withdraw("why", "who"),
        new CompleteReturn());

    [Theory]
    [MemberData(nameof(AllButPlace))]
    public void Nothing_can_be_asked_of_an_unknown_order(OrderCommand command) => Order.Decider
        .Given()
        .When(command)
        .ThenRefused(OrderRefusal.Unknown);

    [Fact]
    public void A_pending_order_is_confirmed() => Order.Decider
        .Given(Placed)
        .When(new Confirm())
        .Then(new Confirmed());

    [Fact]
    public void Confirming_is_already_done_on_a_delivered_order() => Order.Decider
        .Given(Placed, new Confirmed(), new Shipped("T1"), new Delivered())
        .When(new Confirm())
        .Then();

    [Fact]
    public void A_wish_to_cancel_is_recorded_once() => Order.Decider
        .Given(Placed)
        .When(new RequestCancellation("Changed my mind", "customer"))
        .Then(Wish);

    [Fact]
    public void A_second_wish_to_cancel_adds_nothing() => Order.Decider
        .Given(Placed, Wish)
        .When(new RequestCancellation("Found it cheaper", "operator"))
        .Then();

    [Fact]
    public void A_wish_to_cancel_locks_the_order_against_confirming() => Order.Decider
        .Given(Placed, Wish)
        .When(new Confirm())
        .ThenRefused(OrderRefusal.CancellationRequested);

    [Fact]
    public void A_wish_to_cancel_comes_too_late_once_confirmed() => Order.Decider
        .Given(Placed, new Confirmed())
        .When(new RequestCancellation("Changed my mind", "customer"))
        .ThenRefused(OrderRefusal.Confirmed);

    [Fact]
    public void A_wish_to_cancel_a_cancelled_order_is_already_done() => Order.Decider
        .Given(Placed, Cancelled)
        .When(new RequestCancellation("Changed my mind", "customer"))
        .Then();

    [Theory]
    [InlineData("", "customer")]
    [InlineData("line\nbreak", "customer")]
    [InlineData("why", " ")]
    [InlineData("why", null)]
    public void A_wish_to_cancel_names_a_reason_and_a_person(string? reason, string? by) => Order.Decider
        .Given(Placed)
        .When(new RequestCancellation(reason!, by!))
        .ThenRefused("invalid-order", RefusalKind.Invalid);

    [Fact]
    public void A_pending_order_is_cancelled_with_its_reason() => Order.Decider
        .Given(Placed)
        .When(new Cancel("insufficient-stock", "Only 1 left."))
        .Then(Cancelled);

    [Fact]
    public void An_order_is_cancelled_after_a_wish_to_cancel() => Order.Decider
        .Given(Placed, Wish)
        .When(new Cancel("cancellation-requested", "Changed my mind"))
        .Then(new Cancelled("cancellation-requested", "Changed my mind"));

    [Fact]
    public void The_first_reason_of_a_cancellation_stands() => Order.Decider
        .Given(Placed, Cancelled)
        .When(new Cancel("card-declined", "The bank declined the card."))
        .Then();

    [Theory]
    [InlineData("two\r\nlines", "two  lines")]
    [InlineData(null, "No reason given.")]
    [InlineData("\uD83D\uDE00", "\uD83D\uDE00")]
    public void An_unreadable_detail_never_stops_a_cancellation(string? detail, string stored) => Order.Decider
        .Given(Placed)
        .When(new Cancel("insufficient-stock", detail!))
        .Then(new Cancelled("insufficient-stock", stored));

    [Fact]
    public void A_broken_character_never_stops_a_cancellation() => Order.Decider
        .Given(Placed)
        .When(new Cancel("insufficient-stock", "a\uD800b\uDC00"))
        .Then(new Cancelled("insufficient-stock", "a?b?"));

    [Fact]
    public void A_detail_too_long_is_cut_without_halving_a_character() => Order.Decider
        .Given(Placed)
        .When(new Cancel("code", Long(Order.TextLengthMax - 1) + "\uD83D\uDE00"))
        .Then(new Cancelled("code", Long(Order.TextLengthMax - 1) + "?"));

    [Fact]
    public void A_confirmed_order_is_not_cancelled_any_more() => Order.Decider
        .Given(Placed, new Confirmed())
        .When(new Cancel("changed-mind", "Too late"))
        .ThenRefused(OrderRefusal.Confirmed);

    [Fact]
    public void A_cancelled_order_is_not_confirmed_any_more() => Order.Decider
        .Given(Placed, Cancelled)
        .When(new Confirm())
        .ThenRefused(OrderRefusal.Cancelled);

    [Theory]
    [InlineData("Not A Code")]
    [InlineData("")]
    [InlineData(null)]
    public void A_cancellation_has_a_code(string? code) => Order.Decider
        .Given(Placed)
        .When(new Cancel(code!, "detail"))
        .ThenRefused("invalid-order", RefusalKind.Invalid);
}
