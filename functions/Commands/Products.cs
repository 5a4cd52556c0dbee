using Commerce;
using Commerce.Catalog;
using Commerce.Inventory;
using EventSourcing;
using Functions.Http;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;

namespace Functions.Commands;

/// <summary>Offers products, or offers them otherwise, and counts each delivery into their stock once.</summary>
public sealed class Products(
    CommandHandler<Product, ProductCommand, ProductEvent> products,
    CommandHandler<Stock, StockCommand, StockEvent> stocks)
{
    sealed record ProductBody(string? Name, string? Category, MoneyBody? Price);

    sealed record StockBody(int? Quantity);

    [Function(nameof(PutProduct))]
    public async Task<IResult> PutProduct(
        [HttpTrigger(AuthorizationLevel.Function, "put", Route = "products/{productId}")] HttpRequest request,
        string productId,
        CancellationToken cancellation)
    {
        var product = Id(productId);
        var body = await Request.BodyAsync<ProductBody>(request, cancellation);
        var command = new ProductCommand.Put(
            Request.Required(body.Name, "name"),
            Request.Required(body.Category, "category"),
            Request.Required(body.Price, "price").ToMoney("price"));
        var outcome = await products.HandleAsync(
            Product.Stream(product), command, Request.Command(request), cancellation);
        return Answer.To(request, outcome, $"/api/products/{product}");
    }

    /// <summary>
    /// Goods received. Adding is not idempotent by nature, so the caller names the delivery: the same key again is the
    /// same delivery.
    /// </summary>
    [Function(nameof(PostStock))]
    public async Task<IResult> PostStock(
        [HttpTrigger(AuthorizationLevel.Function, "post", Route = "products/{productId}/stock")] HttpRequest request,
        string productId,
        CancellationToken cancellation)
    {
        var product = Id(productId);
        var receipt = Request.RequiredHeader(request, "Idempotency-Key");
        var body = await Request.BodyAsync<StockBody>(request, cancellation);
        var command = new StockCommand.Receive(Request.Required(body.Quantity, "quantity").Value, receipt);

        var known = await products.KnownAsync(Product.Stream(product), TimeSpan.MaxValue, cancellation);
        if (known.Sequence == 0)
            return Problem.Of(new("unknown-product", $"There is no product {product}.", RefusalKind.Unknown));
        var outcome = await stocks.HandleAsync(
            Stock.Stream(product), command, Request.Command(request, $"receive/{receipt}"), cancellation);
        return Answer.To(request, outcome, $"/api/products/{product}");
    }

    static ProductId Id(string text) =>
        Request.Valid(ProductId.TryParse(text, out var product, out var refusal), product, refusal);
}
