using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Azure.Core.Serialization;
using Microsoft.Azure.Functions.Worker;

namespace Runtime.Worker;

/// <summary>Turns a batch into the parameter of a change-feed function with the worker's serializer.</summary>
static class BatchBinder
{
    static readonly Type[] collections =
    [
        typeof(IReadOnlyList<>), typeof(IReadOnlyCollection<>), typeof(IEnumerable<>), typeof(IList<>),
        typeof(ICollection<>), typeof(List<>),
    ];

    static readonly Type[] documents = [typeof(JsonElement), typeof(JsonDocument), typeof(JsonNode), typeof(JsonArray)];

    /// <summary>Null when a JSON array of objects cannot become the type.</summary>
    public static ParameterBinder? For(Type type, ObjectSerializer serializer)
    {
        if (type == typeof(string))
        {
            return static (_, payload) => new(Encoding.UTF8.GetString(((ChangeBatch)payload!).Json.Span));
        }

        return documents.Contains(type) || (Element(type) is { } element && CanBeDocument(element))
            ? (context, payload) => new(Read((ChangeBatch)payload!, type, serializer, context.CancellationToken))
            : null;
    }

    static object? Read(ChangeBatch batch, Type type, ObjectSerializer serializer, CancellationToken cancellation)
    {
        try
        {
            return serializer.Deserialize(BinaryData.FromBytes(batch.Json).ToStream(), type, cancellation);
        }
        catch (JsonException e)
        {
            throw new FunctionInputConverterException($"The changes cannot be read as {type}: {e.Message}", e);
        }
    }

    static Type? Element(Type type) => type switch
    {
        { IsArray: true } => type.GetElementType(),
        { IsGenericType: true } when collections.Contains(type.GetGenericTypeDefinition()) =>
            type.GetGenericArguments()[0],
        _ => null,
    };

    // Newtonsoft's JObject is refused too: System.Text.Json would fill it with empty arrays.
    static bool CanBeDocument(Type element) =>
        element != typeof(string) && !element.IsPrimitive && !element.IsEnum && !element.IsArray &&
        element.Namespace?.StartsWith("Newtonsoft.Json", StringComparison.Ordinal) is not true;
}
