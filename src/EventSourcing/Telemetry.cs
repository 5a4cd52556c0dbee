using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace EventSourcing;

/// <summary>Traces and metrics of the event store, under the name <see cref="Name"/>.</summary>
public static class Telemetry
{
    public const string Name = "EventSourcing";

    static readonly Meter Meter = new(Name);

    public static ActivitySource Source { get; } = new(Name);

    public static Counter<long> Appends { get; } = Meter.CreateCounter<long>(
        "events.appends", "{append}", "Appends by result.");

    public static Counter<long> Busy { get; } = Meter.CreateCounter<long>(
        "events.busy", "{command}", "Commands given up after too many conflicts.");

    /// <summary>Request units by operation, as the database charged them.</summary>
    public static Histogram<double> Charge { get; } = Meter.CreateHistogram<double>(
        "events.charge", "{RU}", "Request units by operation.");
}
