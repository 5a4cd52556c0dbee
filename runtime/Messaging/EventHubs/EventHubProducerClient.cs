using Azure.Core;
using Runtime.Messaging.Hubs;

namespace Azure.Messaging.EventHubs.Producer;

/// <summary>Sends events to one event hub. An acknowledged send is stored, all of it, in one partition.</summary>
/// <remarks>A constructor finds the broker that is open under the host name it is given, on first use; credentials are
/// not looked at.</remarks>
public class EventHubProducerClient : IAsyncDisposable
{
    readonly HubConnection? connection;

    public EventHubProducerClient(string connectionString) : this(connectionString, null, null)
    {
    }

    public EventHubProducerClient(string connectionString, EventHubProducerClientOptions? clientOptions)
        : this(connectionString, null, clientOptions)
    {
    }

    public EventHubProducerClient(string connectionString, string? eventHubName)
        : this(connectionString, eventHubName, null)
    {
    }

    public EventHubProducerClient(
        string connectionString, string? eventHubName, EventHubProducerClientOptions? clientOptions)
        : this(Connect(EventHubsConnectionStringProperties.Require(connectionString, eventHubName)), clientOptions)
    {
    }

    public EventHubProducerClient(
        string fullyQualifiedNamespace, string eventHubName, TokenCredential credential,
        EventHubProducerClientOptions? clientOptions = default)
        : this(HubArguments.Connect(fullyQualifiedNamespace, eventHubName, credential), clientOptions)
    {
    }

    public EventHubProducerClient(
        string fullyQualifiedNamespace, string eventHubName, AzureNamedKeyCredential credential,
        EventHubProducerClientOptions? clientOptions = default)
        : this(HubArguments.Connect(fullyQualifiedNamespace, eventHubName, credential), clientOptions)
    {
    }

    public EventHubProducerClient(
        string fullyQualifiedNamespace, string eventHubName, AzureSasCredential credential,
        EventHubProducerClientOptions? clientOptions = default)
        : this(HubArguments.Connect(fullyQualifiedNamespace, eventHubName, credential), clientOptions)
    {
    }

    protected EventHubProducerClient() => FullyQualifiedNamespace = EventHubName = Identifier = "";

    internal EventHubProducerClient(HubConnection connection, EventHubProducerClientOptions? options)
    {
        this.connection = connection;
        FullyQualifiedNamespace = connection.FullyQualifiedNamespace;
        EventHubName = connection.HubName;
        Identifier = options?.Identifier is { Length: > 0 } name ? name : $"{Guid.NewGuid()}";
    }

    public string FullyQualifiedNamespace { get; }

    public string EventHubName { get; }

    public string Identifier { get; }

    public bool IsClosed { get; protected set; }

    HubConnection Connection
    {
        get
        {
            HubArguments.ThrowIfClosed(IsClosed, EventHubName, nameof(EventHubProducerClient));
            return connection ?? throw new NotSupportedException("A mocked producer has no connection.");
        }
    }

    public virtual Task<EventHubProperties> GetEventHubPropertiesAsync(CancellationToken cancellationToken = default) =>
        Connection.CallAsync(
            hub => new EventHubProperties(hub.Name, hub.CreatedAt, hub.PartitionIds), cancellationToken);

    public virtual Task<string[]> GetPartitionIdsAsync(CancellationToken cancellationToken = default) =>
        Connection.CallAsync(hub => hub.PartitionIds, cancellationToken);

    public virtual Task<PartitionProperties> GetPartitionPropertiesAsync(
        string partitionId, CancellationToken cancellationToken = default) =>
        Connection.PropertiesAsync(partitionId, cancellationToken);

    public virtual Task SendAsync(IEnumerable<EventData> eventBatch, CancellationToken cancellationToken = default) =>
        SendAsync(eventBatch, new SendEventOptions(), cancellationToken);

    public virtual async Task SendAsync(
        IEnumerable<EventData> eventBatch, SendEventOptions options, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(eventBatch);
        (options ??= new()).RequireOneTarget();
        List<IncomingEvent> events = [.. eventBatch.Select(data => Connection.Encode(data, options.PartitionKey))];
        await Connection.SendAsync(events, options.PartitionId, options.PartitionKey, cancellationToken);
    }

