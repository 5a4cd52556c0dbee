using System.Diagnostics;
using System.Runtime.Serialization;
using System.Text;
using Azure.Messaging.ServiceBus;
using Runtime.Messaging.Storage;

namespace Runtime.Messaging.Queues;

/// <summary>
/// A Service Bus client's way to its broker: it finds it, calls it and words its failures as the SDK does.
/// </summary>
sealed class BusConnection(string fullyQualifiedNamespace, MessageBroker? broker, ServiceBusRetryOptions retries)
{
    public string FullyQualifiedNamespace { get; } = fullyQualifiedNamespace;

    public TimeSpan TryTimeout { get; } = retries.TryTimeout;

    public bool IsClosed { get; set; }

    public TimeProvider Clock => Broker.Options.Clock;

    public MessageBrokerOptions Options => Broker.Options;

    MessageBroker Broker => broker ?? LocalNetwork.Find(FullyQualifiedNamespace) ?? throw new ServiceBusException(
        $"No broker of the namespace '{FullyQualifiedNamespace}' is open in this process. " +
        "Open a MessageBroker with that namespace first; this build reaches no network.",
        ServiceBusFailureReason.ServiceCommunicationProblem);

    public Task<T> CallAsync<T>(Func<QueueDirectory, T> operation, CancellationToken cancellation) => Word(() =>
    {
        cancellation.ThrowIfCancellationRequested();
        var target = Broker;
        return target.Kernel.RunAsync(() => operation(target.Queues));
    });

    public Task CallAsync(Action<QueueDirectory> operation, CancellationToken cancellation) => CallAsync(
        queues =>
        {
            operation(queues);
            return true;
        },
        cancellation);

    public Incoming Encode(ServiceBusMessage message)
    {
        if (message.ApplicationProperties.Count > 0)
        {
            PropertyLimits.Check(message.ApplicationProperties);
        }

        // The SDK links sender and receiver by this id.
        var payload = Payload.Encode(message.GetRawAmqpMessage(), Activity.Current?.Id);
        if (payload.Length > Options.MessageBytesMax)
        {
            throw new ServiceBusException(
                $"The message has {payload.Length} bytes; {Options.MessageBytesMax} are allowed.",
                ServiceBusFailureReason.MessageSizeExceeded);
        }

        var due = message.ScheduledEnqueueTime;
        return new(
            payload, message.MessageId, message.SessionId,
            message.TimeToLive == TimeSpan.MaxValue ? Agenda.Never : message.TimeToLive.Ticks,
            due == default ? 0 : due.UtcTicks);
    }

    public async Task<long[]> SendAsync(string path, IReadOnlyList<Incoming> messages, CancellationToken cancellation)
    {
        var (sequences, losesAnswer) = await CallAsync(queues => queues.Target(path).Send(messages), cancellation);
        return losesAnswer
            ? throw new ServiceBusException(
                "An injected fault: the messages are stored, but the answer got lost.",
                ServiceBusFailureReason.ServiceTimeout, path)
            : sequences;
    }

    /// <summary>Waits for messages, at most <paramref name="wait"/>; empty when none came.</summary>
    public Task<IReadOnlyList<ServiceBusReceivedMessage>> ReceiveAsync(
        string path, int countMax, bool andDelete, SessionGrant? grant, TimeSpan wait,
            CancellationToken cancellation) =>
        Word<IReadOnlyList<ServiceBusReceivedMessage>>(async () =>
        {
            cancellation.ThrowIfCancellationRequested();
            var target = Broker;
            var count = Math.Min(countMax, Options.ReceiveMessagesMax);
            var (taken, waiter, queue) = await target.Kernel.RunAsync(() =>
            {
                var queue = target.Queues.Queue(path);
                var taken = queue.Receive(count, andDelete, grant);
                var waiter = taken.Count == 0 && wait > TimeSpan.Zero
                    ? queue.Wait(count, andDelete, grant, wait.Ticks)
                    : null;
                return (taken, waiter, queue);
            });
            if (waiter is not null)
            {
                await using (Cancel(target, queue, waiter, cancellation))
                {
                    taken = await waiter.Answer;
                }
            }

            return [.. taken.Select(ReceivedMessages.From)];
        });

    public Task<SessionGrant> AcceptNextAsync(string path, CancellationToken cancellation) => Word(async () =>
    {
        cancellation.ThrowIfCancellationRequested();
        var target = Broker;
        var (grant, waiter, queue) = await target.Kernel.RunAsync(() =>
        {
            var queue = SessionQueue(target.Queues, path);
            var grant = queue.AcceptNextSession();
            return (grant, grant is null ? queue.WaitForSession(TryTimeout.Ticks) : null, queue);
        });
        if (waiter is not null)
        {
            await using (Cancel(target, queue, waiter, cancellation))
            {
                grant = await waiter.Answer;
            }
        }

        return grant ?? throw new ServiceBusException(
            $"No session had messages within {TryTimeout}.", ServiceBusFailureReason.ServiceTimeout, path);
    });

    public Task<SessionGrant> AcceptAsync(string path, string sessionId, CancellationToken cancellation) =>
        CallAsync(queues => SessionQueue(queues, path).AcceptSession(sessionId), cancellation);

    static MessageQueue SessionQueue(QueueDirectory queues, string path)
    {
        var queue = queues.Queue(path);
        return queue.RequiresSession
            ? queue
            : throw new InvalidOperationException($"'{path}' has no sessions; create a receiver without one.");
    }

    static CancellationTokenRegistration Cancel(
        MessageBroker broker, MessageQueue queue, Waiter waiter, CancellationToken cancellation) =>
        cancellation.Register(() =>
        {
            lock (broker.Kernel.Gate)
            {
                // Whoever is served already keeps what was locked for him; a cancelled wait has been served nothing.
                if (queue.Forget(waiter))
                {
                    waiter.Fail(new OperationCanceledException(cancellation));
                }
            }
        });

    /// <summary>What happens to the broker is, seen from a client, trouble on the way to it.</summary>
    static async Task<T> Word<T>(Func<Task<T>> call)
    {
        try
        {
            return await call();
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            throw new ServiceBusException(
                e.Message, ServiceBusFailureReason.ServiceCommunicationProblem, innerException: e);
        }
    }
}

/// <summary>The service's bounds on application properties.</summary>
static class PropertyLimits
{
    const int PropertyBytesMax = 32 * 1024;
    const int PropertiesBytesMax = 64 * 1024;

    public static void Check(IEnumerable<KeyValuePair<string, object>> properties)
    {
        var total = 0;
        foreach (var (name, value) in properties)
        {
            var size = name.Length + value switch
            {
                string text => Encoding.UTF8.GetByteCount(text),
                byte[] bytes => bytes.Length,
                _ => sizeof(decimal),
            };
            if (size > PropertyBytesMax)
            {
                throw new SerializationException($"The property '{name}' has more than {PropertyBytesMax} bytes.");
            }

            total += size;
        }

        if (total > PropertiesBytesMax)
        {
            throw new SerializationException($"The properties have {total} bytes; {PropertiesBytesMax} are allowed.");
        }
    }
}
