using Azure.Messaging.ServiceBus;

namespace Runtime.Messaging.Tests;

public sealed class MemoryTopicTests() : TopicConformance(durable: false);

public sealed class SqliteTopicTests() : TopicConformance(durable: true);

/// <summary>Which messages of a topic a subscription gets.</summary>
public abstract class TopicConformance(bool durable) : BrokerWorld(durable)
{
    ServiceBusSender Facts => Client.CreateSender("facts");

    [Fact]
    public async Task Every_subscription_gets_its_own_copy_of_what_its_rules_select()
    {
        await SendAsync("1", "order-placed", quantity: 5);
        await SendAsync("2", "order-shipped", quantity: 50);

        Assert.Equal(["1", "2"], await BodiesOfAsync("all"));
        Assert.Equal(["1"], await BodiesOfAsync("placed"));
        Assert.Equal(["2"], await BodiesOfAsync("large"));
    }

    [Fact]
    public async Task A_copy_has_its_own_number_and_that_of_the_topic()
    {
        await SendAsync("1", "other", quantity: 1);
        await SendAsync("2", "order-placed", quantity: 1);
        var message = Assert.Single(await TakeAsync(Client.CreateReceiver("facts", "placed")));
        Assert.Equal((1L, 2L), (message.SequenceNumber, message.EnqueuedSequenceNumber));
    }

    [Fact]
    public async Task Settling_in_one_subscription_changes_nothing_in_another()
    {
        await SendAsync("1", "order-placed", quantity: 1);
        var all = Client.CreateReceiver("facts", "all");
        await all.CompleteMessageAsync((await TakeAsync(all))[0]);
        Assert.Equal(["1"], await BodiesOfAsync("placed"));
    }

    [Fact]
    public async Task A_rule_with_an_action_takes_a_changed_copy()
    {
        await SendAsync("1", "order-placed", quantity: 5);
        var message = Assert.Single(await TakeAsync(Client.CreateReceiver("facts", "marked")));
        Assert.Equal(("marked", true), (message.Subject, message.ApplicationProperties["Marked"]));
        Assert.False(message.ApplicationProperties.ContainsKey("Quantity"));
        Assert.Equal("order-placed", (await TakeAsync(Client.CreateReceiver("facts", "all")))[0].Subject);
    }

    [Fact]
    public async Task A_message_that_a_filter_fails_on_is_dead_lettered_or_passed_by()
    {
        await Facts.SendMessageAsync(new("bad") { SessionId = "s", ApplicationProperties = { ["Quantity"] = "many" } });
        Assert.Empty(await TakeAsync(Client.CreateReceiver("facts", "large")));
        var dead = Assert.Single(await TakeAsync(Client.CreateReceiver(
            "facts", "large", new ServiceBusReceiverOptions { SubQueue = SubQueue.DeadLetter })));
        Assert.Equal("FilterEvaluationException", dead.DeadLetterReason);
        Assert.Contains(
            "String does not compare with a Int64", dead.DeadLetterErrorDescription, StringComparison.Ordinal);
        Assert.Empty(await TakeAsync(Client.CreateReceiver(
            "facts", "lenient", new ServiceBusReceiverOptions { SubQueue = SubQueue.DeadLetter })));
        Assert.Equal(["bad"], await BodiesOfAsync("all"));
    }

    [Fact]
    public async Task A_message_without_a_session_is_a_dead_letter_where_sessions_are_required()
    {
        await Facts.SendMessageAsync(new("loose"));
        var dead = Assert.Single(await TakeAsync(Client.CreateReceiver(
            "facts", "ordered", new ServiceBusReceiverOptions { SubQueue = SubQueue.DeadLetter })));
        Assert.Equal("Session ID is null.", dead.DeadLetterReason);
    }

    [Fact]
    public async Task A_topic_takes_a_message_id_once_for_all_subscriptions()
    {
        await Facts.SendMessagesAsync(
            [new("1") { MessageId = "a", SessionId = "s" }, new("2") { MessageId = "a", SessionId = "s" }]);
        Assert.Equal(["1"], await BodiesOfAsync("all"));
        Assert.Equal(["1"], Bodies(await TakeAsync(await Client.AcceptSessionAsync("facts", "ordered", "s"))));
    }

    [Fact]
    public async Task A_scheduled_message_is_routed_when_its_time_comes()
    {
        var due = Clock.GetUtcNow() + TimeSpan.FromMinutes(5);
        var numbers = await Facts.ScheduleMessagesAsync([Placed("1"), Placed("2")], due);
        await Facts.CancelScheduledMessageAsync(numbers[1]);
        Assert.Empty(await BodiesOfAsync("placed"));

        Clock.Advance(TimeSpan.FromMinutes(5));
        Assert.Equal(["1"], await BodiesOfAsync("placed"));
        Assert.Equal(["1"], await BodiesOfAsync("all"));
    }

    [Fact]
    public async Task A_subscription_wakes_its_receiver()
    {
        var waiting = Client.CreateReceiver("facts", "placed").ReceiveMessageAsync();
        await SendAsync("1", "order-placed", quantity: 1);
        Assert.Equal("1", (await waiting)!.Body.ToString());
    }

    static ServiceBusMessage Placed(string body) => new(body) { Subject = "order-placed", SessionId = "s" };

    Task SendAsync(string body, string label, int quantity) => Facts.SendMessageAsync(
        new(body) { Subject = label, SessionId = "s", ApplicationProperties = { ["Quantity"] = quantity } });

    async Task<string[]> BodiesOfAsync(string subscription) =>
        Bodies(await TakeAsync(Client.CreateReceiver("facts", subscription)));
}
