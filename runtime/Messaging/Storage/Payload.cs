using System.Runtime.Serialization;
using System.Text;
using Azure.Core.Amqp;

namespace Runtime.Messaging.Storage;

/// <summary>The bytes a message is stored as.</summary>
/// <remarks>A storage contract: files written by one version are read by the next. Add behind new presence bits or
/// raise <see cref="Version"/>; never change what is there. Everything a sender can set travels, whatever the broker
/// itself adds (sequence, times, lock) does not: that is kept in columns, because it changes.</remarks>
static class Payload
{
    const byte Version = 1;

    /// <summary>
    /// Annotations that belong to the broker: a sender who copies a received message must not forge them.
    /// </summary>
    static readonly HashSet<string> Volatile =
    [
        Annotations.SequenceNumber, Annotations.EnqueuedSequenceNumber, Annotations.EnqueuedTime,
        Annotations.LockedUntil, Annotations.MessageState, Annotations.ScheduledEnqueueTime, Annotations.Offset,
    ];

    [Flags]
    enum Present
    {
        MessageId = 1 << 0,
        UserId = 1 << 1,
        To = 1 << 2,
        Subject = 1 << 3,
        ReplyTo = 1 << 4,
        CorrelationId = 1 << 5,
        ContentType = 1 << 6,
        ContentEncoding = 1 << 7,
        AbsoluteExpiryTime = 1 << 8,
        CreationTime = 1 << 9,
        GroupId = 1 << 10,
        GroupSequence = 1 << 11,
        ReplyToGroupId = 1 << 12,
        TimeToLive = 1 << 13,
        Durable = 1 << 14,
        Priority = 1 << 15,
        FirstAcquirer = 1 << 16,
    }

    /// <exception cref="SerializationException">A property has a type that AMQP does not carry.</exception>
    /// <param name="message">What is sent.</param>
    /// <param name="diagnosticId">The sender's trace, added as an application property unless there is one.</param>
    public static byte[] Encode(AmqpAnnotatedMessage message, string? diagnosticId = null)
    {
        var body = message.Body.Flatten();
        using var buffer = new MemoryStream(body.Length + 256);
        using var writer = new BinaryWriter(buffer, Encoding.UTF8);
        writer.Write(Version);
        WriteProperties(writer, message);
        WriteApplicationProperties(writer, message, diagnosticId);
        WriteMap(writer, message, AmqpMessageSection.MessageAnnotations);
        WriteMap(writer, message, AmqpMessageSection.DeliveryAnnotations);
        WriteMap(writer, message, AmqpMessageSection.Footer);
        writer.Write(body.Span);
        return buffer.ToArray();
    }

    /// <summary>
    /// Reads a message back; the body is a view of <paramref name="payload"/>, which nobody may change.
    /// </summary>
    public static AmqpAnnotatedMessage Decode(byte[] payload)
    {
        using var buffer = new MemoryStream(payload, writable: false);
        using var reader = new BinaryReader(buffer, Encoding.UTF8);
        var version = reader.ReadByte();
        if (version != Version)
        {
            throw new InvalidDataException($"A message is stored in format {version}; this build reads {Version}.");
        }

        var message = new AmqpAnnotatedMessage(new AmqpMessageBody([]));
        ReadProperties(reader, message);
        ReadMap(reader, () => message.ApplicationProperties);
        ReadMap(reader, () => message.MessageAnnotations);
        ReadMap(reader, () => message.DeliveryAnnotations);
        ReadMap(reader, () => message.Footer);
        message.Body = new AmqpMessageBody(new[] { new ReadOnlyMemory<byte>(payload)[(int)buffer.Position..] });
        return message;
    }

    static void WriteProperties(BinaryWriter writer, AmqpAnnotatedMessage message)
    {
        var properties = message.HasSection(AmqpMessageSection.Properties) ? message.Properties : new();
        var header = message.HasSection(AmqpMessageSection.Header) ? message.Header : new();
        var present = Mark(properties) | Mark(header);
        writer.Write((int)present);
        WriteText(writer, properties.MessageId?.ToString());
        if (properties.UserId is { } user)
        {
            writer.Write7BitEncodedInt(user.Length);
            writer.Write(user.Span);
        }

        WriteText(writer, properties.To?.ToString());
        WriteText(writer, properties.Subject);
        WriteText(writer, properties.ReplyTo?.ToString());
        WriteText(writer, properties.CorrelationId?.ToString());
        WriteText(writer, properties.ContentType);
        WriteText(writer, properties.ContentEncoding);
        WriteTicks(writer, properties.AbsoluteExpiryTime?.UtcTicks);
        WriteTicks(writer, properties.CreationTime?.UtcTicks);
        WriteText(writer, properties.GroupId);
        WriteTicks(writer, properties.GroupSequence);
        WriteText(writer, properties.ReplyToGroupId);
        WriteTicks(writer, header.TimeToLive?.Ticks);
        WriteTicks(writer, header.Durable is { } durable ? durable ? 1 : 0 : null);
        WriteTicks(writer, header.Priority);
        WriteTicks(writer, header.FirstAcquirer is { } first ? first ? 1 : 0 : null);
    }

