using System.Runtime.Serialization;
using Azure.Messaging.ServiceBus;

namespace Runtime.Messaging.Tests;

public abstract partial class QueueConformance
{
    [Fact]
    public async Task What_is_too_large_is_refused_whole()
    {
        await RefusedAsync(
            ServiceBusFailureReason.MessageSizeExceeded, () => Plain.SendMessageAsync(new(new byte[256 * 1024])));
        await RefusedAsync(
            ServiceBusFailureReason.MessageSizeExceeded,
            () => Plain.SendMessagesAsync([new(new byte[200_000]), new(new byte[100_000])]));
        await Assert.ThrowsAsync<SerializationException>(
            () => Plain.SendMessageAsync(new("x") { ApplicationProperties = { ["p"] = new object() } }));
        await Assert.ThrowsAsync<SerializationException>(
            () => Plain.SendMessageAsync(new("x") { ApplicationProperties = { ["p"] = new string('x', 40_000) } }));
        Assert.Empty(await PlainReceiver.PeekMessagesAsync(1));
    }

    [Fact]
    public async Task A_batch_takes_what_fits_and_is_sent_whole()
    {
        using var batch = await Plain.CreateMessageBatchAsync(new CreateMessageBatchOptions { MaxSizeInBytes = 2_000 });
        Assert.True(batch.TryAddMessage(new(new byte[900])));
        Assert.True(batch.TryAddMessage(new(new byte[900])));
        var size = batch.SizeInBytes;
        Assert.False(batch.TryAddMessage(new(new byte[900])));
        Assert.Equal((2, size), (batch.Count, batch.SizeInBytes));
        await Plain.SendMessagesAsync(batch);
        Assert.Equal(2, (await TakeAsync(PlainReceiver)).Count);
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(
            async () => await Plain.CreateMessageBatchAsync(new CreateMessageBatchOptions { MaxSizeInBytes = 1 << 20 }));
    }

    [Fact]
    public async Task A_full_queue_refuses_until_there_is_room()
    {
        var sender = Client.CreateSender("tiny");
        await sender.SendMessageAsync(new(new byte[800]));
        await RefusedAsync(ServiceBusFailureReason.QuotaExceeded, () => sender.SendMessageAsync(new(new byte[800])));
        var receiver = Client.CreateReceiver("tiny");
        await receiver.CompleteMessageAsync((await TakeAsync(receiver))[0]);
        await sender.SendMessageAsync(new(new byte[800]));
    }

    [Fact]
    public async Task What_is_not_there_is_named()
    {
        var missing = await RefusedAsync(
            ServiceBusFailureReason.MessagingEntityNotFound, () => Client.CreateSender("nowhere").SendMessageAsync(new("x")));
        Assert.Equal("nowhere", missing.EntityPath);
        await RefusedAsync(
            ServiceBusFailureReason.MessagingEntityNotFound, () => Client.CreateReceiver("nowhere").PeekMessageAsync());
        await RefusedAsync(
            ServiceBusFailureReason.MessagingEntityNotFound, () => Client.CreateReceiver("facts").PeekMessageAsync());
    }

    [Fact]
    public async Task A_closed_client_and_what_it_made_can_do_nothing_more()
    {
        var (sender, receiver) = (Plain, PlainReceiver);
        await receiver.CloseAsync();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => receiver.PeekMessageAsync());
        await Client.DisposeAsync();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => sender.SendMessageAsync(new("x")));
        Assert.Throws<ObjectDisposedException>(() => Client.CreateSender("plain"));
    }

    [Fact]
    public async Task A_closed_broker_ends_waits_and_refuses_calls()
    {
        var waiting = PlainReceiver.ReceiveMessageAsync();
        var sender = Plain;
        await Broker.DisposeAsync();
        await RefusedAsync(ServiceBusFailureReason.ServiceCommunicationProblem, () => waiting);
        await RefusedAsync(ServiceBusFailureReason.ServiceCommunicationProblem, () => sender.SendMessageAsync(new("x")));
    }

    static async Task<ServiceBusException> RefusedAsync(ServiceBusFailureReason reason, Func<Task> call)
    {
        var refusal = await Assert.ThrowsAsync<ServiceBusException>(call);
        Assert.Equal(reason, refusal.Reason);
        return refusal;
    }
}
