using System.Diagnostics;
using EventSourcing;
using static Commerce.Customers.CustomerEvent;

namespace Commerce.Customers;

/// <summary>What the shop knows of a customer, and how much may still be bought on credit.</summary>
public sealed record CustomerCard(
    CustomerId Customer,
    string Name,
    string Email,
    Address? Address,
    Money CreditLimit,
    Money CreditAvailable,
    DateTimeOffset RegisteredAt)
{
    /// <summary>Null before the registration: an undo may close a reservation of a customer yet to come.</summary>
    public static CustomerCard? Project(CustomerCard? view, Recorded<CustomerEvent> recorded) =>
        (recorded.Event, view) switch
        {
            (Registered e, _) => new(
                Customers.Customer.IdOf(recorded.Stream), e.Name, e.Email, e.Address, e.CreditLimit, e.CreditLimit,
                recorded.Metadata.Timestamp),
            (DetailsChanged e, { } card) => card with { Name = e.Name, Email = e.Email, Address = e.Address },
            (CreditReserved e, { } card) => card with { CreditAvailable = card.CreditAvailable - e.Amount },
            (CreditReleased { Amount: { } amount }, { } card) => card with
            {
                CreditAvailable = card.CreditAvailable + amount,
            },
            (CreditReleased or CreditRefused, _) => view,
            _ => throw new UnreachableException(),
        };
}
