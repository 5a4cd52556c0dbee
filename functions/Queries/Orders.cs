using System.Globalization;
using System.Text;
using System.Text.Json;
using Commerce;
using Commerce.Ordering;
using Functions.EventStore;
using Functions.Http;
using Functions.Projections;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Cosmos;
using Microsoft.Azure.Functions.Worker;

namespace Functions.Queries;

/// <summary>Questions about orders, answered from views alone, unless one asks for the past.</summary>
public sealed class OrderQueries(ViewContainer views, OrderHistory history)
{
    /// <summary>
    /// The order now, or as it was with <c>?sequence=3</c> or <c>?asOf=2026-03-01T12:00:00Z</c>.
    /// </summary>
    [Function(nameof(GetOrder))]
    public async Task<IResult> GetOrder(
        [HttpTrigger(AuthorizationLevel.Function, "get", Route = "orders/{orderId}")] HttpRequest request,
        string orderId,
        CancellationToken cancellation)
    {
        var order = Request.Valid(OrderId.TryParse(orderId, out var id, out var refusal), id, refusal);
        return await history.AtAsync(request, order, cancellation) ?? await ViewAnswer.OneAsync(
            views, request, Views.OrderDetails, ViewKey.Of(order.ToString()), OrderRefusal.Unknown, cancellation);
    }

    /// <summary>A customer's orders, or all of one status, newest first.</summary>
    [Function(nameof(GetOrders))]
    public async Task<IResult> GetOrders(
        [HttpTrigger(AuthorizationLevel.Function, "get", Route = "orders")] HttpRequest request,
        CancellationToken cancellation)
    {
        var customer = Request.Query(request, "customerId") is { } text
            ? Request.Valid(CustomerId.TryParse(text, out var id, out var refusal), id, refusal).ToString()
            : null;
        var status = Request.Query(request, "status");
        if (status is not null && !Statuses.Contains(status))
            throw new InvalidRequestException("invalid-status", $"status is one of {string.Join(", ", Statuses)}.");
        if (customer is null && status is null)
            throw new InvalidRequestException("filter-required", "Give customerId, status or both.");
        var limit = Request.Limit(request);
        var after = Cursor.Of(request);

        // A page starts behind the last row of the one before, wherever new rows have appeared since.
        var where = new List<string>();
        if (status is not null) where.Add("c.view.status = @status");
        if (after is not null) where.Add("(c.view.placedAt < @at OR (c.view.placedAt = @at AND c.id < @id))");
        var query = new QueryDefinition(
            "SELECT * FROM c"
            + (where.Count > 0 ? " WHERE " + string.Join(" AND ", where) : "")
            + " ORDER BY c.view.placedAt DESC, c.id DESC")
            .WithParameter("@status", status)
            .WithParameter("@at", after?.At)
            .WithParameter("@id", after?.Id);
        var rows = await views.PageAsync<OrderSummary>(Views.OrderList.Container, query, customer, limit, cancellation);
        var next = rows.Count == limit && rows[^1] is { View: { } last } row
            ? new Cursor(last.PlacedAt, row.Id).ToString() : null;
        return ViewAnswer.Json(request, new OrderPage([.. rows.Select(r => r.View!)], next));
    }

    static readonly string[] Statuses =
        [.. Enum.GetNames<OrderStatus>().Where(n => n != nameof(OrderStatus.None)).Select(
            JsonNamingPolicy.CamelCase.ConvertName)];

    sealed record OrderPage(IReadOnlyList<OrderSummary> Orders, string? Continuation);

    /// <summary>Behind which row the next page starts; opaque to callers.</summary>
    sealed record Cursor(DateTimeOffset At, string Id)
    {
        public static Cursor? Of(HttpRequest request)
        {
            if (Request.Query(request, "continuation") is not { } text) return null;
            var bytes = new byte[text.Length];
            var parts = Convert.TryFromBase64String(text, bytes, out var length)
                ? Encoding.UTF8.GetString(bytes, 0, length).Split(' ')
                : [];
            return parts.Length == 2
                && DateTimeOffset.TryParseExact(
                    parts[0], "O", CultureInfo.InvariantCulture, DateTimeStyles.None, out var at)
                && Guid.TryParseExact(parts[1], "D", out _)
                ? new(at, parts[1])
                : throw new InvalidRequestException(
                    "invalid-continuation", "continuation is not one this API gave out.");
        }

        public override string ToString() => Convert.ToBase64String(Encoding.UTF8.GetBytes($"{At:O} {Id}"));
    }
}
