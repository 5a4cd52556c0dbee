using System.Diagnostics;
using EventSourcing;
using static Commerce.Shipping.ShipmentEvent;

namespace Commerce.Shipping;

/// <summary>What the person waiting for a parcel asks: where is it, and since when?</summary>
public sealed record DeliveryProgress(
    ShipmentId Shipment, ShipmentStatus Status, string? Tracking, Address? ShipTo, DateTimeOffset ChangedAt)
{
    public DateTimeOffset? BookedAt { get; init; }

    public DateTimeOffset? DispatchedAt { get; init; }

    public DateTimeOffset? DeliveredAt { get; init; }

    public static DeliveryProgress? Project(DeliveryProgress? view, Recorded<ShipmentEvent> recorded)
    {
        var at = recorded.Metadata.Timestamp;
        var parcel = (view ?? new(Shipping.Shipment.IdOf(recorded.Stream), ShipmentStatus.None, null, null, at)) with
        {
            ChangedAt = at,
        };
        return recorded.Event switch
        {
            Booked e => parcel with
            {
                Status = ShipmentStatus.Booked,
                Tracking = e.Tracking,
                ShipTo = e.ShipTo,
                BookedAt = at,
            },
            Cancelled => parcel with { Status = ShipmentStatus.Cancelled },
            Refused => parcel with { Status = ShipmentStatus.Refused },
            Dispatched => parcel with { Status = ShipmentStatus.Dispatched, DispatchedAt = at },
            Delivered => parcel with { Status = ShipmentStatus.Delivered, DeliveredAt = at },
            _ => throw new UnreachableException(),
        };
    }
}
