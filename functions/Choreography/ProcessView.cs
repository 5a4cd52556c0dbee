using System.Text.Json;
using Commerce;
using Commerce.Customers;
using Commerce.Inventory;
using Commerce.Ordering;
using Commerce.Payments;
using Commerce.Shipping;
using EventSourcing;
using Functions.EventStore;
using Functions.Http;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;

namespace Functions.Choreography;

/// <summary>
/// How an order was carried out, whoever led it: which context did what, in which order, and because of what.
/// Nothing is recorded for it; every event says already what caused it.
/// </summary>
public sealed class ProcessView(IEventStore store, IEventArchive archive, OwedAnswersFound owed)
{
    /// <summary>More than any order leads to; it only keeps an answer from having no bound.</summary>
    public const int EventsMax = 1_000;

    [Function(nameof(GetOrderProcess))]
    public async Task<IResult> GetOrderProcess(
        [HttpTrigger(AuthorizationLevel.Function, "get", Route = "orders/{orderId}/process")] HttpRequest request,
        string orderId,
        CancellationToken cancellation)
    {
        var order = Request.Valid(OrderId.TryParse(orderId, out var id, out var refusal), id, refusal);
        var placed = await store.ReadAsync(Order.Stream(order), new(1, 1), cancellation)
            .FirstOrDefaultAsync(cancellation);
        if (placed is null) return Problem.Of(OrderRefusal.Unknown);

        var correlated = await archive.CorrelatedAsync(placed.CorrelationId, EventsMax, cancellation);
        var steps = StepsOf(order, placed, correlated);
        var workflow = ((OrderEvent.Placed)Aggregates.Orders.Codec.DecodeEvent(placed)).Workflow;
        var waiting = workflow == Order.Choreography
            ? (await owed.ReadAsync(cancellation))?.Waiting.Where(answer => answer.Order == order.Value)
            : null;
        return TypedResults.Json(
            new Process(
                order, workflow, placed.CorrelationId, steps, [.. waiting ?? []], correlated.Count == EventsMax),
            StoredJson.Options);
    }

    /// <summary>One step: an event, the context it happened in, and the event it answers, if it answers one.</summary>
    public sealed record Step(
        DateTimeOffset At,
        string Context,
        string Event,
        string Stream,
        long Sequence,
        string? Who,
        Cause? Because)
    {
        /// <summary>Seconds since what it answers.</summary>
        public double? After => Because is { } cause ? (At - cause.At).TotalSeconds : null;
    }

    public sealed record Cause(string Event, string Stream, long Sequence, DateTimeOffset At);

    /// <summary>
    /// The order's own events out of all that its request led to: a request may have placed several orders, and one
    /// product's stock serves them all.
    /// </summary>
    public static IReadOnlyList<Step> StepsOf(
        OrderId order, StoredEvent placed, IEnumerable<StoredEvent> correlated)
    {
        var own = correlated.Where(e => Concerns(e, order)).ToDictionary(e => e.EventId.ToString("D"));
        own.TryAdd(placed.EventId.ToString("D"), placed);
        var depths = new Dictionary<string, int>();
        int DepthOf(string id) => depths.TryGetValue(id, out var known) ? known
            : depths[id] = own.TryGetValue(own[id].CausationId, out _) && own[id].CausationId != id
                ? DepthOf(own[id].CausationId) + 1
                : 0;

        // Clocks differ between machines and steps may share an instant; a cause always stands before what it led to.
        return
        [
            .. own.OrderBy(e => e.Value.Timestamp).ThenBy(e => DepthOf(e.Key))
                .ThenBy(e => e.Value.StreamId, StringComparer.Ordinal).ThenBy(e => e.Value.Sequence)
                .Select(e => StepOf(e.Value, own.GetValueOrDefault(e.Value.CausationId))),
        ];
    }

    static Step StepOf(StoredEvent stored, StoredEvent? cause) => new(
        stored.Timestamp,
        ContextOf(stored.StreamId),
        stored.EventType,
        stored.StreamId,
        stored.Sequence,
        stored.UserId,
        cause is null ? null : new(cause.EventType, cause.StreamId, cause.Sequence, cause.Timestamp));

    static bool Concerns(StoredEvent stored, OrderId order) =>
        StreamId.TryParse(stored.StreamId, out var stream) && (stream.Category is Stock.Category or Customer.Category
            ? stored.EventData.ValueKind == JsonValueKind.Object
                && stored.EventData.TryGetProperty("reservation", out var reservation)
                && reservation.ValueKind == JsonValueKind.String && reservation.GetString() == order.ToString()
            : stream.Id == order.ToString());

    static string ContextOf(string stream) =>
        stream[..Math.Max(stream.IndexOf('-', StringComparison.Ordinal), 0)] switch
    {
        Order.Category => "ordering",
        Customer.Category => "customers",
        Stock.Category or Allocation.Category => "inventory",
        Payment.Category => "payments",
        Shipment.Category => "shipping",
        var other => other,
    };

    /// <summary>The steps taken, and those that wait in the dead letters of a subscription.</summary>
    sealed record Process(
        OrderId Order, string Workflow, string CorrelationId, IReadOnlyList<Step> Steps,
        IReadOnlyList<OwedAnswer> Waiting, bool IsCut);
}
