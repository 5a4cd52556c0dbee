using Commerce.Payments;
using EventSourcing;
using static Commerce.Payments.PaymentCommand;
using static Commerce.Payments.PaymentEvent;
using static Commerce.Tests.Samples;

namespace Commerce.Tests.Payments;

public sealed class RecordingPayments
{
    static readonly RefundId First = new(Guid.Parse("bbbbbbbb-0000-0000-0000-000000000001"));
    static readonly RefundId Second = new(Guid.Parse("bbbbbbbb-0000-0000-0000-000000000002"));
    static readonly Authorized Authorized = new(Euros(43_00), "auth-1");
    static readonly Captured Captured = new(Euros(43_00));

    [Fact]
    public void An_authorization_is_recorded() => Payment.Decider
        .Given()
        .When(new RecordAuthorized(Euros(43_00), "auth-1"))
        .Then(Authorized);

    [Fact]
    public void An_authorization_told_again_is_already_done() => Payment.Decider
        .Given(Authorized, Captured)
        .When(new RecordAuthorized(Euros(43_00), "auth-1"))
        .Then();

    [Fact]
    public void The_same_payment_with_another_amount_is_refused() => Payment.Decider
        .Given(Authorized)
        .When(new RecordAuthorized(Euros(42_00), "auth-1"))
        .ThenRefused(PaymentRefusal.OtherAmount);

    [Fact]
    public void The_same_payment_with_another_authorization_is_refused() => Payment.Decider
        .Given(Authorized)
        .When(new RecordAuthorized(Euros(43_00), "auth-2"))
        .ThenRefused(PaymentRefusal.OtherAuthorization);

    [Theory]
    [InlineData(0, "auth-1", "invalid-amount")]
    [InlineData(-5, "auth-1", "invalid-amount")]
    [InlineData(5, "", "invalid-payment")]
    public void A_malformed_authorization_is_refused(long cents, string id, string code) => Payment.Decider
        .Given()
        .When(new RecordAuthorized(Euros(cents), id))
        .ThenRefused(code, RefusalKind.Invalid);

    [Fact]
    public void A_decline_is_recorded() => Payment.Decider
        .Given()
        .When(new RecordDeclined("card-declined", "The bank declined the card."))
        .Then(new Declined("card-declined", "The bank declined the card."));

    [Fact]
    public void A_declined_payment_is_not_authorized_later() => Payment.Decider
        .Given(new Declined("card-declined", "No"))
        .When(new RecordAuthorized(Euros(43_00), "auth-1"))
        .ThenRefused(PaymentRefusal.Declined);

    [Fact]
    public void A_declined_payment_has_nothing_to_void() => Payment.Decider
        .Given(new Declined("card-declined", "No"))
        .When(new RecordVoided())
        .Then();

    [Fact]
    public void A_decline_after_the_void_changes_nothing() => Payment.Decider
        .Given(new Voided())
        .When(new RecordDeclined("payment-voided", "Too late"))
        .Then();

    [Theory]
    [InlineData(false, "payment-authorized")]
    [InlineData(true, "payment-captured")]
    public void A_payment_once_approved_is_not_declined(bool captured, string code) => Payment.Decider
        .Given(captured ? [Authorized, Captured] : [Authorized])
        .When(new RecordDeclined("card-declined", "No"))
        .ThenRefused(code, RefusalKind.Conflict);

    [Fact]
    public void A_decline_has_a_code() => Payment.Decider
        .Given()
        .When(new RecordDeclined("Do not honour", "No"))
        .ThenRefused("invalid-payment", RefusalKind.Invalid);

    [Fact]
    public void What_was_authorized_is_captured() => Payment.Decider
        .Given(Authorized)
        .When(new RecordCaptured())
        .Then(Captured);

    [Fact]
    public void Nothing_is_captured_without_an_authorization() => Payment.Decider
        .Given()
        .When(new RecordCaptured())
        .ThenRefused(PaymentRefusal.Unknown);