    static Present Mark(AmqpMessageProperties properties) =>
        Bit(properties.MessageId is not null, Present.MessageId) | Bit(properties.UserId is not null, Present.UserId) |
        Bit(properties.To is not null, Present.To) | Bit(properties.Subject is not null, Present.Subject) |
        Bit(properties.ReplyTo is not null, Present.ReplyTo) |
        Bit(properties.CorrelationId is not null, Present.CorrelationId) |
        Bit(properties.ContentType is not null, Present.ContentType) |
        Bit(properties.ContentEncoding is not null, Present.ContentEncoding) |
        Bit(properties.AbsoluteExpiryTime is not null, Present.AbsoluteExpiryTime) |
        Bit(properties.CreationTime is not null, Present.CreationTime) |
        Bit(properties.GroupId is not null, Present.GroupId) |
        Bit(properties.GroupSequence is not null, Present.GroupSequence) |
        Bit(properties.ReplyToGroupId is not null, Present.ReplyToGroupId);

    static Present Mark(AmqpMessageHeader header) =>
        Bit(header.TimeToLive is not null, Present.TimeToLive) | Bit(header.Durable is not null, Present.Durable) |
        Bit(header.Priority is not null, Present.Priority) |
        Bit(header.FirstAcquirer is not null, Present.FirstAcquirer);

    static Present Bit(bool present, Present bit) => present ? bit : 0;

    static void WriteText(BinaryWriter writer, string? text)
    {
        if (text is not null)
        {
            writer.Write(text);
        }
    }

    static void WriteTicks(BinaryWriter writer, long? number)
    {
        if (number is { } value)
        {
            writer.Write(value);
        }
    }

    static void ReadProperties(BinaryReader reader, AmqpAnnotatedMessage message)
    {
        var present = (Present)reader.ReadInt32();
        var properties = message.Properties;
        string? Text(Present bit) => present.HasFlag(bit) ? reader.ReadString() : null;
        long? Number(Present bit) => present.HasFlag(bit) ? reader.ReadInt64() : null;
        DateTimeOffset? Time(Present bit) => Number(bit) is { } ticks ? new(ticks, TimeSpan.Zero) : null;
        properties.MessageId = Text(Present.MessageId) is { } id ? new(id) : null;
        properties.UserId = present.HasFlag(Present.UserId)
            ? new ReadOnlyMemory<byte>(reader.ReadBytes(reader.Read7BitEncodedInt()))
            : null;
        properties.To = Text(Present.To) is { } to ? new(to) : null;
        properties.Subject = Text(Present.Subject);
        properties.ReplyTo = Text(Present.ReplyTo) is { } replyTo ? new(replyTo) : null;
        properties.CorrelationId = Text(Present.CorrelationId) is { } correlation ? new(correlation) : null;
        properties.ContentType = Text(Present.ContentType);
        properties.ContentEncoding = Text(Present.ContentEncoding);
        properties.AbsoluteExpiryTime = Time(Present.AbsoluteExpiryTime);
        properties.CreationTime = Time(Present.CreationTime);
        properties.GroupId = Text(Present.GroupId);
        properties.GroupSequence = (uint?)Number(Present.GroupSequence);
        properties.ReplyToGroupId = Text(Present.ReplyToGroupId);
        message.Header.TimeToLive = Number(Present.TimeToLive) is { } life ? new(life) : null;
        message.Header.Durable = Number(Present.Durable) is { } durable ? durable == 1 : null;
        message.Header.Priority = (byte?)Number(Present.Priority);
        message.Header.FirstAcquirer = Number(Present.FirstAcquirer) is { } first ? first == 1 : null;
    }

    static void WriteApplicationProperties(BinaryWriter writer, AmqpAnnotatedMessage message, string? diagnosticId)
    {
        var present = message.HasSection(AmqpMessageSection.ApplicationProperties);
        var traced = diagnosticId is not null &&
            !(present && message.ApplicationProperties.ContainsKey(Annotations.DiagnosticId));
        writer.Write7BitEncodedInt((present ? message.ApplicationProperties.Count : 0) + (traced ? 1 : 0));
        if (traced)
        {
            writer.Write(Annotations.DiagnosticId);
            PropertyValue.Write(writer, Annotations.DiagnosticId, diagnosticId);
        }

        foreach (var (key, value) in present ? message.ApplicationProperties : new Dictionary<string, object>())
        {
            writer.Write(key);
            PropertyValue.Write(writer, key, value);
        }
    }

    static void WriteMap(BinaryWriter writer, AmqpAnnotatedMessage message, AmqpMessageSection section)
    {
        if (!message.HasSection(section))
        {
            writer.Write7BitEncodedInt(0);
            return;
        }

        var map = section switch
        {
            AmqpMessageSection.MessageAnnotations => message.MessageAnnotations,
            AmqpMessageSection.DeliveryAnnotations => message.DeliveryAnnotations,
            _ => message.Footer,
        };
        var annotations = section == AmqpMessageSection.MessageAnnotations;
        writer.Write7BitEncodedInt(annotations ? map.Keys.Count(key => !Volatile.Contains(key)) : map.Count);
        foreach (var (key, value) in map)
        {
            if (!annotations || !Volatile.Contains(key))
            {
                writer.Write(key);
                PropertyValue.Write(writer, key, value);
            }
        }
    }

    static void ReadMap(BinaryReader reader, Func<IDictionary<string, object>> map)
    {
        for (var left = reader.Read7BitEncodedInt(); left > 0; left--)
        {
            map().Add(reader.ReadString(), PropertyValue.Read(reader)!);
        }
    }
}
