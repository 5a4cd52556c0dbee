using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using Runtime.Cosmos.Http;

namespace Runtime.Cosmos.Storage;

/// <summary>
/// Which paths of a document are indexed: it decides what writes cost and which queries an index serves.
/// </summary>
/// <remarks>
/// Rules hang on a tree of names; the deepest rule on the way to a value wins, and a rule for the value itself
/// (<c>/?</c>) beats one for everything below (<c>/*</c>). <c>id</c> and <c>_ts</c> are indexed whatever the rules say.
/// https://learn.microsoft.com/azure/cosmos-db/index-policy
/// </remarks>
sealed class IndexingPolicy
{
    const string ArrayStep = "[]";

    readonly Rules root = new();
    readonly List<(string Path, bool Descending)[]> composites = [];
    int explicitPaths;

    IndexingPolicy(bool isOn) => IsOn = isOn;

    public bool IsOn { get; }

    public static IndexingPolicy Parse(JsonObject declared)
    {
        var mode = declared["indexingMode"]!.GetValue<string>();
        var policy = new IndexingPolicy(mode.ToUpperInvariant() switch
        {
            "CONSISTENT" => true,
            "NONE" => false,
            _ => throw Refused.Unsupported($"The indexing mode '{mode}'"),
        });
        foreach (var kind in new[] { "vectorIndexes", "fullTextIndexes" })
        {
            if (declared[kind] is JsonArray { Count: > 0 })
            {
                throw Refused.Unsupported($"An indexing policy with {kind}");
            }
        }

        policy.Add(declared["includedPaths"], isIncluded: true);
        policy.Add(declared["excludedPaths"], isIncluded: false);
        foreach (var composite in declared["compositeIndexes"]?.AsArray() ?? [])
        {
            policy.composites.Add([.. composite!.AsArray().Select(part => (
                PropertyPath.Parse(part!["path"]!.GetValue<string>()).CanonicalText,
                string.Equals(part["order"]?.GetValue<string>(), "descending", StringComparison.OrdinalIgnoreCase)))]);
        }

        return policy;
    }

    /// <summary>Whether a scalar at this path is found through the index.</summary>
    public bool Includes(IReadOnlyList<string> path)
    {
        if (!IsOn)
        {
            return false;
        }

        if (path is ["id"] or ["_ts"])
        {
            return true;
        }

        var (node, below) = ((Rules?)root, root.Below);
        foreach (var name in path)
        {
            node = node?.Child(name);
            below = node?.Below ?? below;
        }

        return node?.Value ?? below ?? false;
    }

    /// <summary>Whether a composite index carries this order, as declared or exactly the other way round.</summary>
    public bool HasComposite(IReadOnlyList<(string Path, bool Descending)> order) => IsOn && composites.Any(composite =>
        composite.Length == order.Count &&
        composite.Zip(order).All(pair => pair.First.Path == pair.Second.Path) &&
        composite.Zip(order).Select(pair => pair.First.Descending == pair.Second.Descending).Distinct().Count() == 1);

    /// <summary>The indexed terms of a document, a path and value each, as hashes; equal terms count once.</summary>
    public HashSet<ulong> Terms(ReadOnlyMemory<byte> body)
    {
        var terms = new HashSet<ulong>();
        if (!IsOn)
        {
            return terms;
        }

        using var document = JsonDocument.Parse(body, new() { MaxDepth = CosmosLimits.NestingMax });
        var found = 0;
        foreach (var property in document.RootElement.EnumerateObject())
        {
            var name = property.Name;
            if (name is "id" or "_ts")
            {
                terms.Add(Fnv.Add(Fnv.Add(Fnv.Start, name), JsonMarshal.GetRawUtf8Value(property.Value)));
            }
            else if (name is not ("_rid" or "_self" or "_etag" or "_attachments"))
            {
                Walk(property.Value, root.Child(name), root.Below, Fnv.Add(Fnv.Start, name), terms, ref found);
            }
        }

        // A path listed by name has an entry in the index even where the document has no such value.
        for (var missing = found; missing < explicitPaths; missing++)
        {
            terms.Add(Fnv.Add(Fnv.Start, $"undefined {missing}"));
        }

        return terms;
    }

    static void Walk(JsonElement value, Rules? node, bool? below, ulong path, HashSet<ulong> terms, ref int found)
    {
        below = node?.Below ?? below;
        switch (value.ValueKind)
        {
            case JsonValueKind.Object:
                foreach (var property in value.EnumerateObject())
                {
                    var name = property.Name;
                    Walk(property.Value, node?.Child(name), below, Fnv.Add(path, name), terms, ref found);
                }

                break;
            case JsonValueKind.Array:
                foreach (var element in value.EnumerateArray())
                {
                    Walk(element, node?.Child(ArrayStep), below, Fnv.Add(path, ArrayStep), terms, ref found);
                }

                break;
            default:
                found += node?.Value == true ? 1 : 0;
                if (node?.Value ?? below ?? false)
                {
                    terms.Add(Fnv.Add(path, JsonMarshal.GetRawUtf8Value(value)));
                }

                break;
        }
    }

    void Add(JsonNode? paths, bool isIncluded)
    {
        foreach (var entry in paths?.AsArray() ?? [])
        {
            var path = entry?["path"]?.GetValue<string>()
                ?? throw Refused.BadRequest("A path of the indexing policy has no 'path'.");
            if (path.Contains('{', StringComparison.Ordinal))
            {
                throw Refused.Unsupported($"The tuple index '{path}'");
            }

            var segments = PropertyPath.Split(path);
            var node = segments[..^1].Aggregate(root, (rules, segment) => rules.ChildOrNew(segment));
            switch (segments[^1])
            {
                case "*":
                    node.Below = isIncluded;
                    break;
                case "?":
                    explicitPaths += isIncluded ? 1 : 0;
                    node.Value = isIncluded;
                    break;
                default:
                    throw Refused.BadRequest($"The path '{path}' of the indexing policy must end with /? or /*.");
            }
        }
    }

    sealed class Rules
    {
        readonly Dictionary<string, Rules> children = [];

        public bool? Value { get; set; }

        public bool? Below { get; set; }

        public Rules? Child(string name) => children.GetValueOrDefault(name);

        public Rules ChildOrNew(string name) =>
            children.TryGetValue(name, out var child) ? child : children[name] = new Rules();
    }

    /// <summary>FNV-1a: the same term has the same hash in every process, so charges repeat exactly.</summary>
    static class Fnv
    {
        public const ulong Start = 14695981039346656037;
        const ulong Prime = 1099511628211;

        public static ulong Add(ulong hash, string text)
        {
            foreach (var character in text)
            {
                hash = (hash ^ character) * Prime;
            }

            return (hash ^ '/') * Prime;
        }

        public static ulong Add(ulong hash, ReadOnlySpan<byte> text)
        {
            foreach (var character in text)
            {
                hash = (hash ^ character) * Prime;
            }

            return hash;
        }
    }
}
