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

    /// <summary>No parcel goes. Why is the code of what made it so, where only events tell it on.</summary>
    public sealed record Cancelled(string? Why = null) : ShipmentEvent;

    /// <summary>The "no" to who listens to events alone; the shipment is closed with it.</summary>
    public sealed record Refused(string Code, string Detail) : ShipmentEvent;

    public sealed record Dispatched : ShipmentEvent;

    public sealed record Delivered : ShipmentEvent;

    public static readonly EventTypes<ShipmentEvent> Types = new()
    {
        { "shipment-booked", typeof(Booked), Personal.OfSubjectAsked("shipTo") },
        { "shipment-cancelled", typeof(Cancelled) },
        { "shipment-refused", typeof(Refused) },
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

    /// <summary>Records that no parcel will go, for those who listen to events alone.</summary>
    public sealed record RecordRefused(string Code, string Detail) : ShipmentCommand;

    public sealed record Cancel(string? Why = null) : ShipmentCommand;

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

    public static readonly Refusal Refused = new("shipment-refused", "The shipment was refused.");

    public static readonly Refusal Booked = new("shipment-booked", "The shipment is booked already.");

    public static readonly Refusal Dispatched = new(
        "shipment-dispatched", "The parcel is on its way: too late to cancel.");

    public static readonly Refusal NotDispatched = new("shipment-not-dispatched", "The parcel is not on its way yet.");

    public static Refusal NotServed(string country) => new("address-not-served", $"No parcels go to {country}.");

    public static Refusal Invalid(string detail) => new("invalid-shipment", detail, RefusalKind.Invalid);
}

/// <summary>Where a shipment stands. Cancelled, Refused and Delivered are final.</summary>
public enum ShipmentStatus
{
    None,
    Booked,
    Cancelled,
    Dispatched,
    Delivered,
    Refused,
}

/// <summary>One parcel: only what its decisions need to know.</summary>
public sealed record Shipment(ShipmentStatus Status, Booked? Booking)
{
    public const string Category = "shipment";

    public const int TrackingLengthMax = 64;
    public const int CodeLengthMax = 64;
    public const int DetailLengthMax = 500;

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
        Refused => shipment with { Status = ShipmentStatus.Refused },
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
        (Book, ShipmentStatus.Refused) => ShipmentRefusal.Refused,
        (Book c, _) => new Booked(c.ShipTo, c.Tracking) == parcel.Booking ? [] : ShipmentRefusal.OtherContent,

        (RecordRefused c, ShipmentStatus.None) when !Text.IsSlug(c.Code, CodeLengthMax) => ShipmentRefusal.Invalid(
            $"A refusal's code is 1 to {CodeLengthMax} lower-case letters, digits and dashes."),
        (RecordRefused c, ShipmentStatus.None) => [new Refused(c.Code, Text.Fit(c.Detail, DetailLengthMax))],

        // Refused, or closed before the refusal came: no parcel goes either way.
        (RecordRefused, ShipmentStatus.Refused or ShipmentStatus.Cancelled) => [],
        (RecordRefused, _) => ShipmentRefusal.Booked,

        // An undo may overtake the step it undoes: it closes the shipment, so a late booking is refused.
        (Cancel c, ShipmentStatus.None or ShipmentStatus.Booked) => [new Cancelled(c.Why)],
        (Cancel, ShipmentStatus.Cancelled or ShipmentStatus.Refused) => [],
        (Cancel, _) => ShipmentRefusal.Dispatched,

        (Dispatch, ShipmentStatus.None) => ShipmentRefusal.Unknown,
        (Dispatch, ShipmentStatus.Booked) => [new Dispatched()],
        (Dispatch, ShipmentStatus.Cancelled) => ShipmentRefusal.Cancelled,
        (Dispatch, ShipmentStatus.Refused) => ShipmentRefusal.Refused,
        (Dispatch, _) => [],

        (Deliver, ShipmentStatus.None) => ShipmentRefusal.Unknown,
        (Deliver, ShipmentStatus.Booked) => ShipmentRefusal.NotDispatched,
        (Deliver, ShipmentStatus.Cancelled) => ShipmentRefusal.Cancelled,
        (Deliver, ShipmentStatus.Refused) => ShipmentRefusal.Refused,
        (Deliver, ShipmentStatus.Dispatched) => [new Delivered()],
        (Deliver, _) => [],
        _ => throw new UnreachableException(),
    };
}
