using System.Net;
using System.Text;
using Runtime.Local;

namespace Functions.Tests;

/// <summary>What the API answers to nonsense: a clear 4xx with a stable code, and nothing written.</summary>
[Collection(nameof(RunningSystem))]
public sealed class HttpTests(RunningSystem system)
{
    const string Good = "4242 4242 4242 4242";

    [Theory]
    [InlineData("", "invalid-body")]
    [InlineData("{", "invalid-body")]
    [InlineData("null", "invalid-body")]
    [InlineData("[]", "invalid-body")]
    [InlineData("""{"surprise":1}""", "invalid-body")]
    [InlineData("""{"customerId":7}""", "invalid-body")]
    [InlineData("""{"lines":"many"}""", "invalid-body")]
    [InlineData("""{}""", "field-required")]
    [InlineData("""{"customerId":"nobody"}""", "invalid-customer-id")]
    public async Task A_body_that_is_no_order_is_refused_and_nothing_is_written(string body, string code)
    {
        var order = Guid.NewGuid();
        var answer = await SendAsync(HttpMethod.Put, $"/api/orders/{order}", body);

        Assert.Equal((400, code), ((int)answer.Status, answer.Text("code")));
        Assert.Empty(await system.EventTypesAsync($"order-{order}"));
    }

    [Theory]
    [InlineData(-1, 400, "invalid-quantity")]
    [InlineData(0, 400, "invalid-quantity")]
    [InlineData(10_001, 400, "invalid-quantity")]
    public async Task A_quantity_out_of_bounds_is_refused(int quantity, int status, string code)
    {
        var order = Guid.NewGuid();
        var product = await system.ProductAsync(stock: 1);
        var answer = await system.Api.PutAsync(
            $"/api/orders/{order}", Catalogue.Order(Good, Catalogue.Address(), (product, quantity)), default);

        Assert.Equal((status, code), ((int)answer.Status, answer.Text("code")));
        Assert.Empty(await system.EventTypesAsync($"order-{order}"));
    }

    [Fact]
    public async Task Unknown_ids_are_named()
    {
        var order = Guid.NewGuid();
        var unknownProduct = await system.Api.PutAsync(
            $"/api/orders/{order}", Catalogue.Order(Good, Catalogue.Address(), ("no-such-thing", 1)), default);
        Assert.Equal((404, "unknown-product"), ((int)unknownProduct.Status, unknownProduct.Text("code")));
        Assert.Empty(await system.EventTypesAsync($"order-{order}"));

        await RefusedAsync(
            HttpMethod.Post, $"/api/orders/{order}/cancellation", """{"reason":"x"}""", 404, "unknown-order");
        await RefusedAsync(HttpMethod.Get, $"/api/orders/{order}", null, 404, "unknown-order");
        await RefusedAsync(HttpMethod.Get, $"/api/sagas/order-{order}", null, 404, "unknown-saga");
        await RefusedAsync(HttpMethod.Get, $"/api/streams/order-{order}", null, 404, "unknown-stream");
        await RefusedAsync(HttpMethod.Get, "/api/streams/%23nonsense", null, 400, "invalid-stream");
        await RefusedAsync(HttpMethod.Put, "/api/orders/not-a-guid", "{}", 400, "invalid-order-id");
        await RefusedAsync(HttpMethod.Put, "/api/products/Not_A_Slug", "{}", 400, "invalid-product-id");
        await RefusedAsync(HttpMethod.Get, "/api/orders", null, 400, "filter-required");
        await RefusedAsync(HttpMethod.Get, "/api/orders?status=lost", null, 400, "invalid-status");
        await RefusedAsync(HttpMethod.Get, "/api/orders?status=pending&limit=0", null, 400, "invalid-limit");
        await RefusedAsync(
            HttpMethod.Get, "/api/orders?status=pending&continuation=xyz", null, 400, "invalid-continuation");
    }

