using System.Runtime.Serialization;
using Azure.Messaging.ServiceBus;

namespace Runtime.Messaging.Tests;

public sealed class MemoryQueueTests() : QueueConformance(durable: false);

public sealed class SqliteQueueTests() : QueueConformance(durable: true);

/// <summary>What every queue promises, wherever it keeps its messages.</summary>
public abstract partial class QueueConformance(bool durable) : BrokerWorld(durable)
{
    ServiceBusSender Plain => Client.CreateSender("plain");

    ServiceBusReceiver PlainReceiver => Client.CreateReceiver("plain");

    [Fact]
    public async Task Everything_a_sender_sets_arrives()
    {
        var sent = new ServiceBusMessage("body")
        {
            MessageId = "id", CorrelationId = "correlation", Subject = "subject", To = "to", ReplyTo = "reply",
            ReplyToSessionId = "reply-session", SessionId = "session", ContentType = "application/json",
            TimeToLive = TimeSpan.FromHours(1), PartitionKey = "session",
            ApplicationProperties =
            {
                ["text"] = "ä", ["whole"] = 7, ["long"] = 7L, ["double"] = 0.5, ["decimal"] = 1.25m, ["truth"] = true,
                ["guid"] = Guid.Empty, ["bytes"] = new byte[] { 1, 2 }, ["time"] = DateTimeOffset.UnixEpoch,
                ["moment"] = DateTime.UnixEpoch, ["span"] = TimeSpan.FromSeconds(3), ["uri"] = new Uri("sb://x/"),
                ["char"] = 'c', ["byte"] = (byte)1, ["sbyte"] = (sbyte)-1, ["short"] = (short)-2,
                    ["ushort"] = (ushort)2,
                ["uint"] = 3u, ["ulong"] = ulong.MaxValue, ["float"] = 1.5f,
            },
        };
        await Plain.SendMessageAsync(sent);

        var received = Assert.Single(await TakeAsync(PlainReceiver));

        Assert.Equal("body", received.Body.ToString());
        Assert.Equal(
            ("id", "correlation", "subject", "to", "reply", "reply-session", "session", "application/json", "session"),
            (received.MessageId, received.CorrelationId, received.Subject, received.To, received.ReplyTo,
                received.ReplyToSessionId, received.SessionId, received.ContentType, received.PartitionKey));
        Assert.Equal(sent.ApplicationProperties, received.ApplicationProperties);
        Assert.Equal((1L, 1L, 1), (received.SequenceNumber, received.EnqueuedSequenceNumber, received.DeliveryCount));
        Assert.Equal(TimeSpan.FromHours(1), received.TimeToLive);
        Assert.Equal(received.EnqueuedTime + TimeSpan.FromHours(1), received.ExpiresAt);
        Assert.Equal(ServiceBusMessageState.Active, received.State);
        Assert.True(received.LockedUntil > Clock.GetUtcNow());
        Assert.NotEqual(Guid.Empty.ToString(), received.LockToken);
    }

    [Fact]
    public async Task Messages_come_in_the_order_they_were_sent()
    {
        await Plain.SendMessagesAsync([new("1"), new("2")]);
        await Plain.SendMessageAsync(new("3"));

        Assert.Equal(["1", "2"], Bodies(await TakeAsync(PlainReceiver, 2)));
        Assert.Equal(["3"], Bodies(await TakeAsync(PlainReceiver, 2)));
    }

    [Fact]
    public async Task A_receiver_that_waits_gets_what_is_sent_later()
    {
        var waiting = PlainReceiver.ReceiveMessageAsync(TimeSpan.FromMinutes(1));
        await Plain.SendMessageAsync(new("late"));
        Assert.Equal("late", (await waiting)!.Body.ToString());
    }

    [Fact]
    public async Task A_wait_ends_with_nothing_when_its_time_is_over()
    {
        var waiting = PlainReceiver.ReceiveMessageAsync(TimeSpan.FromSeconds(5));
        Clock.Advance(TimeSpan.FromSeconds(4));
        Assert.False(waiting.IsCompleted);
        Clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Null(await waiting);
    }

    [Fact]
    public async Task A_cancelled_wait_takes_no_message_away()
    {
        using var cancellation = new CancellationTokenSource();
        var waiting = PlainReceiver.ReceiveMessageAsync(TimeSpan.FromSeconds(5), cancellation.Token);
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);

