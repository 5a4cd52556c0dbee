using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Runtime.Cosmos.Http;
using Runtime.Cosmos.Storage;

namespace Runtime.Cosmos.Query.Execution;

/// <summary>Where a page ended, as the client carries it: a place in the order, not a count of rows.</summary>
/// <remarks>
/// The place is the sort keys and the item's number, so items written meanwhile shift nothing: a reader never sees a
/// row twice or misses one that was there all along. Rows counted off are those of OFFSET, LIMIT and TOP, which the
/// query itself counts, and those already given of the one item a page ended within (an item joined with its array).
/// </remarks>
sealed record Position
{
    public static readonly Position Start = new();

    /// <summary>The sort keys of the last item; undefined is null here and wrapped values are arrays of one.</summary>
    public IReadOnlyList<Value> Keys { get; init; } = [];

    /// <summary>The last item's number; zero before the first item.</summary>
    public long Number { get; init; }

    /// <summary>Rows of that very item already given; zero when it is done with.</summary>
    public int RowsOfItem { get; init; }

    /// <summary>Rows skipped for OFFSET so far.</summary>
    public int Skipped { get; init; }

    /// <summary>Rows given so far.</summary>
    public int Given { get; init; }

    /// <summary>
    /// The path of the index that decides the order of an unordered query; null is the items' own order.
    /// </summary>
    public string? Index { get; init; }

    public static Position Parse(string token)
    {
        try
        {
            var text = JsonNode.Parse(Convert.FromBase64String(token))!;
            return new Position
            {
                Keys = [.. text["k"]!.AsArray().Select(Unwrapped)],
                Number = text["n"]!.GetValue<long>(),
                RowsOfItem = text["r"]!.GetValue<int>(),
                Skipped = text["s"]!.GetValue<int>(),
                Given = text["g"]!.GetValue<int>(),
                Index = text["i"]?.GetValue<string>(),
            };
        }
        catch (Exception malformed) when (malformed is FormatException or JsonException or NullReferenceException
            or InvalidOperationException)
        {
            throw Refused.BadRequest("The continuation token is not one of this server's.");
        }
    }

    /// <summary>The later of this place and where a client that merges by itself wants to go on.</summary>
    /// <remarks>
    /// It names a row by value and resource id, itself included; or, without an id, all rows of a value or beyond it.
    /// </remarks>
    public Position After(JsonElement? resumeFilter, RowOrder order)
    {
        if (resumeFilter is not { } filter || order.Items.Count == 0)
        {
            return this;
        }

        if (!filter.TryGetProperty("value", out var sent) || sent.ValueKind != JsonValueKind.Array)
        {
            throw Refused.BadRequest("The resume filter needs an array 'value'.");
        }

        // An undefined key is sent as an empty array.
        var keys = sent.EnumerateArray()
            .Select(key => key is { ValueKind: JsonValueKind.Array } && key.GetArrayLength() == 0
                ? Value.Undefined
                : Value.Of(key))
            .ToList();
        while (keys.Count < order.Items.Count)
        {
            keys.Add(Value.Undefined);
        }

        var (first, last) = order.IsDescending ? (long.MaxValue, 0L) : (0L, long.MaxValue);
        var number = filter.TryGetProperty("rid", out var rid) && rid.ValueKind == JsonValueKind.String &&
            ResourceId.TryReadItem(rid.GetString()!, out var item)
            ? item + (order.IsDescending ? 1 : -1)
            : filter.TryGetProperty("exclude", out var exclude) && exclude.ValueKind == JsonValueKind.True ? last
            : first;
        var wanted = this with { Keys = keys, Number = number, RowsOfItem = 0 };
        return Keys.Count > 0 && order.Compare(Keys, Number, keys, number) >= 0 ? this : wanted;
    }

    public override string ToString()
    {
        var text = new JsonObject
        {
            ["k"] = new JsonArray([.. Keys.Select(Wrapped)]),
            ["n"] = Number,
            ["r"] = RowsOfItem,
            ["s"] = Skipped,
            ["g"] = Given,
        };
        if (Index is not null)
        {
            text["i"] = Index;
        }

        return Convert.ToBase64String(Encoding.UTF8.GetBytes(text.ToJsonString()));
    }

    static JsonNode? Wrapped(Value key) =>
        key.IsUndefined ? null : new JsonArray(JsonNode.Parse(JsonText.Bytes(key)));

    static Value Unwrapped(JsonNode? node) =>
        node is null ? Value.Undefined : Value.Of(JsonElement.Parse(node[0]?.ToJsonString() ?? "null"));
}
