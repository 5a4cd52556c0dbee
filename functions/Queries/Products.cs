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
public sealed class ProductQueries(ViewContainer views, Continuations continuations)
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
        var list = $"products {string.Join(' ', words)}";
        var after = await continuations.OpenAsync<Place>(request, list, cancellation);

        await ViewAnswer.WaitAsync(views, request, Views.Products, cancellation);
        var live = await views.LiveAsync(Views.Products, cancellation);
        var where = words.Select(
            (_, i) => $"EXISTS(SELECT VALUE w FROM w IN c.view.words WHERE STARTSWITH(w, @word{i}))")
            .Append("c.generation = @generation");
        if (after is not null) where = where.Append("c.id > @after");
        var query = new QueryDefinition($"SELECT * FROM c WHERE {string.Join(" AND ", where)} ORDER BY c.id")
            .WithParameter("@after", after is null ? null : live.Stored(ViewKey.Of(after.Id)).Id);
        for (var i = 0; i < words.Length; i++) query.WithParameter($"@word{i}", words[i]);

        var rows = await views.PageAsync(live, query, null, limit, cancellation);
        var next = rows.Count == limit
            ? await continuations.SealAsync(list, new Place(live.Bare(rows[^1].Id)), cancellation)
            : null;
        return ViewAnswer.Json(new ProductPage([.. rows.Select(row => row.View!)], next, ViewAnswer.SeenBy(rows)));
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

    sealed record Place(string Id);

    sealed record ProductPage(
        IReadOnlyList<ProductListing> Products, string? Continuation, IReadOnlyList<string> Seen);
}
