using System.Text.Json;
using Azure.Core.Serialization;
using Azure.Messaging.EventHubs;
using Azure.Messaging.ServiceBus;
using Microsoft.Azure.Functions.Worker;

namespace Runtime.Worker;

/// <summary>What a message or event trigger hands to one invocation.</summary>
/// <param name="Items">An array of the SDK's own type; one element unless the trigger is batched.</param>
sealed record Arrival(Array Items)
{
    const string DiagnosticId = "Diagnostic-Id";

    public ServiceBusMessageActions? Actions { get; init; }

    public ServiceBusSessionMessageActions? Session { get; init; }

    /// <summary>The trace its sender was in; a batch has many and therefore none.</summary>
    public string? TraceParent => Items.Length != 1 ? null : Items.GetValue(0) switch
    {
        ServiceBusReceivedMessage message => message.ApplicationProperties.GetValueOrDefault(DiagnosticId) as string,
        EventData data => data.Properties.TryGetValue(DiagnosticId, out var id) ? id as string : null,
        _ => null,
    };

    static BinaryData Body(object item) => item switch
    {
        ServiceBusReceivedMessage message => message.Body,
        _ => ((EventData)item).EventBody,
    };

    /// <summary>Binds the trigger's parameter, or says what it should have been.</summary>
    /// <exception cref="FunctionsRefusedException">The parameter cannot hold what arrives.</exception>
    public static void Bind(TriggeredFunction function, bool batched, Type native, ObjectSerializer serializer)
    {
        var type = function.Parameter.ParameterType;
        var element = !batched ? type
            : type is { IsArray: true } array && array.GetElementType() is { } item && item != typeof(byte) ? item
            : throw function.Refusal(
                $"a batched trigger hands over an array: take {native.Name}[], string[], byte[][] or T[] of what " +
                $"System.Text.Json makes of one body, not {type}.", function.Parameter);
        if (element != native && IsForeign(element, native))
        {
            throw function.Refusal(
                $"{element} is not what arrives: take {native.Name}, string, byte[] or a type that " +
                $"System.Text.Json makes of the body{(batched ? "" : "; arrays need IsBatched = true")}.",
                function.Parameter);
        }

        var read = Reader(element, native, serializer);
        function.Bind(function.Parameter, (context, payload) => new(batched
            ? ReadAll(((Arrival)payload!).Items, element, native, read, context.CancellationToken)
            : read(((Arrival)payload!).Items.GetValue(0)!, context.CancellationToken)));
    }

    static bool IsForeign(Type element, Type native) =>
        element == native.MakeArrayType() || typeof(Stream).IsAssignableFrom(element) ||
        element.Namespace?.StartsWith("Azure.", StringComparison.Ordinal) is true ||
        element.Namespace?.StartsWith("Newtonsoft.Json", StringComparison.Ordinal) is true;

    static Array ReadAll(
        Array items, Type element, Type native, Func<object, CancellationToken, object?> read,
        CancellationToken cancellation)
    {
        if (element == native)
        {
            return items;
        }

        var values = Array.CreateInstance(element, items.Length);
        for (var i = 0; i < items.Length; i++)
        {
            values.SetValue(read(items.GetValue(i)!, cancellation), i);
        }

        return values;
    }

    static Func<object, CancellationToken, object?> Reader(Type type, Type native, ObjectSerializer serializer) => 0
        switch
    {
        _ when type == native => static (item, _) => item,
        _ when type == typeof(string) => static (item, _) => Body(item).ToString(),
        _ when type == typeof(byte[]) => static (item, _) => Body(item).ToArray(),
        _ => (item, cancellation) =>
        {
            try
            {
                return serializer.Deserialize(Body(item).ToStream(), type, cancellation);
            }
            catch (JsonException e)
            {
                throw new FunctionInputConverterException($"The body cannot be read as {type}: {e.Message}", e);
            }
        },
    };
}
