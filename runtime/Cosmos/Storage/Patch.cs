using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Runtime.Cosmos.Http;

namespace Runtime.Cosmos.Storage;

/// <summary>A partial update: its operations are applied in order to one item, all or none.</summary>
/// <remarks>https://learn.microsoft.com/azure/cosmos-db/partial-document-update</remarks>
sealed class Patch
{
    static readonly JsonSerializerOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    static readonly JsonDocumentOptions Depth = new() { MaxDepth = CosmosLimits.NestingMax };

    readonly List<Operation> operations = [];
    readonly Func<ReadOnlyMemory<byte>, bool>? condition;

    Patch(Func<ReadOnlyMemory<byte>, bool>? condition) => this.condition = condition;

    public int Count => operations.Count;

    public static Patch Parse(ReadOnlyMemory<byte> body, Func<string, Func<ReadOnlyMemory<byte>, bool>> compile)
    {
        try
        {
            var sent = JsonNode.Parse(body.Span, documentOptions: Depth);
            var text = sent?["condition"]?.GetValue<string>();
            var patch = new Patch(text is null ? null : compile(text));
            foreach (var operation in sent?["operations"]?.AsArray() ?? [])
            {
                patch.operations.Add(Operation.Parse(operation!));
            }

            return patch.Count is > 0 and <= CosmosLimits.PatchOperationsMax
                ? patch
                : throw Refused.BadRequest($"A patch has 1 to {CosmosLimits.PatchOperationsMax} operations.");
        }
        catch (Exception malformed) when (malformed is JsonException or InvalidOperationException or FormatException
            or NullReferenceException)
        {
            throw Refused.BadRequest("The patch is not valid: it must be an object with an array of operations.");
        }
    }

    public bool ConditionHolds(ReadOnlyMemory<byte> item) => condition?.Invoke(item) ?? true;

    public byte[] Apply(ReadOnlyMemory<byte> item)
    {
        var document = JsonNode.Parse(item.Span, documentOptions: Depth)!;
        foreach (var operation in operations)
        {
            operation.Apply(document);
        }

        return JsonSerializer.SerializeToUtf8Bytes(document, Plain);
    }

    sealed record Operation(string Kind, string Path, string[] Steps, JsonNode? Value, string[]? From)
    {
        public static Operation Parse(JsonNode sent)
        {
            var path = sent["path"]?.GetValue<string>() ?? throw Refused.BadRequest("A patch operation needs a path.");
            var steps = Pointer(path);
            if (steps[0] is "id" or "_rid" or "_self" or "_etag" or "_ts" or "_attachments")
            {
                throw Refused.BadRequest($"The property '{steps[0]}' cannot be patched.");
            }

            var from = sent["from"]?.GetValue<string>();
            var kind = sent["op"]?.GetValue<string>() ?? "";
            return new Operation(kind, path, steps, sent["value"], from is null ? null : Pointer(from));
        }

        public void Apply(JsonNode document)
        {
            switch (Kind)
            {
                case "add":
                    Put(document, Steps, Value, inserts: true);
                    break;
                case "set":
                    Put(document, Steps, Value, inserts: false);
                    break;
                case "replace":
                    Take(document, Steps, removes: false);
                    Put(document, Steps, Value, inserts: false);
                    break;
                case "remove":
                    Take(document, Steps, removes: true);
                    break;
                case "incr":
                    Increment(document);
                    break;
                case "move":
                    var from = From ?? throw Refused.BadRequest("The patch operation 'move' needs a 'from'.");
                    if (Steps.Length > from.Length && Steps.AsSpan(0, from.Length).SequenceEqual(from))
                    {
                        throw Refused.BadRequest("A value cannot be moved into itself.");
                    }

                    Put(document, Steps, Take(document, from, removes: true), inserts: true);
                    break;
                default:
                    throw Refused.BadRequest($"The patch operation '{Kind}' is not known.");
            }
        }

