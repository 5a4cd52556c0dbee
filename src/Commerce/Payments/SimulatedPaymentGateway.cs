using System.Globalization;
using static Commerce.Payments.PaymentAnswer;

namespace Commerce.Payments;

/// <summary>What a gateway can be asked to do, for saying which of it shall time out.</summary>
public enum PaymentCall
{
    Authorize,
    Capture,
    Void,
    Refund,
}

/// <summary>All that moved under one payment, in minor units; <c>Closed</c> says that it was voided.</summary>
public sealed record PaymentLedger(long Authorized, long Captured, long Voided, long Refunded, bool Closed);

/// <summary>
/// A gateway without a bank: idempotent by key like a real one, with a ledger to check afterwards. Its cards, by the
/// last four digits of the number (all pass the check digit of <see cref="CardToken"/> as 4000 0000 0000 XXXX, the
/// first as 4242 4242 4242 4242):
/// <list type="bullet">
/// <item>4242 approves.</item>
/// <item>0002 declines, <c>card-declined</c>; 9995 declines, <c>insufficient-funds</c>.</item>
/// <item>0119 never answers an authorization, and nothing happens.</item>
/// <item>0127 authorizes but its first answer is lost; asked again, it approves.</item>
/// <item>0341 approves, then fails the first two captures before they happen.</item>
/// </list>
/// Any other method is declined, <c>unknown-test-card</c>.
/// </summary>
/// <remarks>
/// Memory is all it has. An authorization id carries its amount, so a payment authorized before a restart (or forgotten
/// beyond <see cref="PaymentsMax"/>) can still be captured and refunded.
/// </remarks>
public sealed class SimulatedPaymentGateway : IPaymentGateway
{
    public const int PaymentsMax = 100_000;

    readonly SimulatedLine<PaymentCall> line = new("payment gateway");
    readonly Dictionary<PaymentId, Account> accounts = [];
    readonly Queue<PaymentId> oldestFirst = [];

    /// <summary>Lets the next calls of one kind time out, before their effect or with the answer lost.</summary>
    public void TimeOut(PaymentCall call, int times = 1, bool afterEffect = false) =>
        line.TimeOut(call, times, afterEffect);

    /// <summary>Ends every time-out ordered with <see cref="TimeOut"/>; what the cards do stays as it is.</summary>
    public void Recover() => line.Recover();

    /// <summary>What moved under this payment so far: nothing, if the gateway never heard of it.</summary>
    public PaymentLedger Ledger(PaymentId payment) =>
        line.Read(() => accounts.GetValueOrDefault(payment)?.Ledger() ?? new(0, 0, 0, 0, Closed: false));

    public Task<PaymentAnswer> AuthorizeAsync(
        PaymentId payment, Money amount, PaymentMethod method, CancellationToken cancellation) =>
        line.Call(PaymentCall.Authorize, () => Authorize(payment, amount, method), cancellation);

    public Task<PaymentAnswer> CaptureAsync(
        PaymentId payment, string authorizationId, CancellationToken cancellation) =>
        line.Call(PaymentCall.Capture, () => Capture(payment, authorizationId), cancellation);

    public Task<PaymentAnswer> VoidAsync(PaymentId payment, CancellationToken cancellation) =>
        line.Call(PaymentCall.Void, () => Void(payment), cancellation);

    public Task<PaymentAnswer> RefundAsync(
        PaymentId payment, string authorizationId, RefundId refund, Money amount, CancellationToken cancellation) =>
        line.Call(PaymentCall.Refund, () => Refund(payment, authorizationId, refund, amount), cancellation);

    PaymentAnswer Authorize(PaymentId payment, Money amount, PaymentMethod method)
    {
        if (method.Value == "card_0119") throw line.NoAnswer(PaymentCall.Authorize);

        var account = accounts.GetValueOrDefault(payment) ?? Open(payment);
        if (account.Closed) return new Declined("payment-voided", "The payment was voided before it was authorized.");
        if (account.Decline is { } decline) return decline;
        if (account.Authorized is { } authorized)
        {
            return authorized == amount
                ? new Approved(AuthorizationId(payment, authorized))
                : new Declined("payment-with-other-amount", $"This payment was authorized for {authorized}.");
        }

        account.Decline = method.Value switch
        {
            "card_4242" or "card_0127" or "card_0341" => null,
            "card_0002" => new Declined("card-declined", "The bank declined the card."),
            "card_9995" => new Declined("insufficient-funds", "The card has insufficient funds."),
            _ => new Declined("unknown-test-card", $"The simulated gateway does not know {method}."),
        };
        if (account.Decline is not null) return account.Decline;

        account.Authorized = amount;
        account.CapturesToFail = method.Value == "card_0341" ? 2 : 0;
        return method.Value == "card_0127"
            ? throw line.NoAnswer(PaymentCall.Authorize)
            : new Approved(AuthorizationId(payment, amount));
    }

