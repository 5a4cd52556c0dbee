using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace EventSourcing;

/// <summary>
/// One event exactly as it is stored, one document each, immutable. The change feed, the audit trail and the backup all
/// show this shape; its names are a storage contract.
/// </summary>
public sealed record StoredEvent
{
    /// <summary>The zero-padded sequence: two writers of the same place collide on it.</summary>
    public required string Id { get; init; }

    public required string StreamId { get; init; }

    public required long Sequence { get; init; }

    public required Guid EventId { get; init; }

    public required string EventType { get; init; }

    public required int EventVersion { get; init; }

    public required JsonElement EventData { get; init; }

    public required DateTimeOffset Timestamp { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? UserId { get; init; }

    public required string CorrelationId { get; init; }

    public required string CausationId { get; init; }

    public required string CommandId { get; init; }

    /// <summary>
    /// <c>&lt;commandId&gt;/&lt;index&gt;</c>, unique within its stream: a repeated command collides on it.
    /// </summary>
    public required string CommandKey { get; init; }

    /// <summary>Tells a repeat of the command from another command under the same id.</summary>
    public required string CommandHash { get; init; }

    [JsonPropertyName("traceparent"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? TraceParent { get; init; }

    [JsonIgnore]
    public EventMetadata Metadata =>
        new(EventId, Timestamp, CommandId, CorrelationId, CausationId, UserId, TraceParent);

    public static string IdOf(long sequence) => sequence.ToString("D10", CultureInfo.InvariantCulture);

    public static string CommandKeyOf(string commandId, int index) =>
        string.Create(CultureInfo.InvariantCulture, $"{commandId}/{index}");
}

/// <summary>
/// A stream's state at a sequence, kept beside its events only to load faster: it may be deleted at any time, and one
/// whose <see cref="Schema"/> is not the reader's is ignored.
/// </summary>
public sealed record StoredSnapshot
{
    public const string DocumentId = "snapshot";

    public string Id { get; init; } = DocumentId;

    public required string StreamId { get; init; }

    /// <summary>Constant: the container's unique key wants a value, and a stream has one snapshot.</summary>
    public string CommandKey { get; init; } = DocumentId;

    public required string Schema { get; init; }

    public required long SnapshotSequence { get; init; }

    /// <summary>
    /// The event the state ends with: a snapshot is believed only where the stream still holds this event there.
    /// </summary>
    public required Guid SnapshotEventId { get; init; }

    public required DateTimeOffset Timestamp { get; init; }

    public required JsonElement State { get; init; }
}
