using System.Text.Json;
using System.Text.Json.Serialization;
using EventSourcing;

namespace Functions.Messaging;

/// <summary>
/// An integration event as it travels: CloudEvents 1.0, structured mode. Attribute names are lower case by that
/// specification; <see cref="Sequence"/> is its sequence extension, padded so that it sorts as text.
/// </summary>
public sealed record CloudEvent
{
    public const string ContentType = "application/cloudevents+json";

    [JsonPropertyName("specversion")]
    public string SpecVersion { get; init; } = "1.0";

    /// <summary>The stored event's id: the same event, told again, is the same message.</summary>
    public required Guid Id { get; init; }

    public string Source { get; init; } = "/orders";

    public required string Type { get; init; }

    /// <summary>The stream it happened on: what must stay in order.</summary>
    public required string Subject { get; init; }

    public required DateTimeOffset Time { get; init; }

    [JsonPropertyName("datacontenttype")]
    public string DataContentType { get; init; } = "application/json";

    [JsonPropertyName("dataschema")]
    public required string DataSchema { get; init; }

    public required string Sequence { get; init; }

    [JsonPropertyName("correlationid")]
    public required string CorrelationId { get; init; }

    /// <summary>The id of what this event came of; for a choreographed step the event it answers.</summary>
    [JsonPropertyName("causationid")]
    public required string CausationId { get; init; }

    /// <summary>Which workflow it is a step of, where that is known from the event alone.</summary>
    public string? Workflow { get; init; }

    [JsonPropertyName("traceparent")]
    public string? TraceParent { get; init; }

    public required JsonElement Data { get; init; }

    public byte[] ToBytes() => JsonSerializer.SerializeToUtf8Bytes(this, StoredJson.Options);

    /// <exception cref="JsonException">It is no integration event of this system.</exception>
    public static CloudEvent Read(ReadOnlyMemory<byte> bytes)
    {
        var read = JsonSerializer.Deserialize<CloudEvent>(bytes.Span, StoredJson.Options);
        return read is { SpecVersion: "1.0" }
            ? read
            : throw new JsonException($"CloudEvents 1.0 is read here, not {read?.SpecVersion ?? "null"}.");
    }

    /// <summary>The data in the shape its type promises.</summary>
    /// <exception cref="JsonException">No such type is known here, or the data is something else.</exception>
    public object Content() => Contracts.ByName.TryGetValue(Type, out var contract)
        ? Data.Deserialize(contract, StoredJson.Options) ?? throw new JsonException($"{Type} {Id} has no data.")
        : throw new JsonException($"No event of type {Type} is known here.");
}
