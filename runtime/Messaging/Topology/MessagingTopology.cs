namespace Runtime.Messaging;

/// <summary>The queues, topics and event hubs a broker serves.</summary>
public sealed record MessagingTopology
{
    public IReadOnlyList<QueueDeclaration> Queues { get; init; } = [];

    public IReadOnlyList<TopicDeclaration> Topics { get; init; } = [];

    public IReadOnlyList<HubDeclaration> Hubs { get; init; } = [];

    /// <summary>Reads a topology as <c>infra/topology/messaging.json</c> writes it, in the words of ARM.</summary>
    /// <exception cref="TopologyException">It names what is wrong and where; what is not supported is
    /// refused.</exception>
    public static MessagingTopology Parse(string json)
    {
        ArgumentNullException.ThrowIfNull(json);
        var topology = TopologyFile.Parse(json);
        TopologyCheck.Run(topology);
        return topology;
    }

    public static MessagingTopology Load(string file) => Parse(File.ReadAllText(file));
}

/// <summary>A topology that cannot be served, and the entity that makes it so.</summary>
public sealed class TopologyException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>How a queue treats its messages.</summary>
public sealed record QueueDeclaration
{
    public required string Name { get; init; }

    public TimeSpan LockDuration { get; init; } = TimeSpan.FromMinutes(1);

    public int MaxDeliveryCount { get; init; } = 10;

    public TimeSpan DefaultMessageTimeToLive { get; init; } = TimeSpan.MaxValue;

    public bool DeadLetteringOnMessageExpiration { get; init; }

    public bool RequiresSession { get; init; }

    /// <summary>How long a message id is remembered to refuse its repetition; null takes repetitions.</summary>
    public TimeSpan? DuplicateDetectionWindow { get; init; }

    /// <summary>What the queue and its dead letters may hold together.</summary>
    public long SizeBytesMax { get; init; } = 1024L * 1024 * 1024;
}

/// <summary>How a topic treats messages, and who subscribes.</summary>
public sealed record TopicDeclaration
{
    public required string Name { get; init; }

    public TimeSpan DefaultMessageTimeToLive { get; init; } = TimeSpan.MaxValue;

    /// <inheritdoc cref="QueueDeclaration.DuplicateDetectionWindow"/>
    public TimeSpan? DuplicateDetectionWindow { get; init; }

    /// <summary>What all subscriptions and their dead letters may hold together; each copy counts.</summary>
    public long SizeBytesMax { get; init; } = 1024L * 1024 * 1024;

    public IReadOnlyList<SubscriptionDeclaration> Subscriptions { get; init; } = [];
}

/// <summary>Which messages of a topic a subscription takes, and how it treats them.</summary>
public sealed record SubscriptionDeclaration
{
    public required string Name { get; init; }

    public TimeSpan LockDuration { get; init; } = TimeSpan.FromMinutes(1);

    public int MaxDeliveryCount { get; init; } = 10;

    public TimeSpan DefaultMessageTimeToLive { get; init; } = TimeSpan.MaxValue;

    public bool DeadLetteringOnMessageExpiration { get; init; }

    /// <summary>Keeps a message that a filter fails on among the dead letters; otherwise it is not taken.</summary>
    public bool DeadLetteringOnFilterEvaluationExceptions { get; init; } = true;

    public bool RequiresSession { get; init; }

    /// <summary>A message is taken once if any rule selects it, and once more for every rule with an action.</summary>
    /// <remarks>As on Azure, a subscription that declares no rule of the name <c>$Default</c> has one that takes all.
    /// </remarks>
    public IReadOnlyList<RuleDeclaration> Rules { get; init; } = [];
}

/// <summary>Selects messages by SQL or by equality; a rule with neither selects every message.</summary>
public sealed record RuleDeclaration
{
    public const string DefaultName = "$Default";

    public required string Name { get; init; }

    public string? SqlFilter { get; init; }

    public CorrelationDeclaration? Correlation { get; init; }

    /// <summary>SQL that changes the copy this rule takes.</summary>
    public string? SqlAction { get; init; }
}

/// <summary>Selects messages whose properties equal all of these; null asks nothing.</summary>
public sealed record CorrelationDeclaration
{
    public string? Label { get; init; }

    public string? CorrelationId { get; init; }

    public string? MessageId { get; init; }

    public string? SessionId { get; init; }

    public string? To { get; init; }

    public string? ReplyTo { get; init; }

    public string? ReplyToSessionId { get; init; }

    public string? ContentType { get; init; }

    public IReadOnlyDictionary<string, object> Properties { get; init; } = new Dictionary<string, object>();
}

/// <summary>How an event hub is divided, how long it remembers, and who reads it.</summary>
public sealed record HubDeclaration
{
    public required string Name { get; init; }

    public required int PartitionCount { get; init; }

    public TimeSpan Retention { get; init; } = TimeSpan.FromDays(1);

    /// <summary>Beside these there is always <c>$Default</c>.</summary>
    public IReadOnlyList<string> ConsumerGroups { get; init; } = [];
}
