using Azure.Core.Amqp;
using Runtime.Messaging.Storage;

namespace Azure.Messaging.ServiceBus;

/// <summary>A message to be sent to a queue or topic.</summary>
/// <remarks>Without a <see cref="MessageId"/> a message is never taken for a duplicate.</remarks>
public class ServiceBusMessage
{
    const int IdCharsMax = 128;
    readonly AmqpAnnotatedMessage message;

    public ServiceBusMessage() : this(default(ReadOnlyMemory<byte>))
    {
    }

    public ServiceBusMessage(string body) : this(new BinaryData(body))
    {
    }

    public ServiceBusMessage(ReadOnlyMemory<byte> body) => message = new(new AmqpMessageBody(new[] { body }));

    public ServiceBusMessage(BinaryData body)
    {
        ArgumentNullException.ThrowIfNull(body);
        message = new(new AmqpMessageBody(new[] { body.ToMemory() }));
    }

    public ServiceBusMessage(AmqpAnnotatedMessage message)
    {
        ArgumentNullException.ThrowIfNull(message);
        this.message = message;
    }

    /// <summary>Copies what the sender had set, not what the broker added: for sending a message on.</summary>
    public ServiceBusMessage(ServiceBusReceivedMessage receivedMessage)
    {
        ArgumentNullException.ThrowIfNull(receivedMessage);

        // Through the stored form: it carries exactly what a sender can set, and nothing is shared with the original.
        message = Payload.Decode(Payload.Encode(receivedMessage.GetRawAmqpMessage()));
        message.Header.DeliveryCount = null;
        message.MessageAnnotations.Remove(Annotations.DeadLetterSource);
        message.ApplicationProperties.Remove(Annotations.DeadLetterReason);
        message.ApplicationProperties.Remove(Annotations.DeadLetterErrorDescription);
    }

    public BinaryData Body
    {
        get => BinaryData.FromBytes(message.Body.Flatten());
        set
        {
            ArgumentNullException.ThrowIfNull(value);
            message.Body = new AmqpMessageBody(new[] { value.ToMemory() });
        }
    }

    public string? MessageId
    {
        get => message.Properties.MessageId?.ToString();
        set
        {
            if (string.IsNullOrEmpty(value) || value.Length > IdCharsMax)
            {
                throw new ArgumentException($"A message id has 1 to {IdCharsMax} characters.", nameof(value));
            }

            message.Properties.MessageId = new(value);
        }
    }

    public string? SessionId
    {
        get => message.Properties.GroupId;
        set
        {
            message.Properties.GroupId = Bounded(value, nameof(SessionId));
            if (PartitionKey is { } key && value is not null && key != value)
            {
                throw new ArgumentOutOfRangeException(nameof(value), value, "The partition key is another one.");
            }
        }
    }

    public string? PartitionKey
    {
        get => Annotation(Annotations.PartitionKey);
        set
        {
            Annotate(Annotations.PartitionKey, Bounded(value, nameof(PartitionKey)));
            if (SessionId is { } session && value is not null && value != session)
            {
                throw new ArgumentOutOfRangeException(nameof(value), value, "The session id is another one.");
            }
        }
    }

    public string? TransactionPartitionKey
    {
        get => Annotation(Annotations.ViaPartitionKey);
        set => Annotate(Annotations.ViaPartitionKey, Bounded(value, nameof(TransactionPartitionKey)));
    }

    public string? ReplyToSessionId
    {
        get => message.Properties.ReplyToGroupId;
        set => message.Properties.ReplyToGroupId = Bounded(value, nameof(ReplyToSessionId));
    }

    /// <summary>How long the message lives; the entity's own limit may be shorter.</summary>
    public TimeSpan TimeToLive
    {
        get => message.Header.TimeToLive ?? TimeSpan.MaxValue;
        set
        {
            ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(value, TimeSpan.Zero);
            message.Header.TimeToLive = value;
        }
    }

    public string? CorrelationId
    {
        get => message.Properties.CorrelationId?.ToString();
        set => message.Properties.CorrelationId = value is null ? null : new(value);
    }

    public string? Subject
    {
        get => message.Properties.Subject;
        set => message.Properties.Subject = value;
    }

    public string? To
    {
        get => message.Properties.To?.ToString();
        set => message.Properties.To = value is null ? null : new(value);
    }

    public string? ContentType
    {
        get => message.Properties.ContentType;
        set => message.Properties.ContentType = value;
    }

    public string? ReplyTo
    {
        get => message.Properties.ReplyTo?.ToString();
        set => message.Properties.ReplyTo = value is null ? null : new(value);
    }

    /// <summary>Until then the message waits in the broker, unseen; a time that has passed means now.</summary>
    public DateTimeOffset ScheduledEnqueueTime
    {
        get => message.MessageAnnotations.TryGetValue(Annotations.ScheduledEnqueueTime, out var time)
            ? (DateTime)time
            : default(DateTimeOffset);
        set => message.MessageAnnotations[Annotations.ScheduledEnqueueTime] = value.UtcDateTime;
    }

    public IDictionary<string, object> ApplicationProperties => message.ApplicationProperties;

    public AmqpAnnotatedMessage GetRawAmqpMessage() => message;

    public override string ToString() => $"{{MessageId:{MessageId}}}";

    static string? Bounded(string? value, string name) => value is { Length: > IdCharsMax }
        ? throw new ArgumentException($"{name} has at most {IdCharsMax} characters.", nameof(value))
        : value;

    string? Annotation(string name) =>
        message.MessageAnnotations.TryGetValue(name, out var value) ? value as string : null;

    void Annotate(string name, string? value)
    {
        if (value is null)
        {
            message.MessageAnnotations.Remove(name);
        }
        else
        {
            message.MessageAnnotations[name] = value;
        }
    }
}
