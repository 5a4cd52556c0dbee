using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using Runtime.Cosmos.Http;
using Runtime.Cosmos.Query;

namespace Runtime.Cosmos.Storage;

/// <summary>A partition key value in one canonical spelling, so that equal keys are equal strings.</summary>
/// <remarks>
/// A component starts with its kind: <c>s</c> string, <c>n</c> number (as the shortest double), <c>t</c>, <c>f</c>,
/// <c>z</c> null, <c>u</c> undefined. Components of a hierarchical key carry their length, because a string may hold
/// any character that could otherwise separate them.
/// </remarks>
readonly record struct PartitionKey(string Canonical)
{
    const int ComponentsMax = 3;

    /// <summary>Reads the JSON array clients send in the partition key header.</summary>
    public static PartitionKey Parse(string header, int components)
    {
        try
        {
            using var document = JsonDocument.Parse(header);
            if (document.RootElement.ValueKind != JsonValueKind.Array)
            {
                throw Refused.BadRequest("The partition key must be a JSON array.");
            }

            if (document.RootElement.GetArrayLength() != components)
            {
                throw Refused.PartitionKeyMismatch();
            }

            return Of([.. document.RootElement.EnumerateArray().Select(Component)]);
        }
        catch (JsonException)
        {
            throw Refused.BadRequest("The partition key is not valid JSON.");
        }
    }

    /// <summary>Takes the key out of a document along the container's partition key paths.</summary>
    public static PartitionKey Of(JsonElement document, IReadOnlyList<PropertyPath> paths)
    {
        if (paths.Count == 1)
        {
            return new(paths[0].TryFind(document, out var value) ? Component(value) : "u");
        }

        var parts = new string[paths.Count];
        for (var i = 0; i < parts.Length; i++)
        {
            parts[i] = paths[i].TryFind(document, out var value) ? Component(value) : "u";
        }

        return Of(parts);
    }

    /// <summary>The key a query names; a value no document can have as its key names no partition.</summary>
    public static PartitionKey Of(Value value) => new(value.Kind switch
    {
        ValueKind.String => "s" + value.Text,
        ValueKind.Number => "n" + (value.Number + 0.0).ToString("R", CultureInfo.InvariantCulture),
        ValueKind.Boolean => value.IsTrue ? "t" : "f",
        ValueKind.Null => "z",
        _ => "?",
    });

    /// <summary>
    /// The hash of the key as the service orders and splits key space by it, in upper-case hexadecimal.
    /// </summary>
    public string EffectiveHex(bool hierarchical) =>
        hierarchical ? string.Concat(Components().Select(Hash)) : Hash(Canonical);

    static PartitionKey Of(string[] parts) => parts.Length switch
    {
        1 => new(parts[0]),
        <= ComponentsMax => new(string.Concat(parts.Select(part => $"{part.Length}:{part}"))),
        _ => throw Refused.BadRequest($"A partition key has at most {ComponentsMax} components."),
    };

    static string Component(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => "s" + value.GetString(),
        JsonValueKind.Number => "n" + (value.GetDouble() + 0.0).ToString("R", CultureInfo.InvariantCulture),
        JsonValueKind.True => "t",
        JsonValueKind.False => "f",
        JsonValueKind.Null => "z",
        // The client writes {} where the document has no such property.
        JsonValueKind.Object when !value.EnumerateObject().Any() => "u",
        _ => throw Refused.BadRequest("A partition key value must be a string, a number, a boolean or null."),
    };

    IEnumerable<string> Components()
    {
        for (var at = 0; at < Canonical.Length;)
        {
            var colon = Canonical.IndexOf(':', at);
            var length = int.Parse(Canonical.AsSpan(at, colon - at), CultureInfo.InvariantCulture);
            yield return Canonical.Substring(colon + 1, length);
            at = colon + 1 + length;
        }
    }

    static string Hash(string component)
    {
        var bytes = Encoded(component);
        Span<byte> hash = stackalloc byte[16];
        var (low, high) = Murmur3.Hash(bytes);
        BinaryPrimitives.WriteUInt64BigEndian(hash, high);
        BinaryPrimitives.WriteUInt64BigEndian(hash[8..], low);
        // The top two bits are kept clear, so that "FF" is above every key.
        hash[0] &= 0x3F;
        return Convert.ToHexString(hash);
    }

    static byte[] Encoded(string component)
    {
        switch (component[0])
        {
            case 's':
                return [8, .. Encoding.UTF8.GetBytes(component[1..]), 0xFF];
            case 'n':
                var number = double.Parse(component.AsSpan(1), CultureInfo.InvariantCulture);
                return [5, .. MemoryMarshal.AsBytes(new ReadOnlySpan<double>(in number))];
            case 't':
                return [3];
            case 'f':
                return [2];
            case 'z':
                return [1];
            default:
                return [0];
        }
    }
}
