using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Runtime.Cosmos.Http;

namespace Runtime.Cosmos.Storage;

/// <summary>What a container was declared to be; the text is echoed, the parsed part is obeyed.</summary>
sealed class ContainerDefinition
{
    // Declared features whose absence would change results: better no container than a wrong one.
    static readonly string[] UnsupportedPolicies =
    [
        "vectorEmbeddingPolicy", "fullTextPolicy", "computedProperties", "materializedViewDefinition",
        "clientEncryptionPolicy",
    ];

    static readonly string[] SystemNames =
        ["_rid", "_self", "_etag", "_ts", "_docs", "_sprocs", "_triggers", "_udfs", "_conflicts"];

    ContainerDefinition(JsonObject declared)
    {
        Id = ResourceName.Checked(declared["id"]);
        var key = declared["partitionKey"] as JsonObject
            ?? throw Refused.BadRequest("A container needs a partitionKey.");
        PartitionKeyPaths = [.. Paths(key["paths"], "partitionKey.paths")];
        if (PartitionKeyPaths.Count is 0 or > 3)
        {
            throw Refused.BadRequest("A partition key has one to three paths.");
        }

        IsHierarchical = PartitionKeyPaths.Count > 1;
        UniqueKeys = ReadUniqueKeys(declared["uniqueKeyPolicy"]);
        DefaultTimeToLive = ReadTimeToLive(declared["defaultTtl"]);
        Indexing = IndexingPolicy.Parse(declared["indexingPolicy"]!.AsObject());
        HistoryRetention = ReadRetention(declared["changeFeedPolicy"]);
        Text = Encoding.UTF8.GetBytes(declared.ToJsonString());
    }

    public string Id { get; }

    public IReadOnlyList<PropertyPath> PartitionKeyPaths { get; }

    public bool IsHierarchical { get; }

    public IReadOnlyList<IReadOnlyList<PropertyPath>> UniqueKeys { get; }

    /// <summary>Null: items never expire. -1: only items with a lifetime of their own do. Else seconds.</summary>
    public int? DefaultTimeToLive { get; }

    public IndexingPolicy Indexing { get; }

    /// <summary>How long every change, deletes included, stays in the feed of all versions; null keeps none.</summary>
    public TimeSpan? HistoryRetention { get; }

    /// <summary>The declaration as JSON, defaults filled in, system properties not.</summary>
    public byte[] Text { get; }

    public static ContainerDefinition Parse(ReadOnlyMemory<byte> body)
    {
        try
        {
            if (JsonNode.Parse(body.Span) is not JsonObject declared)
            {
                throw Refused.BadRequest("A container's definition must be a JSON object.");
            }

            foreach (var name in UnsupportedPolicies)
            {
                if (declared[name] is JsonObject { Count: > 0 } or JsonArray { Count: > 0 })
                {
                    throw Refused.Unsupported($"The container policy '{name}'");
                }
            }

            FillIn(declared);
            return new ContainerDefinition(declared);
        }
        catch (Exception malformed) when (malformed is JsonException or InvalidOperationException or FormatException
            or ArgumentException)
        {
            // Reading a node as another type than it has throws one of these; all of them are the client's text.
            throw Refused.BadRequest($"The container's definition is not valid: {malformed.Message}");
        }
    }

    /// <summary>When the item dies, in whole seconds since 1970, or never.</summary>
    public long? Expiry(long timestamp, int? timeToLive) =>
        DefaultTimeToLive is null || (timeToLive ?? DefaultTimeToLive.Value) is -1
            ? null
            : timestamp + (timeToLive ?? DefaultTimeToLive.Value);

    public long? Expiry(Item item) => Expiry(item.Timestamp, Draft.Reread(item.Body, this).TimeToLive);

