using Commerce.Customers;
using FsCheck;
using FsCheck.Fluent;
using static Commerce.Customers.CustomerCommand;

namespace Commerce.Tests.Laws;

public sealed class CreditLaws
{
    static readonly Gen<CreditReservationId> Reservations = Law.Ids.Select(id => new CreditReservationId(id));

    static readonly Gen<CustomerCommand> Commands = Gen.Frequency<CustomerCommand>(
        (1, Gen.Choose(5, 6).Select(limit => (CustomerCommand)new Register("Ada", "a@b", null, Samples.Euros(limit)))),
        (1, Gen.Elements("Ada", "Bob").Zip(Gen.Choose(5, 6), (name, limit) =>
            (CustomerCommand)new Put(name, "a@b", null, Samples.Euros(limit)))),
        (1, Gen.Elements("Ada", "Bob", "").Select(name => (CustomerCommand)new ChangeDetails(name, "a@b", null))),
        (4, Gen.Choose(-1, 6).Zip(Reservations, (a, id) => (CustomerCommand)new ReserveCredit(id, Samples.Euros(a)))),
        (1, Reservations.Select(id => (CustomerCommand)new ReserveCredit(id, Samples.Won(1)))),
        (4, Gen.Choose(-1, 6).Zip(Reservations, (a, id) => (CustomerCommand)new RequestCredit(id, Samples.Euros(a)))),
        (2, Reservations.Select(id => (CustomerCommand)new ReleaseCredit(id))));

    [Fact]
    public void No_more_credit_is_held_than_the_limit() => Law.Hold(Customer.Decider, Commands, (_, _, customer) =>
    {
        Assert.Equal(customer.CreditHeld, customer.Held.Values.Sum(amount => amount.MinorUnits));
        Assert.InRange(customer.CreditHeld, 0, customer.Registration?.CreditLimit.MinorUnits ?? 0);
    });

    [Fact]
    public void A_released_reservation_never_holds_anything_again() => Law.Hold(Customer.Decider, Commands, (_, _, c) =>
        Assert.DoesNotContain(c.Held.Keys, c.Released.Contains));

    [Fact]
    public void The_card_agrees_with_the_customer() => Law.HoldInTheEnd(Customer.Decider, Commands, (facts, customer) =>
    {
        var card = Scenario.Project<CustomerCard, CustomerEvent>(
            Customer.Stream(Samples.TheCustomer), CustomerCard.Project, facts);
        Assert.Equal(customer.Registration is null, card is null);
        if (card is null) return;
        Assert.Equal(customer.CreditHeld, (card.CreditLimit - card.CreditAvailable).MinorUnits);
        Assert.Equal(customer.Details!.Name, card.Name);
    });
}
