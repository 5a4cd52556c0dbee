using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using Runtime.Cosmos.Http;

namespace Runtime.Cosmos.Batch;

/// <summary>The frame of the HybridRow binary format, as far as batches use it.</summary>
/// <remarks>
/// A body is one segment row and then, for each operation or result, a record header (length and CRC-32) and the row.
/// A row is version, schema id, one presence byte, the fixed fields (always there), the present variable fields in
/// order (7-bit length, bytes) and sparse fields (type, token, value) to its end.
/// https://github.com/microsoft/HybridRow
/// </remarks>
static class HybridRow
{
    public const byte Version = 0x81;
    public const int SegmentSchema = 2147473648;
    public const int RecordSchema = 2147473649;
    public const int OperationSchema = 2145473648;
    public const int ResultSchema = 2145473649;
    public const int SegmentBytes = 10;
    public const int RecordBytes = 13;

    public const byte FalseType = 2;
    public const byte TrueType = 3;
    public const byte Int32Type = 7;
    public const byte UInt32Type = 11;
    public const byte Float64Type = 16;
    public const byte Utf8Type = 20;
}

/// <summary>Reads rows out of bytes a client sent; refuses whatever does not fit.</summary>
ref struct HybridRowReader(ReadOnlySpan<byte> bytes)
{
    ReadOnlySpan<byte> rest = bytes;

    public readonly bool IsAtEnd => rest.IsEmpty;

    public ReadOnlySpan<byte> Take(int count)
    {
        if (count < 0 || count > rest.Length)
        {
            throw Refused.BadRequest("The batch body is cut off or not in the HybridRow format.");
        }

        var taken = rest[..count];
        rest = rest[count..];
        return taken;
    }

    public byte Byte() => Take(1)[0];

    public int Int32() => BinaryPrimitives.ReadInt32LittleEndian(Take(4));

    public uint UInt32() => BinaryPrimitives.ReadUInt32LittleEndian(Take(4));

    public int Varint()
    {
        var value = 0u;
        for (var shift = 0; shift < 35; shift += 7)
        {
            var next = Byte();
            value |= (uint)(next & 0x7F) << shift;
            if (next < 0x80)
            {
                return value <= int.MaxValue
                    ? (int)value
                    : throw Refused.BadRequest("A length in the batch is too large.");
            }
        }

        throw Refused.BadRequest("A length in the batch body never ends.");
    }

    public ReadOnlySpan<byte> Variable() => Take(Varint());

    public string Utf8() => Encoding.UTF8.GetString(Variable());

    public void Expect(int schema)
    {
        if (Byte() != HybridRow.Version || Int32() != schema)
        {
            throw Refused.BadRequest("The batch body is not in the HybridRow format.");
        }
    }
}

/// <summary>Writes the rows of an answer.</summary>
sealed class HybridRowWriter
{
    readonly ArrayBufferWriter<byte> output = new();

    public HybridRowWriter()
    {
        Header(HybridRow.SegmentSchema);
        Byte(1);
        Int32(HybridRow.SegmentBytes);
    }

    public ReadOnlyMemory<byte> Written => output.WrittenMemory;

    public void Record(ReadOnlySpan<byte> row)
    {
        Header(HybridRow.RecordSchema);
        Int32(row.Length);
        Int32((int)Crc32.Hash(row));
        output.Write(row);
    }

    void Header(int schema)
    {
        Byte(HybridRow.Version);
        Int32(schema);
    }

    void Byte(byte value) => output.Write([value]);

    void Int32(int value)
    {
        BinaryPrimitives.WriteInt32LittleEndian(output.GetSpan(4), value);
        output.Advance(4);
    }
}

/// <summary>The CRC-32 of zip and gzip.</summary>
static class Crc32
{
    static readonly uint[] Table = [.. Enumerable.Range(0, 256).Select(entry =>
    {
        var value = (uint)entry;
        for (var bit = 0; bit < 8; bit++)
        {
            value = (value & 1) == 1 ? (value >> 1) ^ 0xEDB88320 : value >> 1;
        }

        return value;
    })];

    public static uint Hash(ReadOnlySpan<byte> bytes)
    {
        var hash = uint.MaxValue;
        foreach (var next in bytes)
        {
            hash = Table[(byte)(hash ^ next)] ^ (hash >> 8);
        }

        return ~hash;
    }
}
