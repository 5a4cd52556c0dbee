using System.Net;
using System.Text.Json;
using Azure.Messaging.EventHubs;
using Azure.Messaging.EventHubs.Consumer;
using Functions.UserActivity;
using Microsoft.Azure.Cosmos;
using Microsoft.Extensions.DependencyInjection;
using Runtime.Local;

namespace Functions.Tests;

/// <summary>What people do in the shop, from the request through the hub into logs and sums.</summary>
[Collection(nameof(RunningSystem))]
public sealed class ActivityTests(RunningSystem system)
{
    DateTimeOffset Now => system.Clock.GetUtcNow();

    [Fact]
    public async Task A_persons_log_says_what_when_and_from_where_newest_first_and_page_by_page()
    {
        var user = await CustomerAsync();
        var at = Now;
        await SendAsync(user, "203.0.113.7", [
            Event("viewed", at.AddSeconds(-30), productId: "blue-mug"),
            Event("searched", at.AddSeconds(-20), query: "a teapot"),
            Event("added", at.AddSeconds(-10), productId: "red-teapot"),
        ]);
        var log = await LoggedAsync(user, 3);

        Assert.Equal(["added", "searched", "viewed"], log.Select(row => row.GetProperty("action").GetString()));
        Assert.Equal("red-teapot", log[0].GetProperty("products")[0].GetString());
        Assert.Equal("a teapot", log[1].GetProperty("query").GetString());
        Assert.All(log, row => Assert.Equal("203.0.113.7", row.GetProperty("from").GetString()));
        Assert.Equal(at.AddSeconds(-30), log[2].GetProperty("at").GetDateTimeOffset());

        var first = await system.Api.GetAsync($"/api/customers/{user}/activity?limit=2", default);
        var second = await system.Api.GetAsync(
            $"/api/customers/{user}/activity?limit=2&continuation={Uri.EscapeDataString(first.Text("continuation")!)}",
            default);
        Assert.Equal(
            log.Select(Id), Rows(first).Concat(Rows(second)).Select(Id));
        Assert.Null(second.Text("continuation"));
        var views = await system.Api.GetAsync($"/api/customers/{user}/activity?action=viewed", default);
        Assert.Equal([Id(log[2])], Rows(views).Select(Id));
    }

    [Fact]
    public async Task What_is_sent_twice_and_what_the_hub_delivers_again_counts_once()
    {
        var user = await CustomerAsync();
        var (mug, pot, plate) = (Product(), Product(), Product());
        object[] events =
        [
            Event("purchased", Now, productIds: [mug, pot]),
            Event("viewed", Now, productId: plate),
        ];
        await SendAsync(user, null, events);
        await SendAsync(user, null, events);
        await LoggedAsync(user, 2);
        await system.System.Broker.WhenIdleAsync();

        // Everything the hub ever had, once more, as after a checkpoint that was lost.
        var consumers = ActivatorUtilities.CreateInstance<ActivityConsumers>(system.System.Host.Services);
        foreach (var partition in system.System.Broker.PartitionIds("activity"))
        {
            using var cursor = await system.System.Broker.OpenCursorAsync(
                "activity", "$Default", partition, EventPosition.Earliest);
            EventData[] again = [.. await cursor.ReadAsync(1_000, TimeSpan.Zero)];
            await consumers.LogActivity(again, default);
            await consumers.CountActivity(again, default);
        }

        Assert.Equal(2, (await LogAsync(user)).Count);
        var scores = await TrendsAsync();
        Assert.Equal((5, 5, 1), (scores[mug], scores[pot], scores[plate]));
        Assert.Equal([(pot, 1)], await BoughtWithAsync(mug));
        Assert.Equal([(mug, 1)], await BoughtWithAsync(pot));
    }

    [Fact]
    public async Task A_request_whose_answer_got_lost_on_the_way_from_the_hub_may_be_sent_again()
    {
        var user = await CustomerAsync();
        var plate = Product();
        var body = new { userId = user, events = new[] { Event("viewed", Now, productId: plate) } };
        system.System.Broker.Faults.LostAcknowledgements = 1;
        try
        {
            var lost = await PostAsync(body);
            Assert.Equal((HttpStatusCode.ServiceUnavailable, "hub-unavailable"), (lost.Status, lost.Text("code")));
        }
        finally
        {
            system.System.Broker.Faults.Clear();
        }

        Assert.Equal(HttpStatusCode.Accepted, (await PostAsync(body)).Status);
        await LoggedAsync(user, 1);
        await system.System.Broker.WhenIdleAsync();
        Assert.Single(await LogAsync(user));
        Assert.Equal(1, (await TrendsAsync())[plate]);
    }

