using System.Text.Json;
using Runtime.Local;

namespace Functions.Tests;

/// <summary>What was, who did it and what it led to: asked of the running system over HTTP.</summary>
[Collection(nameof(RunningSystem))]
public sealed class TimeTravelTests(RunningSystem system)
{
    /// <summary>Never answers, so that the order ends seconds after it was placed.</summary>
    const string Silent = "4000 0000 0000 0119";

    [Fact]
    public async Task An_order_is_shown_as_it_was_at_a_sequence_and_at_an_instant()
    {
        var order = await CancelledAsync();
        var now = await RunningSystem.EventuallyAsync(
            () => GetAsync($"/api/orders/{order}"), view => view.Text("status") == "cancelled");
        Assert.Equal("pending", (await GetAsync($"/api/orders/{order}?sequence=1")).Text("status"));
        Assert.Equal(Raw(now), Raw(await GetAsync($"/api/orders/{order}?sequence=2")));

        var times = (await system.Api.EventsAsync($"order-{order}", default))
            .Select(e => e.GetProperty("timestamp").GetDateTimeOffset()).ToArray();
        Assert.True(times[0] < times[1]);
        Assert.Equal("pending", (await AsOfAsync(order, times[0])).Text("status"));
        Assert.Equal("pending", (await AsOfAsync(order, times[1].AddTicks(-1))).Text("status"));
        Assert.Equal(Raw(now), Raw(await AsOfAsync(order, times[1])));
        Assert.Equal(Raw(now), Raw(await AsOfAsync(order, times[1].AddYears(1).ToOffset(TimeSpan.FromHours(9)))));
        var before = await AsOfAsync(order, times[0].AddTicks(-1));
        Assert.Equal((404, "unknown-order"), ((int)before.Status, before.Text("code")));

        using var response = await system.Http.GetAsync($"/api/orders/{order}?sequence=1");
        Assert.StartsWith("\"1~", response.Headers.ETag?.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("sequence=3", 404, "unknown-sequence")]
    [InlineData("sequence=0", 400, "invalid-sequence")]
    [InlineData("sequence=-1", 400, "invalid-sequence")]
    [InlineData("sequence=1.5", 400, "invalid-sequence")]
    [InlineData("sequence=", 400, "invalid-sequence")]
    [InlineData("sequence=99999999999", 400, "invalid-sequence")]
    [InlineData("sequence=1&sequence=2", 400, "invalid-query")]
    [InlineData("sequence=1&asOf=2030-01-01T00:00:00Z", 400, "invalid-moment")]
    [InlineData("asOf=", 400, "invalid-moment")]
    [InlineData("asOf=yesterday", 400, "invalid-moment")]
    [InlineData("asOf=2030-01-01", 400, "invalid-moment")]
    [InlineData("asOf=2030-01-01T00:00:00", 400, "invalid-moment")]
    [InlineData("asOf=2030-02-30T00:00:00Z", 400, "invalid-moment")]
    [InlineData("asOf=1999-01-01T00:00:00%2B02:00", 404, "unknown-order")]
    public async Task A_moment_that_is_none_is_refused_in_words(string query, int status, string code)
    {
        var order = await CancelledAsync();
        var answer = await GetAsync($"/api/orders/{order}?{query}");
        Assert.Equal((status, code), ((int)answer.Status, answer.Text("code")));
    }

    [Fact]
    public async Task The_history_of_an_order_is_one_story_with_who_and_why()
    {
        var order = await CancelledAsync();
        var history = await GetAsync($"/api/orders/{order}/history");
        var entries = history.Body.GetProperty("events").EnumerateArray().ToList();
        Assert.Equal("order-placed", entries[0].Text("eventType"));
        Assert.Contains(entries, e => e.Text("eventType") == "order-cancelled");
        Assert.Contains(entries, e => e.Text("stream") == $"payment-{order}");
        Assert.Equal(
            entries.Select(e => e.GetProperty("at").GetDateTimeOffset()).Order(),
            entries.Select(e => e.GetProperty("at").GetDateTimeOffset()));

        // The request placed it, under its own id; everything else was done by the saga because of that event.
        var placed = entries[0];
        Assert.Equal(("http-put", (string?)null), (placed.Text("causationId"), placed.Text("who")));
        Assert.All(entries.Skip(1), entry => Assert.Equal(
            ($"order-{order}", placed.Text("eventId"), placed.Text("correlationId")),
            (entry.Text("who"), entry.Text("causationId"), entry.Text("correlationId"))));
        Assert.False(history.Body.GetProperty("isCut").GetBoolean());
    }

    [Fact]
    public async Task A_request_is_followed_to_everything_it_led_to()
    {
        var product = await system.ProductAsync(stock: 5);
        var order = Guid.NewGuid();
        var request = new HttpRequestMessage(HttpMethod.Put, $"/api/orders/{order}")
        {
            Content = System.Net.Http.Json.JsonContent.Create(
                Catalogue.Order("4242 4242 4242 4242", Catalogue.Address(), (product, 2))),
        };
        request.Headers.Add("X-Correlation-Id", $"visit-{order:N}");
        Assert.True((await system.Api.SendAsync(request, default)).IsSuccess);
        await system.SettledAsync(order);

        var tree = await GetAsync($"/api/correlations/visit-{order:N}");
        var root = Assert.Single(tree.Body.GetProperty("events").EnumerateArray());
        Assert.Equal("order-placed", root.GetProperty("event").Text("eventType"));
        var led = root.GetProperty("led").EnumerateArray().Select(n => n.GetProperty("event")).ToList();
        Assert.Equal(
            [
                "order-confirmed", "payment-authorized", "payment-captured", "shipment-booked", "stock-committed",
                "stock-reserved",
            ],
            led.Select(e => e.Text("eventType")!).Order(StringComparer.Ordinal));
        Assert.All(led, e => Assert.Equal(root.GetProperty("event").Text("eventId"), e.Text("causationId")));
        Assert.Equal("7", tree.Text("count"));
    }

    [Theory]
    [InlineData("from=2&to=3", "2 3")]
    [InlineData("from=2&to=3&direction=backwards", "3 2")]
    [InlineData("direction=backwards", "5 4 3 2 1")]
    [InlineData("direction=forwards&to=2", "1 2")]
    [InlineData("from=4&to=9999999999", "4 5")]
    [InlineData("from=5&to=5", "5")]
    [InlineData("from=6", "")]
    public async Task A_stream_is_read_in_part_and_from_either_end(string query, string sequences)
    {
        var stream = await StreamOfFiveAsync();
        var page = await GetAsync($"/api/streams/{stream}?{query}");
        Assert.Equal(sequences, string.Join(' ', page.Body.GetProperty("events").EnumerateArray()
            .Select(e => e.GetProperty("sequence").GetInt64())));
    }

    [Theory]
    [InlineData("from=0", "invalid-sequence")]
    [InlineData("from=", "invalid-sequence")]
    [InlineData("to=nine", "invalid-sequence")]
    [InlineData("to=9223372036854775807", "invalid-sequence")]
    [InlineData("from=3&to=2", "invalid-range")]
    [InlineData("from=3&to=2&direction=backwards", "invalid-range")]
    [InlineData("direction=sideways", "invalid-direction")]
    [InlineData("direction=forwards&direction=backwards", "invalid-query")]
    [InlineData("limit=0", "invalid-limit")]
    [InlineData("limit=501", "invalid-limit")]
    public async Task A_part_of_a_stream_that_makes_no_sense_is_refused_in_words(string query, string code)
    {
        var answer = await GetAsync($"/api/streams/stock-blue-mug?{query}");
        Assert.Equal((400, code), ((int)answer.Status, answer.Text("code")));
    }

    [Theory]
    [InlineData("/api/orders/nonsense/history", 400, "invalid-order-id")]
    [InlineData("/api/orders/00000000-0000-4000-8000-00000000dead/history", 404, "unknown-order")]
    [InlineData("/api/correlations/nobody", 404, "unknown-correlation")]
    [InlineData("/api/correlations/%07", 400, "invalid-correlation")]
    [InlineData("/api/streams/nonsense", 400, "invalid-stream")]
    [InlineData("/api/streams/order-%3Fx", 400, "invalid-stream")]
    public async Task What_nobody_knows_is_named(string path, int status, string code)
    {
        var answer = await GetAsync(path);
        Assert.Equal((status, code), ((int)answer.Status, answer.Text("code")));
    }

    [Fact]
    public async Task A_correlation_id_that_is_too_long_is_refused()
    {
        var answer = await GetAsync($"/api/correlations/{new string('x', 257)}");
        Assert.Equal((400, "invalid-correlation"), ((int)answer.Status, answer.Text("code")));
    }

    async Task<Guid> CancelledAsync()
    {
        var product = await system.ProductAsync(stock: 1);
        var order = await system.PlaceAsync(Catalogue.Order(Silent, Catalogue.Address(), (product, 1)));
        await system.SettledAsync(order);
        return order;
    }

    async Task<string> StreamOfFiveAsync()
    {
        var product = await system.ProductAsync(stock: 1);
        for (var i = 0; i < 4; i++)
            await system.Api.PostAsync($"/api/products/{product}/stock", new { quantity = 1 }, $"more-{i}", default);
        return $"stock-{product}";
    }

    Task<ApiAnswer> GetAsync(string path) => system.Api.GetAsync(path, default);

    Task<ApiAnswer> AsOfAsync(Guid order, DateTimeOffset at) =>
        GetAsync($"/api/orders/{order}?asOf={Uri.EscapeDataString(at.ToString("O"))}");

    static string Raw(ApiAnswer answer) => answer.Body.GetRawText();
}

static class Elements
{
    /// <summary>A member as text, null when it is not there.</summary>
    public static string? Text(this JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) ? value.ToString() : null;
}
