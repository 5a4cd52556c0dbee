namespace Runtime.Messaging;

/// <summary>
/// How many messages a queue or subscription holds, and the bytes its queue or topic holds altogether.
/// </summary>
public sealed record EntityCounts(
    string Path, int Active, int Deferred, int Scheduled, int DeadLettered, long SizeBytes);
