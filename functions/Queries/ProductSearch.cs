using System.Globalization;
using Commerce;
using Commerce.Catalog;
using Functions.Http;
using Functions.Projections;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Cosmos;

namespace Functions.Queries;

/// <summary>Behind which product the next page starts, in whichever order the list is.</summary>
sealed record ProductPlace(string Id, string Name, long Price)
{
    public static ProductPlace Of(View<SearchedProduct> live, ViewDocument<SearchedProduct> row) =>
        new(live.Bare(row.Id), row.View!.Listing!.Name, row.View.Listing.Price.MinorUnits);
}

/// <summary>So many products cost from one amount to another, both included: what to ask for to see them.</summary>
sealed record PriceBand(Currency Currency, long MinPrice, long? MaxPrice, long Count)
{
    /// <summary>Where bands begin, in minor units: 1, 2, 5 and so on, each about twice the one below.</summary>
    static readonly long[] Bounds =
    [
        0, 5_00, 10_00, 20_00, 50_00, 100_00, 200_00, 500_00, 1_000_00, 2_000_00, 5_000_00, 10_000_00,
    ];

    /// <summary>The band of the amount at the path, by where it begins, as the store's own text.</summary>
    public static string Of(string path) => Bounds.SkipLast(1).Zip(Bounds.Skip(1)).Reverse().Aggregate(
        $"\"{Bounds[^1]}\"", (above, band) => $"IIF({path} < {band.Second}, \"{band.First}\", {above})");

    public static PriceBand Of(string facet, long count)
    {
        var (currency, from) = (facet[..3], long.Parse(facet.AsSpan(4), CultureInfo.InvariantCulture));
        var next = Array.IndexOf(Bounds, from) + 1;
        return new(new(currency), from, next < Bounds.Length ? Bounds[next] - 1 : null, count);
    }
}

/// <summary>What a caller looks for among the products; as text it names the list, every filter included.</summary>
sealed record ProductSearch(
    string Words, string? Category, Currency? Currency, long? MinPrice, long? MaxPrice, bool? Available, string Sort)
{
    public const int WordsMax = 8;

    static readonly string[] Sorts = ["id", "name", "price", "-price"];

    public bool WithFacets { get; init; }

    public static ProductSearch Of(HttpRequest request)
    {
        var words = ProductListing.WordsOf(Request.Query(request, "search") ?? "");
        if (words.Length > WordsMax) throw new InvalidRequestException(
            "invalid-search", $"A search has at most {WordsMax} words.");
        Currency? currency = Request.Query(request, "currency") is { } text
            ? Request.Valid(Commerce.Currency.TryParse(text, out var known, out var refusal), known, refusal)
            : null;
        var (min, max) = (Price(request, "minPrice"), Price(request, "maxPrice"));
        var sort = Request.Query(request, "sort") ?? "id";
        if (!Sorts.Contains(sort)) throw new InvalidRequestException(
            "invalid-sort", $"sort is one of {string.Join(", ", Sorts)}.");

        // Amounts of different currencies compare to nothing.
        if (currency is null && (min is not null || max is not null || sort is "price" or "-price"))
            throw new InvalidRequestException("currency-required", "Prices are compared within one currency: give it.");
        return new(
            string.Join(' ', words), Request.Query(request, "category", Product.CategoryLengthMax), currency, min, max,
            Request.Flag(request, "available"), sort)
        {
            WithFacets = Request.Flag(request, "facets") == true,
        };
    }

    public QueryDefinition Query(View<SearchedProduct> live, ProductPlace? after)
    {
        var id = after is null ? null : live.Stored(ViewKey.Of(after.Id)).Id;
        var (path, order) = Sort switch
        {
            "name" => ("c.view.listing.name", ""),
            "price" => ("c.view.listing.price.minorUnits", ""),
            "-price" => ("c.view.listing.price.minorUnits", " DESC"),
            _ => (null, ""),
        };
        var behind = order == "" ? ">" : "<";
        var place = path is null
            ? "c.id > @id"
            : $"({path} {behind} @key OR ({path} = @key AND c.id {behind} @id))";
        var text = $"SELECT * FROM c WHERE {Where()}{(after is null ? "" : $" AND {place}")} ORDER BY "
            + (path is null ? "c.id" : $"{path}{order}, c.id{order}");
        return Bound(new QueryDefinition(text))
            .WithParameter("@id", id)
            .WithParameter("@key", Sort == "name" ? after?.Name : after?.Price);
    }

    /// <summary>How many products there are of each value at the path.</summary>
    public QueryDefinition CountBy(string path) => Bound(new(
        $"SELECT {path} AS facet, COUNT(1) AS count FROM c WHERE {Where()} GROUP BY {path}"));

    /// <summary>The same for the bands of each currency: amounts of two of them are never in one.</summary>
    public QueryDefinition CountByPrice() => CountBy(
        $"CONCAT(c.view.listing.price.currency, \" \", {PriceBand.Of("c.view.listing.price.minorUnits")})");

    string Where()
    {
        var where = new List<string> { "c.generation = @generation", "IS_STRING(c.view.listing.name)" };
        where.AddRange(WordList().Select(
            (_, i) => $"EXISTS(SELECT VALUE w FROM w IN c.view.listing.words WHERE STARTSWITH(w, @word{i}))"));
        if (Category is not null) where.Add("c.view.listing.category = @category");
        if (Currency is not null) where.Add("c.view.listing.price.currency = @currency");
        if (MinPrice is not null) where.Add("c.view.listing.price.minorUnits >= @min");
        if (MaxPrice is not null) where.Add("c.view.listing.price.minorUnits <= @max");
        if (Available is not null) where.Add("c.view.inStock = @available");
        return string.Join(" AND ", where);
    }

    QueryDefinition Bound(QueryDefinition query)
    {
        var words = WordList();
        for (var i = 0; i < words.Length; i++) query = query.WithParameter($"@word{i}", words[i]);
        return query
            .WithParameter("@category", Category)
            .WithParameter("@currency", Currency?.Value)
            .WithParameter("@min", MinPrice)
            .WithParameter("@max", MaxPrice)
            .WithParameter("@available", Available);
    }

    string[] WordList() => Words.Split(' ', StringSplitOptions.RemoveEmptyEntries);

    static long? Price(HttpRequest request, string name)
    {
        if (Request.Query(request, name) is not { } text) return null;
        return long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var price)
            && price <= Money.MinorUnitsMax
            ? price
            : throw new InvalidRequestException("invalid-price", $"{name} is an amount in minor units.");
    }
}
