using EventSourcing;

namespace Commerce.Customers;

/// <summary>Names the credit held for one purpose.</summary>
public readonly record struct CreditReservationId(Guid Value)
{
    /// <summary>An order holds a customer's credit once, so its own id names the reservation.</summary>
    public static CreditReservationId Of(OrderId order) => new(order.Value);

    public override string ToString() => Value.ToString("D");
}

/// <summary>The facts on a customer stream. Names and shapes are stored for ever: add, never edit.</summary>
public abstract record CustomerEvent
{
    public sealed record Registered(string Name, string Email, Address? Address, Money CreditLimit) : CustomerEvent;

    public sealed record DetailsChanged(string Name, string Email, Address? Address) : CustomerEvent;

    public sealed record CreditReserved(CreditReservationId Reservation, Money Amount) : CustomerEvent;

    /// <summary>
    /// The credit can be used again; there is no amount when the reservation never happened. Why is the code of what
    /// took the reservation back; nothing when it was held until its order was paid.
    /// </summary>
    public sealed record CreditReleased(CreditReservationId Reservation, Money? Amount, string? Why = null)
        : CustomerEvent;

    /// <summary>The "no" to who listens to events alone; the id is closed with it.</summary>
    public sealed record CreditRefused(CreditReservationId Reservation, string Code, string Detail) : CustomerEvent;

    public static readonly EventTypes<CustomerEvent> Types = new()
    {
        { "customer-registered", typeof(Registered), Personal.OfOwnStream("name", "email", "address") },
        { "customer-details-changed", typeof(DetailsChanged), Personal.OfOwnStream("name", "email", "address") },
        { "customer-credit-reserved", typeof(CreditReserved) },
        { "customer-credit-released", typeof(CreditReleased) },
        { "customer-credit-refused", typeof(CreditRefused) },
    };

    CustomerEvent() { }
}

/// <summary>What can be asked of a customer.</summary>
public abstract record CustomerCommand
{
    /// <summary>The customer shall look like this, registered now if not before.</summary>
    public sealed record Put(string Name, string Email, Address? Address, Money CreditLimit) : CustomerCommand;

    public sealed record Register(string Name, string Email, Address? Address, Money CreditLimit) : CustomerCommand;

    public sealed record ChangeDetails(string Name, string Email, Address? Address) : CustomerCommand;

    public sealed record ReserveCredit(CreditReservationId Reservation, Money Amount) : CustomerCommand;

    /// <summary>Reserves, for one who listens to events alone: a "no" is a fact as well.</summary>
    public sealed record RequestCredit(CreditReservationId Reservation, Money Amount) : CustomerCommand;

    public sealed record ReleaseCredit(CreditReservationId Reservation, string? Why = null) : CustomerCommand;

    CustomerCommand() { }
}

/// <summary>Every "no" of a customer.</summary>
public static class CustomerRefusal
{
    public static readonly Refusal Unknown = new("unknown-customer", "There is no such customer.", RefusalKind.Unknown);

    public static readonly Refusal OtherContent = new(
        "customer-exists-with-other-content", "A customer with this id was registered with other content.");

    public static readonly Refusal CreditLimitFixed = new(
        "credit-limit-fixed", "The credit limit was granted at registration and does not change with the details.");

    public static readonly Refusal Closed = new("credit-reservation-closed", "The credit was released already.");

    public static readonly Refusal OtherAmount = new(
        "credit-reservation-with-other-amount", "The credit was reserved for another amount.");

    public static readonly Refusal TooManyHeld = new(
        "too-many-credit-reservations", $"A customer has at most {Customer.HeldMax} open credit reservations.");

    public static readonly Refusal InvalidReservation = new(
        "invalid-credit-reservation", "A credit reservation id is not all zeros.", RefusalKind.Invalid);

    public static Refusal Insufficient(Money available) => new(
        "insufficient-credit", $"Only {available} of credit left.");

    public static Refusal OtherCurrency(Currency currency) => new(
        "credit-in-other-currency", $"This customer's credit is in {currency}.");

    public static Refusal Invalid(string detail) => new("invalid-customer", detail, RefusalKind.Invalid);
}
