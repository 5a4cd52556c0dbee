using Commerce.Customers;
using EventSourcing;
using static Commerce.Customers.CustomerCommand;
using static Commerce.Customers.CustomerEvent;
using static Commerce.Tests.Samples;

namespace Commerce.Tests.Customers;

public sealed class ExtendingCredit
{
    static readonly CreditReservationId First = CreditReservationId.Of(TheOrder);
    static readonly CreditReservationId Second = new(Guid.Parse("cccccccc-0000-0000-0000-000000000002"));
    static readonly Registered Registered = new("Ada Kim", "ada@example.org", Home, Euros(100_00));

    [Fact]
    public void A_customer_registers() => Customer.Decider
        .Given()
        .When(new Register("Ada Kim", "ada@example.org", Home, Euros(100_00)))
        .Then(Registered);

    [Fact]
    public void An_address_can_come_later() => Customer.Decider
        .Given()
        .When(new Register("Ada Kim", "ada@example.org", null, Euros(0)))
        .Then(Registered with { Address = null, CreditLimit = Euros(0) });

    [Fact]
    public void The_same_registration_again_is_already_done_whatever_changed_since() => Customer.Decider
        .Given(Registered, new DetailsChanged("Ada Lee", "ada@example.org", null))
        .When(new Register("Ada Kim", "ada@example.org", Home with { }, Euros(100_00)))
        .Then();

    [Fact]
    public void Another_registration_under_the_same_id_is_refused() => Customer.Decider
        .Given(Registered)
        .When(new Register("Bob Lee", "ada@example.org", Home, Euros(100_00)))
        .ThenRefused(CustomerRefusal.OtherContent);

    public static TheoryData<string, Register> Malformed => new()
    {
        { "invalid-customer", new("", "ada@example.org", null, Euros(1)) },
        { "invalid-customer", new(Long(201), "ada@example.org", null, Euros(1)) },
        { "invalid-customer", new("Ada", "ada", null, Euros(1)) },
        { "invalid-customer", new("Ada", "@example.org", null, Euros(1)) },
        { "invalid-customer", new("Ada", "ada@", null, Euros(1)) },
        { "invalid-customer", new("Ada", "a@b@c", null, Euros(1)) },
        { "invalid-customer", new("Ada", "a b@c", null, Euros(1)) },
        { "invalid-customer", new("Ada", null!, null, Euros(1)) },
        { "invalid-address", new("Ada", "a@b", Home with { City = "" }, Euros(1)) },
        { "invalid-amount", new("Ada", "a@b", null, Euros(-1)) },
        { "unknown-currency", new("Ada", "a@b", null, new(1, new("XXX"))) },
    };

    [Theory]
    [MemberData(nameof(Malformed))]
    public void A_malformed_registration_is_refused(string code, Register registration) => Customer.Decider
        .Given()
        .When(registration)
        .ThenRefused(code, RefusalKind.Invalid);

    [Fact]
    public void Details_change() => Customer.Decider
        .Given(Registered)
        .When(new ChangeDetails("Ada Lee", "lee@example.org", null))
        .Then(new DetailsChanged("Ada Lee", "lee@example.org", null));

    [Fact]
    public void Details_that_are_the_same_change_nothing() => Customer.Decider
        .Given(Registered)
        .When(new ChangeDetails("Ada Kim", "ada@example.org", Home with { }))
        .Then();

    [Fact]
    public void Details_of_an_unknown_customer_do_not_change() => Customer.Decider
        .Given()
        .When(new ChangeDetails("Ada Kim", "ada@example.org", null))
        .ThenRefused(CustomerRefusal.Unknown);

    [Fact]
    public void Malformed_details_are_refused() => Customer.Decider
        .Given(Registered)
        .When(new ChangeDetails("Ada", "nowhere", null))
        .ThenRefused("invalid-customer", RefusalKind.Invalid);

