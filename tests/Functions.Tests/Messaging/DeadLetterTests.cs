using System.Net;
using System.Text.Json;
using Azure.Messaging.ServiceBus;
using Runtime.DurableTask;
using Runtime.Local;
using Runtime.Worker;

namespace Functions.Tests.Messaging;

/// <summary>What an operator sees of dead letters and can do about them, over HTTP; nobody else consumes.</summary>
public sealed class DeadLetterTests : IAsyncLifetime
{
    const string Topic = "order-events";
    const string Subscription = "customers";
    const string Entity = $"{Topic}/{Subscription}";
    const string Operations = "/api/operations/deadletters";

    readonly VirtualClock clock = new(new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero));
    LocalSystem system = null!;
    HttpClient http = null!;
    Api admin = null!;
    ServiceBusClient bus = null!;

    public async Task InitializeAsync()
    {
        var settings = new Dictionary<string, string>(
            LocalSettings.Read(Path.Combine(AppContext.BaseDirectory, "local.settings.sample.json")));
        foreach (var function in (string[])
            ["ReactCustomers", "ReactInventory", "ReactPayments", "ReactShipping", "ReactOrdering", "RelayEvents",
             "ReconcileOutbox", "ReconcileViews", "CancelOverdueOrders", "WatchOwedAnswers"])
        {
            settings[$"AzureWebJobs.{function}.Disabled"] = "true";
        }

        system = await LocalSystem.StartAsync(
            new() { Clock = clock, MessagingClock = clock, Settings = settings }, default);
        http = system.CreateHttpClient(LocalSystem.AdminKey);
        admin = new(http);
        bus = system.Broker.CreateServiceBusClient();
    }

    public async Task DisposeAsync()
    {
        http.Dispose();
        await system.DisposeAsync();
    }

    [Fact]
    public async Task Dead_letters_are_counted_listed_by_page_and_read()
    {
        await BuryAsync("poison", "m1", "m2", "m3");

        var all = await admin.GetAsync(Operations, default);
        var row = all.Body.GetProperty("entities").EnumerateArray()
            .Single(entity => entity.GetProperty("entity").GetString() == Entity);
        var first = await admin.GetAsync($"{Operations}/messages?entity={Entity}&limit=2", default);
        var second = await admin.GetAsync(
            $"{Operations}/messages?entity={Entity}&limit=2&continuation={first.Text("continuation")}", default);
        var sequence = first.Body.GetProperty("messages")[1].GetProperty("sequence").GetInt64();
        var one = await admin.GetAsync($"{Operations}/messages/{sequence}?entity={Entity}", default);

        Assert.Equal(3, row.GetProperty("deadLetters").GetInt32());
        Assert.Equal(3, row.GetProperty("reasons").GetProperty("poison").GetInt32());
        Assert.Equal(["m1", "m2"], Ids(first));
        Assert.Equal(["m3"], Ids(second));
        Assert.Null(second.Text("continuation"));
        Assert.Equal(
            ("m2", "poison", "because", "s-m2", "m2", "7"),
            (one.Text("message.messageId"), one.Text("message.reason"), one.Text("message.description"),
                one.Text("message.sessionId"), one.Text("body.id"), one.Text("message.properties.number")));
    }

    [Fact]
    public async Task A_redriven_message_is_the_one_it_was_and_no_letter_is_left()
    {
        await BuryAsync("poison", "m1", "m2");
        clock.Advance(TimeSpan.FromMinutes(11));

        var answer = await PostAsync("redrive", new { entity = Entity, sequence = await SequenceAsync("m2") });
        await using var session = await bus.AcceptNextSessionAsync(Topic, Subscription);
        var message = await session.ReceiveMessageAsync();

        Assert.Equal("1", answer.Text("redriven"));
        Assert.Equal(
            ("m2", "s-m2", "stock-refused.v1", 7, """{"id":"m2"}"""),
            (message!.MessageId, message.SessionId, message.Subject, message.ApplicationProperties["number"],
                message.Body.ToString()));
        Assert.DoesNotContain("DeadLetterReason", message.ApplicationProperties.Keys);
        Assert.Equal(["m1"], await LettersAsync());
    }

    [Fact]
    public async Task A_message_its_topic_would_drop_as_a_duplicate_is_held_until_it_would_not()
    {
        await BuryAsync("poison", "m1");
        var early = await PostAsync("redrive", new { entity = Entity, max = 10 });
        Assert.Equal(("0", "1"), (early.Text("redriven"), early.Text("held")));
        Assert.Equal(["m1"], await LettersAsync());

        clock.AdvanceTo(DateTimeOffset.Parse(early.Text("heldUntil")!));
        var late = await PostAsync("redrive", new { entity = Entity, max = 10 });
        Assert.Equal(("1", "0", "False"), (late.Text("redriven"), late.Text("held"), late.Text("more")));
        await using var session = await bus.AcceptNextSessionAsync(Topic, Subscription);
        Assert.Equal("m1", (await session.ReceiveMessageAsync())!.MessageId);
    }

    [Fact]
    public async Task A_letter_that_could_not_be_sent_stays_a_letter()
    {
        await BuryAsync("poison", "m1");
        clock.Advance(TimeSpan.FromMinutes(11));
        system.Broker.Faults.SendFailures = 1;
        var busy = await PostAsync("redrive", new { entity = Entity, max = 10 });
        system.Broker.Faults.Clear();

        Assert.Equal((HttpStatusCode.ServiceUnavailable, "broker-unavailable"), (busy.Status, busy.Text("code")));
        Assert.Equal(["m1"], await LettersAsync());
        Assert.Equal("1", (await PostAsync("redrive", new { entity = Entity, max = 10 })).Text("redriven"));
        Assert.Empty(await LettersAsync());
    }

    [Fact]
    public async Task A_filter_and_a_bound_choose_and_what_does_not_fit_stays_as_it_was()
    {
        await BuryAsync("poison", "m1", "m2", "m3");
        await BuryAsync("expired", "m4");
        clock.Advance(TimeSpan.FromMinutes(11));

        var two = await PostAsync("redrive", new { entity = Entity, reason = "poison", max = 2 });
        var session = await PostAsync("redrive", new { entity = Entity, sessionId = "s-m4", max = 5 });

        Assert.Equal(("2", "True"), (two.Text("redriven"), two.Text("more")));
        Assert.Equal(("1", "False"), (session.Text("redriven"), session.Text("more")));
        Assert.Equal(["m3"], await LettersAsync());
    }

    [Fact]
    public async Task A_redrive_keeps_to_its_rate()
    {
        await BuryAsync("poison", "m1", "m2", "m3");
        clock.Advance(TimeSpan.FromMinutes(11));

        var redrive = PostAsync("redrive", new { entity = Entity, max = 10, perSecond = 2 });
        for (var left = 2; left >= 0; left--)
        {
            await RunningSystem.EventuallyAsync(ActiveAsync, active => active == 3 - left);
            Assert.False(redrive.IsCompleted);
            clock.Advance(TimeSpan.FromMilliseconds(500));
        }

        Assert.Equal("3", (await redrive).Text("redriven"));
    }

    [Fact]
    public async Task A_discarded_message_is_gone_and_needs_a_name_and_a_reason()
    {
        await BuryAsync("poison", "m1", "m2");
        var sequence = await SequenceAsync("m1");
        var nameless = await PostAsync("discard", new { entity = Entity, sequence, why = "nonsense" });
        var done = await PostAsync("discard", new { entity = Entity, sequence, by = "ada", why = "nonsense" });
        var again = await PostAsync("discard", new { entity = Entity, sequence, by = "ada", why = "nonsense" });

        Assert.Equal(HttpStatusCode.BadRequest, nameless.Status);
        Assert.Equal("1", done.Text("discarded"));
        Assert.Equal(
            (HttpStatusCode.NotFound, "unknown-dead-letter"), (again.Status, again.Text("code")));
        Assert.Equal(["m2"], await LettersAsync());
    }

    [Theory]
    [InlineData("""{ "entity": "order-events/nobody", "max": 1 }""", 404, "unknown-entity")]
    [InlineData("""{ "max": 1 }""", 400, "field-required")]
    [InlineData("""{ "entity": "order-events/customers" }""", 400, "filter-required")]
    [InlineData("""{ "entity": "order-events/customers", "max": 501 }""", 400, "invalid-limit")]
    [InlineData("""{ "entity": "order-events/customers", "max": 1, "perSecond": 0 }""", 400, "invalid-rate")]
    [InlineData("""{ "entity": "order-events/customers", "sequence": -1 }""", 400, "invalid-sequence")]
    [InlineData("""{ "entity": "order-events/customers", "max": 1, "force": true }""", 400, "invalid-body")]
    public async Task What_can_not_be_meant_is_refused(string body, int status, string code)
    {
        var answer = await PostAsync("redrive", JsonSerializer.Deserialize<JsonElement>(body));

        Assert.Equal((status, code), ((int)answer.Status, answer.Text("code")));
    }

    async Task BuryAsync(string reason, params string[] ids)
    {
        await using var sender = bus.CreateSender(Topic);
        foreach (var id in ids)
        {
            await sender.SendMessageAsync(new($$"""{"id":"{{id}}"}""")
            {
                MessageId = id, SessionId = $"s-{id}", Subject = "stock-refused.v1",
                ApplicationProperties = { ["number"] = 7 },
            });
            await using var session = await bus.AcceptSessionAsync(Topic, Subscription, $"s-{id}");
            await session.DeadLetterMessageAsync((await session.ReceiveMessageAsync())!, reason, "because");
        }
    }

    Task<ApiAnswer> PostAsync(string verb, object body) =>
        admin.PostAsync($"{Operations}/{verb}", body, idempotencyKey: null, default);

    async Task<IReadOnlyList<string>> LettersAsync() =>
        Ids(await admin.GetAsync($"{Operations}/messages?entity={Entity}", default));

    async Task<long> SequenceAsync(string id) =>
        (await admin.GetAsync($"{Operations}/messages?entity={Entity}", default)).Body.GetProperty("messages")
        .EnumerateArray().Single(letter => letter.GetProperty("messageId").GetString() == id)
        .GetProperty("sequence").GetInt64();

    async Task<int> ActiveAsync() => (await system.Broker.CountAsync())
        .Single(counts => counts.Path == $"{Topic}/Subscriptions/{Subscription}").Active;

    static IReadOnlyList<string> Ids(ApiAnswer page) => [.. page.Body.GetProperty("messages").EnumerateArray()
        .Select(letter => letter.GetProperty("messageId").GetString()!)];
}
