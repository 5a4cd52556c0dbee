using System.Globalization;
using Commerce;
using Commerce.Ordering;
using Commerce.Payments;
using Commerce.Shipping;
using EventSourcing;
using Functions.Http;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;

namespace Functions.EventStore;

/// <summary>What happened to one order and who did it, and what the order looked like at any moment.</summary>
public sealed class OrderHistory(IEventStore store)
{
    /// <summary>An order ends after a handful of events; this only keeps an answer from having no bound.</summary>
    public const int EventsPerStreamMax = 500;

    /// <summary>
    /// The audit trail of the order, its payment and its shipment as one story: by time, and in each stream in order.
    /// </summary>
    [Function(nameof(GetOrderHistory))]
    public async Task<IResult> GetOrderHistory(
        [HttpTrigger(AuthorizationLevel.Function, "get", Route = "orders/{orderId}/history")] HttpRequest request,
        string orderId,
        CancellationToken cancellation)
    {
        var order = Id(orderId);
        StreamId[] streams =
        [
            Order.Stream(order), Payment.Stream(PaymentId.Of(order)), Shipment.Stream(ShipmentId.Of(order)),
        ];
        var trails = await Task.WhenAll(streams.Select(stream => store
            .ReadAsync(stream, new(1, EventsPerStreamMax), cancellation).ToListAsync(cancellation).AsTask()));
        if (trails[0].Count == 0) return Problem.Of(OrderRefusal.Unknown);

        var entries = trails.SelectMany(trail => trail)
            .OrderBy(e => e.Timestamp).ThenBy(e => e.StreamId, StringComparer.Ordinal).ThenBy(e => e.Sequence);
        return TypedResults.Json(
            new History(
                order, [.. entries.Select(Entry.Of)], trails.Any(trail => trail.Count == EventsPerStreamMax)),
            StoredJson.Options);
    }

    /// <summary>
    /// The order as it was: <c>?sequence=3</c> or <c>?asOf=2026-03-01T12:00:00Z</c>, rebuilt from events in the shape
    /// of the view. Null when the request asks for neither, so that the view itself answers.
    /// </summary>
    public async Task<IResult?> AtAsync(HttpRequest request, OrderId order, CancellationToken cancellation)
    {
        var (sequence, asOf) = (Request.Sequence(request, "sequence"), AsOf(request));
        if (sequence is null && asOf is null) return null;
        if (sequence is not null && asOf is not null)
            throw new InvalidRequestException("invalid-moment", "Give sequence or asOf, not both.");

        OrderDetails? view = null;
        var seen = 0L;
        var range = new StreamRange(1, sequence ?? long.MaxValue);
        await foreach (var stored in store.ReadAsync(Order.Stream(order), range, cancellation))
        {
            if (stored.Timestamp > asOf) break;
            view = OrderDetails.Project(view, Aggregates.Orders.Codec.Decode(stored));
            seen = stored.Sequence;
        }

        if (view is null) return Problem.Of(OrderRefusal.Unknown);

        // A sequence the order has not reached is no moment of its past.
        if (seen < sequence)
            return Problem.Of(404, "unknown-sequence", $"The order has {seen} events, not {sequence}.");
        request.HttpContext.Response.Headers.ETag = $"\"{seen.ToString(CultureInfo.InvariantCulture)}\"";
        return TypedResults.Json(view, StoredJson.Options);
    }

    static DateTimeOffset? AsOf(HttpRequest request)
    {
        string[] formats = ["yyyy-MM-dd'T'HH:mm:ssK", "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFK"];
        if (!request.Query.ContainsKey("asOf")) return null;

        // In a query a plus sign is a space; without an offset nobody knows which instant is meant.
        var text = (Request.Query(request, "asOf") ?? "?").Replace(' ', '+');
        return DateTimeOffset.TryParseExact(
                text, formats, CultureInfo.InvariantCulture, DateTimeStyles.None, out var at)
            && (text[^1] == 'Z' || text.LastIndexOfAny(['+', '-']) > text.IndexOf('T', StringComparison.Ordinal))
            ? at
            : throw new InvalidRequestException(
                "invalid-moment", "asOf is an instant with its offset, such as 2026-03-01T12:00:00Z.");
    }

    static OrderId Id(string text) =>
        Request.Valid(OrderId.TryParse(text, out var order, out var refusal), order, refusal);

    sealed record History(OrderId Order, IReadOnlyList<Entry> Events, bool IsCut);
}
