using System.Buffers;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using Runtime.Cosmos.Http;

namespace Runtime.Cosmos.Storage;

/// <summary>A document a client sent, checked and taken apart, not yet given its number, version and place.</summary>
sealed class Draft
{
    static readonly SearchValues<char> IllegalInId = SearchValues.Create("/\\?#");

    static readonly JsonDocumentOptions Strict = new()
    {
        MaxDepth = CosmosLimits.NestingMax,
        AllowDuplicateProperties = false,
    };

    // What the server alone may say about an item; what a client repeats of it from an earlier read is dropped.
    static readonly HashSet<string> SystemNames = ["_rid", "_self", "_etag", "_attachments", "_ts", "_lsn"];

    Draft(string id, PartitionKey key, string[] uniqueKeys, int? timeToLive, byte[] opening) =>
        (Id, Key, UniqueKeys, TimeToLive, this.opening) = (id, key, uniqueKeys, timeToLive, opening);

    /// <summary>The client's JSON text up to, and without, the closing brace.</summary>
    readonly byte[] opening;

    public string Id { get; }

    public PartitionKey Key { get; }

    public string[] UniqueKeys { get; }

    /// <summary>Seconds; -1 is never; null leaves it to the container.</summary>
    public int? TimeToLive { get; }

    public static Draft Parse(ReadOnlyMemory<byte> body, ContainerDefinition definition)
    {
        if (body.Length > CosmosLimits.ItemBytesMax)
        {
            throw Refused.TooLarge("The item", CosmosLimits.ItemBytesMax);
        }

        return Reread(body, definition);
    }

    /// <summary>
    /// Takes apart a stored text, whose own properties may bring it above the bound for what is sent.
    /// </summary>
    public static Draft Reread(ReadOnlyMemory<byte> body, ContainerDefinition definition)
    {
        try
        {
            using var document = JsonDocument.Parse(body, Strict);
            return Checked(body, document.RootElement, definition);
        }
        catch (JsonException malformed)
        {
            throw Refused.BadRequest($"The item is not valid JSON: {malformed.Message}");
        }
    }

    /// <summary>
    /// Finishes the text: the system properties follow the client's own, as the service lays them out.
    /// </summary>
    public byte[] Finish(string rid, string self, string etag, long timestamp)
    {
        var seconds = timestamp.ToString(CultureInfo.InvariantCulture);
        // None of these holds a character JSON would want escaped, but the quotes of the ETag itself.
        var closing = $",\"_rid\":\"{rid}\",\"_self\":\"{self}\"," +
            $"\"_etag\":\"\\\"{etag.AsSpan(1, etag.Length - 2)}\\\"\"," +
            $"\"_attachments\":\"attachments/\",\"_ts\":{seconds}}}";
        var text = new byte[opening.Length + closing.Length];
        opening.CopyTo(text, 0);
        Encoding.UTF8.GetBytes(closing, text.AsSpan(opening.Length));
        return text;
    }

    static Draft Checked(ReadOnlyMemory<byte> body, JsonElement root, ContainerDefinition definition)
    {
        if (root.ValueKind != JsonValueKind.Object)
        {
            throw Refused.BadRequest("The item must be a JSON object.");
        }

        var id = CheckedId(root);
        var key = PartitionKey.Of(root, definition.PartitionKeyPaths);
        if (Encoding.UTF8.GetByteCount(key.Canonical) > CosmosLimits.PartitionKeyBytesMax)
        {
            throw Refused.BadRequest($"The partition key is longer than {CosmosLimits.PartitionKeyBytesMax} bytes.");
        }

        string[] unique = definition.UniqueKeys.Count == 0
            ? []
            : [.. definition.UniqueKeys.Select(paths => UniqueKey.Of(root, paths))];
        return new Draft(id, key, unique, CheckedTimeToLive(root), Opening(body.Span, root));
    }

    static string CheckedId(JsonElement root)
    {
        if (!root.TryGetProperty("id"u8, out var property) || property.ValueKind != JsonValueKind.String)
        {
            throw Refused.BadRequest("The item needs a property 'id' that is a string.");
        }

        var id = property.GetString()!;
        return id.Length switch
        {
            0 => throw Refused.BadRequest("The id must not be empty."),
            > CosmosLimits.IdCharactersMax =>
                throw Refused.BadRequest($"The id is longer than {CosmosLimits.IdCharactersMax} characters."),
            _ when id.AsSpan().ContainsAny(IllegalInId) =>
                throw Refused.BadRequest("The id holds one of the characters that must not appear in it: / \\ ? #"),
            _ => id,
        };
    }

    static int? CheckedTimeToLive(JsonElement root)
    {
        if (!root.TryGetProperty("ttl"u8, out var ttl) || ttl.ValueKind == JsonValueKind.Null)
        {
            return null;
        }

        var seconds = 0;
        var isWhole = ttl.ValueKind == JsonValueKind.Number && ttl.TryGetInt32(out seconds);
        return isWhole && (seconds > 0 || seconds == -1)
            ? seconds
            : throw Refused.BadRequest("The property 'ttl' must be a positive whole number of seconds or -1.");
    }

    static byte[] Opening(ReadOnlySpan<byte> body, JsonElement root)
    {
        var hasSystemNames = false;
        foreach (var property in root.EnumerateObject())
        {
            var name = JsonMarshal.GetRawUtf8PropertyName(property);
            hasSystemNames |= name.Length > 0 && name[0] == '_' && SystemNames.Contains(property.Name);
        }

        return hasSystemNames ? WithoutSystemNames(root) : body[..body.LastIndexOf((byte)'}')].ToArray();
    }

    /// <summary>Copies the raw text of every other property, so that numbers stay as the client wrote them.</summary>
    static byte[] WithoutSystemNames(JsonElement root)
    {
        var text = new ArrayBufferWriter<byte>();
        foreach (var property in root.EnumerateObject())
        {
            if (SystemNames.Contains(property.Name))
            {
                continue;
            }

            text.Write(text.WrittenCount == 0 ? "{\""u8 : ",\""u8);
            text.Write(JsonMarshal.GetRawUtf8PropertyName(property));
            text.Write("\":"u8);
            text.Write(JsonMarshal.GetRawUtf8Value(property.Value));
        }

        return text.WrittenSpan.ToArray();
    }
}
