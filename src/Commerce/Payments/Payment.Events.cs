using EventSourcing;

namespace Commerce.Payments;

/// <summary>Names a payment: the key under which the gateway does everything at most once.</summary>
public readonly record struct PaymentId(Guid Value)
{
    /// <summary>An order is paid once, so its own id names the payment.</summary>
    public static PaymentId Of(OrderId order) => new(order.Value);

    public override string ToString() => Value.ToString("D");
}

/// <summary>Names one refund of a payment, so that a repeated refund is told from a second one.</summary>
public readonly record struct RefundId(Guid Value)
{
    public override string ToString() => Value.ToString("D");
}

/// <summary>The facts on a payment stream: what the gateway answered. Stored for ever: add, never edit.</summary>
public abstract record PaymentEvent
{
    public sealed record Authorized(Money Amount, string AuthorizationId) : PaymentEvent;

    public sealed record Declined(string Code, string Detail) : PaymentEvent;

    public sealed record Captured(Money Amount) : PaymentEvent;

    /// <summary>No money moves. Why is the code of what made it so, where only events tell it on.</summary>
    public sealed record Voided(string? Why = null) : PaymentEvent;

    public sealed record Refunded(RefundId Refund, Money Amount) : PaymentEvent;

    public static readonly EventTypes<PaymentEvent> Types = new()
    {
        { "payment-authorized", typeof(Authorized) },
        { "payment-declined", typeof(Declined) },
        { "payment-captured", typeof(Captured) },
        { "payment-voided", typeof(Voided) },
        { "payment-refunded", typeof(Refunded) },
    };

    PaymentEvent() { }
}

/// <summary>What the gateway answered, to be recorded.</summary>
public abstract record PaymentCommand
{
    public sealed record RecordAuthorized(Money Amount, string AuthorizationId) : PaymentCommand;

    public sealed record RecordDeclined(string Code, string Detail) : PaymentCommand;

    public sealed record RecordCaptured : PaymentCommand;

    public sealed record RecordVoided(string? Why = null) : PaymentCommand;

    public sealed record RecordRefunded(RefundId Refund, Money Amount) : PaymentCommand;

    PaymentCommand() { }
}

/// <summary>Every "no" of a payment.</summary>
public static class PaymentRefusal
{
    public static readonly Refusal Unknown = new("unknown-payment", "There is no such payment.", RefusalKind.Unknown);

    public static readonly Refusal OtherAmount = new(
        "payment-with-other-amount", "The payment was authorized for another amount.");

    public static readonly Refusal OtherAuthorization = new(
        "payment-with-other-authorization", "The payment has another authorization.");

    public static readonly Refusal Authorized = new("payment-authorized", "The payment is authorized already.");

    public static readonly Refusal Declined = new("payment-declined", "The payment was declined.");

    public static readonly Refusal Voided = new("payment-voided", "The payment is void.");

    public static readonly Refusal Captured = new("payment-captured", "The money has moved: refund it instead.");

    public static readonly Refusal NotCaptured = new(
        "payment-not-captured", "No money has moved yet: void it instead.");

    public static readonly Refusal OtherRefundAmount = new(
        "refund-with-other-amount", "This refund was made with another amount.");

    public static readonly Refusal TooManyRefunds = new(
        "too-many-refunds", $"A payment has at most {Payment.RefundsMax} refunds.");

    public static Refusal RefundTooLarge(Money left) => new(
        "refund-exceeds-captured", $"At most {left} can be refunded.");

    public static Refusal Invalid(string detail) => new("invalid-payment", detail, RefusalKind.Invalid);
}
