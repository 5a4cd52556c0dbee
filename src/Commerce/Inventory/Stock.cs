using System.Collections.Immutable;
using System.Diagnostics;
using EventSourcing;
using static Commerce.Inventory.StockCommand;
using static Commerce.Inventory.StockEvent;

namespace Commerce.Inventory;

/// <summary>How a reservation ended: its goods left, or it was released (with nothing, if it never happened).</summary>
public readonly record struct Closure(int Quantity, bool Committed);

/// <summary>The stock of one product: only what its decisions need to know.</summary>
/// <remarks>
/// The pieces available are counted along, not summed up from what is held: a popular product holds thousands.
/// Why forgetting the oldest receipts and closed reservations is safe: <see cref="Recent{TId,TOutcome}"/>.
/// </remarks>
public sealed record Stock(
    long OnHand,
    long Available,
    ImmutableDictionary<ReservationId, int> Held,
    Recent<ReservationId, Closure> Closed,
    Recent<string, int> Receipts)
{
    public const string Category = "stock";

    public const int HeldMax = 10_000;
    public const int ClosedMax = Recent<ReservationId, Closure>.EntriesMax;
    public const int ReceiptLengthMax = 64;

    public static readonly Decider<Stock, StockCommand, StockEvent> Decider = new(
        new(
            OnHand: 0,
            Available: 0,
            ImmutableDictionary<ReservationId, int>.Empty,
            Recent<ReservationId, Closure>.None,
            Recent<string, int>.None),
        Evolve,
        Decide);

    public static StreamId Stream(ProductId product) => StreamId.Of(Category, product.Value);

    /// <summary>Whose stream it is: the way back from <see cref="Stream"/>.</summary>
    public static ProductId IdOf(StreamId stream) => new(stream.Id);

    static Stock Evolve(Stock stock, StockEvent @event) => @event switch
    {
        Received e => stock with
        {
            OnHand = stock.OnHand + e.Quantity,
            Available = stock.Available + e.Quantity,
            Receipts = stock.Receipts.Add(e.Receipt, e.Quantity),
        },
        Reserved e => stock with
        {
            Available = stock.Available - e.Quantity,
            Held = stock.Held.Add(e.Reservation, e.Quantity),
        },
        Released e => stock with
        {
            Available = stock.Available + e.Quantity,
            Held = stock.Held.Remove(e.Reservation),
            Closed = stock.Closed.Add(e.Reservation, new(e.Quantity, Committed: false)),
        },
        Committed e => stock with
        {
            OnHand = stock.OnHand - e.Quantity,
            Held = stock.Held.Remove(e.Reservation),
            Closed = stock.Closed.Add(e.Reservation, new(e.Quantity, Committed: true)),
        },
        _ => throw new UnreachableException(),
    };

    static Decision<StockEvent> Decide(StockCommand command, Stock stock) => command switch
    {
        Receive c => Decide(c, stock),
        Reserve c => Decide(c, stock),
        Release c => Decide(c, stock),
        Commit c => Decide(c, stock),
        _ => throw new UnreachableException(),
    };

    static Decision<StockEvent> Decide(Receive c, Stock stock)
    {
        if (!Text.IsLine(c.Receipt, ReceiptLengthMax)) return StockRefusal.InvalidReceipt;
        if (Quantity.Fault(c.Quantity) is { } fault) return fault;
        if (stock.Receipts.TryFind(c.Receipt, out var booked))
            return booked == c.Quantity ? [] : StockRefusal.OtherReceipt;

        return [new Received(c.Quantity, c.Receipt)];
    }

    static Decision<StockEvent> Decide(Reserve c, Stock stock)
    {
        if (c.Reservation == default) return StockRefusal.InvalidReservation;
        if (Quantity.Fault(c.Quantity) is { } fault) return fault;
        if (stock.Held.TryGetValue(c.Reservation, out var held))
            return held == c.Quantity ? [] : StockRefusal.OtherQuantity;

        // A repeat that arrives after the goods have left was still done; one after a release is too late.
        if (stock.Closed.TryFind(c.Reservation, out var closure))
            return closure == new Closure(c.Quantity, Committed: true) ? [] : StockRefusal.Closed;

        if (stock.Receipts.IsEmpty()) return StockRefusal.UnknownProduct;
        if (stock.Available < c.Quantity) return StockRefusal.Insufficient(stock.Available);
        if (stock.Held.Count >= HeldMax) return StockRefusal.TooManyHeld;
        return [new Reserved(c.Reservation, c.Quantity)];
    }

    // An undo may overtake the step it undoes: it closes the id, so the late step is refused.
    static Decision<StockEvent> Decide(Release c, Stock stock)
    {
        if (c.Reservation == default) return StockRefusal.InvalidReservation;
        if (stock.Closed.TryFind(c.Reservation, out var closure))
            return closure.Committed ? StockRefusal.Closed : [];

        return [new Released(c.Reservation, stock.Held.GetValueOrDefault(c.Reservation))];
    }

    static Decision<StockEvent> Decide(Commit c, Stock stock)
    {
        if (stock.Closed.TryFind(c.Reservation, out var closure))
            return closure.Committed ? [] : StockRefusal.Closed;
        if (stock.Receipts.IsEmpty()) return StockRefusal.UnknownProduct;
        if (!stock.Held.TryGetValue(c.Reservation, out var held)) return StockRefusal.UnknownReservation;

        return [new Committed(c.Reservation, held)];
    }
}