    [Fact]
    public async Task A_consumer_that_dies_half_way_counts_every_event_once_in_the_end()
    {
        var user = await CustomerAsync();
        var (one, two, three) = (Product(), Product(), Product());
        var happened = new ActivityEvent(
            Guid.NewGuid(), $"customer-{user}", ActivityAction.Purchased, [one, two, three], null, Now, Now, null);
        var totals = new ActivityTotals(system.System.Host.Services.GetRequiredService<Database>());

        // As far as a consumer may have come before it died: the first of the groups has the event.
        await totals.AddAsync(
            $"bought-{one}",
            [new($"customer-{user}:{happened.Id:D}", new Dictionary<string, int> { [two] = 1, [three] = 1 })],
            age: null, default);
        var popularity = system.System.Host.Services.GetRequiredService<Popularity>();
        await popularity.AddAsync([happened], default);
        await popularity.AddAsync([happened, happened], default);

        foreach (var product in (string[])[one, two, three])
        {
            Assert.All(await BoughtWithAsync(product), other => Assert.Equal(1, other.Times));
            Assert.Equal(2, (await BoughtWithAsync(product)).Count);
        }

        Assert.Equal(5, (await TrendsAsync())[one]);
    }

    [Fact]
    public void Another_producer_may_name_a_product_twice_but_not_leave_one_open()
    {
        ActivityEvent Read(params string?[] products) => ActivityEvent.Of(new ActivityEvent(
            Guid.NewGuid(), "customer-1", ActivityAction.Purchased, products!, null, Now, Now, null).ToData());

        Assert.Equal(["plate", "cup"], Read("plate", "cup", "plate").Products);
        Assert.Throws<JsonException>(() => Read("plate", null));
    }

    [Fact]
    public async Task Many_who_add_to_one_sum_at_once_lose_nothing()
    {
        var totals = new ActivityTotals(system.System.Host.Services.GetRequiredService<Database>());
        var group = $"trend-{Guid.NewGuid():N}";
        await Parallel.ForEachAsync(Enumerable.Range(0, 8), async (i, _) => await totals.AddAsync(
            group,
            Enumerable.Range(0, 150).Select(n => new ActivityShare(
                $"{i % 4}-{n}", new Dictionary<string, int> { ["mug"] = 1 })),
            age: null, default));

        // Four sets of 150 events, each of them sent by two.
        Assert.Equal(600, (await totals.ReadAsync(group, default))["mug"]);
    }

    [Fact]
    public async Task What_was_looked_at_last_comes_first_and_once()
    {
        var user = await CustomerAsync();
        await SendAsync(user, null, [
            Event("viewed", Now.AddSeconds(-40), productId: "blue-mug"),
            Event("viewed", Now.AddSeconds(-30), productId: "red-teapot"),
            Event("viewed", Now.AddSeconds(-20), productId: "blue-mug"),
            Event("added", Now.AddSeconds(-10), productId: "red-teapot"),
        ]);
        await LoggedAsync(user, 4);
        var recent = await system.Api.GetAsync($"/api/customers/{user}/recently-viewed", default);

        Assert.Equal(
            ["blue-mug", "red-teapot"],
            recent.Body.GetProperty("products").EnumerateArray().Select(p => p.GetProperty("product").GetString()));
    }

    [Fact]
    public async Task What_happened_before_the_window_does_not_trend()
    {
        var user = await CustomerAsync();
        var (old, young) = (Product(), Product());
        await SendAsync(user, null, [
            Event("viewed", Now.AddHours(-2), productId: old),
            Event("viewed", Now, productId: young),
        ]);
        await RunningSystem.EventuallyAsync(TrendsAsync, scores => scores.ContainsKey(young));

        Assert.DoesNotContain(old, (await TrendsAsync()).Keys);
        Assert.Contains(old, (await TrendsAsync(minutes: 180)).Keys);
    }

    [Fact]
    public async Task A_log_is_exported_whole_a_line_each()
    {
        var user = await CustomerAsync();
        await SendAsync(user, "203.0.113.9", [
            .. Enumerable.Range(0, 5).Select(i => Event("viewed", Now.AddSeconds(-i), productId: "blue-mug")),
        ]);
        await LoggedAsync(user, 5);
        using var admin = system.System.CreateHttpClient(LocalSystem.AdminKey);
        using var answer = await admin.GetAsync(
            new Uri($"/api/operations/customers/{user}/activity", UriKind.Relative));
        var lines = (await answer.Content.ReadAsStringAsync()).Split('\n', StringSplitOptions.RemoveEmptyEntries);

        Assert.Equal("application/x-ndjson", answer.Content.Headers.ContentType?.MediaType);
        Assert.Equal(5, lines.Length);
        Assert.All(lines, line => Assert.Equal(
            "203.0.113.9",
            JsonDocument.Parse(line).RootElement.GetProperty("entry").GetProperty("from").GetString()));
    }