    [Fact]
    public void Nothing_is_captured_after_a_void() => Payment.Decider
        .Given(Authorized, new Voided())
        .When(new RecordCaptured())
        .ThenRefused(PaymentRefusal.Voided);

    [Fact]
    public void Nothing_is_captured_after_a_decline() => Payment.Decider
        .Given(new Declined("card-declined", "No"))
        .When(new RecordCaptured())
        .ThenRefused(PaymentRefusal.Declined);

    [Fact]
    public void An_authorization_is_voided() => Payment.Decider
        .Given(Authorized)
        .When(new RecordVoided())
        .Then(new Voided());

    [Fact]
    public void A_void_that_overtakes_the_authorization_closes_the_payment() => Payment.Decider
        .Given()
        .When(new RecordVoided())
        .Then(new Voided());

    [Fact]
    public void An_authorization_after_the_void_is_refused() => Payment.Decider
        .Given(new Voided())
        .When(new RecordAuthorized(Euros(43_00), "auth-1"))
        .ThenRefused(PaymentRefusal.Voided);

    [Fact]
    public void Money_that_has_moved_is_not_voided() => Payment.Decider
        .Given(Authorized, Captured)
        .When(new RecordVoided())
        .ThenRefused(PaymentRefusal.Captured);

    [Fact]
    public void A_part_is_refunded() => Payment.Decider
        .Given(Authorized, Captured)
        .When(new RecordRefunded(First, Euros(3_00)))
        .Then(new Refunded(First, Euros(3_00)));

    [Fact]
    public void The_same_refund_told_again_is_already_done() => Payment.Decider
        .Given(Authorized, Captured, new Refunded(First, Euros(43_00)))
        .When(new RecordRefunded(First, Euros(43_00)))
        .Then();

    [Fact]
    public void The_same_refund_with_another_amount_is_refused() => Payment.Decider
        .Given(Authorized, Captured, new Refunded(First, Euros(3_00)))
        .When(new RecordRefunded(First, Euros(4_00)))
        .ThenRefused(PaymentRefusal.OtherRefundAmount);

    [Fact]
    public void No_more_is_refunded_than_was_captured() => Payment.Decider
        .Given(Authorized, Captured, new Refunded(First, Euros(40_00)))
        .When(new RecordRefunded(Second, Euros(3_01)))
        .ThenRefused(PaymentRefusal.RefundTooLarge(Euros(3_00)));

    [Fact]
    public void Only_captured_money_is_refunded() => Payment.Decider
        .Given(Authorized)
        .When(new RecordRefunded(First, Euros(1_00)))
        .ThenRefused(PaymentRefusal.NotCaptured);

    [Fact]
    public void An_unknown_payment_is_not_refunded() => Payment.Decider
        .Given()
        .When(new RecordRefunded(First, Euros(1_00)))
        .ThenRefused(PaymentRefusal.Unknown);

    [Fact]
    public void A_refund_is_in_the_currency_of_the_payment() => Payment.Decider
        .Given(Authorized, Captured)
        .When(new RecordRefunded(First, Won(100)))
        .ThenRefused("invalid-payment", RefusalKind.Invalid);

    [Fact]
    public void A_refund_is_of_something() => Payment.Decider
        .Given(Authorized, Captured)
        .When(new RecordRefunded(First, Euros(0)))
        .ThenRefused("invalid-amount", RefusalKind.Invalid);

    [Fact]
    public void A_refund_has_an_id() => Payment.Decider
        .Given(Authorized, Captured)
        .When(new RecordRefunded(default, Euros(1)))
        .ThenRefused("invalid-payment", RefusalKind.Invalid);

    [Fact]
    public void Refunds_are_bounded() => Payment.Decider
        .Given([
            Authorized,
            Captured,
            .. Enumerable.Range(1, Payment.RefundsMax)
                .Select(i => new Refunded(new(new(i, 0, 0, new byte[8])), Euros(1)))])
        .When(new RecordRefunded(First, Euros(1)))
        .ThenRefused(PaymentRefusal.TooManyRefunds);
}
