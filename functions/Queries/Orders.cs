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
public sealed class OrderQueries(ViewContainer views, Continuations continuations, OrderHistory history)
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
        var list = $"orders {customer} {status}";
        var after = await continuations.OpenAsync<Place>(request, list, cancellation);

        // A page starts behind the last row of the one before, wherever new rows have appeared since.
        await ViewAnswer.WaitAsync(views, request, Views.OrderList, cancellation);
        var live = await views.LiveAsync(Views.OrderList, cancellation);
        var where = new List<string> { "c.generation = @generation" };
        if (status is not null) where.Add("c.view.status = @status");
        if (after is not null) where.Add("(c.view.placedAt < @at OR (c.view.placedAt = @at AND c.id < @id))");
        var query = new QueryDefinition(
            $"SELECT * FROM c WHERE {string.Join(" AND ", where)} ORDER BY c.view.placedAt DESC, c.id DESC")
            .WithParameter("@status", status)
            .WithParameter("@at", after?.At)
            .WithParameter("@id", after is null ? null : live.Stored(ViewKey.Of(after.Id)).Id);
        var rows = await views.PageAsync(live, query, customer, limit, cancellation);
        var next = rows.Count == limit && rows[^1] is { View: { } last } row
            ? await continuations.SealAsync(list, new Place(last.PlacedAt, live.Bare(row.Id)), cancellation)
            : null;
        return ViewAnswer.Json(new OrderPage([.. rows.Select(r => r.View!)], next, ViewAnswer.SeenBy(rows)));
    }

    static readonly string[] Statuses =
        [.. Enum.GetNames<OrderStatus>().Where(n => n != nameof(OrderStatus.None)).Select(
            JsonNamingPolicy.CamelCase.ConvertName)];

    sealed record OrderPage(
        IReadOnlyList<OrderSummary> Orders, string? Continuation, IReadOnlyList<string> Seen);

    /// <summary>Behind which row the next page starts.</summary>
    sealed record Place(DateTimeOffset At, string Id);
}
