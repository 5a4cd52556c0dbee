using System.Collections.Immutable;
using System.Diagnostics;
using EventSourcing;
using static Commerce.Payments.PaymentCommand;
using static Commerce.Payments.PaymentEvent;

namespace Commerce.Payments;

/// <summary>Where a payment stands. Declined and Voided are final; Captured can only be refunded.</summary>
public enum PaymentStatus
{
    None,
    Authorized,
    Declined,
    Voided,
    Captured,
}

/// <summary>One payment as the gateway told it: only what its decisions need to know.</summary>
public sealed record Payment(
    PaymentStatus Status, Authorized? Authorization, ImmutableDictionary<RefundId, Money> Refunds)
{
    public const string Category = "payment";

    public const int RefundsMax = 100;
    public const int NameLengthMax = 100;
    public const int DetailLengthMax = 500;

    public static readonly Decider<Payment, PaymentCommand, PaymentEvent> Decider =
        new(new(PaymentStatus.None, null, ImmutableDictionary<RefundId, Money>.Empty), Evolve, Decide);

    public static StreamId Stream(PaymentId payment) => StreamId.Of(Category, payment.Value);

    /// <summary>Whose stream it is: the way back from <see cref="Stream"/>.</summary>
    public static PaymentId IdOf(StreamId stream) => new(Guid.ParseExact(stream.Id, "D"));

    static Payment Evolve(Payment payment, PaymentEvent @event) => @event switch
    {
        Authorized e => payment with { Status = PaymentStatus.Authorized, Authorization = e },
        Declined => payment with { Status = PaymentStatus.Declined },
        Captured => payment with { Status = PaymentStatus.Captured },
        Voided => payment with { Status = PaymentStatus.Voided },
        Refunded e => payment with { Refunds = payment.Refunds.Add(e.Refund, e.Amount) },
        _ => throw new UnreachableException(),
    };

    static Decision<PaymentEvent> Decide(PaymentCommand command, Payment payment) => (command, payment.Status) switch
    {
        (RecordAuthorized c, PaymentStatus.None) when Fault(c) is { } fault => fault,
        (RecordAuthorized c, PaymentStatus.None) => [new Authorized(c.Amount, c.AuthorizationId)],
        (RecordAuthorized, PaymentStatus.Declined) => PaymentRefusal.Declined,
        (RecordAuthorized, PaymentStatus.Voided) => PaymentRefusal.Voided,
        (RecordAuthorized c, _) when c.Amount != payment.Authorization!.Amount => PaymentRefusal.OtherAmount,
        (RecordAuthorized c, _) when c.AuthorizationId != payment.Authorization!.AuthorizationId =>
            PaymentRefusal.OtherAuthorization,
        (RecordAuthorized, _) => [],

        (RecordDeclined c, PaymentStatus.None) when !Text.IsSlug(c.Code, NameLengthMax) => PaymentRefusal.Invalid(
            $"A decline's code is 1 to {NameLengthMax} lower-case letters, digits and dashes."),
        (RecordDeclined c, PaymentStatus.None) => [new Declined(c.Code, Text.Fit(c.Detail, DetailLengthMax))],
        (RecordDeclined, PaymentStatus.Authorized) => PaymentRefusal.Authorized,
        (RecordDeclined, PaymentStatus.Captured) => PaymentRefusal.Captured,

        // Declined, or closed before the authorization came: no money moves either way.
        (RecordDeclined, _) => [],

        (RecordCaptured, PaymentStatus.Authorized) => [new Captured(payment.Authorization!.Amount)],
        (RecordCaptured, PaymentStatus.Captured) => [],
        (RecordCaptured, PaymentStatus.Declined) => PaymentRefusal.Declined,
        (RecordCaptured, PaymentStatus.Voided) => PaymentRefusal.Voided,
        (RecordCaptured, _) => PaymentRefusal.Unknown,

        // An undo may overtake the step it undoes: it closes the payment, so a late authorization is refused.
        (RecordVoided c, PaymentStatus.None or PaymentStatus.Authorized) => [new Voided(c.Why)],
        (RecordVoided, PaymentStatus.Captured) => PaymentRefusal.Captured,
        (RecordVoided, _) => [],

        (RecordRefunded, PaymentStatus.None) => PaymentRefusal.Unknown,
        (RecordRefunded c, PaymentStatus.Captured) => Refund(c, payment),
        (RecordRefunded, _) => PaymentRefusal.NotCaptured,
        _ => throw new UnreachableException(),
    };

    static Refusal? Fault(RecordAuthorized c) => c.Amount.Fault(minorUnitsMin: 1) ?? (
        Text.IsLine(c.AuthorizationId, NameLengthMax)
            ? null
            : PaymentRefusal.Invalid($"An authorization id is 1 to {NameLengthMax} characters."));

    static Decision<PaymentEvent> Refund(RecordRefunded c, Payment payment)
    {
        if (c.Refund == default) return PaymentRefusal.Invalid("A refund id is not all zeros.");
        if (payment.Refunds.TryGetValue(c.Refund, out var amount))
            return amount == c.Amount ? [] : PaymentRefusal.OtherRefundAmount;
        if (c.Amount.Fault(minorUnitsMin: 1) is { } fault) return fault;

        var left = payment.Refunds.Values.Aggregate(payment.Authorization!.Amount, (rest, refunded) => rest - refunded);
        if (c.Amount.Currency != left.Currency)
            return PaymentRefusal.Invalid($"A refund is in the payment's currency, {left.Currency}.");
        if (c.Amount > left) return PaymentRefusal.RefundTooLarge(left);
        if (payment.Refunds.Count >= RefundsMax) return PaymentRefusal.TooManyRefunds;
        return [new Refunded(c.Refund, c.Amount)];
    }
}
