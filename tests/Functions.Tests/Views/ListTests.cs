using System.Buffers.Text;
using System.Net;
using System.Text;
using Functions.Projections;
using Microsoft.Extensions.DependencyInjection;
using Runtime.Local;

namespace Functions.Tests.Views;

/// <summary>Lists: sealed places to go on from, whatever is inserted meanwhile; and versions of every answer.</summary>
[Collection(nameof(RunningSystem))]
public sealed class ListTests(RunningSystem system)
{
    [Fact]
    public async Task A_place_changed_shortened_or_used_on_another_list_is_refused()
    {
        await system.ProductAsync(stock: 1);
        await system.ProductAsync(stock: 1);
        var page = await RunningSystem.EventuallyAsync(
            () => system.Api.GetAsync("/api/products?limit=1", default),
            answer => answer.Text("continuation") is not null);
        var place = page.Text("continuation")!;
        Assert.True((await system.Api.GetAsync($"/api/products?limit=1&continuation={place}", default)).IsSuccess);

        string[] forged =
        [
            $"/api/products?limit=1&continuation={(place[0] == 'A' ? 'B' : 'A')}{place[1..]}",
            $"/api/products?limit=1&continuation={place[..^1]}{(place[^1] == 'A' ? 'E' : 'A')}",
            $"/api/products?limit=1&continuation={place[..^4]}",
            $"/api/products?limit=1&continuation={place[..8]}",
            "/api/products?limit=1&continuation=blue-mug!",
            $"/api/products?search=mug&continuation={place}",
            $"/api/orders?status=pending&continuation={place}",
        ];
        foreach (var path in forged) Assert.Equal((path, "invalid-continuation"), (path, await CodeAsync(path)));
    }

