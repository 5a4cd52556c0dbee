using System.Diagnostics;
using EventSourcing;
using static Commerce.Shipping.ShipmentCommand;
using static Commerce.Shipping.ShipmentEvent;

namespace Commerce.Shipping;

/// <summary>Names a shipment: the key under which the carrier books at most once.</summary>
public readonly record struct ShipmentId(Guid Value)
{
    /// <summary>An order is one parcel, so its own id names the shipment.</summary>
    public static ShipmentId Of(OrderId order) => new(order.Value);

    public override string ToString() => Value.ToString("D");
}

/// <summary>The facts on a shipment stream. Names and shapes are stored for ever: add, never edit.</summary>
public abstract record ShipmentEvent
{
    public sealed record Booked(Address ShipTo, string Tracking) : ShipmentEvent;

    public sealed record Cancelled : ShipmentEvent;

    public sealed record Dispatched : ShipmentEvent;

    public sealed record Delivered : ShipmentEvent;

    public static readonly EventTypes<ShipmentEvent> Types = new()
    {
        { "shipment-booked", typeof(Booked), Personal.OfSubjectAsked("shipTo") },
        { "shipment-cancelled", typeof(Cancelled) },
        { "shipment-dispatched", typeof(Dispatched) },
        { "shipment-delivered", typeof(Delivered) },
    };

    ShipmentEvent() { }
}

/// <summary>What can be asked of a shipment.</summary>
public abstract record ShipmentCommand
{
    /// <summary>Records the carrier's booking under the tracking number it gave.</summary>
    public sealed record Book(Address ShipTo, string Tracking) : ShipmentCommand;

    public sealed record Cancel : ShipmentCommand;

    public sealed record Dispatch : ShipmentCommand;

    public sealed record Deliver : ShipmentCommand;

    ShipmentCommand() { }
}

/// <summary>Every "no" of a shipment.</summary>
public static class ShipmentRefusal
{
    public static readonly Refusal Unknown = new("unknown-shipment", "There is no such shipment.", RefusalKind.Unknown);

    public static readonly Refusal OtherContent = new(
        "shipment-with-other-content", "The shipment was booked for another address or tracking number.");

    public static readonly Refusal Cancelled = new("shipment-cancelled", "The shipment is cancelled.");

    public static readonly Refusal Dispatched = new(
        "shipment-dispatched", "The parcel is on its way: too late to cancel.");

    public static readonly Refusal NotDispatched = new("shipment-not-dispatched", "The parcel is not on its way yet.");

    public static Refusal NotServed(string country) => new("address-not-served", $"No parcels go to {country}.");

    public static Refusal Invalid(string detail) => new("invalid-shipment", detail, RefusalKind.Invalid);
}

/// <summary>Where a shipment stands. Cancelled and Delivered are final.</summary>
public enum ShipmentStatus
{
    None,
    Booked,
    Cancelled,
    Dispatched,
    Delivered,
}

/// <summary>One parcel: only what its decisions need to know.</summary>
public sealed record Shipment(ShipmentStatus Status, Booked? Booking)
{
    public const string Category = "shipment";

    public const int TrackingLengthMax = 64;

    public static readonly Decider<Shipment, ShipmentCommand, ShipmentEvent> Decider =
        new(new(ShipmentStatus.None, null), Evolve, Decide);

    public static IReadOnlyList<string> CountriesServed { get; } =
    [
        "AT", "BE", "CH", "DE", "DK", "ES", "FI", "FR", "GB", "IE", "IT", "JP", "KR", "LU", "NL", "NO", "PL", "PT",
        "SE", "US",
    ];

    public static StreamId Stream(ShipmentId shipment) => StreamId.Of(Category, shipment.Value);

    /// <summary>Whose stream it is: the way back from <see cref="Stream"/>.</summary>
    public static ShipmentId IdOf(StreamId stream) => new(Guid.ParseExact(stream.Id, "D"));

    /// <summary>Null when parcels go to this address: worth asking before a carrier is.</summary>
    public static Refusal? Fault(Address? address) =>
        address is null ? ShipmentRefusal.Invalid("A shipment has an address.")
        : address.Fault() is { } fault ? fault
        : CountriesServed.Contains(address.Country) ? null
        : ShipmentRefusal.NotServed(address.Country);

    static Shipment Evolve(Shipment shipment, ShipmentEvent @event) => @event switch
    {
        Booked e => new(ShipmentStatus.Booked, e),
        Cancelled => shipment with { Status = ShipmentStatus.Cancelled },
        Dispatched => shipment with { Status = ShipmentStatus.Dispatched },
        Delivered => shipment with { Status = ShipmentStatus.Delivered },
        _ => throw new UnreachableException(),
    };

    static Decision<ShipmentEvent> Decide(ShipmentCommand command, Shipment parcel) => (command, parcel.Status) switch
    {
        (Book c, ShipmentStatus.None) when Fault(c.ShipTo) is { } fault => fault,
        (Book c, ShipmentStatus.None) when !Text.IsLine(c.Tracking, TrackingLengthMax) =>
            ShipmentRefusal.Invalid($"A tracking number is 1 to {TrackingLengthMax} characters."),
        (Book c, ShipmentStatus.None) => [new Booked(c.ShipTo, c.Tracking)],
        (Book, ShipmentStatus.Cancelled) => ShipmentRefusal.Cancelled,
        (Book c, _) => new Booked(c.ShipTo, c.Tracking) == parcel.Booking ? [] : ShipmentRefusal.OtherContent,

        // An undo may overtake the step it undoes: it closes the shipment, so a late booking is refused.
        (Cancel, ShipmentStatus.None or ShipmentStatus.Booked) => [new Cancelled()],
        (Cancel, ShipmentStatus.Cancelled) => [],
        (Cancel, _) => ShipmentRefusal.Dispatched,

        (Dispatch, ShipmentStatus.None) => ShipmentRefusal.Unknown,
        (Dispatch, ShipmentStatus.Booked) => [new Dispatched()],
        (Dispatch, ShipmentStatus.Cancelled) => ShipmentRefusal.Cancelled,
        (Dispatch, _) => [],

        (Deliver, ShipmentStatus.None) => ShipmentRefusal.Unknown,
        (Deliver, ShipmentStatus.Booked) => ShipmentRefusal.NotDispatched,
        (Deliver, ShipmentStatus.Cancelled) => ShipmentRefusal.Cancelled,
        (Deliver, ShipmentStatus.Dispatched) => [new Delivered()],
        (Deliver, _) => [],
        _ => throw new UnreachableException(),
    };
}