    [Fact]
    public async Task Forgetting_a_customer_erases_what_they_did_and_what_they_do_afterwards_is_not_taken()
    {
        var user = await CustomerAsync();
        await SendAsync(user, "203.0.113.11", [
            Event("viewed", Now.AddSeconds(-1), productId: "blue-mug"), Event("searched", Now, query: "a secret"),
        ]);
        await LoggedAsync(user, 2);
        var stored = await StoredAsync(user);
        Assert.DoesNotContain("secret", stored, StringComparison.Ordinal);
        Assert.DoesNotContain("203.0.113.11", stored, StringComparison.Ordinal);
        Assert.DoesNotContain("blue-mug", stored, StringComparison.Ordinal);

        var gone = await system.Api.SendAsync(new(HttpMethod.Delete, $"/api/customers/{user}"), default);
        Assert.Equal(HttpStatusCode.NoContent, gone.Status);
        var log = await LogAsync(user);
        Assert.Equal("erased", log[0].GetProperty("query").GetString());
        Assert.Equal("erased", log[1].GetProperty("products")[0].GetString());
        Assert.All(log, row => Assert.Equal("erased", row.GetProperty("from").GetString()));
        var recent = await system.Api.GetAsync($"/api/customers/{user}/recently-viewed", default);
        Assert.Equal(0, recent.Body.GetProperty("products").GetArrayLength());

        var more = await PostAsync(new { userId = user, events = new[] { Event("viewed", Now, productId: "x") } });
        Assert.Equal((HttpStatusCode.Conflict, "customer-forgotten"), (more.Status, more.Text("code")));
    }

