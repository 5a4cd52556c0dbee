using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace EventSourcing;

/// <summary>Traces and metrics of the event store, under the name <see cref="Name"/>.</summary>
public static class Telemetry
{
    public const string Name = "EventSourcing";

    static readonly Meter Meter = new(Name);
    static readonly AsyncLocal<ChargeSum?> Running = new();

    public static ActivitySource Source { get; } = new(Name);

    public static Counter<long> Appends { get; } = Meter.CreateCounter<long>(
        "events.appends", "{append}", "Appends by result.");

    public static Counter<long> Resent { get; } = Meter.CreateCounter<long>(
        "events.resent", "{append}", "Appends sent once more because their answer got lost.");

    public static Counter<long> Conflicts { get; } = Meter.CreateCounter<long>(
        "events.conflicts", "{conflict}", "Commands decided again because another append was faster.");

    public static Counter<long> Busy { get; } = Meter.CreateCounter<long>(
        "events.busy", "{command}", "Commands given up after too many conflicts.");

    public static Counter<long> Repeats { get; } = Meter.CreateCounter<long>(
        "events.repeats", "{command}", "Commands answered as the first time.");

    public static Counter<long> Cache { get; } = Meter.CreateCounter<long>(
        "events.cache", "{lookup}", "Lookups of a stream's state in memory, by result.");

    public static Counter<long> Folded { get; } = Meter.CreateCounter<long>(
        "events.folded", "{event}", "Events read and folded into states.");

    /// <summary>Request units by operation, as the database charged them.</summary>
    public static Histogram<double> Charge { get; } = Meter.CreateHistogram<double>(
        "events.charge", "{RU}", "Request units by operation.");

    /// <summary>Request units one command cost from its first read to its answer.</summary>
    public static Histogram<double> CommandCharge { get; } = Meter.CreateHistogram<double>(
        "events.command.charge", "{RU}", "Request units by command.");

    /// <summary>
    /// A span for work an event asked for, in that event's trace however long ago it was; null when nobody listens.
    /// The trace that carries the work, such as that of a feed with many events, is linked.
    /// </summary>
    public static Activity? Follow(string name, string? traceParent)
    {
        if (!Source.HasListeners() || !ActivityContext.TryParse(traceParent, null, isRemote: true, out var parent))
            return Source.StartActivity(name);
        var carrier = Activity.Current?.Context;
        return carrier is null || carrier.Value.TraceId == parent.TraceId
            ? Source.StartActivity(name, ActivityKind.Consumer, parent)
            : Source.StartActivity(name, ActivityKind.Consumer, parent, links: [new(carrier.Value)]);
    }

    /// <summary>A store reports here what an operation cost, also to the command it works for.</summary>
    public static void Charged(string operation, double charge)
    {
        Charge.Record(charge, new KeyValuePair<string, object?>("operation", operation));
        Running.Value?.Add(charge);
    }

    /// <summary>From here on, until the calling asynchronous method ends, charges add up in the sum as well.</summary>
    internal static ChargeSum BeginCharges() => Running.Value = new();
}

/// <summary>Request units added up along one command, also by requests that run at the same time.</summary>
sealed class ChargeSum
{
    double total;

    public double Total => Volatile.Read(ref total);

    public void Add(double charge)
    {
        for (var seen = Total; ;)
        {
            var before = Interlocked.CompareExchange(ref total, seen + charge, seen);
            if (before.Equals(seen)) return;
            seen = before;
        }
    }
}

/// <summary>One command's span and its counts.</summary>
readonly struct CommandTelemetry : IDisposable
{
    readonly KeyValuePair<string, object?> category;
    readonly Activity? span;
    readonly ChargeSum charges;

    public CommandTelemetry(string category, StreamId stream, CommandContext context)
    {
        this.category = new("category", category);
        charges = Telemetry.BeginCharges();
        span = context.TraceParent is null
            ? Telemetry.Source.StartActivity("command")
            : Telemetry.Follow("command", context.TraceParent);
        span?.SetTag("stream", stream.ToString()).SetTag("command.id", context.CommandId)
            .SetTag("correlation.id", context.CorrelationId);
    }

    public void Cache(bool hit)
    {
        Telemetry.Cache.Add(1, category, new("result", hit ? "hit" : "miss"));
        span?.SetTag("cache.hit", hit);
    }

    public void Conflicted()
    {
        Telemetry.Conflicts.Add(1, category);
        span?.AddEvent(new("conflict"));
    }

    public void Repeated()
    {
        Telemetry.Repeats.Add(1, category);
        span?.SetTag("repeat", true);
    }

    public void GaveUp()
    {
        Telemetry.Busy.Add(1, category);
        span?.SetStatus(ActivityStatusCode.Error, "stream busy");
    }

    public void Dispose()
    {
        Telemetry.CommandCharge.Record(charges.Total, category);
        span?.SetTag("charge", charges.Total);
        span?.Dispose();
    }
}
