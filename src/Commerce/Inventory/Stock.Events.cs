using EventSourcing;

namespace Commerce.Inventory;

/// <summary>Names the pieces held for one purpose.</summary>
public readonly record struct ReservationId(Guid Value)
{
    /// <summary>An order reserves a product once, so its own id names the reservation on each stream.</summary>
    public static ReservationId Of(OrderId order) => new(order.Value);

    public override string ToString() => Value.ToString("D");
}

/// <summary>The facts on a stock stream. Names and shapes are stored for ever: add, never edit.</summary>
public abstract record StockEvent
{
    public sealed record Received(int Quantity, string Receipt) : StockEvent;

    public sealed record Reserved(ReservationId Reservation, int Quantity) : StockEvent;

    /// <summary>The pieces can be sold again; none when the reservation never happened.</summary>
    public sealed record Released(ReservationId Reservation, int Quantity) : StockEvent;

    /// <summary>The pieces left the house.</summary>
    public sealed record Committed(ReservationId Reservation, int Quantity) : StockEvent;

    public static readonly EventTypes<StockEvent> Types = new()
    {
        { "stock-received", typeof(Received) },
        { "stock-reserved", typeof(Reserved) },
        { "stock-released", typeof(Released) },
        { "stock-committed", typeof(Committed) },
    };

    StockEvent() { }
}

/// <summary>What can be asked of a stock.</summary>
public abstract record StockCommand
{
    /// <summary>The receipt, a delivery note's number, keeps goods from being counted twice.</summary>
    public sealed record Receive(int Quantity, string Receipt) : StockCommand;

    public sealed record Reserve(ReservationId Reservation, int Quantity) : StockCommand;

    public sealed record Release(ReservationId Reservation) : StockCommand;

    public sealed record Commit(ReservationId Reservation) : StockCommand;

    StockCommand() { }
}

/// <summary>Every "no" of a stock.</summary>
public static class StockRefusal
{
    public static readonly Refusal UnknownProduct = new(
        "unknown-product", "No such product was ever received.", RefusalKind.Unknown);

    public static readonly Refusal UnknownReservation = new(
        "unknown-reservation", "There is no such reservation.", RefusalKind.Unknown);

    public static readonly Refusal Closed = new("reservation-closed", "The reservation is closed.");

    public static readonly Refusal OtherQuantity = new(
        "reservation-with-other-quantity", "The reservation was made for another quantity.");

    public static readonly Refusal OtherReceipt = new(
        "receipt-with-other-quantity", "This receipt was booked with another quantity.");

    public static readonly Refusal TooManyHeld = new(
        "too-many-reservations", $"A product has at most {Stock.HeldMax} open reservations.");

    public static readonly Refusal InvalidReceipt = new(
        "invalid-receipt", $"A receipt is 1 to {Stock.ReceiptLengthMax} characters.", RefusalKind.Invalid);

    public static readonly Refusal InvalidReservation = new(
        "invalid-reservation", "A reservation id is not all zeros.", RefusalKind.Invalid);

    public static Refusal Insufficient(long available) => new("insufficient-stock", $"Only {available} left.");
}
