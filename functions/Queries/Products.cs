using Commerce;
using Commerce.Catalog;
using Commerce.Inventory;
using EventSourcing;
using Functions.Http;
using Functions.Projections;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Cosmos;
using Microsoft.Azure.Functions.Worker;

namespace Functions.Queries;

/// <summary>Questions about products, answered from views alone.</summary>
public sealed class ProductQueries(ViewContainer views)
{
    const int WordsMax = 8;

    /// <summary>Products whose name or category has a word beginning with each word asked for, by name.</summary>
    [Function(nameof(GetProducts))]
    public async Task<IResult> GetProducts(
        [HttpTrigger(AuthorizationLevel.Function, "get", Route = "products")] HttpRequest request,
        CancellationToken cancellation)
    {
        var words = ProductListing.WordsOf(Request.Query(request, "search") ?? "");
        if (words.Length > WordsMax) throw new InvalidRequestException(
            "invalid-search", $"A search has at most {WordsMax} words.");
        var limit = Request.Limit(request);
        var after = Request.Query(request, "continuation", lengthMax: ProductId.LengthMax);

        var where = words.Select(
            (_, i) => $"EXISTS(SELECT VALUE w FROM w IN c.view.words WHERE STARTSWITH(w, @word{i}))");
        if (after is not null) where = where.Append("c.id > @after");
        var query = new QueryDefinition(
            $"SELECT * FROM c {(where.Any() ? "WHERE " + string.Join(" AND ", where) : "")} ORDER BY c.id")
            .WithParameter("@after", after);
        for (var i = 0; i < words.Length; i++) query.WithParameter($"@word{i}", words[i]);

        var rows = await views.PageAsync<ProductListing>(Views.Products.Container, query, null, limit, cancellation);
        var next = rows.Count == limit ? rows[^1].Id : null;
        return ViewAnswer.Json(request, new ProductPage([.. rows.Select(row => row.View!)], next));
    }

    [Function(nameof(GetProduct))]
    public Task<IResult> GetProduct(
        [HttpTrigger(AuthorizationLevel.Function, "get", Route = "products/{productId}")] HttpRequest request,
        string productId,
        CancellationToken cancellation) =>
        ViewAnswer.OneAsync(views, request, Views.Products, ViewKey.Of(Id(productId)), UnknownProduct, cancellation);

    /// <summary>How many can still be bought.</summary>
    [Function(nameof(GetStock))]
    public Task<IResult> GetStock(
        [HttpTrigger(AuthorizationLevel.Function, "get", Route = "products/{productId}/stock")] HttpRequest request,
        string productId,
        CancellationToken cancellation) =>
        ViewAnswer.OneAsync<Availability>(
            views, request, Views.Availability, ViewKey.Of(Id(productId)), StockRefusal.UnknownProduct, cancellation);

    static readonly Refusal UnknownProduct = new("unknown-product", "There is no such product.", RefusalKind.Unknown);

    static string Id(string text) =>
        Request.Valid(ProductId.TryParse(text, out var product, out var refusal), product, refusal).Value;

    sealed record ProductPage(IReadOnlyList<ProductListing> Products, string? Continuation);
}
