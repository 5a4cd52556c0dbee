namespace Commerce.Payments;

/// <summary>What the gateway said. A "no" is an answer, not a fault: asking again changes nothing.</summary>
public abstract record PaymentAnswer
{
    /// <summary>Done, now or by an earlier call with the same key; the id is the gateway's own.</summary>
    public sealed record Approved(string Id) : PaymentAnswer;

    public sealed record Declined(string Code, string Detail) : PaymentAnswer;

    PaymentAnswer() { }
}

/// <summary>
/// Moves money outside this system. Every call is idempotent under its payment's id, and a refund under its own; the
/// answer may be lost on the way, so whoever gets an exception asks again with the same key.
/// </summary>
public interface IPaymentGateway
{
    /// <summary>Sets the amount aside. Under a payment id only one amount can ever be authorized.</summary>
    Task<PaymentAnswer> AuthorizeAsync(
        PaymentId payment, Money amount, PaymentMethod method, CancellationToken cancellation);

    /// <summary>Takes all that was set aside.</summary>
    Task<PaymentAnswer> CaptureAsync(PaymentId payment, string authorizationId, CancellationToken cancellation);

    /// <summary>Lets go of what was set aside, if anything, and closes the id against a late authorization.</summary>
    Task<PaymentAnswer> VoidAsync(PaymentId payment, CancellationToken cancellation);

    /// <summary>Gives back a part or all of what was taken, never more.</summary>
    Task<PaymentAnswer> RefundAsync(
        PaymentId payment, string authorizationId, RefundId refund, Money amount, CancellationToken cancellation);
}