        await Plain.SendMessageAsync(new("kept"));
        Assert.Equal(1, Assert.Single(await TakeAsync(PlainReceiver)).DeliveryCount);
    }

    [Fact]
    public async Task A_completed_message_never_comes_back()
    {
        await Plain.SendMessageAsync(new("done"));
        var receiver = PlainReceiver;
        await receiver.CompleteMessageAsync((await TakeAsync(receiver))[0]);

        Clock.Advance(TimeSpan.FromHours(1));
        Assert.Empty(await TakeAsync(receiver));
    }

    [Fact]
    public async Task A_message_whose_lock_ends_comes_again_and_its_old_lock_settles_nothing()
    {
        await Plain.SendMessageAsync(new("again"));
        var receiver = PlainReceiver;
        var first = (await TakeAsync(receiver))[0];

        Clock.Advance(TimeSpan.FromSeconds(29));
        Assert.Empty(await TakeAsync(receiver));
        Clock.Advance(TimeSpan.FromSeconds(1));
        var second = (await TakeAsync(receiver))[0];

        Assert.Equal(2, second.DeliveryCount);
        await RefusedAsync(ServiceBusFailureReason.MessageLockLost, () => receiver.CompleteMessageAsync(first));
        await receiver.CompleteMessageAsync(second);
    }

    [Fact]
    public async Task A_renewed_lock_lasts_as_long_again()
    {
        await Plain.SendMessageAsync(new("kept"));
        var receiver = PlainReceiver;
        var message = (await TakeAsync(receiver))[0];

        Clock.Advance(TimeSpan.FromSeconds(20));
        await receiver.RenewMessageLockAsync(message);
        Assert.Equal(Clock.GetUtcNow() + TimeSpan.FromSeconds(30), message.LockedUntil);
        Clock.Advance(TimeSpan.FromSeconds(29));
        Assert.Empty(await TakeAsync(receiver));
        await receiver.CompleteMessageAsync(message);
        await RefusedAsync(ServiceBusFailureReason.MessageLockLost, () => receiver.RenewMessageLockAsync(message));
    }

    [Fact]
    public async Task An_abandoned_message_comes_next_with_its_changed_properties()
    {
        await Plain.SendMessagesAsync([new("1") { ApplicationProperties = { ["tries"] = 0 } }, new("2")]);
        var receiver = PlainReceiver;
        var message = (await TakeAsync(receiver, 1))[0];
        await receiver.AbandonMessageAsync(message, new Dictionary<string, object> { ["tries"] = 1 });

        var again = await TakeAsync(receiver, 2);
        Assert.Equal(["1", "2"], Bodies(again));
        Assert.Equal(1, again[0].ApplicationProperties["tries"]);
        Assert.Equal(2, again[0].DeliveryCount);
    }

    [Fact]
    public async Task A_message_that_came_too_often_is_dead_lettered_with_the_services_reason()
    {
        await Plain.SendMessageAsync(new("poison") { MessageId = "m" });
        var receiver = PlainReceiver;
        for (var delivery = 1; delivery <= 3; delivery++)
        {
            var message = Assert.Single(await TakeAsync(receiver));
            Assert.Equal(delivery, message.DeliveryCount);
            await receiver.AbandonMessageAsync(message);
        }

        Assert.Empty(await TakeAsync(receiver));
        var letters = DeadLetters("plain");
        var dead = Assert.Single(await TakeAsync(letters));
        Assert.Equal("MaxDeliveryCountExceeded", dead.DeadLetterReason);
        Assert.Equal("Message could not be consumed after 3 delivery attempts.", dead.DeadLetterErrorDescription);
        Assert.Equal((1L, "m", "poison"), (dead.SequenceNumber, dead.MessageId, dead.Body.ToString()));
        await letters.CompleteMessageAsync(dead);
        Assert.Empty(await TakeAsync(letters));
    }

    [Fact]
    public async Task A_message_can_be_dead_lettered_with_a_reason_of_ones_own()
    {
        await Plain.SendMessageAsync(new("bad"));
        var receiver = PlainReceiver;
        await receiver.DeadLetterMessageAsync(
            (await TakeAsync(receiver))[0], new Dictionary<string, object> { ["who"] = "me" }, "Broken", "in two");

        var dead = Assert.Single(await TakeAsync(DeadLetters("plain")));
        Assert.Equal(
            ("Broken", "in two", "me"),
                (dead.DeadLetterReason, dead.DeadLetterErrorDescription, dead.ApplicationProperties["who"]));
        await Assert.ThrowsAsync<InvalidOperationException>(() => DeadLetters("plain").DeadLetterMessageAsync(dead));

        // Sent on, it is a new message that bears no mark of its death.
        await Plain.SendMessageAsync(new ServiceBusMessage(dead));
        var redriven = Assert.Single(await TakeAsync(receiver));
        Assert.Equal((null, 2L, 1), (redriven.DeadLetterReason, redriven.SequenceNumber, redriven.DeliveryCount));
    }

    [Fact]
    public async Task A_deferred_message_comes_only_by_its_number()
    {
        await Plain.SendMessagesAsync([new("later"), new("now")]);
        var receiver = PlainReceiver;
        var later = (await TakeAsync(receiver, 1))[0];
        await receiver.DeferMessageAsync(later, new Dictionary<string, object> { ["note"] = "wait" });
        Assert.Equal(["now"], Bodies(await TakeAsync(receiver)));
        Assert.Equal(ServiceBusMessageState.Deferred, (await receiver.PeekMessageAsync(later.SequenceNumber))!.State);

        var deferred = await receiver.ReceiveDeferredMessageAsync(later.SequenceNumber);
        Assert.Equal(("later", "wait", 2),
            (deferred.Body.ToString(), deferred.ApplicationProperties["note"], deferred.DeliveryCount));
        await RefusedAsync(
            ServiceBusFailureReason.MessageNotFound, () => receiver.ReceiveDeferredMessageAsync(later.SequenceNumber));

        // Its lock ends: it is deferred again, not active.
        Clock.Advance(TimeSpan.FromSeconds(30));
        Assert.Equal(["now"], Bodies(await TakeAsync(receiver)));
        await receiver.CompleteMessageAsync(await receiver.ReceiveDeferredMessageAsync(later.SequenceNumber));
        await RefusedAsync(
            ServiceBusFailureReason.MessageNotFound, () => receiver.ReceiveDeferredMessageAsync(later.SequenceNumber));
    }

    [Fact]
    public async Task Receive_and_delete_takes_a_message_for_good()
    {
        await Plain.SendMessageAsync(new("taken"));
        var receiver = Client.CreateReceiver(
            "plain", new ServiceBusReceiverOptions { ReceiveMode = ServiceBusReceiveMode.ReceiveAndDelete });
        var message = Assert.Single(await TakeAsync(receiver));
        Assert.Equal(("taken", 1), (message.Body.ToString(), message.DeliveryCount));
        await Assert.ThrowsAsync<InvalidOperationException>(() => receiver.CompleteMessageAsync(message));
        Clock.Advance(TimeSpan.FromHours(1));
        Assert.Empty(await TakeAsync(PlainReceiver));
    }

    [Fact]
    public async Task Peeking_shows_every_message_and_takes_none()
    {
        await Plain.SendMessagesAsync([new("1"), new("2"), new("3")]);
        await Plain.ScheduleMessageAsync(new("4"), Clock.GetUtcNow() + TimeSpan.FromHours(1));
        var receiver = PlainReceiver;
        await TakeAsync(receiver, 1);

        var peeked = await receiver.PeekMessagesAsync(10);
        Assert.Equal(["1", "2", "3", "4"], Bodies(peeked));
        Assert.Equal([0, 0, 0, 0], peeked.Select(message => message.DeliveryCount));
        Assert.Equal(ServiceBusMessageState.Scheduled, peeked[3].State);
        Assert.Null(await receiver.PeekMessageAsync());
        Assert.Equal(["3"], Bodies(await receiver.PeekMessagesAsync(1, peeked[2].SequenceNumber)));
        Assert.Equal(["2", "3"], Bodies(await TakeAsync(receiver)));
    }

    [Fact]
    public async Task A_scheduled_message_is_not_there_before_its_time_and_then_is_new()
    {
        var due = Clock.GetUtcNow() + TimeSpan.FromMinutes(10);
        var number = await Plain.ScheduleMessageAsync(new("later") { TimeToLive = TimeSpan.FromMinutes(1) }, due);
        await Plain.SendMessageAsync(new("now"));
        Assert.Equal(["now"], Bodies(await TakeAsync(PlainReceiver)));

        Clock.Advance(TimeSpan.FromMinutes(10) - TimeSpan.FromSeconds(1));
        Assert.Equal(["now"], Bodies(await TakeAsync(PlainReceiver)));
        Clock.Advance(TimeSpan.FromSeconds(1));
        var message = (await TakeAsync(PlainReceiver)).Single(m => m.Body.ToString() == "later");
        Assert.NotEqual(number, message.SequenceNumber);
        Assert.Equal(due, message.ScheduledEnqueueTime);
        Assert.True(message.EnqueuedTime >= due && message.ExpiresAt == message.EnqueuedTime + TimeSpan.FromMinutes(1));
    }

    [Fact]
    public async Task A_scheduled_message_wakes_a_receiver_by_itself()
    {
        await Plain.SendMessageAsync(
            new("due") { ScheduledEnqueueTime = Clock.GetUtcNow() + TimeSpan.FromSeconds(10) });
        var waiting = PlainReceiver.ReceiveMessageAsync(TimeSpan.FromMinutes(1));
        Clock.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal("due", (await waiting)!.Body.ToString());
    }

    [Fact]
    public async Task Cancelling_scheduled_messages_is_all_or_nothing()
    {
        var due = Clock.GetUtcNow() + TimeSpan.FromMinutes(10);
        var numbers = await Plain.ScheduleMessagesAsync([new("1"), new("2")], due);
        await RefusedAsync(
            ServiceBusFailureReason.MessageNotFound, () => Plain.CancelScheduledMessagesAsync([numbers[0], 999]));
        await Plain.CancelScheduledMessageAsync(numbers[0]);
        await RefusedAsync(
            ServiceBusFailureReason.MessageNotFound, () => Plain.CancelScheduledMessageAsync(numbers[0]));

        Clock.Advance(TimeSpan.FromMinutes(10));
        Assert.Equal(["2"], Bodies(await TakeAsync(PlainReceiver)));
    }

    [Fact]
    public async Task A_message_expires_by_its_own_or_the_queues_time_whichever_is_shorter()
    {
        var sender = Client.CreateSender("short-lived");
        await sender.SendMessagesAsync(
            [new("own") { TimeToLive = TimeSpan.FromMinutes(1) }, new("queue") { TimeToLive = TimeSpan.FromDays(1) }]);

        Clock.Advance(TimeSpan.FromMinutes(1));
        var first = Assert.Single(await TakeAsync(DeadLetters("short-lived")));
        Assert.Equal(
            ("own", "TTLExpiredException", "The message expired and was dead lettered."),
            (first.Body.ToString(), first.DeadLetterReason, first.DeadLetterErrorDescription));
        Clock.Advance(TimeSpan.FromMinutes(4));
        Assert.Empty(await TakeAsync(Client.CreateReceiver("short-lived")));
        Assert.Equal(["own", "queue"], Bodies(await TakeAsync(DeadLetters("short-lived"))));
    }

    [Fact]
    public async Task A_queue_that_keeps_no_expired_messages_drops_them()
    {
        await Client.CreateSender("vanishing").SendMessageAsync(new("gone"));
        Clock.Advance(TimeSpan.FromMinutes(5));
        Assert.Empty(await Client.CreateReceiver("vanishing").PeekMessagesAsync(1));
        Assert.Empty(await TakeAsync(DeadLetters("vanishing")));
        Assert.Equal(0, (await Broker.CountAsync()).Single(c => c.Path == "vanishing").SizeBytes);
    }

    [Fact]
    public async Task A_locked_message_does_not_expire_under_its_holder()
    {
        await Client.CreateSender("short-lived").SendMessageAsync(
            new("held") { TimeToLive = TimeSpan.FromSeconds(10) });
        var receiver = Client.CreateReceiver("short-lived");
        var held = (await TakeAsync(receiver))[0];
        Clock.Advance(TimeSpan.FromSeconds(20));
        await receiver.CompleteMessageAsync(held);
        Assert.Empty(await TakeAsync(DeadLetters("short-lived")));

        await Client.CreateSender("short-lived").SendMessageAsync(
            new("let go") { TimeToLive = TimeSpan.FromSeconds(10) });
        var letGo = (await TakeAsync(receiver))[0];
        Clock.Advance(TimeSpan.FromSeconds(20));
        await receiver.AbandonMessageAsync(letGo);
        Assert.Equal(["let go"], Bodies(await TakeAsync(DeadLetters("short-lived"))));
    }

    [Fact]
    public async Task A_repeated_message_id_is_taken_once_within_the_window()
    {
        var sender = Client.CreateSender("once");
        await sender.SendMessageAsync(new("1") { MessageId = "a" });
        await sender.SendMessagesAsync(
            [new("2") { MessageId = "a" }, new("3") { MessageId = "b" }, new("4") { MessageId = "b" }]);
        await sender.SendMessagesAsync([new("5"), new("6")]);
        var receiver = Client.CreateReceiver("once");
        Assert.Equal(["1", "3", "5", "6"], Bodies(await receiver.PeekMessagesAsync(10, 0)));

        // Completing the original does not make room for its repetition; time does.
        await receiver.CompleteMessageAsync((await TakeAsync(receiver, 1))[0]);
        Clock.Advance(TimeSpan.FromMinutes(9));
        await sender.SendMessageAsync(new("7") { MessageId = "a" });
        Clock.Advance(TimeSpan.FromMinutes(1));
        await sender.SendMessageAsync(new("8") { MessageId = "a" });
        Assert.Equal(["3", "5", "6", "8"], Bodies(await receiver.PeekMessagesAsync(10, 0)));
    }
}
