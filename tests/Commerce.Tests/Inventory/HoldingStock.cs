using Commerce.Inventory;
using EventSourcing;
using static Commerce.Inventory.StockCommand;
using static Commerce.Inventory.StockEvent;
using static Commerce.Tests.Samples;

namespace Commerce.Tests.Inventory;

public sealed class HoldingStock
{
    static readonly ReservationId First = new(Guid.Parse("aaaaaaaa-0000-0000-0000-000000000001"));
    static readonly ReservationId Second = new(Guid.Parse("aaaaaaaa-0000-0000-0000-000000000002"));

    [Fact]
    public void Goods_are_received() => Stock.Decider
        .Given()
        .When(new Receive(5, "R-1"))
        .Then(new Received(5, "R-1"));

    [Fact]
    public void Goods_of_one_receipt_are_counted_once() => Stock.Decider
        .Given(new Received(5, "R-1"), new Received(3, "R-2"))
        .When(new Receive(5, "R-1"))
        .Then();

    [Fact]
    public void A_receipt_with_another_quantity_is_refused() => Stock.Decider
        .Given(new Received(5, "R-1"))
        .When(new Receive(6, "R-1"))
        .ThenRefused(StockRefusal.OtherReceipt);

    [Theory]
    [InlineData(0, "R-1", "invalid-quantity")]
    [InlineData(-1, "R-1", "invalid-quantity")]
    [InlineData(10_001, "R-1", "invalid-quantity")]
    [InlineData(1, "", "invalid-receipt")]
    [InlineData(1, null, "invalid-receipt")]
    public void Malformed_goods_are_refused(int quantity, string? receipt, string code) => Stock.Decider
        .Given()
        .When(new Receive(quantity, receipt!))
        .ThenRefused(code, RefusalKind.Invalid);

    [Fact]
    public void What_was_never_received_cannot_be_reserved() => Stock.Decider
        .Given()
        .When(new Reserve(First, 1))
        .ThenRefused(StockRefusal.UnknownProduct);

    [Fact]
    public void The_last_piece_can_be_reserved() => Stock.Decider
        .Given(new Received(5, "R-1"), new Reserved(First, 4))
        .When(new Reserve(Second, 1))
        .Then(new Reserved(Second, 1));

    [Fact]
    public void Reserving_more_than_is_left_is_refused() => Stock.Decider
        .Given(new Received(5, "R-1"), new Reserved(First, 4))
        .When(new Reserve(Second, 2))
        .ThenRefused(StockRefusal.Insufficient(available: 1));

    [Fact]
    public void A_repeated_reservation_is_already_done_even_when_nothing_is_left() => Stock.Decider
        .Given(new Received(4, "R-1"), new Reserved(First, 4))
        .When(new Reserve(First, 4))
        .Then();

    [Fact]
    public void A_reservation_with_another_quantity_is_refused() => Stock.Decider
        .Given(new Received(5, "R-1"), new Reserved(First, 4))
        .When(new Reserve(First, 3))
        .ThenRefused(StockRefusal.OtherQuantity);

    [Theory]
    [InlineData(0)]
    [InlineData(10_001)]
    public void A_reservation_has_a_quantity(int quantity) => Stock.Decider
        .Given(new Received(5, "R-1"))
        .When(new Reserve(First, quantity))
        .ThenRefused("invalid-quantity", RefusalKind.Invalid);

    [Fact]
    public void A_reservation_has_an_id() => Stock.Decider
        .Given(new Received(5, "R-1"))
        .When(new Reserve(default, 1))
        .ThenRefused(StockRefusal.InvalidReservation);

    [Fact]
    public void Released_pieces_can_be_reserved_again() => Stock.Decider
        .Given(new Received(5, "R-1"), new Reserved(First, 5), new Released(First, 5))
        .When(new Reserve(Second, 5))
        .Then(new Reserved(Second, 5));

    [Fact]
    public void A_release_gives_back_what_was_held() => Stock.Decider
        .Given(new Received(5, "R-1"), new Reserved(First, 4))
        .When(new Release(First))
        .Then(new Released(First, 4));

    [Fact]
    public void A_release_that_overtakes_its_reservation_closes_the_id() => Stock.Decider
        .Given(new Received(5, "R-1"))
        .When(new Release(First))
        .Then(new Released(First, 0));

