using System.Text.Json;
using System.Text.Json.Serialization;

namespace Runtime.Worker;

/// <summary>The section <c>extensions.serviceBus</c> of host.json, with Azure's names and defaults.</summary>
sealed record ServiceBusSettings
{
    public int PrefetchCount { get; init; }

    public bool AutoCompleteMessages { get; init; } = true;

    public TimeSpan MaxAutoLockRenewalDuration { get; init; } = TimeSpan.FromMinutes(5);

    public int MaxConcurrentCalls { get; init; } = 16;

    public int MaxConcurrentSessions { get; init; } = 8;

    public int MaxConcurrentCallsPerSession { get; init; } = 1;

    public TimeSpan? SessionIdleTimeout { get; init; }

    public int MaxMessageBatchSize { get; init; } = 1000;

    public int MinMessageBatchSize { get; init; } = 1;

    public TimeSpan? MaxBatchWaitTime { get; init; }

    public bool EnableCrossEntityTransactions { get; init; }

    /// <summary>How the way to Azure is taken; there is no such way here.</summary>
    public JsonElement ClientRetryOptions { get; init; }

    /// <inheritdoc cref="ClientRetryOptions"/>
    public JsonElement TransportType { get; init; }

    /// <inheritdoc cref="ClientRetryOptions"/>
    public JsonElement WebProxy { get; init; }

    public static ServiceBusSettings Read(JsonElement? section)
    {
        var settings = MessagingSettings.Read<ServiceBusSettings>(section, "serviceBus");
        MessagingSettings.Positive(settings.MaxConcurrentCalls, "serviceBus.maxConcurrentCalls");
        MessagingSettings.Positive(settings.MaxConcurrentSessions, "serviceBus.maxConcurrentSessions");
        MessagingSettings.Positive(settings.MaxConcurrentCallsPerSession, "serviceBus.maxConcurrentCallsPerSession");
        MessagingSettings.Positive(settings.MaxMessageBatchSize, "serviceBus.maxMessageBatchSize");
        MessagingSettings.Only(settings.MinMessageBatchSize == 1, "serviceBus.minMessageBatchSize", "1");
        MessagingSettings.Only(
            !settings.EnableCrossEntityTransactions, "serviceBus.enableCrossEntityTransactions", "false");
        return settings.SessionIdleTimeout <= TimeSpan.Zero
            ? throw new FunctionsRefusedException(
                "host.json: extensions.serviceBus.sessionIdleTimeout must be a time above zero.")
            : settings;
    }
}

/// <summary>The section <c>extensions.eventHubs</c> of host.json, with Azure's names and defaults.</summary>
sealed record EventHubSettings
{
    public int MaxEventBatchSize { get; init; } = 100;

    public int MinEventBatchSize { get; init; } = 1;

    public TimeSpan? MaxWaitTime { get; init; }

    public int BatchCheckpointFrequency { get; init; } = 1;

    public InitialOffset InitialOffsetOptions { get; init; } = new();

    /// <summary>How the way to Azure is taken and shared with other instances; there are neither here.</summary>
    public JsonElement PrefetchCount { get; init; }

    /// <inheritdoc cref="PrefetchCount"/>
    public JsonElement TransportType { get; init; }

    /// <inheritdoc cref="PrefetchCount"/>
    public JsonElement ClientRetryOptions { get; init; }

    /// <inheritdoc cref="PrefetchCount"/>
    public JsonElement TargetUnprocessedEventThreshold { get; init; }

    /// <inheritdoc cref="PrefetchCount"/>
    public JsonElement PartitionOwnershipExpirationInterval { get; init; }

    /// <inheritdoc cref="PrefetchCount"/>
    public JsonElement LoadBalancingUpdateInterval { get; init; }

    public static EventHubSettings Read(JsonElement? section)
    {
        var settings = MessagingSettings.Read<EventHubSettings>(section, "eventHubs");
        MessagingSettings.Positive(settings.MaxEventBatchSize, "eventHubs.maxEventBatchSize");
        MessagingSettings.Positive(settings.BatchCheckpointFrequency, "eventHubs.batchCheckpointFrequency");
        MessagingSettings.Only(settings.MinEventBatchSize == 1, "eventHubs.minEventBatchSize", "1");
        return settings;
    }

    internal sealed record InitialOffset
    {
        public string Type { get; init; } = "fromStart";

        public DateTimeOffset? EnqueuedTimeUtc { get; init; }
    }
}

/// <summary>Reads a section and refuses what this host would not act on.</summary>
static class MessagingSettings
{
    static readonly JsonSerializerOptions strict = new(JsonSerializerDefaults.Web)
    {
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    };

    public static T Read<T>(JsonElement? section, string name)
        where T : new()
    {
        try
        {
            return section is { } json ? json.Deserialize<T>(strict) ?? new() : new();
        }
        catch (JsonException e)
        {
            throw new FunctionsRefusedException($"host.json: extensions.{name} cannot be used: {e.Message}");
        }
    }

    public static void Positive(int value, string name)
    {
        if (value < 1)
        {
            throw new FunctionsRefusedException($"host.json: extensions.{name} is {value}; it must be above zero.");
        }
    }

    public static void Only(bool isOffered, string name, string value)
    {
        if (!isOffered)
        {
            throw new FunctionsRefusedException($"host.json: extensions.{name} is offered here as {value} only.");
        }
    }
}
