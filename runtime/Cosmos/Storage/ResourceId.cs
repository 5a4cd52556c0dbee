using System.Buffers.Binary;

namespace Runtime.Cosmos.Storage;

/// <summary>
/// Resource ids as clients decode them: base64 of bytes that hold the parents' numbers and their own.
/// </summary>
/// <remarks>
/// Four bytes name a database, eight a container (the ninth-highest bit set marks it as one), sixteen an item or a
/// partition key range, told apart by the high nibble of the last byte. Clients cut a container's id to find its
/// database and put both into lease names, so the numbers are stored and never given out twice.
/// </remarks>
static class ResourceId
{
    const byte ContainerMark = 0x80;
    const byte RangeMark = 0x50;

    public static string Database(int database)
    {
        Span<byte> bytes = stackalloc byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, database);
        return Text(bytes);
    }

    public static string Container(int database, int container)
    {
        Span<byte> bytes = stackalloc byte[8];
        WriteContainer(bytes, database, container);
        return Text(bytes);
    }

    public static string Range(int database, int container)
    {
        Span<byte> bytes = stackalloc byte[16];
        WriteContainer(bytes, database, container);
        bytes[8] = 2;
        bytes[15] = RangeMark;
        return Text(bytes);
    }

    public static string Item(int database, int container, long item)
    {
        Span<byte> bytes = stackalloc byte[16];
        WriteContainer(bytes, database, container);
        BinaryPrimitives.WriteInt64LittleEndian(bytes[8..], item);
        return Text(bytes);
    }

    /// <summary>The item's own number out of a full id; false when the text is no item's id.</summary>
    public static bool TryReadItem(string text, out long item)
    {
        Span<byte> bytes = stackalloc byte[16];
        item = 0;
        if (!Convert.TryFromBase64String(text.Replace('-', '/'), bytes, out var length) || length != 16)
        {
            return false;
        }

        item = BinaryPrimitives.ReadInt64LittleEndian(bytes[8..]);
        return true;
    }

    static void WriteContainer(Span<byte> bytes, int database, int container)
    {
        BinaryPrimitives.WriteInt32LittleEndian(bytes, database);
        BinaryPrimitives.WriteInt32BigEndian(bytes[4..], container);
        bytes[4] |= ContainerMark;
    }

    static string Text(ReadOnlySpan<byte> bytes) => Convert.ToBase64String(bytes).Replace('/', '-');
}
