using System.Diagnostics.Metrics;
using Azure.Messaging.ServiceBus;
using Commerce.Payments;
using Functions.Choreography;
using Functions.Messaging;
using Functions.Tests.Choreography;
using Microsoft.Extensions.DependencyInjection;
using Runtime.DurableTask;
using Runtime.Local;

namespace Functions.Tests.Messaging;

/// <summary>
/// An undoing that ended with the dead letters is seen, tried again by itself, and at last left to people.
/// </summary>
public sealed class OwedAnswersTests : IAsyncLifetime
{
    const string Subscription = "inventory";

    static readonly Guid Order = StoredSamples.Order.Value;

    readonly VirtualClock clock = new(new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero));
    LocalSystem system = null!;
    HttpClient http = null!;
    Api admin = null!;
    ServiceBusClient bus = null!;

    OwedAnswersWatch Watch => system.Host.Services.GetRequiredService<OwedAnswersWatch>();

    public async Task InitializeAsync()
    {
        var settings = RunningSystem.Settings();
        foreach (var function in (string[])
            ["ReactCustomers", "ReactInventory", "ReactPayments", "ReactShipping", "ReactOrdering", "RelayEvents"])
        {
            settings[$"AzureWebJobs.{function}.Disabled"] = "true";
        }

        system = await LocalSystem.StartAsync(
            new() { Clock = clock, MessagingClock = clock, Settings = settings }, default);
        http = system.CreateHttpClient(LocalSystem.AdminKey);
        (admin, bus) = (new(http), system.Broker.CreateServiceBusClient());
    }

    public async Task DisposeAsync()
    {
        http.Dispose();
        await system.DisposeAsync();
    }

    [Fact]
    public async Task An_undoing_is_asked_for_again_after_pauses_that_double_and_then_left_to_people()
    {
        await SendAsync(Integration.Of(StoredSamples.Of(new PaymentEvent.Voided("card-declined")))!);
        var id = await DieAsync();
        var pause = OwedAnswersWatch.FirstPause;
        for (var times = 0; times < OwedAnswersWatch.RedrivesMax; times++, pause *= 2)
        {
            var waiting = Assert.Single((await Watch.LookAsync(default)).Waiting);
            Assert.Equal(
                (Subscription, "payment-voided.v1", id, Order, times, "no answer"),
                (waiting.Subscription, waiting.Event, waiting.MessageId, waiting.Order, waiting.Redriven, waiting.Why));
            Assert.Equal(clock.GetUtcNow() + pause, waiting.Next);

            clock.Advance(pause - TimeSpan.FromSeconds(1));
            Assert.Single((await Watch.LookAsync(default)).Waiting);
            clock.Advance(TimeSpan.FromSeconds(1));
            Assert.Empty((await Watch.LookAsync(default)).Waiting);
            Assert.Equal(id, await DieAsync());
        }

        clock.Advance(TimeSpan.FromDays(2));
        var last = Assert.Single((await Watch.LookAsync(default)).Waiting);
        Assert.Equal((OwedAnswersWatch.RedrivesMax, null), (last.Redriven, last.Next));

        // Somebody has mended what was broken, and sends it again.
        var redriven = await admin.PostAsync(
            "/api/operations/deadletters/redrive", new { entity = $"{Outbox.Topic}/{Subscription}", max = 10 }, null,
            default);
        Assert.Equal("1", redriven.Text("redriven"));
        await using var session = await bus.AcceptNextSessionAsync(Outbox.Topic, Subscription);
        Assert.Equal(id, (await session.ReceiveMessageAsync())!.MessageId);
    }

    [Fact]
    public async Task While_an_answer_is_owed_the_health_the_process_and_a_metric_say_so()
    {
        var measured = new List<(int Count, object? Subscription)>();
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, on) =>
            {
                if (instrument.Name == "choreography.owed") on.EnableMeasurementEvents(instrument);
            },
        };
        listener.SetMeasurementEventCallback<int>((_, count, tags, _) =>
        {
            lock (measured) measured.Add((count, tags[0].Value));
        });
        listener.Start();
        await Catalogue.SeedAsync(admin, default);
        var customer = await Wanted.CustomerAsync(admin, 1_000_00);
        await Wanted.PlaceAsync(
            http, Order, Wanted.Order(Wanted.Good, Catalogue.Address(), customer, ("blue-mug", 1)));
        await Watch.LookAsync(default);
        Assert.Equal(0, await OwingAsync());

        await SendAsync(Integration.Of(StoredSamples.Of(new PaymentEvent.Voided("card-declined")))!);
        await DieAsync();
        await Watch.LookAsync(default);

        Assert.Equal(1, await OwingAsync());
        var health = await admin.GetAsync("/api/health", default);
        Assert.Equal("degraded", health.Text("status"));
        Assert.Equal(
            (Subscription, 1, 0),
            (health.Body.GetProperty("owing")[0].GetProperty("subscription").GetString(),
                health.Body.GetProperty("owing")[0].GetProperty("count").GetInt32(),
                health.Body.GetProperty("owing")[0].GetProperty("forSomebody").GetInt32()));
        var process = await admin.GetAsync($"/api/orders/{Order}/process", default);
        var waiting = Assert.Single(process.Body.GetProperty("waiting").EnumerateArray());
        Assert.Equal(Subscription, waiting.GetProperty("subscription").GetString());
        Assert.Equal("payment-voided.v1", waiting.GetProperty("event").GetString());
        lock (measured) Assert.Contains((1, Subscription), measured);
    }

    [Fact]
    public async Task A_step_that_the_watcher_makes_unnecessary_is_not_asked_for_again()
    {
        await SendAsync(Integration.Of(StoredSamples.Of(
            new Commerce.Customers.CustomerEvent.CreditReserved(new(Order), new(9_50, Commerce.Currency.EUR))))!);
        await DieAsync();
        clock.Advance(TimeSpan.FromHours(1));

        Assert.Empty((await Watch.LookAsync(default)).Waiting);
        Assert.Single((await admin.GetAsync(
            $"/api/operations/deadletters/messages?entity={Outbox.Topic}/{Subscription}", default))
            .Body.GetProperty("messages").EnumerateArray());
    }

    async Task<int> OwingAsync() =>
        (await admin.GetAsync("/api/health", default)).Body.GetProperty("owing").GetArrayLength();

    async Task SendAsync(CloudEvent told)
    {
        await using var sender = bus.CreateSender(Outbox.Topic);
        await sender.SendMessageAsync(new(told.ToBytes())
        {
            MessageId = told.Id.ToString("D"),
            SessionId = told.Subject,
            Subject = told.Type,
            ContentType = CloudEvent.ContentType,
            ApplicationProperties = { ["workflow"] = Commerce.Ordering.Order.Choreography },
        });
    }

    /// <summary>The context hears the message in vain; which one it was.</summary>
    async Task<string> DieAsync()
    {
        await using var session = await bus.AcceptNextSessionAsync(Outbox.Topic, Subscription);
        var message = (await session.ReceiveMessageAsync())!;
        await session.DeadLetterMessageAsync(message, "MaxDeliveryCountExceeded", "no answer");
        return message.MessageId!;
    }
}
