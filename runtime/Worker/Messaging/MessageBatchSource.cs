using Azure.Messaging.ServiceBus;
using Runtime.Messaging;

namespace Runtime.Worker;

/// <summary>Hands messages to a function in arrays: one at a time, of one session if there are sessions.</summary>
/// <remarks>As on Azure a batch is not renewed while it is handled, and all of it shares one outcome: what the function
/// has not settled itself is completed when it returned and abandoned when it threw.</remarks>
sealed class MessageBatchSource(MessageFeed feed, MessageBroker broker) : ITriggerSource, IDisposable
{
    static readonly TimeSpan pause = TimeSpan.FromSeconds(1);

    readonly ServiceBusClient client = broker.CreateServiceBusClient();
    readonly CancellationTokenSource stopping = new();
    Task loop = Task.CompletedTask;

    public string Description => $"{feed.Description} (batches)";

    public Task StartAsync(CancellationToken cancellation)
    {
        loop = Task.Run(RunAsync, CancellationToken.None);
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellation) => feed.StopAsync(
        async () =>
        {
            await stopping.CancelAsync();
            await loop;
        },
        cancellation);

    public void Dispose()
    {
        stopping.Dispose();
        feed.Dispose();
    }

    async Task RunAsync()
    {
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                await using var receiver = await ReceiverAsync();
                await DrainAsync(receiver);
            }
            catch (OperationCanceledException) when (stopping.IsCancellationRequested)
            {
                return;
            }
            catch (ServiceBusException e)
            {
                // That no session had messages for a while is the usual case.
                if (e.Reason is not ServiceBusFailureReason.ServiceTimeout)
                {
                    feed.Note(e, ServiceBusErrorSource.Receive);
                    await Task.Delay(pause, broker.Clock, stopping.Token)
                        .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                }
            }
        }
    }

    async Task<ServiceBusReceiver> ReceiverAsync() => (feed.HasSessions, feed.Entity.Subscription) switch
    {
        (true, { } subscription) =>
            await client.AcceptNextSessionAsync(feed.Entity.Name, subscription, null, stopping.Token),
        (true, null) => await client.AcceptNextSessionAsync(feed.Entity.Name, options: null, stopping.Token),
        (false, { } subscription) => client.CreateReceiver(feed.Entity.Name, subscription),
        (false, null) => client.CreateReceiver(feed.Entity.Name),
    };

    async Task DrainAsync(ServiceBusReceiver receiver)
    {
        var isReleased = false;
        var wait = feed.HasSessions ? feed.Settings.SessionIdleTimeout : null;
        while (!isReleased)
        {
            var batch = await receiver.ReceiveMessagesAsync(
                feed.Settings.MaxMessageBatchSize, wait, stopping.Token);
            if (batch.Count > 0)
            {
                await HandleAsync([.. batch], receiver, () => isReleased = true);
            }
            else if (feed.HasSessions)
            {
                return;
            }
        }
    }

    async Task HandleAsync(ServiceBusReceivedMessage[] batch, ServiceBusReceiver receiver, Action release)
    {
        var settle = (ServiceBusReceivedMessage message) => receiver.AbandonMessageAsync(message);
        var source = ServiceBusErrorSource.Abandon;
        try
        {
            await feed.InvokeAsync(batch, receiver, release, broker.Clock);
            if (!feed.Completes)
            {
                return;
            }

            (settle, source) = (message => receiver.CompleteMessageAsync(message), ServiceBusErrorSource.Complete);
        }
        catch (Exception e)
        {
            feed.Note(e, ServiceBusErrorSource.ProcessMessageCallback);
        }

        foreach (var message in batch.Where(message => !message.IsSettled))
        {
            await SettleAsync(message, settle, source);
        }
    }

    // One lost lock must not keep the others of the batch from being settled.
    async Task SettleAsync(
        ServiceBusReceivedMessage message, Func<ServiceBusReceivedMessage, Task> settle, ServiceBusErrorSource source)
    {
        try
        {
            await settle(message);
        }
        catch (ServiceBusException e) when (e.Reason is not ServiceBusFailureReason.SessionLockLost)
        {
            feed.Note(e, source);
        }
    }
}