    [Fact]
    public async Task A_repeated_id_with_another_body_is_refused()
    {
        var product = await system.ProductAsync(stock: 5);
        var order = await system.PlaceAsync(Catalogue.Order(Good, Catalogue.Address(), (product, 1)));
        var other = await system.Api.PutAsync(
            $"/api/orders/{order}", Catalogue.Order(Good, Catalogue.Address(), (product, 2)), default);
        Assert.Equal((409, "order-exists-with-other-content"), ((int)other.Status, other.Text("code")));

        var again = await system.Api.PostAsync(
            $"/api/products/{product}/stock", new { quantity = 5 }, "opening", default);
        var another = await system.Api.PostAsync(
            $"/api/products/{product}/stock", new { quantity = 6 }, "opening", default);
        Assert.Equal(200, (int)again.Status);
        Assert.Equal((409, "command-id-reused"), ((int)another.Status, another.Text("code")));
    }

    [Fact]
    public async Task A_body_too_large_or_not_json_is_refused_by_size_and_type()
    {
        await RefusedAsync(
            HttpMethod.Put, $"/api/orders/{Guid.NewGuid()}", $$"""{"workflow":"{{new string('x', 70_000)}}"}""", 413,
                "body-too-large");
        var answer = await SendAsync(HttpMethod.Put, $"/api/orders/{Guid.NewGuid()}", "{}", "text/plain");
        Assert.Equal((415, "unsupported-media-type"), ((int)answer.Status, answer.Text("code")));
    }

    [Fact]
    public async Task Receiving_stock_needs_a_key_that_makes_it_safe_to_send_again()
    {
        var product = await system.ProductAsync(stock: 5);
        await RefusedAsync(
            HttpMethod.Post, $"/api/products/{product}/stock", """{"quantity":5}""", 400, "header-required");
    }

    [Fact]
    public async Task A_card_number_never_reaches_an_event()
    {
        var product = await system.ProductAsync(stock: 5);
        var order = await system.PlaceAsync(Catalogue.Order(Good, Catalogue.Address(), (product, 1)));
        await RefusedAsync(
            HttpMethod.Put,
            $"/api/orders/{Guid.NewGuid()}",
            $$"""{ "customerId": "{{Catalogue.Customer}}", "payment": { "card": "4242 4242 4242 4243" } }""",
            400,
            "invalid-card-number");

        var stored = string.Join('\n', await system.Api.EventsAsync($"order-{order}", default));
        Assert.DoesNotContain("4242 4242", stored, StringComparison.Ordinal);
        Assert.DoesNotContain("42424242", stored, StringComparison.Ordinal);
        Assert.Contains("card_4242", stored, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_caller_who_decided_on_an_old_version_is_told_so()
    {
        var product = await system.ProductAsync(stock: 5);
        var request = new HttpRequestMessage(HttpMethod.Put, $"/api/products/{product}")
        {
            Content = new StringContent(
                """{"name":"Other","category":"things","price":{"minorUnits":1,"currency":"EUR"}}""", Encoding.UTF8,
                    "application/json"),
        };
        request.Headers.Add("If-Match", "\"7\"");
        var answer = await system.Api.SendAsync(request, default);
        Assert.Equal((412, "stale-version"), ((int)answer.Status, answer.Text("code")));
    }

    [Fact]
    public async Task Without_a_key_business_endpoints_are_closed_and_health_is_open()
    {
        using var anonymous = new HttpClient { BaseAddress = system.System.Address };
        Assert.Equal(HttpStatusCode.Unauthorized, (await anonymous.GetAsync("/api/orders?status=pending")).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await anonymous.GetAsync("/api/health")).StatusCode);
    }

    [Fact]
    public async Task Every_problem_is_problem_json()
    {
        using var response = await system.Http.GetAsync("/api/orders/not-a-guid");
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.MediaType);
    }

    async Task RefusedAsync(HttpMethod method, string path, string? body, int status, string code)
    {
        var answer = await SendAsync(method, path, body);
        Assert.Equal((path, status, code), (path, (int)answer.Status, answer.Text("code")));
    }

    Task<ApiAnswer> SendAsync(HttpMethod method, string path, string? body, string type = "application/json") =>
        system.Api.SendAsync(
            new(method, path) { Content = body is null ? null : new StringContent(body, Encoding.UTF8, type) },
                default);
}
