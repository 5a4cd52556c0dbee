using System.Buffers.Binary;
using System.Text;

namespace Runtime.Messaging.Hubs;

/// <summary>Which partition a key belongs to: the same one as on Azure, for ever.</summary>
/// <remarks>Bob Jenkins' lookup3 (hashlittle2, both seeds 0) over the key's UTF-8 bytes; the two halves are joined by
/// exclusive or and cut to 16 signed bits, and the partition is the absolute remainder by the partition count.
/// Changing this would tear the order of every key apart.</remarks>
static class PartitionHash
{
    public static int Partition(string key, int partitionCount) => Math.Abs(Of(key) % partitionCount);

    public static short Of(string key)
    {
        var bytes = Encoding.UTF8.GetBytes(key);
        var (a, b, c) = (0xDEADBEEFu, 0xDEADBEEFu, 0xDEADBEEFu);
        a += (uint)bytes.Length;
        b += (uint)bytes.Length;
        c += (uint)bytes.Length;
        ReadOnlySpan<byte> rest = bytes;
        while (rest.Length > 12)
        {
            Add(rest, ref a, ref b, ref c);
            Mix(ref a, ref b, ref c);
            rest = rest[12..];
        }

        if (rest.Length > 0)
        {
            // Zeros behind the last bytes add nothing, which is what the algorithm asks for a short tail.
            Span<byte> last = stackalloc byte[12];
            last.Clear();
            rest.CopyTo(last);
            Add(last, ref a, ref b, ref c);
            Finish(ref a, ref b, ref c);
        }

        return unchecked((short)(c ^ b));
    }

    static void Add(ReadOnlySpan<byte> twelve, ref uint a, ref uint b, ref uint c)
    {
        a += BinaryPrimitives.ReadUInt32LittleEndian(twelve);
        b += BinaryPrimitives.ReadUInt32LittleEndian(twelve[4..]);
        c += BinaryPrimitives.ReadUInt32LittleEndian(twelve[8..]);
    }

    static void Mix(ref uint a, ref uint b, ref uint c)
    {
        Step(ref a, c, 4);
        c += b;
        Step(ref b, a, 6);
        a += c;
        Step(ref c, b, 8);
        b += a;
        Step(ref a, c, 16);
        c += b;
        Step(ref b, a, 19);
        a += c;
        Step(ref c, b, 4);
        b += a;
    }

    static void Step(ref uint x, uint y, int bits) => x = (x - y) ^ uint.RotateLeft(y, bits);

    static void Finish(ref uint a, ref uint b, ref uint c)
    {
        Last(ref c, b, 14);
        Last(ref a, c, 11);
        Last(ref b, a, 25);
        Last(ref c, b, 16);
        Last(ref a, c, 4);
        Last(ref b, a, 14);
        Last(ref c, b, 24);
    }

    static void Last(ref uint x, uint y, int bits) => x = (x ^ y) - uint.RotateLeft(y, bits);
}
