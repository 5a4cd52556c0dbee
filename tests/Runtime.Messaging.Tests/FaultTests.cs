using Azure.Messaging.EventHubs;
using Azure.Messaging.EventHubs.Consumer;
using Azure.Messaging.EventHubs.Producer;
using Azure.Messaging.ServiceBus;

namespace Runtime.Messaging.Tests;

public sealed class FaultTests() : BrokerWorld(durable: false)
{
    ServiceBusSender Plain => Client.CreateSender("plain");

    [Fact]
    public async Task A_busy_broker_has_stored_nothing()
    {
        Broker.Faults.SendFailures = 1;
        var error = await Assert.ThrowsAsync<ServiceBusException>(() => Plain.SendMessageAsync(new("x")));
        Assert.Equal((ServiceBusFailureReason.ServiceBusy, true), (error.Reason, error.IsTransient));
        var hub = await Assert.ThrowsAsync<EventHubsException>(() => SendEventAsync());
        Assert.Equal(EventHubsException.FailureReason.ServiceBusy, hub.Reason);
        Broker.Faults.Clear();
        Assert.Empty(await TakeAsync(Client.CreateReceiver("plain")));
    }

    [Fact]
    public async Task A_lost_answer_leaves_the_message_stored_and_duplicate_detection_helps()
    {
        Broker.Faults.LostAcknowledgements = 1;
        for (var attempt = 0; attempt < 3; attempt++)
        {
            var error = await Assert.ThrowsAsync<ServiceBusException>(
                () => Client.CreateSender("once").SendMessageAsync(new("x") { MessageId = "a" }));
            Assert.Equal(ServiceBusFailureReason.ServiceTimeout, error.Reason);
            await Assert.ThrowsAsync<EventHubsException>(() => SendEventAsync());
        }

        Assert.Equal(["x"], Bodies(await TakeAsync(Client.CreateReceiver("once"))));
        using var cursor = await Broker.OpenCursorAsync("clicks", "views", "0", EventPosition.Earliest);
        Assert.Equal(3, (await cursor.ReadAsync(10, NoWait)).Count);
    }

    [Fact]
    public async Task Duplicates_come_past_duplicate_detection()
    {
        Broker.Faults.Duplicates = 1;
        await Client.CreateSender("once").SendMessageAsync(new("x") { MessageId = "a" });
        Assert.Equal(["x", "x"], Bodies(await TakeAsync(Client.CreateReceiver("once"))));
    }

    [Fact]
    public async Task A_delayed_message_comes_late_and_in_a_session_holds_back_the_rest()
    {
        Broker.Faults.Delays = 1;
        await Plain.SendMessageAsync(new("late"));
        await Client.CreateSender("sessions").SendMessageAsync(new("1") { SessionId = "s" });
        Broker.Faults.Clear();
        await Plain.SendMessageAsync(new("early"));
        await Client.CreateSender("sessions").SendMessageAsync(new("2") { SessionId = "s" });

        Assert.Equal(["early"], Bodies(await TakeAsync(Client.CreateReceiver("plain"))));
        var session = await Client.AcceptSessionAsync("sessions", "s");
        Assert.Empty(await TakeAsync(session));
        var waiting = session.ReceiveMessagesAsync(2, TimeSpan.FromSeconds(31));
        Clock.Advance(TimeSpan.FromSeconds(30));
        Assert.Equal(["1", "2"], Bodies(await waiting));
        Assert.Contains("late", Bodies(await TakeAsync(Client.CreateReceiver("plain"))));
    }

    [Fact]
    public async Task Reordering_mixes_messages_and_sessions_but_never_the_inside_of_one()
    {
        var numbers = Enumerable.Range(0, 16).Select(i => $"{i}").ToArray();
        await Plain.SendMessagesAsync(numbers.Select(n => new ServiceBusMessage(n)));
        foreach (var session in numbers)
        {
            await Client.CreateSender("sessions").SendMessagesAsync(
                [new("first") { SessionId = session }, new("second") { SessionId = session }]);
        }

        Broker.Faults.Reorders = 1;
        var mixed = Bodies(await TakeAsync(Client.CreateReceiver("plain")));
        Assert.NotEqual(numbers, mixed);
        Assert.Equal(numbers.Order(), mixed.Order());

        var accepted = new List<string>();
        for (var i = 0; i < 16; i++)
        {
            var session = await Client.AcceptNextSessionAsync("sessions");
            accepted.Add(session.SessionId);
            Assert.Equal(["first", "second"], Bodies(await TakeAsync(session)));
        }

        Assert.NotEqual(numbers, accepted);
    }

    [Fact]
    public async Task A_lost_lock_brings_the_message_again()
    {
        await Plain.SendMessageAsync(new("x"));
        var receiver = Client.CreateReceiver("plain");
        Broker.Faults.LockLosses = 1;
        var error = await Assert.ThrowsAsync<ServiceBusException>(
            async () => await receiver.CompleteMessageAsync((await TakeAsync(receiver))[0]));
        Assert.Equal(ServiceBusFailureReason.MessageLockLost, error.Reason);
        Broker.Faults.Clear();
        await receiver.CompleteMessageAsync((await TakeAsync(receiver))[0]);
    }

    Task SendEventAsync() => Broker.CreateEventHubProducer("clicks").SendAsync(
        [new EventData("x")], new SendEventOptions { PartitionId = "0" });
}
