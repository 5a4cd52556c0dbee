using Runtime.Local;

namespace Functions.Tests.Views;

/// <summary>Products by words, category, price and availability, sorted, paged and counted.</summary>
[Collection(nameof(RunningSystem))]
public sealed class SearchTests(RunningSystem system)
{
    /// <summary>A word only the products of this test have.</summary>
    readonly string word = $"w{Guid.NewGuid():N}";

    [Fact]
    public async Task Products_are_found_by_category_price_and_availability_and_counted_by_facet()
    {
        await PutAsync("cup", "mugs", 5_00, stock: 3);
        await PutAsync("jug", "mugs", 9_00, stock: 0);
        await PutAsync("pot", "pots", 20_00, stock: 2);
        await PutAsync("pan", "pots", 30_00, stock: 0, currency: "USD");

        await FindsAsync("", "cup jug pan pot");
        await FindsAsync("&category=mugs", "cup jug");
        await FindsAsync("&available=true", "cup pot");
        await FindsAsync("&available=false", "jug pan");
        await FindsAsync("&currency=EUR&minPrice=500&maxPrice=900", "cup jug");
        await FindsAsync("&currency=EUR&minPrice=901", "pot");
        await FindsAsync("&currency=EUR&sort=-price", "pot jug cup");
        await FindsAsync("&currency=EUR&sort=price&available=true", "cup pot");
        await FindsAsync("&sort=name", "cup jug pan pot");

        var page = await SearchAsync("&category=mugs&facets=true");
        Assert.Equal(("2", "2"), (page.Text("facets.category.mugs"), page.Text("facets.category.pots")));
        Assert.Equal(
            ("1", "1"), (page.Text("facets.availability.inStock"), page.Text("facets.availability.outOfStock")));
    }

    [Fact]
    public async Task Prices_are_counted_in_bands_each_currency_for_itself_and_a_band_is_what_to_ask_for_next()
    {
        await PutAsync("cup", "mugs", 5_00, stock: 0);
        await PutAsync("jug", "mugs", 9_99, stock: 0);
        await PutAsync("mug", "mugs", 4_99, stock: 0);
        await PutAsync("pot", "pots", 20_00, stock: 0);
        await PutAsync("pan", "pots", 50_000_00, stock: 0);
        await PutAsync("urn", "pots", 5_00, stock: 0, currency: "USD");
        await FindsAsync("&sort=name", "cup jug mug pan pot urn");

        Assert.Equal(
            "EUR 0-499: 1, EUR 500-999: 2, EUR 2000-4999: 1, EUR 1000000-: 1, USD 500-999: 1",
            Bands(await SearchAsync("&facets=true")));
        Assert.Equal("EUR 0-499: 1, EUR 500-999: 2", Bands(await SearchAsync("&facets=true&category=mugs")));

        // Its own filter moves none of its counts, every other one does.
        Assert.Equal(
            "EUR 0-499: 1, EUR 500-999: 2, EUR 2000-4999: 1, EUR 1000000-: 1",
            Bands(await SearchAsync("&facets=true&currency=EUR&minPrice=500&maxPrice=999")));
        await FindsAsync("&currency=EUR&minPrice=500&maxPrice=999", "cup jug");

        static string Bands(ApiAnswer page) => string.Join(
            ", ", page.Body.GetProperty("facets").GetProperty("price").EnumerateArray().Select(
                b => $"{b.Text("currency")} {b.Text("minPrice")}-{b.Text("maxPrice")}: {b.Text("count")}"));
    }

    [Theory]
    [InlineData("name", "a b c d e")]
    [InlineData("price&currency=EUR", "e d c b a")]
    [InlineData("-price&currency=EUR", "a b c d e")]
    public async Task Every_order_is_paged_each_once_also_where_prices_are_the_same(string sort, string expected)
    {
        string[] names = ["a", "b", "c", "d", "e"];
        for (var i = 0; i < names.Length; i++) await PutAsync(names[i], "things", 10_00 - (i * 100), stock: 0);
        await FindsAsync($"&sort={sort}", expected);
        var (seen, place) = (new List<string>(), (string?)null);
        do
        {
            var page = await SearchAsync(
                $"&sort={sort}&limit=2{(place is null ? "" : $"&continuation={place}")}");
            seen.AddRange(Names(page));
            place = page.Text("continuation");
        }
        while (place is not null);

        Assert.Equal(expected, string.Join(' ', seen));
    }

