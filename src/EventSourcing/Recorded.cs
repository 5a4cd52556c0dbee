namespace EventSourcing;

/// <summary>
/// Who, when and why of one stored event. <see cref="CommandId"/> names the command that caused it, <see
/// cref="CausationId"/> what caused that command, <see cref="CorrelationId"/> the request or saga it all began with.
/// </summary>
public sealed record EventMetadata(
    Guid EventId,
    DateTimeOffset Timestamp,
    string CommandId,
    string CorrelationId,
    string CausationId,
    string? UserId = null,
    string? TraceParent = null);

/// <summary>An event at its place in its stream; sequences count from 1 without gaps.</summary>
public sealed record Recorded<TEvent>(StreamId Stream, long Sequence, TEvent Event, EventMetadata Metadata);
