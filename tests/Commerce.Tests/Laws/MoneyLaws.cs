using Commerce.Payments;
using FsCheck;
using FsCheck.Fluent;
using static Commerce.Payments.PaymentCommand;

namespace Commerce.Tests.Laws;

/// <summary>Money is neither made nor lost, whatever is asked in whatever order and however the line fails.</summary>
public sealed class MoneyLaws
{
    static readonly PaymentId Id = PaymentId.Of(Samples.TheOrder);

    static readonly Gen<RefundId> Refunds = Law.Ids.Select(id => new RefundId(id));

    static readonly Gen<PaymentCommand> Commands = Gen.OneOf<PaymentCommand>(
        Gen.Choose(0, 2).Zip(Gen.Elements("auth-1", "auth-2"), (a, id) =>
            (PaymentCommand)new RecordAuthorized(Samples.Euros(a), id)),
        Gen.Elements("card-declined", "No").Select(code => (PaymentCommand)new RecordDeclined(code, "detail")),
        Gen.Constant<PaymentCommand>(new RecordCaptured()),
        Gen.Constant<PaymentCommand>(new RecordVoided()),
        Gen.Choose(0, 2).Zip(Refunds, (a, id) => (PaymentCommand)new RecordRefunded(id, Samples.Euros(a))));

    [Fact]
    public void No_more_is_refunded_than_was_captured() => Law.Hold(Payment.Decider, Commands, (_, _, payment) =>
    {
        var refunded = payment.Refunds.Values.Sum(amount => amount.MinorUnits);
        Assert.InRange(
            refunded, 0, payment.Status == PaymentStatus.Captured ? payment.Authorization!.Amount.MinorUnits : 0);
    });

    [Fact]
    public void Declined_and_voided_payments_stay_so() => Law.Hold(Payment.Decider, Commands, (before, events, _) =>
        Assert.True(before.Status is not (PaymentStatus.Declined or PaymentStatus.Voided) || events is []));

    /// <summary>One thing asked of the gateway, and what goes wrong with the line when it is asked first.</summary>
    sealed record Ask(PaymentCall Call, string Card, int Amount, RefundId Refund, int Lost, bool AfterEffect);

    static readonly Gen<Ask> Asks =
        from call in Gen.Elements(PaymentCall.Authorize, PaymentCall.Capture, PaymentCall.Void, PaymentCall.Refund)
        from card in Gen.Frequency(
            (5, Gen.Constant("card_4242")),
            (2, Gen.Elements("card_0127", "card_0341")),
            (1, Gen.Elements("card_0002", "card_9995", "card_9999")))
        from amount in Gen.Choose(1, 3)
        from refund in Refunds
        from lost in Gen.Choose(0, 2)
        from afterEffect in Gen.Elements(true, false)
        select new Ask(call, card, amount, refund, lost, afterEffect);

    [Fact]
    public void What_was_recorded_is_what_moved() => Law.ForAll(Asks, asks =>
    {
        var (gateway, payment) = (new SimulatedPaymentGateway(), Payment.Decider.Initial);
        foreach (var ask in asks)
        {
            if (ask.Lost > 0) gateway.TimeOut(ask.Call, ask.Lost, ask.AfterEffect);
            if (Record(ask, AskUntilAnswered(gateway, ask, payment)) is not { } command) continue;
            var decision = Payment.Decider.Decide(command, payment);

            // The gateway may hold to another amount or card than asked for now; it never contradicts what it said.
            Assert.True(decision.Refusal is null || command is RecordDeclined, $"{command}: {decision.Refusal}");
            payment = decision.Aggregate(payment, Payment.Decider.Evolve);

            var ledger = gateway.Ledger(Id);
            Assert.InRange(ledger.Captured + ledger.Voided, 0, ledger.Authorized);
            Assert.InRange(ledger.Refunded, 0, ledger.Captured);
            Assert.Equal(payment.Status == PaymentStatus.Captured ? ledger.Authorized : 0, ledger.Captured);
            Assert.Equal(payment.Authorization?.Amount.MinorUnits ?? 0, ledger.Authorized);
            Assert.Equal(payment.Refunds.Values.Sum(refund => refund.MinorUnits), ledger.Refunded);
        }
    });

    static PaymentAnswer AskUntilAnswered(SimulatedPaymentGateway gateway, Ask ask, Payment payment)
    {
        var authorization = payment.Authorization?.AuthorizationId ?? "";
        const int AttemptsMax = 5;
        for (var attempt = 1; ; attempt++)
        {
            var answer = ask.Call switch
            {
                PaymentCall.Authorize =>
                    gateway.AuthorizeAsync(Id, Samples.Euros(ask.Amount), new(ask.Card), default),
                PaymentCall.Capture => gateway.CaptureAsync(Id, authorization, default),
                PaymentCall.Void => gateway.VoidAsync(Id, default),
                _ => gateway.RefundAsync(Id, authorization, ask.Refund, Samples.Euros(ask.Amount), default),
            };
            if (answer.IsCompletedSuccessfully) return answer.Result;
            Assert.IsType<TimeoutException>(answer.Exception!.InnerException);
            Assert.InRange(attempt, 1, AttemptsMax);
        }
    }

    static PaymentCommand? Record(Ask ask, PaymentAnswer answer) => (ask.Call, answer) switch
    {
        (PaymentCall.Authorize, PaymentAnswer.Approved a) => new RecordAuthorized(Samples.Euros(ask.Amount), a.Id),
        (PaymentCall.Authorize, PaymentAnswer.Declined d) => new RecordDeclined(d.Code, d.Detail),
        (PaymentCall.Capture, PaymentAnswer.Approved) => new RecordCaptured(),
        (PaymentCall.Void, PaymentAnswer.Approved) => new RecordVoided(),
        (PaymentCall.Refund, PaymentAnswer.Approved) => new RecordRefunded(ask.Refund, Samples.Euros(ask.Amount)),
        _ => null,
    };
}
