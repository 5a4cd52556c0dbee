using Commerce.Ordering;
using EventSourcing;
using static Commerce.Ordering.OrderCommand;
using static Commerce.Ordering.OrderEvent;
using static Commerce.Tests.Samples;

namespace Commerce.Tests.Ordering;

public sealed class PlacingAnOrder
{
    static readonly Place Request = new(TheCustomer, Lines, Home, Visa);
    static readonly Placed Fact = new(TheCustomer, Lines, Euros(43_00), Home, Visa, "orchestration");

    [Fact]
    public void A_placed_order_states_its_total() => Order.Decider
        .Given()
        .When(Request)
        .Then(Fact);

    [Fact]
    public void The_workflow_asked_for_is_recorded() => Order.Decider
        .Given()
        .When(Request with { Workflow = "choreography" })
        .Then(Fact with { Workflow = "choreography" });

    [Fact]
    public void An_order_somebody_has_to_agree_to_says_so_from_the_start() => Order.Decider
        .Given()
        .When(Request with { ApproveWithin = TimeSpan.FromHours(72) })
        .Then(Fact with { ApproveWithin = TimeSpan.FromHours(72) });

    [Fact]
    public void An_approval_without_any_time_is_refused() => Order.Decider
        .Given()
        .When(Request with { ApproveWithin = TimeSpan.Zero })
        .ThenRefused(OrderRefusal.Invalid("An approval takes some time."));

    [Fact]
    public void The_same_order_again_is_already_done_even_when_it_would_need_an_approval_today() => Order.Decider
        .Given(Fact)
        .When(Request with { ApproveWithin = TimeSpan.FromHours(72) })
        .Then();

    [Fact]
    public void The_same_order_again_is_already_done() => Order.Decider
        .Given(Fact)
        .When(Request with { Lines = [.. Lines] })
        .Then();

    [Fact]
    public void The_same_order_again_is_already_done_even_when_delivered() => Order.Decider
        .Given(Fact, new Confirmed(), new Shipped("T1"), new Delivered())
        .When(Request)
        .Then();

    [Fact]
    public void The_same_order_again_is_already_done_even_when_prices_changed_since() => Order.Decider
        .Given(Fact)
        .When(Request with { Lines = [.. Lines.Select(line => line with { UnitPrice = Euros(1_00) })] })
        .Then();

    public static TheoryData<Place> OtherContents => new(
        Request with { Customer = new(Guid.Parse("33333333-3333-3333-3333-333333333333")) },
        Request with { Lines = [Lines[0]] },
        Request with { Lines = [Lines[0] with { Quantity = 3 }, Lines[1]] },
        Request with { Lines = default },
        Request with { Lines = [null!] },
        Request with { ShipTo = Home with { City = "Seoul" } },
        Request with { PaymentMethod = new("card_0341") },
        Request with { Workflow = "choreography" });

    [Theory]
    [MemberData(nameof(OtherContents))]
    public void The_same_id_with_other_content_is_refused(Place other) => Order.Decider
        .Given(Fact)
        .When(other)
        .ThenRefused(OrderRefusal.OtherContent);

    public static TheoryData<string, Place> Malformed => new()
    {
        { "invalid-customer-id", Request with { Customer = default } },
        { "invalid-order", Request with { Lines = default } },
        { "invalid-order", Request with { Lines = [] } },
        { "invalid-order", Request with { Lines = [null!] } },
        { "invalid-order", Request with { Lines = [.. Enumerable.Range(0, 101).Select(i => Line($"p{i}"))] } },
        { "invalid-order", Request with { Lines = [Line("mug"), Line("mug")] } },
        { "invalid-order", Request with { Lines = [Line("mug"), Line("pot") with { UnitPrice = Won(100) }] } },
        { "invalid-order", Request with { Lines = [Line("mug") with { UnitPrice = Euros(0) }] } },
        { "invalid-product-id", Request with { Lines = [Line("No Slug")] } },
        { "invalid-product-id", Request with { Lines = [Line(null!)] } },
        { "invalid-quantity", Request with { Lines = [Line("mug") with { Quantity = 0 }] } },
        { "invalid-quantity", Request with { Lines = [Line("mug") with { Quantity = 10_001 }] } },
        { "invalid-amount", Request with { Lines = [Line("mug") with { UnitPrice = Euros(-1) }] } },
        { "invalid-amount", Request with { Lines = [Line("mug") with { UnitPrice = Euros(long.MaxValue) }] } },
        { "unknown-currency", Request with { Lines = [Line("mug") with { UnitPrice = default }] } },
        { "invalid-order", Request with { ShipTo = null! } },
        { "invalid-address", Request with { ShipTo = Home with { Country = "Germany" } } },
        { "invalid-payment-method", Request with { PaymentMethod = default } },
        { "invalid-payment-method", Request with { PaymentMethod = new("card_4242424242424242") } },
        { "unknown-workflow", Request with { Workflow = "improvised" } },
        { "unknown-workflow", Request with { Workflow = null! } },
    };

    [Theory]
    [MemberData(nameof(Malformed))]
    public void A_malformed_order_is_refused_as_invalid(string code, Place request) => Order.Decider
        .Given()
        .When(request)
        .ThenRefused(code, RefusalKind.Invalid);

    [Fact]
    public void A_hundred_lines_of_the_largest_quantity_and_price_do_not_wrap_around() => Order.Decider
        .Given()
        .When(Request with
        {
            Lines =
            [
                .. Enumerable.Range(0, Order.LinesMax).Select(i => new OrderLine(
                    new($"p{i}"), Quantity.Max, Euros(Money.MinorUnitsMax))),
            ],
        })
        .ThenRefused(OrderRefusal.TotalTooLarge);

    [Fact]
    public void A_free_line_beside_a_paid_one_is_fine() => Order.Decider
        .Given()
        .When(Request with { Lines = [Line("mug"), Line("gift") with { UnitPrice = Euros(0) }] })
        .ThenAccepted();

    static OrderLine Line(string product) => new(new(product), 1, Euros(5_00));
}
