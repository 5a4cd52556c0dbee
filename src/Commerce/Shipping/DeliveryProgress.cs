using System.Diagnostics;
using EventSourcing;
using static Commerce.Shipping.ShipmentEvent;

namespace Commerce.Shipping;

/// <summary>What the person waiting for a parcel asks: where is it, and since when?</summary>
public sealed record DeliveryProgress(ShipmentStatus Status, string? Tracking)
{
    public DateTimeOffset? BookedAt { get; init; }

    public DateTimeOffset? DispatchedAt { get; init; }

    public DateTimeOffset? DeliveredAt { get; init; }

    public static DeliveryProgress? Project(DeliveryProgress? view, Recorded<ShipmentEvent> recorded)
    {
        var (at, parcel) = (recorded.Metadata.Timestamp, view ?? new(ShipmentStatus.None, null));
        return recorded.Event switch
        {
            Booked e => parcel with { Status = ShipmentStatus.Booked, Tracking = e.Tracking, BookedAt = at },
            Cancelled => parcel with { Status = ShipmentStatus.Cancelled },
            Refused => parcel with { Status = ShipmentStatus.Refused },
            Dispatched => parcel with { Status = ShipmentStatus.Dispatched, DispatchedAt = at },
            Delivered => parcel with { Status = ShipmentStatus.Delivered, DeliveredAt = at },
            _ => throw new UnreachableException(),
        };
    }
}
