using System.Runtime.Serialization;

namespace Runtime.Messaging.Storage;

/// <summary>One application property or annotation as bytes, keeping its type.</summary>
/// <remarks>The tags are stored for ever: add, never renumber.</remarks>
static class PropertyValue
{
    enum Tag : byte
    {
        Null,
        Boolean,
        Byte,
        SByte,
        Int16,
        UInt16,
        Int32,
        UInt32,
        Int64,
        UInt64,
        Single,
        Double,
        Decimal,
        Char,
        String,
        Guid,
        DateTime,
        DateTimeOffset,
        TimeSpan,
        Uri,
        Bytes,
    }

    public static void Write(BinaryWriter writer, string name, object? value)
    {
        switch (value)
        {
            case null: Begin(writer, Tag.Null); break;
            case bool v: Begin(writer, Tag.Boolean).Write(v); break;
            case byte v: Begin(writer, Tag.Byte).Write(v); break;
            case sbyte v: Begin(writer, Tag.SByte).Write(v); break;
            case short v: Begin(writer, Tag.Int16).Write(v); break;
            case ushort v: Begin(writer, Tag.UInt16).Write(v); break;
            case int v: Begin(writer, Tag.Int32).Write(v); break;
            case uint v: Begin(writer, Tag.UInt32).Write(v); break;
            case long v: Begin(writer, Tag.Int64).Write(v); break;
            case ulong v: Begin(writer, Tag.UInt64).Write(v); break;
            case float v: Begin(writer, Tag.Single).Write(v); break;
            case double v: Begin(writer, Tag.Double).Write(v); break;
            case decimal v: Begin(writer, Tag.Decimal).Write(v); break;
            case char v: Begin(writer, Tag.Char).Write((ushort)v); break;
            case string v: Begin(writer, Tag.String).Write(v); break;
            case Guid v: Begin(writer, Tag.Guid).Write(v.ToByteArray()); break;
            case DateTime v: Begin(writer, Tag.DateTime).Write(UtcTicks(v)); break;
            case DateTimeOffset v: Begin(writer, Tag.DateTimeOffset).Write(v.UtcTicks); break;
            case TimeSpan v: Begin(writer, Tag.TimeSpan).Write(v.Ticks); break;
            case Uri v: Begin(writer, Tag.Uri).Write(v.OriginalString); break;
            case byte[] v:
                Begin(writer, Tag.Bytes).Write7BitEncodedInt(v.Length);
                writer.Write(v);
                break;
            default:
                throw new SerializationException(
                    $"The property '{name}' has the type {value.GetType()}, which a message does not carry.");
        }
    }

    public static object? Read(BinaryReader reader) => (Tag)reader.ReadByte() switch
    {
        Tag.Null => null,
        Tag.Boolean => reader.ReadBoolean(),
        Tag.Byte => reader.ReadByte(),
        Tag.SByte => reader.ReadSByte(),
        Tag.Int16 => reader.ReadInt16(),
        Tag.UInt16 => reader.ReadUInt16(),
        Tag.Int32 => reader.ReadInt32(),
        Tag.UInt32 => reader.ReadUInt32(),
        Tag.Int64 => reader.ReadInt64(),
        Tag.UInt64 => reader.ReadUInt64(),
        Tag.Single => reader.ReadSingle(),
        Tag.Double => reader.ReadDouble(),
        Tag.Decimal => reader.ReadDecimal(),
        Tag.Char => (char)reader.ReadUInt16(),
        Tag.String => reader.ReadString(),
        Tag.Guid => new Guid(reader.ReadBytes(16)),
        Tag.DateTime => new DateTime(reader.ReadInt64(), DateTimeKind.Utc),
        Tag.DateTimeOffset => new DateTimeOffset(reader.ReadInt64(), TimeSpan.Zero),
        Tag.TimeSpan => new TimeSpan(reader.ReadInt64()),
        Tag.Uri => new Uri(reader.ReadString(), UriKind.RelativeOrAbsolute),
        Tag.Bytes => reader.ReadBytes(reader.Read7BitEncodedInt()),
        var tag => throw new InvalidDataException($"A stored property has the unknown type tag {(byte)tag}."),
    };

    /// <summary>A time without a zone is taken as UTC: whose zone would it be at the receiver?</summary>
    static long UtcTicks(DateTime time) => (time.Kind == DateTimeKind.Local ? time.ToUniversalTime() : time).Ticks;

    static BinaryWriter Begin(BinaryWriter writer, Tag tag)
    {
        writer.Write((byte)tag);
        return writer;
    }
}