    [Fact]
    public async Task A_product_sold_out_is_out_of_stock_in_the_search_for_who_sends_the_token()
    {
        await PutAsync("cup", "mugs", 5_00, stock: 1);
        var received = await system.Api.PostAsync(
            $"/api/products/{word}-cup/stock", new { quantity = 4 }, "more", default);
        var page = await system.Api.GetAsync(
            $"/api/products?search={word}", default, received.Text("consistencyToken"));
        Assert.Equal("5", page.Body.GetProperty("products")[0].GetProperty("available").ToString());
        Assert.Contains(
            received.Text("consistencyToken")!,
                page.Body.GetProperty("seen").EnumerateArray().Select(s => s.GetString()));
    }

    [Theory]
    [InlineData("minPrice=5", "currency-required")]
    [InlineData("sort=price", "currency-required")]
    [InlineData("sort=cheap", "invalid-sort")]
    [InlineData("currency=DM", "unknown-currency")]
    [InlineData("currency=EUR&maxPrice=-1", "invalid-price")]
    [InlineData("available=yes", "invalid-flag")]
    public async Task A_search_that_makes_no_sense_is_refused(string query, string code) =>
        Assert.Equal(code, (await system.Api.GetAsync($"/api/products?{query}", default)).Text("code"));

    [Fact]
    public async Task A_list_says_when_it_has_not_seen_what_was_asked_for_and_takes_no_token_it_does_not_show()
    {
        using var ahead = new HttpRequestMessage(HttpMethod.Get, "/api/products?search=nothing");
        ahead.Headers.Add("X-Consistency-Token", "product-never@1");
        using var stale = await system.Http.SendAsync(ahead);
        Assert.Equal("true", stale.Headers.GetValues("X-Stale").Single());
        Assert.Equal(
            "token-not-taken",
            (await system.Api.GetAsync("/api/products", default, $"order-{Guid.NewGuid()}@1")).Text("code"));
        using var unknown = new HttpRequestMessage(HttpMethod.Get, "/api/orders?status=pending");
        unknown.Headers.Add("X-Consistency-Token", $"order-{Guid.NewGuid()}@1");
        using var none = await system.Http.SendAsync(unknown);
        Assert.Equal("true", none.Headers.GetValues("X-Stale").Single());
    }

    [Fact]
    public async Task An_order_list_by_status_waits_for_the_order_just_placed()
    {
        var product = await system.ProductAsync(stock: 10);
        var customer = Guid.NewGuid();
        await system.Api.PutAsync(
            $"/api/customers/{customer}",
            new { name = "Ada", email = "ada@example.com", creditLimit = new { minorUnits = 0, currency = "EUR" } },
            default);
        var order = Guid.NewGuid();
        var placed = await system.Api.PutAsync($"/api/orders/{order}", new
        {
            customerId = customer,
            lines = new[] { new { productId = product, quantity = 1 } },
            shipTo = Catalogue.Address(),
            payment = new { card = "4242 4242 4242 4242" },
        }, default);
        var page = await system.Api.GetAsync(
            $"/api/orders?customerId={customer}", default, placed.Text("consistencyToken"));
        Assert.Equal(order, page.Body.GetProperty("orders")[0].GetProperty("order").GetGuid());
        Assert.StartsWith($"order-{order}@", page.Body.GetProperty("seen")[0].GetString(), StringComparison.Ordinal);
    }

    Task<(string Query, string Found)> FindsAsync(string query, string expected) => RunningSystem.EventuallyAsync(
        async () => (query, string.Join(' ', Names(await SearchAsync(query)))), found => found == (query, expected));

    Task<ApiAnswer> SearchAsync(string query) => system.Api.GetAsync($"/api/products?search={word}{query}", default);

    static List<string> Names(ApiAnswer page) =>
        [.. page.Body.GetProperty("products").EnumerateArray().Select(
            p => p.GetProperty("name").GetString()!.Split(' ')[0])];

    async Task PutAsync(string name, string category, long price, int stock, string currency = "EUR")
    {
        var put = await system.Api.PutAsync(
            $"/api/products/{word}-{name}",
            new { name = $"{name} {word}", category, price = new { minorUnits = price, currency } },
            default);
        Assert.True(put.IsSuccess, $"{put}");
        if (stock == 0) return;
        var received = await system.Api.PostAsync(
            $"/api/products/{word}-{name}/stock", new { quantity = stock }, "opening", default);
        Assert.True(received.IsSuccess, $"{received}");
    }
}