    public virtual async Task SendAsync(EventDataBatch eventBatch, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(eventBatch);
        await Connection.SendAsync(
            eventBatch.Encoded, eventBatch.Options.PartitionId, eventBatch.Options.PartitionKey, cancellationToken);
    }

    public virtual ValueTask<EventDataBatch> CreateBatchAsync(CancellationToken cancellationToken = default) =>
        CreateBatchAsync(new CreateBatchOptions(), cancellationToken);

    public virtual async ValueTask<EventDataBatch> CreateBatchAsync(
        CreateBatchOptions options, CancellationToken cancellationToken = default)
    {
        (options ??= new()).RequireOneTarget();
        var limit = Connection.Options.EventBatchBytesMax;
        if (options.MaximumSizeInBytes > limit)
        {
            throw new ArgumentOutOfRangeException(
                nameof(options), options.MaximumSizeInBytes, $"A batch has at most {limit} bytes.");
        }

        // Like the SDK, which asks the service for its limit and so learns that the hub exists.
        await Connection.CallAsync(hub => hub.Name, cancellationToken);
        return new(Connection, options, options.MaximumSizeInBytes ?? limit);
    }

    public virtual Task CloseAsync(CancellationToken cancellationToken = default)
    {
        IsClosed = true;
        return Task.CompletedTask;
    }

    public virtual async ValueTask DisposeAsync()
    {
        await CloseAsync();
        GC.SuppressFinalize(this);
    }

    static HubConnection Connect((string Host, string HubName) target) =>
        new(target.Host, target.HubName, broker: null);
}

public class EventHubProducerClientOptions
{
    public string? Identifier { get; set; }

    public EventHubsRetryOptions RetryOptions { get; set; } = new();
}

/// <summary>To which partition events go: a named one, or the one of a key; not both.</summary>
public class SendEventOptions
{
    public string? PartitionId { get; set; }

    public string? PartitionKey { get; set; }

    internal void RequireOneTarget()
    {
        if (!string.IsNullOrEmpty(PartitionId) && !string.IsNullOrEmpty(PartitionKey))
        {
            throw new InvalidOperationException("Events go to a partition or to the partition of a key, not to both.");
        }
    }
}

/// <summary>Where a batch goes and how large it may grow.</summary>
public class CreateBatchOptions : SendEventOptions
{
    public long? MaximumSizeInBytes
    {
        get;
        set => field = value is null or > 0 ? value : throw new ArgumentOutOfRangeException(nameof(value));
    }
}

/// <summary>Events that fit into one send, which stores all of them or none.</summary>
/// <remarks>An event is copied when it is added; changing it afterwards does not change the batch.</remarks>
public sealed class EventDataBatch : IDisposable
{
    readonly HubConnection connection;
    readonly List<IncomingEvent> encoded = [];

    internal EventDataBatch(HubConnection connection, CreateBatchOptions options, long sizeMax)
    {
        this.connection = connection;
        Options = new() { PartitionId = options.PartitionId, PartitionKey = options.PartitionKey };
        MaximumSizeInBytes = sizeMax;
    }

    public long MaximumSizeInBytes { get; }

    public long SizeInBytes { get; private set; }

    public int Count => encoded.Count;

    internal SendEventOptions Options { get; }

    internal IReadOnlyList<IncomingEvent> Encoded => [.. encoded];

    /// <summary>False when the event does not fit any more; the batch is as before then.</summary>
    public bool TryAdd(EventData eventData)
    {
        ArgumentNullException.ThrowIfNull(eventData);
        IncomingEvent incoming;
        try
        {
            incoming = connection.Encode(eventData, Options.PartitionKey);
        }
        catch (EventHubsException e) when (e.Reason == EventHubsException.FailureReason.MessageSizeExceeded)
        {
            return false;
        }

        if (SizeInBytes + incoming.Payload.Length > MaximumSizeInBytes)
        {
            return false;
        }

        encoded.Add(incoming);
        SizeInBytes += incoming.Payload.Length;
        return true;
    }

    public void Dispose()
    {
        encoded.Clear();
        SizeInBytes = 0;
    }
}