    /// <summary>Refuses a replacement that would make the stored items mean something else.</summary>
    public void CheckReplacement(ContainerDefinition other)
    {
        static string Declared(ContainerDefinition definition) => string.Join(
            ';', definition.UniqueKeys.Select(paths => string.Join(',', paths.Select(path => path.Text))));

        if (other.Id != Id)
        {
            throw Refused.BadRequest("The id of a container cannot be changed.");
        }

        if (!other.PartitionKeyPaths.Select(path => path.CanonicalText)
            .SequenceEqual(PartitionKeyPaths.Select(path => path.CanonicalText)))
        {
            throw Refused.BadRequest("The partition key of a container cannot be changed.");
        }

        if (Declared(other) != Declared(this))
        {
            throw Refused.BadRequest("The unique keys of a container cannot be changed.");
        }
    }

    static void FillIn(JsonObject declared)
    {
        foreach (var name in SystemNames)
        {
            declared.Remove(name);
        }

        // The client hashes with the version it is told and means 1 by silence, so silence is not an answer.
        if (declared["partitionKey"] is JsonObject key)
        {
            key["version"] = 2;
            key["kind"] ??= "Hash";
        }

        if (declared["indexingPolicy"] is not JsonObject indexing)
        {
            declared["indexingPolicy"] = indexing = [];
        }

        indexing["indexingMode"] ??= "consistent";
        indexing["automatic"] ??= true;
        var isNone = "none".Equals(indexing["indexingMode"]!.GetValue<string>(), StringComparison.OrdinalIgnoreCase);
        if (!isNone && IsEmpty(indexing["includedPaths"]) && IsEmpty(indexing["excludedPaths"]))
        {
            indexing["includedPaths"] = new JsonArray(new JsonObject { ["path"] = "/*" });
            indexing["excludedPaths"] = new JsonArray(new JsonObject { ["path"] = "/\"_etag\"/?" });
        }
    }

    static bool IsEmpty(JsonNode? paths) => paths is null or JsonArray { Count: 0 };

    static IEnumerable<PropertyPath> Paths(JsonNode? paths, string what) =>
        (paths as JsonArray ?? throw Refused.BadRequest($"{what} must be an array of paths."))
            .Select(path => PropertyPath.Parse(
                path?.GetValue<string>() ?? throw Refused.BadRequest($"{what} holds null.")));

    static List<IReadOnlyList<PropertyPath>> ReadUniqueKeys(JsonNode? policy)
    {
        var keys = new List<IReadOnlyList<PropertyPath>>();
        foreach (var key in policy?["uniqueKeys"]?.AsArray() ?? [])
        {
            keys.Add([.. Paths(key?["paths"], "uniqueKeys.paths")]);
            if (keys[^1].Count is 0 or > CosmosLimits.UniqueKeyPathsMax)
            {
                throw Refused.BadRequest($"A unique key has 1 to {CosmosLimits.UniqueKeyPathsMax} paths.");
            }
        }

        return keys.Count <= CosmosLimits.UniqueKeysMax
            ? keys
            : throw Refused.BadRequest($"A container has at most {CosmosLimits.UniqueKeysMax} unique keys.");
    }

    static TimeSpan? ReadRetention(JsonNode? policy) => policy?["retentionDuration"]?.GetValue<int>() switch
    {
        null or 0 => null,
        int minutes when minutes > 0 => TimeSpan.FromMinutes(minutes),
        _ => throw Refused.BadRequest("retentionDuration must be a whole number of minutes that is not negative."),
    };

    static int? ReadTimeToLive(JsonNode? node) => node?.GetValue<int>() switch
    {
        null => null,
        int seconds when seconds > 0 || seconds == -1 => seconds,
        _ => throw Refused.BadRequest("defaultTtl must be a positive whole number of seconds or -1."),
    };
}

/// <summary>Names of databases and containers.</summary>
static class ResourceName
{
    public static string Checked(JsonNode? node)
    {
        if (node is not JsonValue value || !value.TryGetValue<string>(out var name) || name.Length == 0)
        {
            throw Refused.BadRequest("The id must be a string that is not empty.");
        }

        return name.Length <= CosmosLimits.NameCharactersMax && name.AsSpan().IndexOfAny("/\\?#") < 0
            ? name
            : throw Refused.BadRequest(
                $"An id has at most {CosmosLimits.NameCharactersMax} characters and none of / \\ ? #");
    }
}