        void Increment(JsonNode document)
        {
            if (Value is not JsonValue amount || amount.GetValueKind() != JsonValueKind.Number)
            {
                throw Refused.BadRequest($"The increment of '{Path}' must be a number.");
            }

            var (parent, last) = Parent(document, Steps);
            var current = parent is JsonObject holder ? holder[last] : Element((JsonArray)parent, last);
            if (current is null && parent is JsonObject missing && !missing.ContainsKey(last))
            {
                missing[last] = Value.DeepClone();
                return;
            }

            if (current is not JsonValue number || number.GetValueKind() != JsonValueKind.Number)
            {
                throw Refused.BadRequest($"The value at '{Path}' is not a number and cannot be incremented.");
            }

            Put(document, Steps, Sum(number, amount), inserts: false);
        }

        // Money and counters must not drift: whole and decimal numbers add exactly; doubles only where they must.
        static JsonValue Sum(JsonValue left, JsonValue right)
        {
            var (a, b) = (JsonElement.Parse(left.ToJsonString()), JsonElement.Parse(right.ToJsonString()));
            if (a.TryGetInt64(out var x) && b.TryGetInt64(out var y) && x + (Int128)y is var whole &&
                whole >= long.MinValue && whole <= long.MaxValue)
            {
                return JsonValue.Create((long)whole);
            }

            return a.TryGetDecimal(out var c) && b.TryGetDecimal(out var d) &&
                decimal.MaxValue - Math.Abs(c) >= Math.Abs(d)
                ? JsonValue.Create(c + d)
                : JsonValue.Create(a.GetDouble() + b.GetDouble());
        }

        void Put(JsonNode document, string[] steps, JsonNode? value, bool inserts)
        {
            var (parent, last) = Parent(document, steps);
            if (parent is JsonObject holder)
            {
                holder[last] = value?.DeepClone();
                return;
            }

            var array = (JsonArray)parent;
            if (last == "-" || (inserts && last == $"{array.Count}"))
            {
                array.Add(value?.DeepClone());
                return;
            }

            var index = Index(array, last);
            if (inserts)
            {
                array.Insert(index, value?.DeepClone());
            }
            else
            {
                array[index] = value?.DeepClone();
            }
        }

        JsonNode? Take(JsonNode document, string[] steps, bool removes)
        {
            var (parent, last) = Parent(document, steps);
            if (parent is JsonArray array)
            {
                var index = Index(array, last);
                var element = array[index];
                if (removes)
                {
                    array.RemoveAt(index);
                }

                return element;
            }

            var holder = (JsonObject)parent;
            if (!holder.TryGetPropertyValue(last, out var value))
            {
                throw Refused.BadRequest($"There is no value at '{Path}' to {Kind}.");
            }

            if (removes)
            {
                holder.Remove(last);
            }

            return value;
        }

        (JsonNode Parent, string Last) Parent(JsonNode document, string[] steps)
        {
            JsonNode? node = document;
            foreach (var step in steps[..^1])
            {
                node = node switch
                {
                    JsonObject holder => holder[step],
                    JsonArray array => Element(array, step),
                    _ => null,
                };
            }

            return node is JsonObject or JsonArray
                ? (node, steps[^1])
                : throw Refused.BadRequest($"The path '{Path}' leads through a value that does not exist.");
        }

        JsonNode? Element(JsonArray array, string step) => array[Index(array, step)];

        int Index(JsonArray array, string step) =>
            int.TryParse(step, out var index) && index >= 0 && index < array.Count
                ? index
                : throw Refused.BadRequest($"'{step}' in the path '{Path}' is not an index of the array there.");

        static string[] Pointer(string path) => path is ['/', _, ..]
            ? [.. path[1..].Split('/').Select(step => step.Replace("~1", "/").Replace("~0", "~"))]
            : throw Refused.BadRequest($"The path '{path}' must start with a slash and name a value.");
    }
}
