using Commerce;
using Commerce.Inventory;
using EventSourcing;
using Functions.Http;
using Functions.Projections;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;

namespace Functions.Queries;

/// <summary>Questions about products, answered from views alone.</summary>
public sealed class ProductQueries(ViewContainer views, Continuations continuations)
{
    /// <summary>
    /// Products by the beginnings of their words, category, price and availability, in the order asked for; with
    /// <c>facets=true</c> also how many there are of each category, availability and band of prices.
    /// </summary>
    [Function(nameof(GetProducts))]
    public async Task<IResult> GetProducts(
        [HttpTrigger(AuthorizationLevel.Function, "get", Route = "products")] HttpRequest request,
        CancellationToken cancellation)
    {
        var search = ProductSearch.Of(request);
        var limit = Request.Limit(request);
        var list = $"products {search with { WithFacets = false }}";
        var after = await continuations.OpenAsync<ProductPlace>(request, list, cancellation);
        await ViewAnswer.WaitAsync(views, request, Views.ProductSearch, cancellation);
        var live = await views.LiveAsync(Views.ProductSearch, cancellation);
        var rows = await views.PageAsync(live, search.Query(live, after), null, limit, cancellation);
        var next = rows.Count == limit
            ? await continuations.SealAsync(list, ProductPlace.Of(live, rows[^1]), cancellation)
            : null;
        var facets = search.WithFacets ? await FacetsAsync(search, live, cancellation) : null;
        return ViewAnswer.Json(new ProductPage(
            [.. rows.Select(row => ProductRow.Of(row.View!))], facets, next, ViewAnswer.SeenBy(rows)));
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

    /// <summary>
    /// Each facet counts what the search finds without its own filter: what choosing another one would show.
    /// </summary>
    async Task<Facets> FacetsAsync(ProductSearch search, View<SearchedProduct> live, CancellationToken cancellation)
    {
        var categories = await views.CountsAsync(
            live, (search with { Category = null }).CountBy("c.view.listing.category"), cancellation);
        var stocked = await views.CountsAsync(
            live, (search with { Available = null }).CountBy("c.view.inStock"), cancellation);
        var priced = await views.CountsAsync(
            live, (search with { MinPrice = null, MaxPrice = null }).CountByPrice(), cancellation);
        return new(
            new SortedDictionary<string, long>(categories, StringComparer.Ordinal),
            new(stocked.GetValueOrDefault("true"), stocked.GetValueOrDefault("false")),
            [.. priced.Select(one => PriceBand.Of(one.Key, one.Value))
                .OrderBy(band => band.Currency.Value, StringComparer.Ordinal).ThenBy(band => band.MinPrice)]);
    }

    static readonly Refusal UnknownProduct = new("unknown-product", "There is no such product.", RefusalKind.Unknown);

    static string Id(string text) =>
        Request.Valid(ProductId.TryParse(text, out var product, out var refusal), product, refusal).Value;

    sealed record ProductRow(
        ProductId Product, string Name, string Category, Money Price, bool InStock, long Available)
    {
        public static ProductRow Of(SearchedProduct found) => found.Listing is { } listing
            ? new(
                listing.Product, listing.Name, listing.Category, listing.Price, found.InStock,
                found.Stock?.Available ?? 0)
            : throw new InvalidOperationException("A search finds listed products only.");
    }

    sealed record Facets(
        IReadOnlyDictionary<string, long> Category, AvailabilityFacet Availability, IReadOnlyList<PriceBand> Price);

    sealed record AvailabilityFacet(long InStock, long OutOfStock);

    sealed record ProductPage(
        IReadOnlyList<ProductRow> Products, Facets? Facets, string? Continuation, IReadOnlyList<string> Seen);
}
