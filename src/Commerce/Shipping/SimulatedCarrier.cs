using static Commerce.Shipping.CarrierAnswer;

namespace Commerce.Shipping;

/// <summary>What a carrier can be asked to do, for saying which of it shall time out.</summary>
public enum CarrierCall
{
    Book,
    Cancel,
}

/// <summary>What a carrier did under one shipment: parcels booked, parcels cancelled, and if it is closed.</summary>
public sealed record CarrierLedger(int Booked, int Cancelled, bool Closed);

/// <summary>
/// A carrier without a lorry: idempotent by shipment like a real one, with a ledger to check afterwards. Two postal
/// codes misbehave: <c>00000</c> never answers a booking, and nothing happens; <c>00001</c> books but its first
/// answer is lost, and asked again it answers.
/// </summary>
/// <remarks>Memory is all it has; a tracking number follows from the shipment's id, so it survives a restart.</remarks>
public sealed class SimulatedCarrier : ICarrier
{
    public const int ShipmentsMax = 100_000;

    readonly SimulatedLine<CarrierCall> line = new("carrier");
    readonly Dictionary<ShipmentId, Job> jobs = [];
    readonly Queue<ShipmentId> oldestFirst = [];

    /// <summary>Lets the next calls of one kind time out, before their effect or with the answer lost.</summary>
    public void TimeOut(CarrierCall call, int times = 1, bool afterEffect = false) =>
        line.TimeOut(call, times, afterEffect);

    /// <summary>Ends every time-out ordered with <see cref="TimeOut"/>; postal codes do what they always do.</summary>
    public void Recover() => line.Recover();

    /// <summary>What was done under this shipment so far: nothing, if the carrier never heard of it.</summary>
    public CarrierLedger Ledger(ShipmentId shipment) =>
        line.Read(() => jobs.GetValueOrDefault(shipment)?.Ledger() ?? new(0, 0, Closed: false));

    public Task<CarrierAnswer> BookAsync(ShipmentId shipment, Address shipTo, CancellationToken cancellation) =>
        line.Call<CarrierAnswer>(CarrierCall.Book, () => Book(shipment, shipTo), cancellation);

    public Task<CarrierAnswer> CancelAsync(ShipmentId shipment, CancellationToken cancellation) =>
        line.Call<CarrierAnswer>(CarrierCall.Cancel, () => Cancel(shipment), cancellation);

    CarrierAnswer Book(ShipmentId shipment, Address shipTo)
    {
        if (shipTo.PostalCode == "00000") throw line.NoAnswer(CarrierCall.Book);
        if (Shipment.Fault(shipTo) is { } fault) return new Refused(fault.Code, fault.Detail);

        var job = jobs.GetValueOrDefault(shipment) ?? Open(shipment);
        if (job.Closed) return new Refused("shipment-cancelled", "The shipment was cancelled before it was booked.");
        if (job.ShipTo is not null)
        {
            return job.ShipTo == shipTo
                ? new Booked(Tracking(shipment))
                : new Refused("shipment-with-other-content", "The shipment was booked for another address.");
        }

        job.ShipTo = shipTo;
        return shipTo.PostalCode == "00001" ? throw line.NoAnswer(CarrierCall.Book) : new Booked(Tracking(shipment));
    }

    Cancelled Cancel(ShipmentId shipment)
    {
        var job = jobs.GetValueOrDefault(shipment) ?? Open(shipment);
        job.Closed = true;
        return new();
    }

    Job Open(ShipmentId shipment)
    {
        if (jobs.Count == ShipmentsMax) jobs.Remove(oldestFirst.Dequeue());
        oldestFirst.Enqueue(shipment);
        return jobs[shipment] = new();
    }

    static string Tracking(ShipmentId shipment) => $"SIM{shipment.Value:N}".ToUpperInvariant();

    sealed class Job
    {
        public Address? ShipTo { get; set; }

        public bool Closed { get; set; }

        public CarrierLedger Ledger() =>
            new(ShipTo is null ? 0 : 1, Closed && ShipTo is not null ? 1 : 0, Closed);
    }
}
