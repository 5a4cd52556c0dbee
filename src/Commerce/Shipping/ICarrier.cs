namespace Commerce.Shipping;

/// <summary>What the carrier said. A "no" is an answer, not a fault: asking again changes nothing.</summary>
public abstract record CarrierAnswer
{
    /// <summary>Booked, now or by an earlier call for the same shipment.</summary>
    public sealed record Booked(string Tracking) : CarrierAnswer;

    /// <summary>Cancelled, or never booked and now closed.</summary>
    public sealed record Cancelled : CarrierAnswer;

    public sealed record Refused(string Code, string Detail) : CarrierAnswer;

    CarrierAnswer() { }
}

/// <summary>
/// Moves parcels outside this system. Every call is idempotent under the shipment's id; the answer may be lost on the
/// way, so whoever gets an exception asks again for the same shipment.
/// </summary>
public interface ICarrier
{
    Task<CarrierAnswer> BookAsync(ShipmentId shipment, Address shipTo, CancellationToken cancellation);

    /// <summary>Takes back a booking, if there is one, and closes the id against a late one.</summary>
    Task<CarrierAnswer> CancelAsync(ShipmentId shipment, CancellationToken cancellation);
}
