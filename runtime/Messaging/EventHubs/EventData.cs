using System.Globalization;
using Azure.Core;
using Azure.Core.Amqp;
using Runtime.Messaging.Storage;

namespace Azure.Messaging.EventHubs;

/// <summary>An event to be sent, or one that was read, with what the hub knows of it.</summary>
public class EventData : MessageContent
{
    readonly AmqpAnnotatedMessage message;
    readonly IReadOnlyDictionary<string, object> systemProperties;

    public EventData() : this(default(ReadOnlyMemory<byte>))
    {
    }

    public EventData(string eventBody) : this(new BinaryData(eventBody))
    {
    }

    public EventData(BinaryData eventBody) : this(
        eventBody?.ToMemory() ?? throw new ArgumentNullException(nameof(eventBody)))
    {
    }

    public EventData(ReadOnlyMemory<byte> eventBody) : this(new AmqpAnnotatedMessage(new(new[] { eventBody })))
    {
    }

    public EventData(AmqpAnnotatedMessage amqpMessage)
    {
        ArgumentNullException.ThrowIfNull(amqpMessage);
        message = amqpMessage;
        systemProperties = new Dictionary<string, object>();
    }

    protected EventData(
        BinaryData eventBody, IDictionary<string, object>? properties = null,
        IReadOnlyDictionary<string, object>? systemProperties = null, long sequenceNumber = long.MinValue,
        string? offsetString = null, DateTimeOffset enqueuedTime = default, string? partitionKey = null)
        : this(eventBody)
    {
        foreach (var (name, value) in properties ?? new Dictionary<string, object>())
        {
            message.ApplicationProperties.Add(name, value);
        }

        this.systemProperties = systemProperties ?? new Dictionary<string, object>();
        SequenceNumber = sequenceNumber;
        OffsetString = offsetString;
        EnqueuedTime = enqueuedTime;
        PartitionKey = partitionKey;
    }

    EventData(StoredEvent stored) : this(Payload.Decode(stored.Payload))
    {
        SequenceNumber = stored.Sequence;
        OffsetString = stored.Offset.ToString(CultureInfo.InvariantCulture);
        EnqueuedTime = new(stored.EnqueuedAt, TimeSpan.Zero);
        PartitionKey = stored.Key;
        var properties = new Dictionary<string, object>
        {
            [Annotations.SequenceNumber] = SequenceNumber,
            [Annotations.Offset] = OffsetString,
            [Annotations.EnqueuedTime] = EnqueuedTime,
        };
        if (PartitionKey is not null)
        {
            properties[Annotations.PartitionKey] = PartitionKey;
        }

        systemProperties = properties;
    }

    public BinaryData EventBody
    {
        get => BinaryData.FromBytes(message.Body.Flatten());
        set
        {
            ArgumentNullException.ThrowIfNull(value);
            message.Body = new(new[] { value.ToMemory() });
        }
    }

    public ReadOnlyMemory<byte> Body => message.Body.Flatten();

    public Stream BodyAsStream => EventBody.ToStream();

    public override BinaryData? Data
    {
        get => EventBody;
        set => EventBody = value!;
    }

    public override bool IsReadOnly => false;

    public new string? ContentType
    {
        get => message.Properties.ContentType;
        set => message.Properties.ContentType = value;
    }

    public string? MessageId
    {
        get => message.Properties.MessageId?.ToString();
        set => message.Properties.MessageId = value is null ? null : new(value);
    }

    public string? CorrelationId
    {
        get => message.Properties.CorrelationId?.ToString();
        set => message.Properties.CorrelationId = value is null ? null : new(value);
    }

    public IDictionary<string, object> Properties => message.ApplicationProperties;

    public IReadOnlyDictionary<string, object> SystemProperties => systemProperties;

    /// <summary>The event's place in its partition; of an event that was not read, the smallest number.</summary>
    public long SequenceNumber { get; } = long.MinValue;

    public string? OffsetString { get; }

    public DateTimeOffset EnqueuedTime { get; }

    public string? PartitionKey { get; }

    internal long OffsetNumber => long.Parse(OffsetString ?? "-1", CultureInfo.InvariantCulture);

    protected override ContentType? ContentTypeCore
    {
        get => ContentType is { } type ? new ContentType(type) : null;
        set => ContentType = value?.ToString();
    }

    public AmqpAnnotatedMessage GetRawAmqpMessage() => message;

    internal static EventData From(StoredEvent stored) => new(stored);
}
