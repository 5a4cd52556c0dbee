using System.Collections;
using Azure.Core.Serialization;
using Microsoft.Azure.Functions.Worker.Extensions.Abstractions;

namespace Runtime.Worker;

/// <summary>What a function gave back, as the bodies of messages or events.</summary>
static class OutgoingContent
{
    const string Text = "text/plain";
    const string Bytes = "application/octet-stream";
    const string Json = "application/json";

    /// <summary>Refuses an output whose type Azure could not carry either.</summary>
    public static void Check(TriggeredFunction function, OutputBindingAttribute output)
    {
        var properties = CompiledFunction.OutputProperties(function.Method)
            .Where(property => property.IsDefined(output.GetType(), inherit: false))
            .Select(property => property.PropertyType);
        var types = function.Method.IsDefined(output.GetType(), inherit: false)
            ? properties.Append(CompiledFunction.ResultType(function.Method))
            : properties;
        foreach (var type in types.Select(type => type.IsArray ? type.GetElementType()! : type))
        {
            if (type.Namespace?.StartsWith("Azure.Messaging", StringComparison.Ordinal) is true)
            {
                throw function.Refusal(
                    $"[{output.GetType().Name}] carries string, byte[], objects as JSON, and arrays of these, " +
                    $"not {type.Name}; send that with a client.");
            }
        }
    }

    /// <summary>One body for a value, one for each element of an array.</summary>
    public static IEnumerable<(BinaryData Body, string ContentType)> Of(
        object value, ObjectSerializer serializer, CancellationToken cancellation) => value switch
    {
        string or byte[] => [One(value, serializer, cancellation)],
        IEnumerable and not IDictionary => ((IEnumerable)value).Cast<object?>().OfType<object>()
            .Select(item => One(item, serializer, cancellation)),
        _ => [One(value, serializer, cancellation)],
    };

    static (BinaryData Body, string ContentType) One(
        object value, ObjectSerializer serializer, CancellationToken cancellation) => value switch
    {
        string text => (new BinaryData(text), Text),
        byte[] bytes => (new BinaryData(bytes), Bytes),
        _ => (serializer.Serialize(value, value.GetType(), cancellation), Json),
    };
}
