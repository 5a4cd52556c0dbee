using System.Collections.ObjectModel;
using Azure.Core.Amqp;
using Runtime.Messaging.Storage;

namespace Azure.Messaging.ServiceBus;

/// <summary>A message as a receiver gets it, with everything the broker knows about it.</summary>
public class ServiceBusReceivedMessage
{
    readonly AmqpAnnotatedMessage message;

    internal ServiceBusReceivedMessage(AmqpAnnotatedMessage message, Guid lockToken)
    {
        this.message = message;
        LockTokenGuid = lockToken;
    }

    public BinaryData Body => BinaryData.FromBytes(message.Body.Flatten());

    public string? MessageId => message.Properties.MessageId?.ToString();

    public string? PartitionKey => Annotation<string>(Annotations.PartitionKey);

    public string? TransactionPartitionKey => Annotation<string>(Annotations.ViaPartitionKey);

    public string? SessionId => message.Properties.GroupId;

    public string? ReplyToSessionId => message.Properties.ReplyToGroupId;

    public TimeSpan TimeToLive => message.Header.TimeToLive ?? TimeSpan.MaxValue;

    public string? CorrelationId => message.Properties.CorrelationId?.ToString();

    public string? Subject => message.Properties.Subject;

    public string? To => message.Properties.To?.ToString();

    public string? ContentType => message.Properties.ContentType;

    public string? ReplyTo => message.Properties.ReplyTo?.ToString();

    public DateTimeOffset ScheduledEnqueueTime => Time(Annotations.ScheduledEnqueueTime);

    public IReadOnlyDictionary<string, object> ApplicationProperties =>
        new ReadOnlyDictionary<string, object>(message.ApplicationProperties);

    public string LockToken => LockTokenGuid.ToString();

    /// <summary>
    /// How often the message was handed out, this time included; a peeked message counts only past times.
    /// </summary>
    public int DeliveryCount => (int)(message.Header.DeliveryCount ?? 0);

    public DateTimeOffset LockedUntil
    {
        get => Time(Annotations.LockedUntil);
        internal set => message.MessageAnnotations[Annotations.LockedUntil] = value.UtcDateTime;
    }

    public long SequenceNumber => Annotation<long>(Annotations.SequenceNumber);

    /// <summary>The number the topic gave the message; in a queue the same as <see cref="SequenceNumber"/>.</summary>
    public long EnqueuedSequenceNumber => Annotation<long>(Annotations.EnqueuedSequenceNumber);

    public DateTimeOffset EnqueuedTime => Time(Annotations.EnqueuedTime);

    public DateTimeOffset ExpiresAt =>
        TimeToLive >= DateTimeOffset.MaxValue - EnqueuedTime ? DateTimeOffset.MaxValue : EnqueuedTime + TimeToLive;

    public string? DeadLetterSource => Annotation<string>(Annotations.DeadLetterSource);

    public string? DeadLetterReason => Property(Annotations.DeadLetterReason);

    public string? DeadLetterErrorDescription => Property(Annotations.DeadLetterErrorDescription);

    public ServiceBusMessageState State => (ServiceBusMessageState)Annotation<int>(Annotations.MessageState);

    internal Guid LockTokenGuid { get; }

    /// <summary>
    /// Whether a receiver has settled the message, so that nobody does it a second time for the user.
    /// </summary>
    internal bool IsSettled { get; set; }

    public static ServiceBusReceivedMessage FromAmqpMessage(AmqpAnnotatedMessage message, BinaryData lockTokenBytes)
    {
        ArgumentNullException.ThrowIfNull(message);
        ArgumentNullException.ThrowIfNull(lockTokenBytes);
        return new(message, lockTokenBytes.ToMemory() is { Length: 16 } token ? new Guid(token.Span) : Guid.Empty);
    }

    public AmqpAnnotatedMessage GetRawAmqpMessage() => message;

    public override string ToString() => $"{{MessageId:{MessageId}}}";

    T? Annotation<T>(string name) =>
        message.MessageAnnotations.TryGetValue(name, out var value) && value is T typed ? typed : default;

    DateTimeOffset Time(string name) =>
        message.MessageAnnotations.TryGetValue(name, out var value) && value is DateTime time ? time
            : default(DateTimeOffset);

    string? Property(string name) =>
        message.ApplicationProperties.TryGetValue(name, out var value) ? value as string : null;
}

public enum ServiceBusMessageState
{
    Active = 0,
    Deferred = 1,
    Scheduled = 2,
}
