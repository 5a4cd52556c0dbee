using System.Buffers.Binary;
using System.Numerics;

namespace Runtime.Cosmos.Storage;

/// <summary>MurmurHash3, x64, 128 bits, seed zero: what the protocol hashes partition keys with.</summary>
static class Murmur3
{
    const ulong First = 0x87c37b91114253d5;
    const ulong Second = 0x4cf5ad432745937f;

    public static (ulong Low, ulong High) Hash(ReadOnlySpan<byte> bytes)
    {
        ulong low = 0, high = 0;
        var rest = bytes;
        for (; rest.Length >= 16; rest = rest[16..])
        {
            low ^= Mix(BinaryPrimitives.ReadUInt64LittleEndian(rest), First, 31, Second);
            low = ((BitOperations.RotateLeft(low, 27) + high) * 5) + 0x52dce729;
            high ^= Mix(BinaryPrimitives.ReadUInt64LittleEndian(rest[8..]), Second, 33, First);
            high = ((BitOperations.RotateLeft(high, 31) + low) * 5) + 0x38495ab5;
        }

        Span<byte> tail = stackalloc byte[16];
        rest.CopyTo(tail);
        high ^= Mix(BinaryPrimitives.ReadUInt64LittleEndian(tail[8..]), Second, 33, First);
        low ^= Mix(BinaryPrimitives.ReadUInt64LittleEndian(tail), First, 31, Second);

        low ^= (ulong)bytes.Length;
        high ^= (ulong)bytes.Length;
        low += high;
        high += low;
        low = Finish(low);
        high = Finish(high);
        low += high;
        high += low;
        return (low, high);
    }

    static ulong Mix(ulong block, ulong before, int rotation, ulong after) =>
        BitOperations.RotateLeft(block * before, rotation) * after;

    static ulong Finish(ulong value)
    {
        value = (value ^ (value >> 33)) * 0xff51afd7ed558ccd;
        value = (value ^ (value >> 33)) * 0xc4ceb9fe1a85ec53;
        return value ^ (value >> 33);
    }
}
