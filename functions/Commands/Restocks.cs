using Commerce;
using Commerce.Catalog;
using Commerce.Restocking;
using EventSourcing;
using Functions.EventStore;
using Functions.Http;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;

namespace Functions.Commands;

/// <summary>
/// Orders goods from suppliers. A request only records it: the saga started by that event does the rest.
/// </summary>
public sealed class Restocks(
    CommandHandler<Restock, RestockCommand, RestockEvent> restocks,
    CommandHandler<Product, ProductCommand, ProductEvent> products,
    IEventStore store)
{
    sealed record RestockBody(string? ProductId, int? Quantity);

    [Function(nameof(PutRestock))]
    public async Task<IResult> PutRestock(
        [HttpTrigger(AuthorizationLevel.Function, "put", Route = "restocks/{restockId}")] HttpRequest request,
        string restockId,
        CancellationToken cancellation)
    {
        var restock = Id(restockId);
        var body = await Request.BodyAsync<RestockBody>(request, cancellation);
        var product = Request.Valid(
            ProductId.TryParse(Request.Required(body.ProductId, "productId"), out var id, out var refusal), id,
                refusal);
        var command = new RestockCommand.Request(product, Request.Required(body.Quantity, "quantity").Value);
        if ((await products.KnownAsync(Product.Stream(product), TimeSpan.MaxValue, cancellation)).Sequence == 0)
            return Problem.Of(new("unknown-product", $"There is no product {product}.", RefusalKind.Unknown));
        var outcome = await restocks.HandleAsync(
            Restock.Stream(restock), command, Request.Command(request) with { LikelyNew = true }, cancellation);
        return Answer.To(request, outcome, $"/api/restocks/{restock}", StatusCodes.Status202Accepted);
    }

    /// <summary>
    /// Folded from its own stream on demand: a handful of events that few people ask for need no view of their own.
    /// </summary>
    [Function(nameof(GetRestock))]
    public async Task<IResult> GetRestock(
        [HttpTrigger(AuthorizationLevel.Function, "get", Route = "restocks/{restockId}")] HttpRequest request,
        string restockId,
        CancellationToken cancellation)
    {
        var restock = Id(restockId);
        RestockDetails? details = null;
        await foreach (var stored in store.ReadAsync(
            Restock.Stream(restock), new(1, OrderHistory.EventsPerStreamMax), cancellation))
            details = RestockDetails.Project(details, Aggregates.Restocks.Codec.Decode(stored));
        return details is null ? Problem.Of(RestockRefusal.Unknown) : TypedResults.Json(details, StoredJson.Options);
    }

    static RestockId Id(string text)
    {
        var restock = new RestockId(Guid.TryParseExact(text, "D", out var value) ? value : Guid.Empty);
        return restock.Fault() is { } fault ? throw new InvalidRequestException(fault) : restock;
    }
}
