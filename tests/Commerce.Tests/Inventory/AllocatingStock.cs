using Commerce.Inventory;
using EventSourcing;
using static Commerce.Inventory.AllocationCommand;
using static Commerce.Inventory.AllocationEvent;
using static Commerce.Tests.Samples;

namespace Commerce.Tests.Inventory;

public sealed class AllocatingStock
{
    static readonly Reserved Reserved = new([new(Mug, 2), new(Pot, 1)]);
    static readonly Refused Refused = new("insufficient-stock", "Only 1 left.");
    static readonly Released Released = new("card-declined");

    [Fact]
    public void All_lines_are_held() => Allocation.Decider
        .Given()
        .When(new RecordReserved(Reserved.Lines))
        .Then(new Reserved(Reserved.Lines));

    [Fact]
    public void Other_lines_for_the_same_order_are_refused() => Allocation.Decider
        .Given(Reserved)
        .When(new RecordReserved([new(Mug, 3)]))
        .ThenRefused(AllocationRefusal.OtherLines);

    [Fact]
    public void A_refusal_is_a_fact() => Allocation.Decider
        .Given()
        .When(new RecordRefused("insufficient-stock", "Only 1 left."))
        .Then(Refused);

    public static TheoryData<AllocationEvent> Closings => [Refused, Released];

    [Theory]
    [MemberData(nameof(Closings))]
    public void A_reservation_that_comes_after_the_end_is_refused(AllocationEvent closing) => Allocation.Decider
        .Given(closing)
        .When(new RecordReserved(Reserved.Lines))
        .ThenRefused(AllocationRefusal.Closed);

    [Theory]
    [MemberData(nameof(Closings))]
    public void A_refusal_or_release_after_the_end_is_already_done(AllocationEvent closing)
    {
        Allocation.Decider.Given(closing).When(new RecordRefused("other", "Other.")).Then();
        Allocation.Decider.Given(closing).When(new Release("other")).Then();
        Allocation.Decider.Given(closing).When(new Commit()).ThenRefused(AllocationRefusal.Closed);
    }

    [Fact]
    public void What_is_held_is_not_refused_any_more() => Allocation.Decider
        .Given(Reserved)
        .When(new RecordRefused("insufficient-stock", "Only 1 left."))
        .ThenRefused(AllocationRefusal.Reserved);

    [Fact]
    public void What_is_held_is_released() => Allocation.Decider
        .Given(Reserved)
        .When(new Release("card-declined"))
        .Then(Released);

    [Fact]
    public void A_release_that_overtakes_the_reservation_closes_the_allocation() => Allocation.Decider
        .Given()
        .When(new Release("card-declined"))
        .Then(Released);

    [Fact]
    public void What_is_held_leaves_the_house() => Allocation.Decider
        .Given(Reserved)
        .When(new Commit())
        .Then(new Committed());

    [Fact]
    public void What_has_left_is_neither_released_nor_reserved_anew()
    {
        Allocation.Decider.Given(Reserved, new Committed()).When(new Release("late"))
            .ThenRefused(AllocationRefusal.Committed);
        Allocation.Decider.Given(Reserved, new Committed()).When(new RecordReserved(Reserved.Lines)).Then();
    }

    [Fact]
    public void Nothing_leaves_that_was_never_held() => Allocation.Decider
        .Given()
        .When(new Commit())
        .ThenRefused(AllocationRefusal.Unknown);
}
