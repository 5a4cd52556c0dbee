using Azure.Messaging.EventHubs;
using Azure.Messaging.EventHubs.Consumer;
using Azure.Messaging.EventHubs.Producer;

namespace Runtime.Messaging.Tests;

public sealed class MemoryIdleTests() : IdleTests(durable: false);

public sealed class SqliteIdleTests() : IdleTests(durable: true);

/// <summary>Knowing that everything has been dealt with, without asking again and again.</summary>
public abstract class IdleTests(bool durable) : BrokerWorld(durable)
{
    [Fact]
    public async Task A_broker_is_idle_when_every_message_is_settled()
    {
        await Broker.WhenIdleAsync().SoonAsync();
        await Client.CreateSender("plain").SendMessagesAsync([new("1"), new("2"), new("3")]);
        await Client.CreateSender("plain").ScheduleMessageAsync(new("4"), Clock.GetUtcNow() + TimeSpan.FromHours(1));
        var idle = Broker.WhenIdleAsync();
        var receiver = Client.CreateReceiver("plain");
        var messages = await TakeAsync(receiver);
        await receiver.CompleteMessageAsync(messages[0]);
        await receiver.DeferMessageAsync(messages[1]);
        Assert.False(idle.IsCompleted);
        await receiver.DeadLetterMessageAsync(messages[2]);
        await idle.SoonAsync();
    }

    [Fact]
    public async Task A_broker_is_idle_when_every_cursor_has_checkpointed_the_end()
    {
        using var cursor = await Broker.OpenCursorAsync("clicks", "views", "0", EventPosition.Earliest);
        await Broker.CreateEventHubProducer("clicks").SendAsync(
            [new EventData("1"), new EventData("2")], new SendEventOptions { PartitionId = "0" });
        var idle = Broker.WhenIdleAsync();
        var events = await cursor.ReadAsync(2, NoWait);
        await cursor.CheckpointAsync(events[0]);
        Assert.False(idle.IsCompleted);
        await cursor.CheckpointAsync(events[1]);
        await idle.SoonAsync();
    }

    [Fact]
    public async Task Waiting_for_idleness_ends_with_the_broker_or_the_callers_patience()
    {
        await Client.CreateSender("plain").SendMessageAsync(new("1"));
        using var cancellation = new CancellationTokenSource();
        var impatient = Broker.WhenIdleAsync(cancellation.Token);
        var patient = Broker.WhenIdleAsync();
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => impatient);
        await Broker.DisposeAsync();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => patient);
    }
}
