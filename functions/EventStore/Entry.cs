using System.Text.Json;
using EventSourcing;

namespace Functions.EventStore;

/// <summary>One event in an audit trail: what happened, where and when, who asked and what it came from.</summary>
sealed record Entry(
    string Stream,
    long Sequence,
    Guid EventId,
    string EventType,
    DateTimeOffset At,
    string? Who,
    string CommandId,
    string CausationId,
    string CorrelationId,
    string? Traceparent,
    JsonElement Data)
{
    public static Entry Of(StoredEvent stored) => new(
        stored.StreamId,
        stored.Sequence,
        stored.EventId,
        stored.EventType,
        stored.Timestamp,
        stored.UserId,
        stored.CommandId,
        stored.CausationId,
        stored.CorrelationId,
        stored.TraceParent,
        stored.EventData);
}
