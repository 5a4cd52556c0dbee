using System.Text.Json;
using System.Text.Json.Nodes;
using EventSourcing;

namespace Functions.Tests.Messaging;

/// <summary>As much of JSON Schema as our schemas use; a keyword it does not know fails the test.</summary>
static class SchemaCheck
{
    static readonly HashSet<string> Annotations = ["$schema", "$id", "title", "description", "default"];

    public static IEnumerable<string> Faults(JsonNode schema, JsonNode? value, string at)
    {
        foreach (var (keyword, expected) in schema.AsObject())
        {
            if (Annotations.Contains(keyword)) continue;
            var faults = keyword switch
            {
                "type" => Type(expected!, value, at),
                "required" => expected!.AsArray().Select(name => name!.GetValue<string>())
                    .Where(name => value is not JsonObject members || !members.ContainsKey(name))
                    .Select(name => $"{at}.{name} is missing"),
                "properties" => expected!.AsObject()
                    .Where(property => value is JsonObject members && members.ContainsKey(property.Key))
                    .SelectMany(property => Faults(property.Value!, value![property.Key], $"{at}.{property.Key}")),
                "items" => value is JsonArray items
                    ? items.SelectMany((item, i) => Faults(expected!, item, $"{at}[{i}]"))
                    : [],
                "format" when expected!.GetValue<string>() == "uuid" =>
                    Guid.TryParseExact(value?.GetValue<string>(), "D", out _) ? [] : [$"{at} is no uuid"],
                "format" when expected!.GetValue<string>() == "date-time" =>
                    value is JsonValue time && time.TryGetValue<DateTimeOffset>(out _)
                        ? []
                        : [$"{at} is no point in time"],
                _ => [$"{at}: keyword {keyword} is unknown here"],
            };
            foreach (var fault in faults) yield return fault;
        }
    }

    static IEnumerable<string> Type(JsonNode expected, JsonNode? value, string at)
    {
        var types = expected is JsonArray several
            ? several.Select(type => type!.GetValue<string>()).ToList()
            : [expected.GetValue<string>()];
        var actual = value?.GetValueKind() switch
        {
            null => "null",
            JsonValueKind.Object => "object",
            JsonValueKind.Array => "array",
            JsonValueKind.String => "string",
            JsonValueKind.Number => value.ToJsonString().Contains('.', StringComparison.Ordinal) ? "number" : "integer",
            _ => "boolean",
        };
        return types.Contains(actual) ? [] : [$"{at} is {actual}, not {string.Join(" or ", types)}"];
    }

    /// <summary>The stored names of a family.</summary>
    public static IEnumerable<string> Names<TEvent>(this EventCodec<TEvent> codec)
        where TEvent : notnull =>
        ((EventTypes<TEvent>)typeof(TEvent).GetField("Types")!.GetValue(codec)!).Select(type => type.Name);
}
