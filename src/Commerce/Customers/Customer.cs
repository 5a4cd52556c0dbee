using System.Collections.Immutable;
using System.Diagnostics;
using EventSourcing;
using static Commerce.Customers.CustomerCommand;
using static Commerce.Customers.CustomerEvent;

namespace Commerce.Customers;

/// <summary>One customer and the credit that open orders hold: only what its decisions need to know.</summary>
/// <remarks>
/// What was registered is kept beside the details of today, so that a late repeat of the registration is known for one.
/// Why forgetting the oldest released reservations is safe: <see cref="Recent{TId,TOutcome}"/>.
/// </remarks>
public sealed record Customer(
    Registered? Registration,
    DetailsChanged? Details,
    long CreditHeld,
    ImmutableDictionary<CreditReservationId, Money> Held,
    Recent<CreditReservationId, Money?> Released)
{
    public const string Category = "customer";

    public const int HeldMax = 1_000;
    public const int NameLengthMax = 200;
    public const int EmailLengthMax = 254;

    public static readonly Decider<Customer, CustomerCommand, CustomerEvent> Decider = new(
        new(
            null,
            null,
            CreditHeld: 0,
            ImmutableDictionary<CreditReservationId, Money>.Empty,
            Recent<CreditReservationId, Money?>.None),
        Evolve,
        Decide);

    public static StreamId Stream(CustomerId customer) => StreamId.Of(Category, customer.Value);

    /// <summary>Whose stream it is: the way back from <see cref="Stream"/>.</summary>
    public static CustomerId IdOf(StreamId stream) => new(Guid.ParseExact(stream.Id, "D"));

    static Customer Evolve(Customer customer, CustomerEvent @event) => @event switch
    {
        Registered e => customer with { Registration = e, Details = new(e.Name, e.Email, e.Address) },
        DetailsChanged e => customer with { Details = e },
        CreditReserved e => customer with
        {
            CreditHeld = customer.CreditHeld + e.Amount.MinorUnits,
            Held = customer.Held.Add(e.Reservation, e.Amount),
        },
        CreditReleased e => customer with
        {
            CreditHeld = customer.CreditHeld - (e.Amount?.MinorUnits ?? 0),
            Held = customer.Held.Remove(e.Reservation),
            Released = customer.Released.Add(e.Reservation, e.Amount),
        },
        CreditRefused e => customer with { Released = customer.Released.Add(e.Reservation, null) },
        _ => throw new UnreachableException(),
    };

    static Decision<CustomerEvent> Decide(CustomerCommand command, Customer customer) => command switch
    {
        Register c => Register(new(c.Name, c.Email, c.Address, c.CreditLimit), customer),

        Put c when customer.Registration is null => Register(new(c.Name, c.Email, c.Address, c.CreditLimit), customer),
        Put c when c.CreditLimit != customer.Registration.CreditLimit => CustomerRefusal.CreditLimitFixed,
        Put c when Fault(c.Name, c.Email, c.Address) is { } fault => fault,
        Put c => Change(new(c.Name, c.Email, c.Address), customer),

        ChangeDetails when customer.Registration is null => CustomerRefusal.Unknown,
        ChangeDetails c when Fault(c.Name, c.Email, c.Address) is { } fault => fault,
        ChangeDetails c => Change(new(c.Name, c.Email, c.Address), customer),

        ReserveCredit c => Reserve(c, customer),
        RequestCredit c => Request(c, customer),

        // An undo may overtake the step it undoes: it closes the id, so the late step is refused.
        ReleaseCredit c when c.Reservation == default => CustomerRefusal.InvalidReservation,
        ReleaseCredit c when customer.Released.Contains(c.Reservation) => [],
        ReleaseCredit c => [new CreditReleased(c.Reservation, HeldBy(c.Reservation, customer), c.Why)],
        _ => throw new UnreachableException(),
    };

    static Decision<CustomerEvent> Register(Registered content, Customer customer)
    {
        if (customer.Registration is { } known) return content == known ? [] : CustomerRefusal.OtherContent;
        var fault = Fault(content.Name, content.Email, content.Address) ?? content.CreditLimit.Fault();
        return fault is not null ? fault : [content];
    }

    static Decision<CustomerEvent> Change(DetailsChanged details, Customer customer) =>
        details == customer.Details ? [] : [details];

    static Decision<CustomerEvent> Reserve(ReserveCredit c, Customer customer)
    {
        if (c.Reservation == default) return CustomerRefusal.InvalidReservation;
        if (HeldBy(c.Reservation, customer) is { } held) return held == c.Amount ? [] : CustomerRefusal.OtherAmount;
        if (customer.Released.Contains(c.Reservation)) return CustomerRefusal.Closed;
        if (customer.Registration is null) return CustomerRefusal.Unknown;
        if (c.Amount.Fault(minorUnitsMin: 1) is { } fault) return fault;

        var limit = customer.Registration.CreditLimit;
        if (c.Amount.Currency != limit.Currency) return CustomerRefusal.OtherCurrency(limit.Currency);
        var available = limit with { MinorUnits = limit.MinorUnits - customer.CreditHeld };
        if (c.Amount > available) return CustomerRefusal.Insufficient(available);
        if (customer.Held.Count >= HeldMax) return CustomerRefusal.TooManyHeld;
        return [new CreditReserved(c.Reservation, c.Amount)];
    }

    // Answered once, whatever the answer was, and closed by an undo that came first: nobody waits for a second answer.
    static Decision<CustomerEvent> Request(RequestCredit c, Customer customer)
    {
        if (customer.Released.Contains(c.Reservation)) return [];
        var decision = Reserve(new(c.Reservation, c.Amount), customer);
        return decision.Refusal is { } no && c.Reservation != default && !customer.Held.ContainsKey(c.Reservation)
            ? [new CreditRefused(c.Reservation, no.Code, no.Detail)]
            : decision;
    }

    static Money? HeldBy(CreditReservationId reservation, Customer customer) =>
        customer.Held.TryGetValue(reservation, out var amount) ? amount : null;

    static Refusal? Fault(string name, string email, Address? address) =>
        !Text.IsLine(name, NameLengthMax) ? CustomerRefusal.Invalid($"A name is 1 to {NameLengthMax} characters.")
        : !IsEmail(email) ? CustomerRefusal.Invalid(
            $"An e-mail address is name@domain, at most {EmailLengthMax} characters, without spaces.")
        : address?.Fault();

    // Only a letter that arrives proves an address; this keeps out what can be none.
    static bool IsEmail(string? email) =>
        Text.IsLine(email, EmailLengthMax) && !email!.Any(char.IsWhiteSpace)
        && email!.IndexOf('@', StringComparison.Ordinal) is var at && at > 0 && at < email.Length - 1
        && email.LastIndexOf('@') == at;
}
