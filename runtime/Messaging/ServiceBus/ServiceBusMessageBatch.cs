using Runtime.Messaging.Queues;

namespace Azure.Messaging.ServiceBus;

/// <summary>Messages that fit into one send, which stores all of them or none.</summary>
/// <remarks>A message is copied when it is added; changing it afterwards does not change the batch.</remarks>
public sealed class ServiceBusMessageBatch : IDisposable
{
    readonly BusConnection? connection;
    readonly List<Incoming> encoded = [];
    readonly IList<ServiceBusMessage>? store;
    readonly Func<ServiceBusMessage, bool>? tryAdd;

    internal ServiceBusMessageBatch(BusConnection connection, long sizeMax)
    {
        this.connection = connection;
        MaxSizeInBytes = sizeMax;
    }

    internal ServiceBusMessageBatch(
        long size, IList<ServiceBusMessage> store, long sizeMax, Func<ServiceBusMessage, bool>? tryAdd)
    {
        this.store = store;
        this.tryAdd = tryAdd;
        SizeInBytes = size;
        MaxSizeInBytes = sizeMax;
    }

    public long MaxSizeInBytes { get; }

    public long SizeInBytes { get; private set; }

    public int Count => store?.Count ?? encoded.Count;

    /// <summary>False when the message does not fit any more; the batch is as before then.</summary>
    public bool TryAddMessage(ServiceBusMessage message)
    {
        ArgumentNullException.ThrowIfNull(message);
        if (store is not null)
        {
            var fits = tryAdd?.Invoke(message) ?? true;
            if (fits)
            {
                store.Add(message);
            }

            return fits;
        }

        Incoming incoming;
        try
        {
            incoming = connection!.Encode(message);
        }
        catch (ServiceBusException e) when (e.Reason == ServiceBusFailureReason.MessageSizeExceeded)
        {
            return false;
        }

        if (SizeInBytes + incoming.Payload.Length > MaxSizeInBytes || Count == connection.Options.BatchMessagesMax)
        {
            return false;
        }

        encoded.Add(incoming);
        SizeInBytes += incoming.Payload.Length;
        return true;
    }

    public void Dispose()
    {
        encoded.Clear();
        SizeInBytes = 0;
    }

    internal List<Incoming> Take(BusConnection sender) =>
        store is null ? [.. encoded] : [.. store.Select(sender.Encode)];
}
