using Azure.Messaging.ServiceBus;
using Runtime.Messaging.Storage;

namespace Runtime.Messaging.Queues;

/// <summary>Dresses a delivery as the SDK's message.</summary>
static class ReceivedMessages
{
    public static ServiceBusReceivedMessage From(Delivery delivery)
    {
        var message = Payload.Decode(delivery.Payload);
        message.Header.DeliveryCount = (uint)delivery.DeliveryCount;
        if (delivery.ExpiresAt != Agenda.Never && delivery.Standing != Standing.Scheduled)
        {
            // The entity's own limit may have shortened what the sender asked for.
            message.Header.TimeToLive = new TimeSpan(delivery.ExpiresAt - delivery.EnqueuedAt);
        }

        var annotations = message.MessageAnnotations;
        annotations[Annotations.SequenceNumber] = delivery.Sequence;
        annotations[Annotations.EnqueuedSequenceNumber] = delivery.EnqueuedSequence;
        annotations[Annotations.EnqueuedTime] = new DateTime(delivery.EnqueuedAt, DateTimeKind.Utc);
        annotations[Annotations.MessageState] = (int)delivery.Standing;
        if (delivery.DueAt != 0)
        {
            annotations[Annotations.ScheduledEnqueueTime] = new DateTime(delivery.DueAt, DateTimeKind.Utc);
        }

        if (delivery.LockToken != Guid.Empty)
        {
            annotations[Annotations.LockedUntil] = new DateTime(delivery.LockedUntil, DateTimeKind.Utc);
        }

        return new(message, delivery.LockToken);
    }
}
