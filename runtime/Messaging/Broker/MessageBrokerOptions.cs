namespace Runtime.Messaging;

/// <summary>Where a broker keeps its state, whose time it follows, and every bound it puts on its users.</summary>
public sealed record MessageBrokerOptions
{
    /// <summary>The SQLite file that holds all state; null keeps it in memory while the broker lives.</summary>
    public string? File { get; init; }

    /// <summary>Whether an acknowledged write must survive a power cut too, at the price of a disk flush per group of
    /// writes. A killed process loses nothing either way.</summary>
    public bool SurvivesPowerLoss { get; init; }

    /// <summary>The host name by which the public constructors of the clients find this broker, such as the
    /// <c>localhost</c> of <c>Endpoint=sb://localhost;…</c>; null is found only by the broker's own factory methods.
    /// </summary>
    public string? Namespace { get; init; }

    public TimeProvider Clock { get; init; } = TimeProvider.System;

    /// <summary>The chance behind <see cref="MessageBroker.Faults"/>; a seed makes a run repeatable.</summary>
    public Random Random { get; init; } = new();

    /// <summary>
    /// Size of one message or one batch, properties included, as stored; 256 KB as in the Standard tier.
    /// </summary>
    public int MessageBytesMax { get; init; } = 256 * 1024;

    /// <summary>Size of one event or one batch of events.</summary>
    public int EventBatchBytesMax { get; init; } = 1024 * 1024;

    public int BatchMessagesMax { get; init; } = 4_500;

    /// <summary>Messages that one receive or peek returns at most, however many it asks for.</summary>
    public int ReceiveMessagesMax { get; init; } = 1_000;

    /// <summary>Messages that one queue or subscription holds, whatever their size.</summary>
    public int EntityMessagesMax { get; init; } = 1_000_000;

    /// <summary>Receives that wait on one queue or subscription at the same time.</summary>
    public int WaitingReceivesMax { get; init; } = 5_000;

    /// <summary>Events that one read of a partition returns at most.</summary>
    public int ReadEventsMax { get; init; } = 1_000;

    /// <summary>Readers of one partition in one consumer group at the same time.</summary>
    public int ReadersPerGroupMax { get; init; } = 5;

    /// <summary>Size of a session's state.</summary>
    public int SessionStateBytesMax { get; init; } = 256 * 1024;

    /// <summary>
    /// Message bytes a durable broker keeps in memory; beyond it they stay in the file until delivered.
    /// </summary>
    public long ResidentBytesMax { get; init; } = 64L * 1024 * 1024;

    /// <summary>Bytes of the newest events that a durable broker keeps in memory, for each partition, for readers at
    /// the end.</summary>
    public int ResidentEventBytesMax { get; init; } = 1024 * 1024;
}