    [Fact]
    public void A_release_of_an_unknown_product_closes_the_id_too() => Stock.Decider
        .Given()
        .When(new Release(First))
        .Then(new Released(First, 0));

    [Fact]
    public void A_reservation_that_arrives_after_its_release_is_refused() => Stock.Decider
        .Given(new Received(5, "R-1"), new Released(First, 0))
        .When(new Reserve(First, 1))
        .ThenRefused(StockRefusal.Closed);

    [Fact]
    public void A_committed_reservation_takes_the_goods_away() => Stock.Decider
        .Given(new Received(5, "R-1"), new Reserved(First, 4))
        .When(new Commit(First))
        .Then(new Committed(First, 4));

    [Fact]
    public void What_has_left_is_not_for_sale_again() => Stock.Decider
        .Given(new Received(5, "R-1"), new Reserved(First, 4), new Committed(First, 4))
        .When(new Reserve(Second, 2))
        .ThenRefused(StockRefusal.Insufficient(available: 1));

    [Fact]
    public void A_repeat_of_a_reservation_whose_goods_have_left_is_already_done() => Stock.Decider
        .Given(new Received(5, "R-1"), new Reserved(First, 4), new Committed(First, 4))
        .When(new Reserve(First, 4))
        .Then();

    [Fact]
    public void What_has_left_cannot_be_released() => Stock.Decider
        .Given(new Received(5, "R-1"), new Reserved(First, 4), new Committed(First, 4))
        .When(new Release(First))
        .ThenRefused(StockRefusal.Closed);

    [Fact]
    public void What_was_released_cannot_leave() => Stock.Decider
        .Given(new Received(5, "R-1"), new Reserved(First, 4), new Released(First, 4))
        .When(new Commit(First))
        .ThenRefused(StockRefusal.Closed);

    [Fact]
    public void A_reservation_never_made_cannot_leave() => Stock.Decider
        .Given(new Received(5, "R-1"))
        .When(new Commit(First))
        .ThenRefused(StockRefusal.UnknownReservation);

    [Fact]
    public void An_unknown_product_cannot_leave() => Stock.Decider
        .Given()
        .When(new Commit(First))
        .ThenRefused(StockRefusal.UnknownProduct);

    [Fact]
    public void Open_reservations_are_bounded() => Stock.Decider
        .Given([
            .. Enumerable.Range(0, 2).Select(i => new Received(10_000, $"R-{i}")),
            .. Enumerable.Range(1, Stock.HeldMax).Select(i => new Reserved(Numbered(i), 1))])
        .When(new Reserve(Numbered(Stock.HeldMax + 1), 1))
        .ThenRefused(StockRefusal.TooManyHeld);

    [Fact]
    public void Only_the_latest_closed_reservations_are_remembered()
    {
        var stock = Stock.Decider.Fold(
            Enumerable.Range(1, Stock.ClosedMax + 1).Select(i => new Released(Numbered(i), 0)));

        Assert.False(stock.Closed.Contains(Numbered(1)));
        Assert.True(stock.Closed.Contains(Numbered(2)));
        Assert.Equal(Stock.ClosedMax, stock.Closed.Entries.Length);
    }

    [Fact]
    public void Only_the_latest_receipts_are_remembered_but_all_goods_are_counted()
    {
        var stock = Stock.Decider.Fold(Enumerable.Range(1, Stock.ClosedMax + 1).Select(i => new Received(1, $"R-{i}")));

        Assert.False(stock.Receipts.Contains("R-1"));
        Assert.True(stock.Receipts.Contains("R-2"));
        Assert.Equal(Stock.ClosedMax + 1, stock.OnHand);
    }

    [Fact]
    public void Availability_tells_what_can_be_bought_what_is_held_and_what_lies_there() => Assert.Equal(
        new Availability(Mug, Available: 5, Held: 1, OnHand: 6, LastReceivedAt: Noon.AddHours(5)),
        Scenario.Project<Availability, StockEvent>(
            Stock.Stream(Mug),
            Availability.Project,
            new Received(5, "R-1"),
            new Reserved(First, 4),
            new Reserved(Second, 1),
            new Committed(First, 4),
            new Released(new(Guid.Parse("aaaaaaaa-0000-0000-0000-000000000003")), 0),
            new Received(5, "R-2")));

    static ReservationId Numbered(int i) => new(new(i, 0, 0, new byte[8]));
}
