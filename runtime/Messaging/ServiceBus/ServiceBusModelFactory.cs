using Azure.Core.Amqp;
using Runtime.Messaging.Storage;

namespace Azure.Messaging.ServiceBus;

/// <summary>Makes the messages a test wants to have received.</summary>
public static class ServiceBusModelFactory
{
    public static ServiceBusReceivedMessage ServiceBusReceivedMessage(
        BinaryData? body = default, string? messageId = default, string? partitionKey = default,
        string? viaPartitionKey = default, string? sessionId = default, string? replyToSessionId = default,
        TimeSpan timeToLive = default, string? correlationId = default, string? subject = default,
        string? to = default, string? contentType = default, string? replyTo = default,
        DateTimeOffset scheduledEnqueueTime = default, IDictionary<string, object>? properties = default,
        Guid lockTokenGuid = default, int deliveryCount = default, DateTimeOffset lockedUntil = default,
        long sequenceNumber = -1, string? deadLetterSource = default, long enqueuedSequenceNumber = default,
        DateTimeOffset enqueuedTime = default, ServiceBusMessageState serviceBusMessageState = default)
    {
        var message = new AmqpAnnotatedMessage(new AmqpMessageBody(new[] { body?.ToMemory() ?? default }));
        message.Properties.MessageId = messageId is null ? null : new(messageId);
        message.Properties.GroupId = sessionId;
        message.Properties.ReplyToGroupId = replyToSessionId;
        message.Properties.CorrelationId = correlationId is null ? null : new(correlationId);
        message.Properties.Subject = subject;
        message.Properties.To = to is null ? null : new(to);
        message.Properties.ContentType = contentType;
        message.Properties.ReplyTo = replyTo is null ? null : new(replyTo);
        message.Header.TimeToLive = timeToLive == default ? null : timeToLive;
        message.Header.DeliveryCount = (uint)deliveryCount;
        foreach (var (name, value) in properties ?? new Dictionary<string, object>())
        {
            message.ApplicationProperties.Add(name, value);
        }

        var annotations = message.MessageAnnotations;
        annotations[Annotations.PartitionKey] = partitionKey!;
        annotations[Annotations.ViaPartitionKey] = viaPartitionKey!;
        annotations[Annotations.DeadLetterSource] = deadLetterSource!;
        annotations[Annotations.ScheduledEnqueueTime] = scheduledEnqueueTime.UtcDateTime;
        annotations[Annotations.LockedUntil] = lockedUntil.UtcDateTime;
        annotations[Annotations.EnqueuedTime] = enqueuedTime.UtcDateTime;
        annotations[Annotations.SequenceNumber] = sequenceNumber;
        annotations[Annotations.EnqueuedSequenceNumber] = enqueuedSequenceNumber;
        annotations[Annotations.MessageState] = (int)serviceBusMessageState;
        return new(message, lockTokenGuid);
    }

    /// <summary>
    /// A batch that keeps its messages in the given list and asks the callback whether one still fits.
    /// </summary>
    public static ServiceBusMessageBatch ServiceBusMessageBatch(
        long batchSizeBytes, IList<ServiceBusMessage> batchMessageStore,
        CreateMessageBatchOptions? batchOptions = default, Func<ServiceBusMessage, bool>? tryAddCallback = default)
    {
        ArgumentNullException.ThrowIfNull(batchMessageStore);
        return new(batchSizeBytes, batchMessageStore, batchOptions?.MaxSizeInBytes ?? long.MaxValue, tryAddCallback);
    }
}