    [Fact]
    public void Putting_a_new_customer_registers_them() => Customer.Decider
        .Given()
        .When(new Put("Ada Kim", "ada@example.org", Home, Euros(100_00)))
        .Then(Registered);

    [Fact]
    public void Putting_a_known_customer_changes_their_details() => Customer.Decider
        .Given(Registered)
        .When(new Put("Ada Lee", "ada@example.org", Home, Euros(100_00)))
        .Then(new DetailsChanged("Ada Lee", "ada@example.org", Home));

    [Fact]
    public void Putting_the_same_again_changes_nothing() => Customer.Decider
        .Given(Registered)
        .When(new Put("Ada Kim", "ada@example.org", Home with { }, Euros(100_00)))
        .Then();

    [Fact]
    public void Putting_a_customer_never_changes_the_credit_limit() => Customer.Decider
        .Given(Registered)
        .When(new Put("Ada Kim", "ada@example.org", Home, Euros(200_00)))
        .ThenRefused(CustomerRefusal.CreditLimitFixed);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_malformed_customer_is_not_put(bool known) => Customer.Decider
        .Given(known ? [Registered] : [])
        .When(new Put("Ada Kim", "nowhere", Home, Euros(100_00)))
        .ThenRefused("invalid-customer", RefusalKind.Invalid);

    [Fact]
    public void Credit_is_held_up_to_the_limit() => Customer.Decider
        .Given(Registered, new CreditReserved(First, Euros(60_00)))
        .When(new ReserveCredit(Second, Euros(40_00)))
        .Then(new CreditReserved(Second, Euros(40_00)));

    [Fact]
    public void No_more_credit_is_held_than_the_limit() => Customer.Decider
        .Given(Registered, new CreditReserved(First, Euros(60_00)))
        .When(new ReserveCredit(Second, Euros(40_01)))
        .ThenRefused(CustomerRefusal.Insufficient(Euros(40_00)));

    [Fact]
    public void A_repeated_reservation_is_already_done() => Customer.Decider
        .Given(Registered, new CreditReserved(First, Euros(60_00)))
        .When(new ReserveCredit(First, Euros(60_00)))
        .Then();

    [Fact]
    public void A_reservation_of_another_amount_is_refused() => Customer.Decider
        .Given(Registered, new CreditReserved(First, Euros(60_00)))
        .When(new ReserveCredit(First, Euros(50_00)))
        .ThenRefused(CustomerRefusal.OtherAmount);

    [Fact]
    public void An_unknown_customer_has_no_credit() => Customer.Decider
        .Given()
        .When(new ReserveCredit(First, Euros(1)))
        .ThenRefused(CustomerRefusal.Unknown);

    [Fact]
    public void Credit_is_in_the_currency_of_the_limit() => Customer.Decider
        .Given(Registered)
        .When(new ReserveCredit(First, Won(1)))
        .ThenRefused(CustomerRefusal.OtherCurrency(Currency.EUR));

    [Fact]
    public void A_reservation_of_nothing_is_refused() => Customer.Decider
        .Given(Registered)
        .When(new ReserveCredit(First, Euros(0)))
        .ThenRefused("invalid-amount", RefusalKind.Invalid);

    [Fact]
    public void Released_credit_can_be_held_again() => Customer.Decider
        .Given(Registered, new CreditReserved(First, Euros(60_00)), new CreditReleased(First, Euros(60_00)))
        .When(new ReserveCredit(Second, Euros(100_00)))
        .Then(new CreditReserved(Second, Euros(100_00)));

    [Fact]
    public void A_release_gives_back_what_was_held() => Customer.Decider
        .Given(Registered, new CreditReserved(First, Euros(60_00)))
        .When(new ReleaseCredit(First))
        .Then(new CreditReleased(First, Euros(60_00)));

    [Fact]
    public void A_release_that_overtakes_its_reservation_closes_the_id() => Customer.Decider
        .Given(Registered)
        .When(new ReleaseCredit(First))
        .Then(new CreditReleased(First, null));