    [Fact]
    public async Task An_event_that_no_code_can_read_is_put_aside_and_the_stream_goes_on()
    {
        var user = await CustomerAsync();
        await system.System.Broker.CreateEventHubProducer("activity").SendAsync(
            [new EventData("{ \"odd\": true }")],
            new Azure.Messaging.EventHubs.Producer.SendEventOptions { PartitionKey = $"customer-{user}" });
        await SendAsync(user, null, [Event("viewed", Now, productId: "blue-mug")]);
        await LoggedAsync(user, 1);

        Assert.Contains(
            Convert.ToBase64String("{ \"odd\": true }"u8), await PartitionAsync(ActivityLog.Unreadable),
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{ "events": [] }""", "field-required")]
    [InlineData("""{ "userId": "me", "events": [{}] }""", "invalid-customer-id")]
    [InlineData("""{ "userId": "$", "events": [] }""", "invalid-events")]
    [InlineData("""{ "userId": "$", "events": [null] }""", "field-required")]
    [InlineData("""{ "userId": "$", "events": [{ "action": "viewed", "productId": "a" }] }""", "field-required")]
    [InlineData(
        """{ "userId": "$", "events": [{ "id": "#", "action": "viewed", "productId": "a", "at": null }] }""",
        "field-required")]
    [InlineData(
        """{ "userId": "$", "events": [{ "id": "#", "action": "stolen", "productId": "a" }] }""",
        "invalid-event")]
    [InlineData("""{ "userId": "$", "events": [{ "id": "#", "action": "1", "productId": "a" }] }""", "invalid-event")]
    [InlineData("""{ "userId": "$", "events": [{ "id": "#", "action": "viewed" }] }""", "invalid-event")]
    [InlineData(
        """{ "userId": "$", "events": [{ "id": "#", "action": "viewed", "productId": "A b" }] }""",
        "invalid-product-id")]
    [InlineData("""{ "userId": "$", "events": [{ "id": "#", "action": "searched" }] }""", "invalid-event")]
    [InlineData(
        """{ "userId": "$", "events": [{ "id": "#", "action": "searched", "query": "\u0002a" }] }""",
        "invalid-event")]
    [InlineData(
        """{ "userId": "$", "events": [{ "id": "#", "action": "viewed", "productId": "a", "at": "2001-01-01" }] }""",
        "invalid-event")]
    [InlineData(
        """
        {
          "userId": "$",
          "events": [
            { "id": "#", "action": "viewed", "productId": "a" },
            { "id": "#", "action": "viewed", "productId": "b" }
          ]
        }
        """,
        "duplicate-event")]
    [InlineData(
        """{ "userId": "$", "events": [{ "id": "#", "action": "viewed", "productId": "a", "from": "b" }] }""",
        "invalid-body")]
    public async Task What_can_not_have_happened_is_refused_and_nothing_is_stored(string body, string code)
    {
        var user = Guid.NewGuid().ToString();
        var answer = await PostAsync(JsonSerializer.Deserialize<JsonElement>(
            body.Replace("$", user, StringComparison.Ordinal).Replace(
                "\"#\"", $"\"{Guid.NewGuid()}\"{(body.Contains("\"at\"") ? "" : $", \"at\": \"{Now:O}\"")}",
                StringComparison.Ordinal)));

        Assert.Equal((HttpStatusCode.BadRequest, code), (answer.Status, answer.Text("code")));
    }

    [Fact]
    public async Task Nobody_is_logged_who_is_no_customer()
    {
        var answer = await PostAsync(new
        {
            userId = Guid.NewGuid(), events = new[] { Event("viewed", Now, productId: "a") },
        });

        Assert.Equal(HttpStatusCode.NotFound, answer.Status);
    }

    static string Product() => $"p-{Guid.NewGuid():N}";

    static object Event(
        string action, DateTimeOffset at, string? productId = null, string[]? productIds = null,
        string? query = null) => new { id = Guid.NewGuid(), action, at, productId, productIds, query };

    static string? Id(JsonElement row) => row.GetProperty("id").GetString();

    static List<JsonElement> Rows(ApiAnswer page) => [.. page.Body.GetProperty("activity").EnumerateArray()];

    async Task<Guid> CustomerAsync()
    {
        var user = Guid.NewGuid();
        var answer = await system.Api.PutAsync(
            $"/api/customers/{user}",
            new { name = "Somebody", email = "some@body.example", address = Catalogue.Address(),
                creditLimit = new { minorUnits = 100_00, currency = "EUR" } }, default);
        Assert.True(answer.IsSuccess, $"{answer.Status} {answer.Body}");
        return user;
    }

    Task<ApiAnswer> PostAsync(object body) => system.Api.PostAsync("/api/activity", body, null, default);

    async Task SendAsync(Guid user, string? from, object[] events)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, "/api/activity")
        {
            Content = System.Net.Http.Json.JsonContent.Create(new { userId = user, events }),
        };
        if (from is not null) request.Headers.Add("X-Forwarded-For", $"198.51.100.1, {from}:4711");
        var answer = await system.Api.SendAsync(request, default);
        Assert.True(answer.Status == HttpStatusCode.Accepted, $"{answer.Status} {answer.Body}");
    }

    async Task<List<JsonElement>> LogAsync(Guid user) =>
        Rows(await system.Api.GetAsync($"/api/customers/{user}/activity?limit=100", default));

    Task<List<JsonElement>> LoggedAsync(Guid user, int count) =>
        RunningSystem.EventuallyAsync(() => LogAsync(user), rows => rows.Count == count);

    async Task<Dictionary<string, int>> TrendsAsync() => await TrendsAsync(minutes: 60);

    async Task<Dictionary<string, int>> TrendsAsync(int minutes) =>
        (await system.Api.GetAsync($"/api/trending?minutes={minutes}&limit=100", default)).Body
        .GetProperty("products").EnumerateArray()
        .ToDictionary(p => p.GetProperty("product").GetString()!, p => p.GetProperty("score").GetInt32());

    async Task<IReadOnlyList<(string Product, int Times)>> BoughtWithAsync(string product) =>
        [.. (await system.Api.GetAsync($"/api/products/{product}/also-bought", default)).Body
            .GetProperty("products").EnumerateArray()
            .Select(p => (p.GetProperty("product").GetString()!, p.GetProperty("times").GetInt32()))];

    Task<string> StoredAsync(Guid user) => PartitionAsync($"customer-{user}");

    async Task<string> PartitionAsync(string partition)
    {
        var container = system.System.Host.Services.GetRequiredService<Database>().GetContainer(ActivityLog.Container);
        using var pages = container.GetItemQueryStreamIterator(
            "SELECT * FROM c", null, new() { PartitionKey = new PartitionKey(partition) });
        using var page = await pages.ReadNextAsync();
        using var reader = new StreamReader(page.Content);
        return await reader.ReadToEndAsync();
    }
}
