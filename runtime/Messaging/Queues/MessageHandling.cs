using Azure.Messaging.ServiceBus;

namespace Runtime.Messaging.Queues;

/// <summary>What both kinds of processor do with a message and with a lock.</summary>
static class MessageHandling
{
    static readonly TimeSpan RenewalBufferMax = TimeSpan.FromSeconds(10);

    /// <summary>Calls the handler, then settles what it left: completed when it returned, abandoned when it
    /// threw.</summary>
    /// <exception cref="ServiceBusException">The session's lock is lost, so the session has to be let go.</exception>
    public static async Task HandleAsync(
        ServiceBusReceiver receiver, ServiceBusReceivedMessage message, bool completes, Func<Task> handler,
        Func<Exception, ServiceBusErrorSource, Task> raise)
    {
        var source = ServiceBusErrorSource.ProcessMessageCallback;
        try
        {
            await handler();
            if (completes && receiver.ReceiveMode == ServiceBusReceiveMode.PeekLock && !message.IsSettled)
            {
                // Without the stopping token: what has been handled should not come again because of a shutdown.
                source = ServiceBusErrorSource.Complete;
                await receiver.CompleteMessageAsync(message);
            }
        }
        catch (Exception e)
        {
            await raise(e, source);
            var lost = (e as ServiceBusException)?.Reason is
                ServiceBusFailureReason.MessageLockLost or ServiceBusFailureReason.SessionLockLost;
            if (!lost && receiver.ReceiveMode == ServiceBusReceiveMode.PeekLock && !message.IsSettled)
            {
                await AbandonAsync(receiver, message, raise);
            }

            if (e is ServiceBusException { Reason: ServiceBusFailureReason.SessionLockLost })
            {
                throw;
            }
        }
    }

    /// <summary>Renews a lock in good time, again and again, until the duration is over or the token fires.</summary>
    public static async Task RenewAsync(
        TimeProvider clock, TimeSpan duration, Func<DateTimeOffset> lockedUntil, Func<Task> renew,
        Func<Exception, ServiceBusErrorSource, Task> raise, CancellationToken cancellation)
    {
        var end = duration == Timeout.InfiniteTimeSpan ? DateTimeOffset.MaxValue : clock.GetUtcNow() + duration;
        try
        {
            while (true)
            {
                var left = lockedUntil() - clock.GetUtcNow();
                var buffer = left / 2 < RenewalBufferMax ? left / 2 : RenewalBufferMax;
                await Task.Delay(left > buffer ? left - buffer : TimeSpan.Zero, clock, cancellation);
                if (clock.GetUtcNow() >= end)
                {
                    return;
                }

                await renew();
            }
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            // The message has been settled or the processor stops: nothing is left to be kept.
        }
        catch (Exception e)
        {
            if (!cancellation.IsCancellationRequested)
            {
                await raise(e, ServiceBusErrorSource.RenewLock);
            }
        }
    }

    static async Task AbandonAsync(
        ServiceBusReceiver receiver, ServiceBusReceivedMessage message,
            Func<Exception, ServiceBusErrorSource, Task> raise)
    {
        try
        {
            await receiver.AbandonMessageAsync(message);
        }
        catch (ServiceBusException e)
        {
            await raise(e, ServiceBusErrorSource.Abandon);
            if (e.Reason == ServiceBusFailureReason.SessionLockLost)
            {
                throw;
            }
        }
    }
}
