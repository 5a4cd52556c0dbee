namespace Runtime.Messaging.Storage;

/// <summary>The names under which the two services keep their own facts on an AMQP message.</summary>
static class Annotations
{
    public const string SequenceNumber = "x-opt-sequence-number";
    public const string EnqueuedSequenceNumber = "x-opt-enqueue-sequence-number";
    public const string EnqueuedTime = "x-opt-enqueued-time";
    public const string ScheduledEnqueueTime = "x-opt-scheduled-enqueue-time";
    public const string LockedUntil = "x-opt-locked-until";
    public const string MessageState = "x-opt-message-state";
    public const string PartitionKey = "x-opt-partition-key";
    public const string ViaPartitionKey = "x-opt-via-partition-key";
    public const string DeadLetterSource = "x-opt-deadletter-source";
    public const string Offset = "x-opt-offset";

    /// <summary>These two are application properties: that is how the service shows why a message is dead.</summary>
    public const string DeadLetterReason = "DeadLetterReason";
    public const string DeadLetterErrorDescription = "DeadLetterErrorDescription";

    /// <summary>The W3C parent of a message, where the Azure SDKs look for it.</summary>
    public const string DiagnosticId = "Diagnostic-Id";
}