    PaymentAnswer Capture(PaymentId payment, string authorizationId)
    {
        if (Find(payment, authorizationId, captured: false) is not { } account) return UnknownAuthorization;
        if (account.Closed) return new Declined("payment-voided", "The payment is void.");
        if (account.CapturesToFail > 0)
        {
            account.CapturesToFail--;
            throw line.NoAnswer(PaymentCall.Capture);
        }

        account.Captured = true;
        return new Approved($"capture_{payment.Value:N}");
    }

    PaymentAnswer Void(PaymentId payment)
    {
        var account = accounts.GetValueOrDefault(payment) ?? Open(payment);
        if (account.Captured) return new Declined("payment-captured", "The money has moved: refund it instead.");
        account.Closed = true;
        return new Approved($"void_{payment.Value:N}");
    }

    PaymentAnswer Refund(PaymentId payment, string authorizationId, RefundId refund, Money amount)
    {
        if (Find(payment, authorizationId, captured: true) is not { } account) return UnknownAuthorization;
        if (!account.Captured) return new Declined("payment-not-captured", "No money has moved yet: void it instead.");
        if (account.Refunds.TryGetValue(refund, out var refunded))
        {
            return refunded == amount
                ? new Approved($"refund_{refund.Value:N}")
                : new Declined("refund-with-other-amount", $"This refund was made for {refunded}.");
        }

        var taken = account.Authorized!.Value;
        var left = taken.MinorUnits - account.Refunded();
        if (amount.Currency != taken.Currency || amount.MinorUnits <= 0 || amount.MinorUnits > left)
            return new Declined("refund-exceeds-captured", $"Of {taken}, {left} minor units can be refunded.");
        account.Refunds.Add(refund, amount);
        return new Approved($"refund_{refund.Value:N}");
    }

    Account? Find(PaymentId payment, string authorizationId, bool captured)
    {
        if (accounts.TryGetValue(payment, out var account))
            return account.Authorized is { } own && AuthorizationId(payment, own) == authorizationId ? account : null;

        // One of its own ids that it does not remember: authorized before a restart. A refund is asked for only after
        // the capture was recorded, so money has moved.
        var parts = authorizationId.Split('_');
        if (parts.Length != 4 || !long.TryParse(parts[2], CultureInfo.InvariantCulture, out var minor)) return null;
        var amount = new Money(minor, new(parts[3]));
        if (amount.Fault() is not null || AuthorizationId(payment, amount) != authorizationId) return null;
        account = Open(payment);
        account.Authorized = amount;
        account.Captured = captured;
        return account;
    }

    Account Open(PaymentId payment)
    {
        if (accounts.Count == PaymentsMax) accounts.Remove(oldestFirst.Dequeue());
        oldestFirst.Enqueue(payment);
        return accounts[payment] = new();
    }

    static string AuthorizationId(PaymentId payment, Money amount) =>
        string.Create(CultureInfo.InvariantCulture, $"sim_{payment.Value:N}_{amount.MinorUnits}_{amount.Currency}");

    static Declined UnknownAuthorization { get; } =
        new("unknown-authorization", "The gateway gave no such authorization for this payment.");

    sealed class Account
    {
        public Money? Authorized { get; set; }

        public Declined? Decline { get; set; }

        public bool Captured { get; set; }

        public bool Closed { get; set; }

        public int CapturesToFail { get; set; }

        public Dictionary<RefundId, Money> Refunds { get; } = [];

        public long Refunded() => Refunds.Values.Sum(refund => refund.MinorUnits);

        public PaymentLedger Ledger()
        {
            var authorized = Authorized?.MinorUnits ?? 0;
            return new(authorized, Captured ? authorized : 0, Closed ? authorized : 0, Refunded(), Closed);
        }
    }
}
