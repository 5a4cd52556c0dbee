using Commerce.Restocking;
using EventSourcing;
using static Commerce.Restocking.RestockCommand;
using static Commerce.Restocking.RestockEvent;
using static Commerce.Tests.Samples;

namespace Commerce.Tests.Restocking;

public sealed class OrderingFromSuppliers
{
    static readonly RestockId TheRestock = new(TheOrder.Value);
    static readonly Requested Requested = new(Mug, 50);
    static readonly Offered Offered = new([new("north", Euros(5_00)), new("south", Euros(5_50))]);
    static readonly Ordered Ordered = new("north", "N-1");

    [Fact]
    public void Goods_are_requested_once()
    {
        Restock.Decider.Given().When(new Request(Mug, 50)).Then(Requested);
        Restock.Decider.Given(Requested).When(new Request(Mug, 51)).ThenRefused(RestockRefusal.OtherContent);
        Restock.Decider.Given().When(new Request(Mug, 0)).ThenRefused("invalid-quantity", RefusalKind.Invalid);
    }

    [Fact]
    public void Offers_are_kept_cheapest_first_and_the_first_ones_stand()
    {
        Restock.Decider.Given(Requested)
            .When(new RecordOffers([.. Offered.Offers.Reverse()]))
            .ThenAccepted();
        var state = Restock.Decider.Fold([Requested, Offered]);
        Assert.Equal(["north", "south"], state.Offers.Select(offer => offer.Supplier));
        Restock.Decider.Given(Requested, Offered).When(new RecordOffers([new("west", Euros(1_00))])).Then();
    }

    [Fact]
    public void Offers_nobody_can_compare_are_refused()
    {
        foreach (var offers in (Offer[][])
            [[], [new("North Ltd", Euros(1))], [new("a", Euros(1)), new("a", Euros(2))], [new("a", Euros(0))],
                [new("a", Euros(1)), new("b", Won(1))]])
            Assert.Equal(
                RefusalKind.Invalid,
                Restock.Decider.Decide(new RecordOffers([.. offers]), Restock.Decider.Fold([Requested])).Refusal?.Kind);
    }

    [Fact]
    public void One_supplier_takes_the_order()
    {
        Restock.Decider.Given(Requested, Offered).When(new RecordOrdered("north", "N-1")).Then(Ordered);
        Restock.Decider.Given(Requested, Offered, Ordered).When(new RecordOrdered("south", "S-1"))
            .ThenRefused(RestockRefusal.OtherSupplier);
    }

    [Fact]
    public void A_cancelled_supplier_stays_cancelled_and_the_next_one_may_take_the_order()
    {
        Restock.Decider.Given(Requested, Offered, Ordered).When(new RecordCancelled("north"))
            .Then(new OrderCancelled("north"));
        Restock.Decider.Given(Requested, Offered, new OrderCancelled("north")).When(new RecordOrdered("north", "N-1"))
            .ThenRefused(RestockRefusal.OrderCancelled);
        Restock.Decider.Given(Requested, Offered, Ordered, new OrderCancelled("north"))
            .When(new RecordOrdered("south", "S-1"))
            .Then(new Ordered("south", "S-1"));
    }

    [Fact]
    public void Goods_are_received_once_and_only_if_somebody_took_the_order()
    {
        Restock.Decider.Given(Requested, Ordered).When(new RecordReceived()).Then(new Received());
        Restock.Decider.Given(Requested).When(new RecordReceived()).ThenRefused(RestockRefusal.NotOrdered);
        Restock.Decider.Given(Requested, Ordered, new Received()).When(new RecordCancelled("north"))
            .ThenRefused(RestockRefusal.Received);
    }

    [Fact]
    public void A_restock_is_given_up_only_while_nobody_delivers()
    {
        Restock.Decider.Given(Requested).When(new Abandon("out-of-stock", "None left"))
            .Then(new Abandoned("out-of-stock", "None left"));
        Restock.Decider.Given(Requested, Ordered).When(new Abandon("out-of-stock", "None left"))
            .ThenRefused(RestockRefusal.Ordered);
    }

    [Fact]
    public void The_details_tell_who_delivers_and_who_was_passed_over()
    {
        var details = Scenario.Project<RestockDetails, RestockEvent>(
            Restock.Stream(TheRestock), RestockDetails.Project,
            Requested, Offered, Ordered, new OrderCancelled("north"), new Ordered("south", "S-1"), new Received())!;
        Assert.Equal(
            (RestockStatus.Received, "south", "S-1", Noon.AddHours(5)),
            (details.Status, details.Supplier, details.Confirmation, details.ReceivedAt));
        Assert.Equal("north", Assert.Single(details.PassedOver));
    }
}