    [Fact]
    public async Task A_place_tells_nobody_what_is_in_it()
    {
        await system.ProductAsync(stock: 1);
        await system.ProductAsync(stock: 1);
        var page = await RunningSystem.EventuallyAsync(
            () => system.Api.GetAsync("/api/products?limit=1", default),
            answer => answer.Text("continuation") is not null);
        var last = page.Body.GetProperty("products")[0].GetProperty("product").GetString()!;
        var place = Base64Url.DecodeFromChars(page.Text("continuation"));
        Assert.DoesNotContain(last, Encoding.Latin1.GetString(place), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/api/products?limit=0")]
    [InlineData("/api/products?limit=101")]
    [InlineData("/api/orders?status=pending&limit=1000000")]
    [InlineData("/api/orders?status=pending&limit=-1")]
    public async Task A_page_beyond_its_bound_is_refused(string path) =>
        Assert.Equal("invalid-limit", await CodeAsync(path));

    [Fact]
    public async Task Orders_placed_between_two_pages_move_no_row()
    {
        var (customer, product) = (await CustomerAsync(), await system.ProductAsync(stock: 100));
        var known = new List<Guid>();
        for (var i = 0; i < 5; i++) known.Add(await OrderAsync(customer, product));
        await RunningSystem.EventuallyAsync(
            () => system.Api.GetAsync($"/api/orders?customerId={customer}", default),
            page => page.Body.GetProperty("orders").GetArrayLength() == 5);

        var seen = new List<Guid>();
        string? place = null;
        do
        {
            var page = await system.Api.GetAsync(
                $"/api/orders?customerId={customer}&limit=2{(place is null ? "" : $"&continuation={place}")}", default);
            seen.AddRange(page.Body.GetProperty("orders").EnumerateArray().Select(
                o => o.GetProperty("order").GetGuid()));
            place = page.Text("continuation");
            var late = await OrderAsync(customer, product);
            await RunningSystem.EventuallyAsync(
                () => system.Api.GetAsync($"/api/orders?customerId={customer}&limit=100", default),
                all => all.Body.ToString().Contains($"{late}", StringComparison.Ordinal));
        }
        while (place is not null);

        // Newest first: what came later stands before the first page, and every row that was there comes once.
        Assert.Equal(known.Order(), seen.Order());
    }

    [Fact]
    public async Task Products_registered_between_two_pages_are_shown_once_or_stand_before()
    {
        var category = $"c{Guid.NewGuid():N}";
        foreach (var name in new[] { "b", "d", "f", "h" }) await ListedAsync(category, name);
        var seen = new List<string>();
        var late = new Queue<string>(["e", "a", "z"]);
        string? place = null;
        do
        {
            var page = await system.Api.GetAsync(
                $"/api/products?search={category}&limit=2{(place is null ? "" : $"&continuation={place}")}", default);
            seen.AddRange(Products(page).Select(product => product[^1..]));
            place = page.Text("continuation");
            if (late.TryDequeue(out var name)) await ListedAsync(category, name);
        }
        while (place is not null);

        Assert.Equal(["b", "d", "e", "f", "h"], seen.Where(name => name != "z"));
    }

    [Fact]
    public async Task Parked_events_are_paged_each_once()
    {
        var parking = system.System.Host.Services.GetRequiredService<Parking>();
        var streams = Enumerable.Range(0, 5).Select(_ => $"sum-{Guid.NewGuid()}").ToList();
        foreach (var stream in streams)
            await parking.ParkAsync("order-list", stream, 1, "unreadable", default);

        var seen = new List<string>();
        string? place = null;
        do
        {
            var page = await system.Admin.GetAsync(
                "/api/operations/parked?projection=order-list&limit=2"
                    + (place is null ? "" : $"&continuation={place}"), default);
            seen.AddRange(page.Body.GetProperty("parked").EnumerateArray().Select(
                p => p.GetProperty("stream").GetString()!));
            place = page.Text("continuation");
        }
        while (place is not null);

        Assert.Equal(streams.Order(), seen.Where(streams.Contains).Order());
        foreach (var stream in streams)
            await parking.RemoveAsync((await parking.FindAsync("order-list", stream, default))!, default);
    }

    [Fact]
    public async Task No_answer_to_a_query_is_sent_again_while_it_is_unchanged()
    {
        var (customer, product) = (await CustomerAsync(), await system.ProductAsync(stock: 10));
        var order = await OrderAsync(customer, product);
        await system.SettledAsync(order);
        string[] paths =
        [
            $"/api/orders/{order}", $"/api/orders?customerId={customer}", $"/api/orders/{order}/history",
            $"/api/customers/{customer}", $"/api/customers/{customer}/statistics",
            $"/api/products/{product}", $"/api/products?search=thing&limit=1", $"/api/products/{product}/stock",
            $"/api/products/{product}/statistics", "/api/statistics/days?from=2030-01-01&to=2030-01-02",
            $"/api/sagas/order-{order}", $"/api/streams/order-{order}", "/api/operations/parked",
            "/api/operations/projections",
        ];
        foreach (var path in paths)
        {
            await RunningSystem.EventuallyAsync(
                async () =>
                {
                    using var first = await system.AdminHttp.GetAsync(path);
                    using var again = new HttpRequestMessage(HttpMethod.Get, path);
                    again.Headers.TryAddWithoutValidation("If-None-Match", $"\"other\", {first.Headers.ETag}");
                    using var second = await system.AdminHttp.SendAsync(again);
                    return (path, first.StatusCode, second.StatusCode, (await second.Content.ReadAsByteArrayAsync())
                        .Length);
                },
                both => both == (path, HttpStatusCode.OK, HttpStatusCode.NotModified, 0));
        }
    }

    [Fact]
    public async Task A_version_changes_with_what_the_answer_says()
    {
        var category = $"c{Guid.NewGuid():N}";
        var path = $"/api/products?search={category}";
        await ListedAsync(category, "old");
        using var before = await system.Http.GetAsync(path);
        await ListedAsync(category, "new", $"{category}-old");
        using var again = new HttpRequestMessage(HttpMethod.Get, path);
        again.Headers.TryAddWithoutValidation("If-None-Match", $"{before.Headers.ETag}");
        using var after = await system.Http.SendAsync(again);
        Assert.Equal(HttpStatusCode.OK, after.StatusCode);
        Assert.NotEqual(before.Headers.ETag, after.Headers.ETag);
    }

    static List<string> Products(ApiAnswer page) =>
        [.. page.Body.GetProperty("products").EnumerateArray().Select(p => p.GetProperty("product").GetString()!)];

    /// <summary>Puts a product and waits until its listing has seen that.</summary>
    async Task ListedAsync(string category, string name, string? product = null)
    {
        product ??= $"{category}-{name}";
        var put = await system.Api.PutAsync(
            $"/api/products/{product}",
            new { name = $"{name} {product}", category, price = new { minorUnits = 1_00, currency = "EUR" } },
            default);
        Assert.True(put.IsSuccess, $"{put}");
        await RunningSystem.EventuallyAsync(
            () => system.Api.GetAsync($"/api/products/{product}", default, put.Text("consistencyToken")),
            listing => listing.Text("name") == $"{name} {product}");

        // The search is a view of its own.
        await system.Api.GetAsync("/api/products?limit=1", default, put.Text("consistencyToken"));
    }

    async Task<Guid> CustomerAsync()
    {
        var customer = Guid.NewGuid();
        Assert.True((await system.Api.PutAsync(
            $"/api/customers/{customer}",
            new { name = "Ada", email = "ada@example.com", creditLimit = new { minorUnits = 0, currency = "EUR" } },
            default)).IsSuccess);
        return customer;
    }

    Task<Guid> OrderAsync(Guid customer, string product)
    {
        // One moment each, so that the newest is the last.
        system.Clock.Advance(TimeSpan.FromMilliseconds(1));
        return system.PlaceAsync(new
        {
            customerId = customer,
            lines = new[] { new { productId = product, quantity = 1 } },
            shipTo = Catalogue.Address(),
            payment = new { card = "4242 4242 4242 4242" },
        });
    }

    async Task<string?> CodeAsync(string path)
    {
        var answer = await system.Api.GetAsync(path, default);
        return answer.Status == HttpStatusCode.BadRequest ? answer.Text("code") : $"{answer.Status}";
    }
}
