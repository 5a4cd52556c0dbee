namespace Azure.Messaging.EventHubs;

/// <summary>What an event hub is called and how it is divided.</summary>
public class EventHubProperties
{
    protected internal EventHubProperties(string name, DateTimeOffset createdOn, string[] partitionIds)
    {
        Name = name;
        CreatedOn = createdOn;
        PartitionIds = partitionIds;
    }

    public string Name { get; }

    public DateTimeOffset CreatedOn { get; }

    public string[] PartitionIds { get; }
}

/// <summary>From where to where a partition reaches.</summary>
public class PartitionProperties
{
    protected internal PartitionProperties(
        string eventHubName, string partitionId, bool isEmpty, long beginningSequenceNumber, long lastSequenceNumber,
        string lastOffsetString, DateTimeOffset lastEnqueuedTime)
    {
        EventHubName = eventHubName;
        Id = partitionId;
        IsEmpty = isEmpty;
        BeginningSequenceNumber = beginningSequenceNumber;
        LastEnqueuedSequenceNumber = lastSequenceNumber;
        LastEnqueuedOffsetString = lastOffsetString;
        LastEnqueuedTime = lastEnqueuedTime;
    }

    public string EventHubName { get; }

    public string Id { get; }

    public bool IsEmpty { get; }

    public long BeginningSequenceNumber { get; }

    public long LastEnqueuedSequenceNumber { get; }

    public string LastEnqueuedOffsetString { get; }

    public DateTimeOffset LastEnqueuedTime { get; }
}

/// <summary>Makes the properties and events a test wants to have got.</summary>
public static class EventHubsModelFactory
{
    public static EventHubProperties EventHubProperties(string name, DateTimeOffset createdOn, string[] partitionIds) =>
        new(name, createdOn, partitionIds);

    public static PartitionProperties PartitionProperties(
        string eventHubName, string partitionId, bool isEmpty, long beginningSequenceNumber, long lastSequenceNumber,
        string lastOffsetString, DateTimeOffset lastEnqueuedTime) => new(
        eventHubName, partitionId, isEmpty, beginningSequenceNumber, lastSequenceNumber, lastOffsetString,
            lastEnqueuedTime);

    public static EventData EventData(
        BinaryData eventBody, IDictionary<string, object>? properties = default,
        IReadOnlyDictionary<string, object>? systemProperties = default, string? partitionKey = default,
        long sequenceNumber = long.MinValue, string? offsetString = default, DateTimeOffset enqueuedTime = default) =>
        new MadeEvent(
            eventBody, properties, systemProperties, sequenceNumber, offsetString, enqueuedTime, partitionKey);

    sealed class MadeEvent(
        BinaryData body, IDictionary<string, object>? properties, IReadOnlyDictionary<string, object>? systemProperties,
        long sequenceNumber, string? offsetString, DateTimeOffset enqueuedTime, string? partitionKey)
        : EventData(body, properties, systemProperties, sequenceNumber, offsetString, enqueuedTime, partitionKey);
}

/// <summary>How long a call waits. Nothing between client and hub can fail here, so nothing is retried.</summary>
public class EventHubsRetryOptions
{
    public EventHubsRetryMode Mode { get; set; } = EventHubsRetryMode.Exponential;

    public int MaximumRetries { get; set; } = 3;

    public TimeSpan Delay { get; set; } = TimeSpan.FromSeconds(0.8);

    public TimeSpan MaximumDelay { get; set; } = TimeSpan.FromMinutes(1);

    public TimeSpan TryTimeout { get; set; } = TimeSpan.FromMinutes(1);
}

public enum EventHubsRetryMode
{
    Fixed,
    Exponential,
}
