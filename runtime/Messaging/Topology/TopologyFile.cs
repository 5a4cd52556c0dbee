using System.Text.Json;
using System.Text.Json.Serialization;
using System.Xml;

namespace Runtime.Messaging;

/// <summary>The file's shape: the property names of ARM's Microsoft.ServiceBus and Microsoft.EventHub
/// resources.</summary> <remarks>A property that is not listed here is refused by its name: better a host that does not
/// start than one that quietly forwards nothing. <c>supportOrdering</c> and <c>enableBatchedOperations</c> ask for what
/// is always so.
/// </remarks>
static class TopologyFile
{
    static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web)
    {
        PropertyNameCaseInsensitive = false,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        NumberHandling = JsonNumberHandling.Strict,
        Converters = { new IsoDuration() },
    };

    public static MessagingTopology Parse(string json)
    {
        try
        {
            var file = JsonSerializer.Deserialize<Root>(json, Options) ?? throw new JsonException("The file is empty.");
            return new()
            {
                Queues = [.. (file.ServiceBus?.Queues ?? []).Select(Queue)],
                Topics = [.. (file.ServiceBus?.Topics ?? []).Select(Topic)],
                Hubs = [.. (file.EventHubs?.Hubs ?? []).Select(Hub)],
            };
        }
        catch (JsonException e)
        {
            throw new TopologyException($"The messaging topology cannot be read: {e.Message}", e);
        }
    }

    static QueueDeclaration Queue(QueueEntry entry)
    {
        var properties = entry.Properties ?? new();
        return new()
        {
            Name = entry.Name,
            LockDuration = properties.LockDuration ?? TimeSpan.FromMinutes(1),
            MaxDeliveryCount = properties.MaxDeliveryCount ?? 10,
            DefaultMessageTimeToLive = properties.DefaultMessageTimeToLive ?? TimeSpan.MaxValue,
            DeadLetteringOnMessageExpiration = properties.DeadLetteringOnMessageExpiration,
            RequiresSession = properties.RequiresSession,
            DuplicateDetectionWindow = Window(
                properties.RequiresDuplicateDetection, properties.DuplicateDetectionHistoryTimeWindow),
            SizeBytesMax = Megabytes(properties.MaxSizeInMegabytes),
        };
    }

    static TopicDeclaration Topic(TopicEntry entry)
    {
        var properties = entry.Properties ?? new();
        return new()
        {
            Name = entry.Name,
            DefaultMessageTimeToLive = properties.DefaultMessageTimeToLive ?? TimeSpan.MaxValue,
            DuplicateDetectionWindow = Window(
                properties.RequiresDuplicateDetection, properties.DuplicateDetectionHistoryTimeWindow),
            SizeBytesMax = Megabytes(properties.MaxSizeInMegabytes),
            Subscriptions = [.. (entry.Subscriptions ?? []).Select(Subscription)],
        };
    }

    static SubscriptionDeclaration Subscription(SubscriptionEntry entry)
    {
        var properties = entry.Properties ?? new();
        return new()
        {
            Name = entry.Name,
            LockDuration = properties.LockDuration ?? TimeSpan.FromMinutes(1),
            MaxDeliveryCount = properties.MaxDeliveryCount ?? 10,
            DefaultMessageTimeToLive = properties.DefaultMessageTimeToLive ?? TimeSpan.MaxValue,
            DeadLetteringOnMessageExpiration = properties.DeadLetteringOnMessageExpiration,
            DeadLetteringOnFilterEvaluationExceptions = properties.DeadLetteringOnFilterEvaluationExceptions ?? true,
            RequiresSession = properties.RequiresSession,
            Rules = [.. (entry.Rules ?? []).Select(rule => Rule(entry.Name, rule))],
        };
    }

    static RuleDeclaration Rule(string subscription, RuleEntry entry)
    {
        var properties = entry.Properties ?? new();
        var problem = (properties.FilterType, properties.SqlFilter, properties.CorrelationFilter) switch
        {
            ("SqlFilter", not null, null) or ("CorrelationFilter", null, not null) or (null, null, null) => null,
            ("SqlFilter" or "CorrelationFilter" or null, _, _) => "filterType must name the one filter that is given",
            _ => $"the filter type '{properties.FilterType}' is not supported",
        };
        return problem is null
            ? new()
            {
                Name = entry.Name,
                SqlFilter = properties.SqlFilter?.SqlExpression,
                Correlation = properties.CorrelationFilter is { } filter ? Typed(filter) : null,
                SqlAction = properties.Action?.SqlExpression,
            }
            : throw new TopologyException($"Subscription '{subscription}', rule '{entry.Name}': {problem}.");
    }

    static CorrelationDeclaration Typed(CorrelationDeclaration filter) => filter with
    {
        Properties = filter.Properties.ToDictionary(
            property => property.Key, property => (JsonElement)property.Value switch
        {
            { ValueKind: JsonValueKind.String } text => (object)text.GetString()!,
            { ValueKind: JsonValueKind.True or JsonValueKind.False } truth => truth.GetBoolean(),
            { ValueKind: JsonValueKind.Number } number when number.TryGetInt64(out var whole) => whole,
            { ValueKind: JsonValueKind.Number } number => number.GetDouble(),
            var other => throw new TopologyException(
                $"A correlation filter compares '{property.Key}' with a {other.ValueKind}; it takes plain values."),
        }),
    };

    static HubDeclaration Hub(HubEntry entry) => new()
    {
        Name = entry.Name,
        PartitionCount = entry.Properties.PartitionCount,
        Retention = entry.Properties.RetentionDescription switch
        {
            null => TimeSpan.FromDays(1),
            { CleanupPolicy: "Delete" } policy => TimeSpan.FromHours(policy.RetentionTimeInHours),
            var policy => throw new TopologyException(
                $"Event hub '{entry.Name}': the cleanup policy '{policy.CleanupPolicy}' is not supported."),
        },
        ConsumerGroups = entry.ConsumerGroups ?? [],
    };

    static TimeSpan? Window(bool required, TimeSpan? window) => required ? window ?? TimeSpan.FromMinutes(10) : null;

    static long Megabytes(int? megabytes) => (megabytes ?? 1024) * 1024L * 1024;

    sealed record Root(
        [property: JsonPropertyName("$schema")] string? Schema, ServiceBusEntry? ServiceBus, EventHubsEntry? EventHubs);

    sealed record ServiceBusEntry(IReadOnlyList<QueueEntry>? Queues, IReadOnlyList<TopicEntry>? Topics);

    sealed record EventHubsEntry(IReadOnlyList<HubEntry>? Hubs);

    sealed record QueueEntry
    {
        public required string Name { get; init; }

        public EntityProperties? Properties { get; init; }
    }

    sealed record TopicEntry
    {
        public required string Name { get; init; }

        public TopicProperties? Properties { get; init; }

        public IReadOnlyList<SubscriptionEntry>? Subscriptions { get; init; }
    }

    sealed record SubscriptionEntry
    {
        public required string Name { get; init; }

        public SubscriptionProperties? Properties { get; init; }

        public IReadOnlyList<RuleEntry>? Rules { get; init; }
    }

    sealed record EntityProperties
    {
        public TimeSpan? LockDuration { get; init; }

        public int? MaxDeliveryCount { get; init; }

        public TimeSpan? DefaultMessageTimeToLive { get; init; }

        public bool DeadLetteringOnMessageExpiration { get; init; }

        public bool RequiresSession { get; init; }

        public bool RequiresDuplicateDetection { get; init; }

        public TimeSpan? DuplicateDetectionHistoryTimeWindow { get; init; }

        public int? MaxSizeInMegabytes { get; init; }

        public bool EnableBatchedOperations { get; init; }
    }

    sealed record TopicProperties
    {
        public TimeSpan? DefaultMessageTimeToLive { get; init; }

        public bool RequiresDuplicateDetection { get; init; }

        public TimeSpan? DuplicateDetectionHistoryTimeWindow { get; init; }

        public int? MaxSizeInMegabytes { get; init; }

        public bool EnableBatchedOperations { get; init; }

        public bool SupportOrdering { get; init; }
    }

    sealed record SubscriptionProperties
    {
        public TimeSpan? LockDuration { get; init; }

        public int? MaxDeliveryCount { get; init; }

        public TimeSpan? DefaultMessageTimeToLive { get; init; }

        public bool DeadLetteringOnMessageExpiration { get; init; }

        public bool? DeadLetteringOnFilterEvaluationExceptions { get; init; }

        public bool RequiresSession { get; init; }

        public bool EnableBatchedOperations { get; init; }
    }

    sealed record RuleEntry
    {
        public required string Name { get; init; }

        public RuleProperties? Properties { get; init; }
    }

    sealed record RuleProperties
    {
        public string? FilterType { get; init; }

        public SqlText? SqlFilter { get; init; }

        public CorrelationDeclaration? CorrelationFilter { get; init; }

        public SqlText? Action { get; init; }
    }

    sealed record SqlText
    {
        public required string SqlExpression { get; init; }
    }

    sealed record HubEntry
    {
        public required string Name { get; init; }

        public required HubProperties Properties { get; init; }

        public IReadOnlyList<string>? ConsumerGroups { get; init; }
    }

    sealed record HubProperties
    {
        public required int PartitionCount { get; init; }

        public RetentionDescription? RetentionDescription { get; init; }
    }

    sealed record RetentionDescription
    {
        public required string CleanupPolicy { get; init; }

        public required int RetentionTimeInHours { get; init; }
    }

    sealed class IsoDuration : JsonConverter<TimeSpan>
    {
        public override TimeSpan Read(ref Utf8JsonReader reader, Type type, JsonSerializerOptions options)
        {
            var text = reader.GetString();
            try
            {
                return XmlConvert.ToTimeSpan(text ?? "");
            }
            catch (Exception e) when (e is FormatException or OverflowException)
            {
                throw new JsonException($"'{text}' is not an ISO 8601 duration such as PT1M.", e);
            }
        }

        public override void Write(Utf8JsonWriter writer, TimeSpan value, JsonSerializerOptions options) =>
            writer.WriteStringValue(XmlConvert.ToString(value));
    }
}