    [Fact]
    public void A_release_for_an_unknown_customer_closes_the_id_too() => Customer.Decider
        .Given()
        .When(new ReleaseCredit(First))
        .Then(new CreditReleased(First, null));

    [Fact]
    public void A_reservation_that_arrives_after_its_release_is_refused() => Customer.Decider
        .Given(Registered, new CreditReleased(First, null))
        .When(new ReserveCredit(First, Euros(1)))
        .ThenRefused(CustomerRefusal.Closed);

    [Fact]
    public void A_reservation_has_an_id()
    {
        Customer.Decider.Given(Registered).When(new ReserveCredit(default, Euros(1)))
            .ThenRefused(CustomerRefusal.InvalidReservation);
        Customer.Decider.Given(Registered).When(new ReleaseCredit(default))
            .ThenRefused(CustomerRefusal.InvalidReservation);
    }

    [Fact]
    public void Open_reservations_are_bounded() => Customer.Decider
        .Given([
            Registered,
            .. Enumerable.Range(1, Customer.HeldMax)
                .Select(i => new CreditReserved(new(new(i, 0, 0, new byte[8])), Euros(1)))])
        .When(new ReserveCredit(First, Euros(1)))
        .ThenRefused(CustomerRefusal.TooManyHeld);

    [Fact]
    public void Credit_asked_for_by_events_is_held() => Customer.Decider
        .Given(Registered)
        .When(new RequestCredit(First, Euros(60_00)))
        .Then(new CreditReserved(First, Euros(60_00)));

    [Fact]
    public void Credit_asked_for_by_events_and_refused_is_a_fact_that_closes_the_id()
    {
        var no = CustomerRefusal.Insufficient(Euros(100_00));
        Customer.Decider.Given(Registered)
            .When(new RequestCredit(First, Euros(100_01)))
            .Then(new CreditRefused(First, no.Code, no.Detail));
        Customer.Decider.Given(Registered, new CreditRefused(First, no.Code, no.Detail))
            .When(new ReserveCredit(First, Euros(1)))
            .ThenRefused(CustomerRefusal.Closed);
    }

    [Fact]
    public void Credit_asked_for_by_events_after_its_release_is_already_answered() => Customer.Decider
        .Given(Registered, new CreditReleased(First, null, "order-overdue"))
        .When(new RequestCredit(First, Euros(1)))
        .Then();

    [Fact]
    public void Credit_asked_for_again_with_another_amount_is_refused_and_stays_held() => Customer.Decider
        .Given(Registered, new CreditReserved(First, Euros(60_00)))
        .When(new RequestCredit(First, Euros(61_00)))
        .ThenRefused(CustomerRefusal.OtherAmount);

    [Fact]
    public void A_release_says_why() => Customer.Decider
        .Given(Registered, new CreditReserved(First, Euros(60_00)))
        .When(new ReleaseCredit(First, "card-declined"))
        .Then(new CreditReleased(First, Euros(60_00), "card-declined"));

    [Fact]
    public void The_card_tells_how_much_can_still_be_bought() => Assert.Equal(
        new CustomerCard(TheCustomer, "Ada Lee", "ada@example.org", null, Euros(100_00), Euros(60_00), Noon),
        Card(
            Registered,
            new CreditReserved(First, Euros(60_00)),
            new CreditReserved(Second, Euros(40_00)),
            new CreditReleased(First, Euros(60_00)),
            new DetailsChanged("Ada Lee", "ada@example.org", null)));

    [Fact]
    public void There_is_no_card_before_the_registration()
    {
        Assert.Null(Card(new CreditReleased(First, null)));
        Assert.Equal("Ada Kim", Card(new CreditReleased(First, null), Registered)?.Name);
    }

    static CustomerCard? Card(params CustomerEvent[] events) =>
        Scenario.Project<CustomerCard, CustomerEvent>(Customer.Stream(TheCustomer), CustomerCard.Project, events);
}
