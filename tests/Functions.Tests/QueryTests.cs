using System.Net;
using Runtime.Local;

namespace Functions.Tests;

/// <summary>Questions, answered from view containers alone.</summary>
[Collection(nameof(RunningSystem))]
public sealed class QueryTests(RunningSystem system)
{
    const string Good = "4242 4242 4242 4242";

    [Fact]
    public async Task A_customers_orders_come_newest_first_page_by_page_each_once()
    {
        var customer = Guid.NewGuid();
        await system.Api.PutAsync(
            $"/api/customers/{customer}",
            new { name = "Pages", email = "pages@example.com", creditLimit = new { minorUnits = 0, currency = "EUR" } },
            default);
        var product = await system.ProductAsync(stock: 100);
        var placed = new List<Guid>();
        for (var i = 0; i < 7; i++)
        {
            placed.Add(await system.PlaceAsync(new
            {
                customerId = customer,
                lines = new[] { new { productId = product, quantity = 1 } },
                shipTo = Catalogue.Address(),
                payment = new { card = Good },
            }));
        }

        await RunningSystem.EventuallyAsync(() => PageAsync($"customerId={customer}"), page => page.Orders.Count == 7);

        var seen = new List<Guid>();
        string? continuation = null;
        do
        {
            var page = await PageAsync(
                $"customerId={customer}&limit=3{(continuation is null ? "" : $"&continuation={Uri.EscapeDataString(
                    continuation)}")}");
            seen.AddRange(page.Orders);
            continuation = page.Continuation;
        }
        while (continuation is not null);

        Assert.Equal(placed.Order(), seen.Order());
        Assert.Equal(7, seen.Count);
    }

    [Fact]
    public async Task A_product_is_found_by_the_beginnings_of_its_words()
    {
        var found = await RunningSystem.EventuallyAsync(
            () => system.Api.GetAsync("/api/products?search=BLU%20mu", default),
            answer => answer.IsSuccess && answer.Body.GetProperty("products").GetArrayLength() > 0);
        Assert.Equal("blue-mug", found.Body.GetProperty("products")[0].GetProperty("product").GetString());
    }

    [Fact]
    public async Task A_query_that_sends_the_token_back_sees_the_write_or_says_that_it_is_stale()
    {
        var product = await system.ProductAsync(stock: 1);
        var put = await system.Api.PutAsync(
            $"/api/products/{product}",
            new { name = "Renamed", category = "things", price = new { minorUnits = 10_00, currency = "EUR" } },
            default);
        var seen = await RunningSystem.EventuallyAsync(
            () => system.Api.GetAsync($"/api/products/{product}", default, put.Text("consistencyToken")),
            view => view.Text("name") == "Renamed");
        Assert.Equal(HttpStatusCode.OK, seen.Status);

        using var ahead = new HttpRequestMessage(HttpMethod.Get, $"/api/products/{product}");
        ahead.Headers.Add("X-Consistency-Token", $"product-{product}@99");
        using var stale = await system.Http.SendAsync(ahead);
        Assert.Equal("true", stale.Headers.GetValues("X-Stale").Single());
    }

    [Fact]
    public async Task An_unchanged_view_is_not_sent_again()
    {
        var product = await system.ProductAsync(stock: 1);
        await RunningSystem.EventuallyAsync(
            () => system.Api.GetAsync($"/api/products/{product}", default), view => view.IsSuccess);
        using var first = await system.Http.GetAsync($"/api/products/{product}");
        using var again = new HttpRequestMessage(HttpMethod.Get, $"/api/products/{product}");
        again.Headers.IfNoneMatch.Add(first.Headers.ETag!);
        using var second = await system.Http.SendAsync(again);
        Assert.Equal(HttpStatusCode.NotModified, second.StatusCode);
    }

    [Fact]
    public async Task The_audit_trail_is_paged_both_ways_and_names_who_and_why()
    {
        var product = await system.ProductAsync(stock: 5);
        for (var i = 0; i < 4; i++)
            await system.Api.PostAsync(
                $"/api/products/{product}/stock", new { quantity = 1 }, $"delivery-{i}", default);

        var (up, down) = (
            $"/api/streams/stock-{product}?limit=2&from=2",
            $"/api/streams/stock-{product}?limit=2&direction=backwards");
        var (forwards, backwards) = (await system.Api.GetAsync(up, default), await system.Api.GetAsync(down, default));
        Assert.Equal([2L, 3L], Sequences(forwards));
        Assert.Equal([5L, 4L], Sequences(backwards));
        Assert.Equal([4L, 5L], Sequences(await NextAsync(up, forwards)));
        Assert.Equal([3L, 2L], Sequences(await NextAsync(down, backwards)));
        var stored = forwards.Body.GetProperty("events")[0];
        Assert.Equal("receive/delivery-0", stored.GetProperty("commandId").GetString());
        Assert.Equal("http-post", stored.GetProperty("causationId").GetString());
    }

    Task<ApiAnswer> NextAsync(string path, ApiAnswer page) =>
        system.Api.GetAsync($"{path}&continuation={page.Text("continuation")}", default);

    static List<long> Sequences(ApiAnswer page) =>
        [.. page.Body.GetProperty("events").EnumerateArray().Select(e => e.GetProperty("sequence").GetInt64())];

    async Task<(List<Guid> Orders, string? Continuation)> PageAsync(string query)
    {
        var page = await system.Api.GetAsync($"/api/orders?{query}", default);
        return (
            [.. page.Body.GetProperty("orders").EnumerateArray().Select(o => o.GetProperty("order").GetGuid())],
            page.Text("continuation"));
    }
}
