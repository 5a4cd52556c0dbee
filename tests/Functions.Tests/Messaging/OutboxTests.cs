using System.Text.Json;
using Azure.Messaging.EventHubs.Consumer;
using Commerce.Customers;
using EventSourcing;
using Functions.EventStore;
using Functions.Messaging;
using Functions.Projections;
using Microsoft.Extensions.DependencyInjection;
using Runtime.Cosmos;
using Runtime.DurableTask;
using Runtime.Local;
using Runtime.Messaging;
using Runtime.Worker;

namespace Functions.Tests.Messaging;

/// <summary>Every event that concerns others is told, in order, whatever happens on the way.</summary>
public sealed class OutboxTests : IAsyncLifetime
{
    static readonly MessagingTopology Topology = new()
    {
        Topics =
        [
            new()
            {
                Name = Outbox.Topic,
                DuplicateDetectionWindow = TimeSpan.FromMinutes(10),
                Subscriptions = [new() { Name = "all", RequiresSession = true }],
            },
        ],
        Hubs = [new() { Name = "integration-events", PartitionCount = 4, Retention = TimeSpan.FromHours(1) }],
    };

    readonly VirtualClock clock = new(new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero));
    LocalSystem system = null!;
    MessageBroker broker = null!;
    Outbox outbox = null!;

    T Get<T>()
        where T : notnull => system.Host.Services.GetRequiredService<T>();

    public async Task InitializeAsync() => await StartAsync(seed: 1);

    async Task StartAsync(int seed)
    {
        system = await LocalSystem.StartAsync(
            new()
            {
                Clock = clock,
                FaultSeed = seed,
                // The tests themselves are the feed, and time passes when they say so.
                Settings = new Dictionary<string, string>(RunningSystem.Settings())
                {
                    ["AzureWebJobs.RelayEvents.Disabled"] = "true",
                },
            },
            default);
        broker = MessageBroker.Open(new() { Random = new(seed) }, Topology);
        outbox = Another();
    }

    /// <summary>The relay of another process, which knows what is stored and nothing else.</summary>
    Outbox Another() => ActivatorUtilities.CreateInstance<Outbox>(
        system.Host.Services,
        broker.CreateServiceBusClient(),
        broker.CreateEventHubProducer("integration-events"),
        TimeProvider.System);

    public async Task DisposeAsync()
    {
        await broker.DisposeAsync();
        await system.DisposeAsync();
    }

    [Theory]
    [InlineData(11)]
    [InlineData(12)]
    [InlineData(13)]
    public async Task Every_event_is_told_once_and_in_order_whatever_feed_relay_and_broker_do(int seed)
    {
        await DisposeAsync();
        await StartAsync(seed);
        var random = new Random(seed);
        var streams = await Task.WhenAll(Enumerable.Range(0, 12).Select(_ => StreamAsync(random.Next(2, 9))));
        var feed = Shuffled(random, streams);

        // Sends that fail, sends whose answer is lost, marks that can not be written or are written unheard: each of
        // these is a relay that dies between its send and its mark, and the feed goes on as if nothing had been.
        broker.Faults.SendFailures = broker.Faults.LostAcknowledgements = 0.2;
        foreach (var kind in (CosmosFaultKind[])[CosmosFaultKind.ServiceUnavailable, CosmosFaultKind.AnswerLost])
            system.Cosmos.Faults.Add(new(kind) { Container = Outbox.Name, Probability = 0.05 });
        foreach (var batch in feed)
        {
            for (var deliveries = random.Next(3); deliveries > 0; deliveries--)
            {
                try
                {
                    await outbox.RelayAsync(batch, default);
                }
                catch (AggregateException)
                {
                    // Given up, and the feed goes on: what was not told is found by the reconciliation.
                }
            }
        }

        broker.Faults.Clear();
        system.Cosmos.Faults.Clear();
        clock.Advance(Reconciliation.Grace * 2);
        await Get<OutboxWatch>().WithAsync(outbox, system);

        var expected = streams.SelectMany(stream => stream).Where(e => Integration.Of(e) is not null)
            .GroupBy(e => e.StreamId).ToDictionary(s => s.Key, s => s.Select(e => e.EventId.ToString("D")).ToList());
        var topic = await OfTopicAsync(expected.Keys);
        var hub = await OfHubAsync();
        foreach (var (stream, ids) in expected)
        {
            Assert.True(ids.SequenceEqual(topic[stream]), $"seed {seed}: topic, {stream}");
            Assert.True(ids.SequenceEqual(hub[stream].Distinct()), $"seed {seed}: hub, {stream}");
        }

        Assert.Equal(expected.Count, hub.Count);
        Assert.True(hub.Values.Any(ids => ids.Distinct().Count() < ids.Count), $"seed {seed}: nothing went wrong");
        Assert.Empty(await Another().UntoldAsync([.. streams.SelectMany(stream => stream)], default));
    }

    [Fact]
    public async Task What_a_process_has_told_itself_it_need_not_look_up()
    {
        var events = await StreamAsync(4);
        var told = events.SkipLast(1).ToList();
        await outbox.TellAsync(told, default);
        var before = system.Cosmos.Ledger.Snapshot().Of(Outbox.Name);

        Assert.Empty(await outbox.UntoldAsync(told, default));

        var after = system.Cosmos.Ledger.Snapshot().Of(Outbox.Name);
        Assert.Equal(0, (after - before).Total.Charge);
        Assert.Equal([events[3]], await outbox.UntoldAsync(events, default));
        Assert.Empty(await Another().UntoldAsync(told, default));
    }

    [Fact]
    public async Task What_concerns_nobody_outside_costs_neither_a_message_nor_a_mark()
    {
        await outbox.TellAsync(StoredSamples.Untold, default);
        Assert.Equal(0, system.Cosmos.Ledger.Snapshot().Of(Outbox.Name).Total.Charge);
        Assert.Empty(await OfHubAsync());
    }

    [Fact]
    public async Task A_relay_that_has_stopped_turns_the_health_degraded_and_says_how_far_it_is_behind()
    {
        using var http = system.CreateHttpClient(LocalSystem.AdminKey);
        var admin = new Api(http);
        await StreamAsync(3);
        await Get<OutboxWatch>().WithAsync(outbox, system);
        Assert.Equal("healthy", (await admin.GetAsync("/api/health", default)).Text("status"));

        await StreamAsync(3);
        clock.Advance(TimeSpan.FromMinutes(5));
        await Get<OutboxWatch>().WithAsync(outbox, system);

        var health = await admin.GetAsync("/api/health", default);
        var late = Assert.Single(health.Body.GetProperty("late").EnumerateArray());
        Assert.Equal(
            ("degraded", Outbox.Name, 300),
            (health.Text("status"), late.GetProperty("name").GetString(), late.GetProperty("lagSeconds").GetDouble()));
        var feed = (await admin.GetAsync("/api/operations/projections", default)).Body.GetProperty("feeds")
            .EnumerateArray().Single(row => row.GetProperty("feed").GetString() == Outbox.Name);
        Assert.Equal(300, feed.GetProperty("lagSeconds").GetDouble());

        // What the relay left was told by that look; and one who looks no more is noticed, too.
        await Get<OutboxWatch>().WithAsync(outbox, system);
        Assert.Equal("healthy", (await admin.GetAsync("/api/health", default)).Text("status"));
        clock.Advance(TimeSpan.FromMinutes(6));
        Assert.Equal("degraded", (await admin.GetAsync("/api/health", default)).Text("status"));
    }

    [Fact]
    public async Task A_poison_event_that_somebody_discards_is_left_out_and_the_rest_is_told()
    {
        using var http = system.CreateHttpClient(LocalSystem.AdminKey);
        var admin = new Api(http);
        var stream = StreamId.Of(Customer.Category, Guid.NewGuid());
        var events = (await StreamAsync(3)).Select((e, i) => e with
        {
            StreamId = stream.ToString(),
            EventId = Guid.NewGuid(),
            EventType = i == 1 ? "customer-from-the-future" : e.EventType,
        }).ToList();
        foreach (var (before, one) in events.Index())
            Assert.Equal(
                AppendResult.Appended, await Get<IEventStore>().AppendAsync(stream, before, [one], null, default));
        await outbox.TellAsync(events, default);
        var listed = await admin.GetAsync($"/api/operations/parked?projection=outbox&stream={stream}", default);
        Assert.Single(listed.Body.GetProperty("parked").EnumerateArray());

        var body = new { stream = stream.ToString(), sequence = 2, by = "Ops", why = "Unusable" };
        var other = await admin.PostAsync(
            "/api/operations/outbox/discard", body with { sequence = 1 }, null, default);
        var done = await admin.PostAsync("/api/operations/outbox/discard", body, null, default);

        Assert.Equal((409, "event-not-parked"), ((int)other.Status, other.Text("code")));
        Assert.Equal("1", done.Text("healed"));
        Assert.Null(await Get<Parking>().FindAsync(Outbox.Name, stream.ToString(), default));
        Assert.Empty(await Another().UntoldAsync(events, default));
    }

    [Fact]
    public async Task An_event_nobody_can_read_parks_its_stream_and_holds_up_no_other()
    {
        var (poisoned, sound) = (await StreamAsync(4), await StreamAsync(4));
        var batch = poisoned.Select((e, i) => i == 2 ? e with { EventType = "customer-from-the-future" } : e)
            .Concat(sound).ToList();

        await outbox.TellAsync(batch, default);

        Assert.Equal(3, (await Get<Parking>().FindAsync(Outbox.Name, poisoned[0].StreamId, default))?.Sequence);
        var hub = await OfHubAsync();
        Assert.Equal(Told(poisoned.Take(2)), hub.GetValueOrDefault(poisoned[0].StreamId, []));
        Assert.Equal(Told(sound), hub[sound[0].StreamId]);
        Assert.Empty(await Another().UntoldAsync(batch, default));

        // Code that can read it tells the rest with the next event, and the stream is off the list.
        await outbox.TellAsync([poisoned[^1]], default);
        Assert.Null(await Get<Parking>().FindAsync(Outbox.Name, poisoned[0].StreamId, default));
        Assert.Equal(Told(poisoned), (await OfHubAsync())[poisoned[0].StreamId]);
    }

    static List<string> Told(IEnumerable<StoredEvent> events) =>
        [.. events.Where(e => Integration.Of(e) is not null).Select(e => e.EventId.ToString("D"))];

    /// <summary>A customer with so many events, of which all but the first are told.</summary>
    async Task<IReadOnlyList<StoredEvent>> StreamAsync(int events)
    {
        var customers = Get<CommandHandler<Customer, CustomerCommand, CustomerEvent>>();
        var stream = Customer.Stream(new(Guid.NewGuid()));
        var commands = Enumerable.Range(1, events - 1)
            .Select(i => (CustomerCommand)new CustomerCommand.ReserveCredit(
                new(Guid.NewGuid()), new(i, Commerce.Currency.EUR)))
            .Prepend(new CustomerCommand.Register("Ada", "ada@example.org", null, new(1_000, Commerce.Currency.EUR)));
        foreach (var (i, command) in commands.Index())
            Assert.Null((await customers.HandleAsync(
                stream, command, new($"command-{i}", "correlation", "causation"), default)).Refusal);
        return await Get<IEventStore>().ReadAsync(stream, StreamRange.All, default).ToListAsync();
    }

    /// <summary>Batches as a feed makes them: each stream in order, the streams mixed.</summary>
    static List<IReadOnlyList<JsonElement>> Shuffled(Random random, IReadOnlyList<StoredEvent>[] streams)
    {
        var left = streams.Select(stream => new Queue<StoredEvent>(stream)).ToList();
        var batches = new List<IReadOnlyList<JsonElement>>();
        while (left.Count > 0)
        {
            var batch = new List<JsonElement>();
            for (var items = random.Next(1, 10); items > 0 && left.Count > 0; items--)
            {
                var from = left[random.Next(left.Count)];
                batch.Add(JsonSerializer.SerializeToElement(from.Dequeue(), StoredJson.Options));
                if (from.Count == 0) left.Remove(from);
            }

            batches.Add(batch);
        }

        return batches;
    }

    async Task<Dictionary<string, List<string>>> OfTopicAsync(IEnumerable<string> streams)
    {
        await using var client = broker.CreateServiceBusClient();
        var told = new Dictionary<string, List<string>>();
        foreach (var stream in streams)
        {
            await using var session = await client.AcceptSessionAsync(Outbox.Topic, "all", stream);
            var messages = await session.ReceiveMessagesAsync(100, TimeSpan.FromSeconds(5));
            told[stream] = [.. messages.Select(m => m.MessageId!)];
        }

        return told;
    }

    async Task<Dictionary<string, List<string>>> OfHubAsync()
    {
        var told = new Dictionary<string, List<string>>();
        foreach (var partition in broker.PartitionIds("integration-events"))
        {
            using var cursor = await broker.OpenCursorAsync(
                "integration-events", EventHubConsumerClient.DefaultConsumerGroupName, partition,
                EventPosition.Earliest);
            foreach (var @event in await cursor.ReadAsync(1_000, TimeSpan.FromTicks(1)))
            {
                var stream = CloudEvent.Read(@event.EventBody.ToMemory()).Subject;
                if (!told.TryGetValue(stream, out var ids)) told.Add(stream, ids = []);
                ids.Add(@event.MessageId!);
            }
        }

        return told;
    }
}

static class Watching
{
    /// <summary>The watch as the app has it, but on this outbox.</summary>
    public static Task WithAsync(this OutboxWatch watch, Outbox outbox, LocalSystem system) =>
        ActivatorUtilities.CreateInstance<OutboxWatch>(system.Host.Services, outbox).ReconcileAsync(default);
}
