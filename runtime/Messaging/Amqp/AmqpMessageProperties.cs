namespace Azure.Core.Amqp;

/// <summary>The standard properties of an AMQP message.</summary>
public class AmqpMessageProperties
{
    internal AmqpMessageProperties()
    {
    }

    public AmqpMessageId? MessageId { get; set; }

    public ReadOnlyMemory<byte>? UserId { get; set; }

    public AmqpAddress? To { get; set; }

    public string? Subject { get; set; }

    public AmqpAddress? ReplyTo { get; set; }

    public AmqpMessageId? CorrelationId { get; set; }

    public string? ContentType { get; set; }

    public string? ContentEncoding { get; set; }

    public DateTimeOffset? AbsoluteExpiryTime { get; set; }

    public DateTimeOffset? CreationTime { get; set; }

    public string? GroupId { get; set; }

    public uint? GroupSequence { get; set; }

    public string? ReplyToGroupId { get; set; }
}

/// <summary>The transport header of an AMQP message.</summary>
public class AmqpMessageHeader
{
    internal AmqpMessageHeader()
    {
    }

    public bool? Durable { get; set; }

    public byte? Priority { get; set; }

    public TimeSpan? TimeToLive { get; set; }

    public bool? FirstAcquirer { get; set; }

    public uint? DeliveryCount { get; set; }
}

/// <summary>The id of a message; only text ids exist here.</summary>
public readonly struct AmqpMessageId : IEquatable<AmqpMessageId>
{
    readonly string value;

    public AmqpMessageId(string messageId)
    {
        ArgumentNullException.ThrowIfNull(messageId);
        value = messageId;
    }

    public static bool operator ==(AmqpMessageId left, AmqpMessageId right) => left.Equals(right);

    public static bool operator !=(AmqpMessageId left, AmqpMessageId right) => !left.Equals(right);

    public bool Equals(AmqpMessageId other) => value == other.value;

    public bool Equals(string other) => value == other;

    public override bool Equals(object? obj) => obj is AmqpMessageId other && Equals(other);

    public override int GetHashCode() => value?.GetHashCode(StringComparison.Ordinal) ?? 0;

    public override string ToString() => value ?? "";
}

/// <summary>The address of a node that messages go to.</summary>
public readonly struct AmqpAddress : IEquatable<AmqpAddress>
{
    readonly string value;

    public AmqpAddress(string address)
    {
        ArgumentNullException.ThrowIfNull(address);
        value = address;
    }

    public static bool operator ==(AmqpAddress left, AmqpAddress right) => left.Equals(right);

    public static bool operator !=(AmqpAddress left, AmqpAddress right) => !left.Equals(right);

    public bool Equals(AmqpAddress other) => value == other.value;

    public bool Equals(string other) => value == other;

    public override bool Equals(object? obj) => obj is AmqpAddress other && Equals(other);

    public override int GetHashCode() => value?.GetHashCode(StringComparison.Ordinal) ?? 0;

    public override string ToString() => value ?? "";
}
