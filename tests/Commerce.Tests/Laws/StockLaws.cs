using Commerce.Inventory;
using FsCheck;
using FsCheck.Fluent;
using static Commerce.Inventory.StockCommand;
using static Commerce.Inventory.StockEvent;

namespace Commerce.Tests.Laws;

public sealed class StockLaws
{
    static readonly Gen<ReservationId> Reservations = Law.Ids.Select(id => new ReservationId(id));

    static readonly Gen<StockCommand> Commands = Gen.OneOf<StockCommand>(
        Gen.Choose(-1, 8).Zip(Gen.Choose(1, 5), (quantity, i) => (StockCommand)new Receive(quantity, $"R-{i}")),
        Gen.Choose(-1, 8).Zip(Reservations, (quantity, id) => (StockCommand)new Reserve(id, quantity)),
        Reservations.Select(id => (StockCommand)new Release(id)),
        Reservations.Select(id => (StockCommand)new Commit(id)));

    [Fact]
    public void Stock_is_never_oversold() => Law.Hold(Stock.Decider, Commands, (_, _, stock) =>
    {
        Assert.True(stock.Available >= 0);
        Assert.Equal(stock.OnHand, stock.Available + stock.Held.Values.Sum());
    });

    [Fact]
    public void Every_piece_is_on_hand_or_has_left() => Law.HoldInTheEnd(Stock.Decider, Commands, (facts, stock) =>
        Assert.Equal(
            facts.OfType<Received>().Sum(e => e.Quantity),
            stock.OnHand + facts.OfType<Committed>().Sum(e => e.Quantity)));

    [Fact]
    public void A_closed_reservation_never_holds_anything_again() => Law.Hold(Stock.Decider, Commands, (_, _, stock) =>
        Assert.DoesNotContain(stock.Held.Keys, stock.Closed.Contains));

    [Fact]
    public void The_view_agrees_with_the_stock() => Law.HoldInTheEnd(Stock.Decider, Commands, (facts, stock) =>
    {
        var view = Scenario.Project<Availability, StockEvent>(Stock.Stream(Samples.Mug), Availability.Project, facts);
        Assert.Equal(
            (stock.Available, stock.OnHand, stock.OnHand - stock.Available),
            (view?.Available ?? 0, view?.OnHand ?? 0, view?.Held ?? 0));
    });
}
