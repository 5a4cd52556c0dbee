using System.Buffers;
using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text.Json;

namespace EventSourcing.Backup;

/// <summary>
/// A digest of a set of events in any order: the sum of their hashes. Two stores that hold the same events have the
/// same digest, however their streams are interleaved and however they write a number.
/// </summary>
sealed class EventDigest
{
    readonly ulong[] sums = new ulong[SHA256.HashSizeInBytes / sizeof(ulong)];

    public EventDigest(string? hex = null)
    {
        if (hex is null) return;
        var bytes = Convert.FromHexString(hex);
        for (var i = 0; i < sums.Length; i++)
            sums[i] = BinaryPrimitives.ReadUInt64BigEndian(bytes.AsSpan(i * sizeof(ulong)));
    }

    public void Add(StoredEvent stored)
    {
        var canonical = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(canonical))
            Write(writer, JsonSerializer.SerializeToElement(stored, StoredJson.Options));
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(canonical.WrittenSpan, hash);
        for (var i = 0; i < sums.Length; i++)
            unchecked
            {
                sums[i] += BinaryPrimitives.ReadUInt64BigEndian(hash[(i * sizeof(ulong))..]);
            }
    }

    public override string ToString()
    {
        var bytes = new byte[SHA256.HashSizeInBytes];
        for (var i = 0; i < sums.Length; i++)
            BinaryPrimitives.WriteUInt64BigEndian(bytes.AsSpan(i * sizeof(ulong)), sums[i]);
        return Convert.ToHexStringLower(bytes);
    }

    /// <summary>Members by name and numbers by value: a database may keep both in its own way.</summary>
    static void Write(Utf8JsonWriter writer, JsonElement element)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.Object:
                writer.WriteStartObject();
                foreach (var member in element.EnumerateObject().OrderBy(m => m.Name, StringComparer.Ordinal))
                {
                    writer.WritePropertyName(member.Name);
                    Write(writer, member.Value);
                }

                writer.WriteEndObject();
                break;
            case JsonValueKind.Array:
                writer.WriteStartArray();
                foreach (var item in element.EnumerateArray()) Write(writer, item);
                writer.WriteEndArray();
                break;
            case JsonValueKind.Number when element.TryGetInt64(out var whole):
                writer.WriteNumberValue(whole);
                break;
            case JsonValueKind.Number:
                writer.WriteNumberValue(element.GetDouble());
                break;
            default:
                element.WriteTo(writer);
                break;
        }
    }
}
