using Commerce;
using Commerce.Payments;
using EventSourcing;
using Microsoft.Azure.Functions.Worker;
using static Commerce.Payments.PaymentCommand;

namespace Functions.Sagas;

public sealed record PaymentStep(Origin Origin, Money Amount, PaymentMethod Method)
{
    public PaymentId Payment => PaymentId.Of(Origin.Order);
}

/// <summary>
/// What sagas ask of payments: first the gateway, idempotent under the payment's id, then the record of its answer. A
/// crash in between repeats the question and gets the same answer.
/// </summary>
public sealed class PaymentSteps(
    CommandHandler<Payment, PaymentCommand, PaymentEvent> payments, IPaymentGateway gateway)
{
    [Function(nameof(AuthorizePayment))]
    public async Task<Refusal?> AuthorizePayment([ActivityTrigger] PaymentStep step, CancellationToken cancellation)
    {
        var answer = await gateway.AuthorizeAsync(step.Payment, step.Amount, step.Method, cancellation);
        if (answer is PaymentAnswer.Approved approved)
            return await RecordAsync(step, "authorize", new RecordAuthorized(step.Amount, approved.Id), cancellation);

        var declined = (PaymentAnswer.Declined)answer;
        await RecordAsync(step, "decline", new RecordDeclined(declined.Code, declined.Detail), cancellation);
        return Refused(declined);
    }

    [Function(nameof(VoidPayment))]
    public async Task<Refusal?> VoidPayment([ActivityTrigger] PaymentStep step, CancellationToken cancellation) =>
        await gateway.VoidAsync(step.Payment, cancellation) is PaymentAnswer.Declined declined
            ? Refused(declined)
            : await RecordAsync(step, "void", new RecordVoided(), cancellation);

    [Function(nameof(CapturePayment))]
    public async Task<Refusal?> CapturePayment([ActivityTrigger] PaymentStep step, CancellationToken cancellation)
    {
        var payment = await payments.LoadAsync(Payment.Stream(step.Payment), StreamRange.All, cancellation);
        if (payment.State.Authorization is not { } authorization) return PaymentRefusal.Unknown;
        return await gateway.CaptureAsync(
            step.Payment, authorization.AuthorizationId, cancellation) is PaymentAnswer.Declined declined
            ? Refused(declined)
            : await RecordAsync(step, "capture", new RecordCaptured(), cancellation);
    }

    async Task<Refusal?> RecordAsync(
        PaymentStep step, string name, PaymentCommand command, CancellationToken cancellation) =>
        (await payments.HandleAsync(
            Payment.Stream(step.Payment), command, step.Origin.Command(name), cancellation)).Refusal;

    static Refusal Refused(PaymentAnswer.Declined declined) => new(declined.Code, declined.Detail);
}
