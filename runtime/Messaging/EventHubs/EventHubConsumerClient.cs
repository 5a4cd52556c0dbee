using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Azure.Core;
using Runtime.Messaging.Hubs;

namespace Azure.Messaging.EventHubs.Consumer;

/// <summary>
/// Reads the events of one event hub for a consumer group, from wherever it is told; it remembers nothing.
/// </summary>
public class EventHubConsumerClient : IAsyncDisposable
{
    public const string DefaultConsumerGroupName = Hub.DefaultGroup;

    readonly HubConnection? connection;

    public EventHubConsumerClient(string consumerGroup, string connectionString)
        : this(consumerGroup, connectionString, null, null)
    {
    }

    public EventHubConsumerClient(
        string consumerGroup, string connectionString, EventHubConsumerClientOptions? clientOptions)
        : this(consumerGroup, connectionString, null, clientOptions)
    {
    }

    public EventHubConsumerClient(string consumerGroup, string connectionString, string? eventHubName)
        : this(consumerGroup, connectionString, eventHubName, null)
    {
    }

    public EventHubConsumerClient(
        string consumerGroup, string connectionString, string? eventHubName,
            EventHubConsumerClientOptions? clientOptions)
        : this(
            consumerGroup, Connect(EventHubsConnectionStringProperties.Require(connectionString, eventHubName)),
                clientOptions)
    {
    }

    public EventHubConsumerClient(
        string consumerGroup, string fullyQualifiedNamespace, string eventHubName, TokenCredential credential,
        EventHubConsumerClientOptions? clientOptions = default)
        : this(consumerGroup, HubArguments.Connect(fullyQualifiedNamespace, eventHubName, credential), clientOptions)
    {
    }

    public EventHubConsumerClient(
        string consumerGroup, string fullyQualifiedNamespace, string eventHubName, AzureNamedKeyCredential credential,
        EventHubConsumerClientOptions? clientOptions = default)
        : this(consumerGroup, HubArguments.Connect(fullyQualifiedNamespace, eventHubName, credential), clientOptions)
    {
    }

    public EventHubConsumerClient(
        string consumerGroup, string fullyQualifiedNamespace, string eventHubName, AzureSasCredential credential,
        EventHubConsumerClientOptions? clientOptions = default)
        : this(consumerGroup, HubArguments.Connect(fullyQualifiedNamespace, eventHubName, credential), clientOptions)
    {
    }

    protected EventHubConsumerClient() =>
        ConsumerGroup = FullyQualifiedNamespace = EventHubName = Identifier = "";

    internal EventHubConsumerClient(
        string consumerGroup, HubConnection connection, EventHubConsumerClientOptions? options)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(consumerGroup);
        this.connection = connection;
        ConsumerGroup = consumerGroup;
        FullyQualifiedNamespace = connection.FullyQualifiedNamespace;
        EventHubName = connection.HubName;
        Identifier = options?.Identifier is { Length: > 0 } name ? name : $"{Guid.NewGuid()}";
    }

    public string FullyQualifiedNamespace { get; }

    public string EventHubName { get; }

    public string ConsumerGroup { get; }

    public string Identifier { get; }

    public bool IsClosed { get; protected set; }

    HubConnection Connection
    {
        get
        {
            HubArguments.ThrowIfClosed(IsClosed, EventHubName, nameof(EventHubConsumerClient));
            return connection ?? throw new NotSupportedException("A mocked consumer has no connection.");
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

    public virtual IAsyncEnumerable<PartitionEvent> ReadEventsFromPartitionAsync(
        string partitionId, EventPosition startingPosition, CancellationToken cancellationToken = default) =>
        ReadEventsFromPartitionAsync(partitionId, startingPosition, new(), cancellationToken);

    /// <summary>Reads on until cancelled; with a maximum wait, an event without data says that none came.</summary>
    public virtual async IAsyncEnumerable<PartitionEvent> ReadEventsFromPartitionAsync(
        string partitionId, EventPosition startingPosition, ReadEventOptions readOptions,
        [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(partitionId);
        readOptions ??= new();
        var partition = new PartitionContext(FullyQualifiedNamespace, EventHubName, ConsumerGroup, partitionId);
        var source = Connection;
        var next = await source.StartReadingAsync(ConsumerGroup, partitionId, startingPosition, cancellationToken);
        try
        {
            while (true)
            {
                var events = await source.ReadAsync(
                    partitionId, next, readOptions.CacheEventCount, readOptions.MaximumWaitTime
                        ?? Timeout.InfiniteTimeSpan,
                    cancellationToken);
                HubArguments.ThrowIfClosed(IsClosed, EventHubName, nameof(EventHubConsumerClient));
                if (events.Count == 0)
                {
                    yield return new(partition, null!);
                }

                foreach (var stored in events)
                {
                    next = stored.Sequence + 1;
                    yield return new(partition, EventData.From(stored));
                }
            }
        }
        finally
        {
            source.StopReading(ConsumerGroup, partitionId);
        }
    }

    public virtual IAsyncEnumerable<PartitionEvent> ReadEventsAsync(CancellationToken cancellationToken = default) =>
        ReadEventsAsync(startReadingAtEarliestEvent: true, new(), cancellationToken);

    public virtual IAsyncEnumerable<PartitionEvent> ReadEventsAsync(
        ReadEventOptions readOptions, CancellationToken cancellationToken = default) =>
        ReadEventsAsync(startReadingAtEarliestEvent: true, readOptions, cancellationToken);

    /// <summary>Reads all partitions at once: each in order, among each other in none.</summary>
    public virtual async IAsyncEnumerable<PartitionEvent> ReadEventsAsync(
        bool startReadingAtEarliestEvent, ReadEventOptions? readOptions = default,
        [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        readOptions ??= new();
        var start = startReadingAtEarliestEvent ? EventPosition.Earliest : EventPosition.Latest;
        var events = Channel.CreateBounded<PartitionEvent>(readOptions.CacheEventCount);
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var ids = await GetPartitionIdsAsync(cancellationToken);
        var pumps = Task.WhenAll(ids.Select(id => PumpAsync(id, start, readOptions, events.Writer, over.Token)));
        try
        {
            await foreach (var read in events.Reader.ReadAllAsync(cancellationToken))
            {
                yield return read;
            }
        }
        finally
        {
            await over.CancelAsync();
            await pumps;
        }
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

    async Task PumpAsync(
        string partitionId, EventPosition start, ReadEventOptions options, ChannelWriter<PartitionEvent> writer,
        CancellationToken over)
    {
        try
        {
            await foreach (var read in ReadEventsFromPartitionAsync(partitionId, start, options, over))
            {
                await writer.WriteAsync(read, over);
            }
        }
        catch (OperationCanceledException) when (over.IsCancellationRequested)
        {
            // The reader has had enough.
        }
        catch (EventHubsException e)
        {
            writer.TryComplete(e);
        }
    }
}

public class EventHubConsumerClientOptions
{
    public string? Identifier { get; set; }

    public EventHubsRetryOptions RetryOptions { get; set; } = new();
}

/// <summary>How events are read.</summary>
public class ReadEventOptions
{
    /// <summary>How long to wait before saying that nothing came; null waits without end.</summary>
    public TimeSpan? MaximumWaitTime
    {
        get;
        set => field = value is null || value > TimeSpan.Zero ? value
            : throw new ArgumentOutOfRangeException(nameof(value));
    }

    /// <summary>How many events are fetched at a time.</summary>
    public int CacheEventCount
    {
        get;
        set => field = value > 0 ? value : throw new ArgumentOutOfRangeException(nameof(value));
    } = 100;
}
