using Azure.Messaging.EventHubs.Consumer;
using Azure.Messaging.EventHubs.Producer;
using Azure.Messaging.ServiceBus;
using Runtime.Messaging.Hubs;
using Runtime.Messaging.Queues;
using Runtime.Messaging.Storage;

namespace Runtime.Messaging;

/// <summary>Service Bus and Event Hubs in this process: what was acknowledged survives the process, if it has a file.
/// </summary>
public sealed class MessageBroker : IAsyncDisposable
{
    readonly string name;
    bool disposed;

    MessageBroker(MessageBrokerOptions options, SqliteStore? store, MessagingTopology topology)
    {
        Options = options;
        Topology = topology;
        name = options.Namespace ?? "local";
        Kernel = new(options, store);
        lock (Kernel.Gate)
        {
            Queues = new(Kernel, topology);
            Hubs = new(Kernel, topology);
            Kernel.IsBusy = () => Queues.IsBusy || Hubs.IsBusy;
            Kernel.Leave();
        }
    }

    /// <summary>What shall go wrong; nothing does until it is set.</summary>
    public MessageFaults Faults => Kernel.Faults;

    /// <summary>The queues, topics and event hubs that are served.</summary>
    public MessagingTopology Topology { get; }

    /// <summary>The time of locks, expiry and waiting.</summary>
    public TimeProvider Clock => Options.Clock;

    /// <summary>Paths in the file that the topology does not name. Their messages are kept and come back with the name.
    /// </summary>
    public IReadOnlyList<string> UnservedEntities => Queues.Unserved;

    internal MessageBrokerOptions Options { get; }

    internal Kernel Kernel { get; }

    internal QueueDirectory Queues { get; }

    internal HubDirectory Hubs { get; }

    /// <summary>Opens a broker, with all that its file holds, for the entities of a topology.</summary>
    /// <exception cref="TopologyException">The topology breaks a rule of the service, or asks for what is not
    /// supported. </exception>
    public static MessageBroker Open(MessageBrokerOptions options, MessagingTopology topology)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(topology);
        TopologyCheck.Run(topology);
        var store = options.File is { } file ? new SqliteStore(file, options.SurvivesPowerLoss) : null;
        try
        {
            var broker = new MessageBroker(options, store, topology);
            if (options.Namespace is { } host)
            {
                LocalNetwork.Add(host, broker);
            }

            return broker;
        }
        catch
        {
            store?.Dispose();
            throw;
        }
    }

    /// <summary>A client of this broker, whatever its name.</summary>
    public ServiceBusClient CreateServiceBusClient(ServiceBusClientOptions? options = null) => new(name, this, options);

    /// <summary>A sender to one event hub of this broker.</summary>
    public EventHubProducerClient CreateEventHubProducer(
        string eventHubName, EventHubProducerClientOptions? options = null) =>
        new(new HubConnection(name, eventHubName, this), options);

    /// <summary>A reader of one event hub of this broker, which keeps no checkpoints.</summary>
    public EventHubConsumerClient CreateEventHubConsumer(
        string consumerGroup, string eventHubName, EventHubConsumerClientOptions? options = null) =>
        new(consumerGroup, new HubConnection(name, eventHubName, this), options);

    /// <summary>The ids of an event hub's partitions.</summary>
    public IReadOnlyList<string> PartitionIds(string eventHubName) => Hubs[eventHubName].PartitionIds;

    /// <summary>A consumer group's place in a partition: behind its checkpoint, or where it is to begin without one.
    /// </summary>
    public Task<PartitionCursor> OpenCursorAsync(
        string eventHubName, string consumerGroup, string partitionId, EventPosition begin,
        CancellationToken cancellation = default) =>
        PartitionCursor.OpenAsync(new(name, eventHubName, this), consumerGroup, partitionId, begin, cancellation);

    /// <summary>Whether the queue or subscription of a path has sessions; null when there is none of that path.
    /// </summary>
    public bool? RequiresSession(string entityPath) => Queues.Find(entityPath)?.RequiresSession;

    /// <summary>Whether there is a queue or topic of that name to send to.</summary>
    public bool HasTarget(string queueOrTopicName) => Queues.HasTarget(queueOrTopicName);

    /// <summary>How full each queue and subscription is.</summary>
    public Task<IReadOnlyList<EntityCounts>> CountAsync() =>
        Kernel.RunAsync(() => (IReadOnlyList<EntityCounts>)[.. Queues.Counts]);

    /// <summary>Completes when no message is ready or out and every open cursor has checkpointed all there is. Messages
    /// that are scheduled, deferred or dead do not count: they wait for time or for somebody.</summary>
    public Task WhenIdleAsync(CancellationToken cancellation = default) => Kernel.WhenIdleAsync(cancellation);

    /// <summary>Ends all waiting, writes out what is left and closes the file.</summary>
    public async ValueTask DisposeAsync()
    {
        if (disposed)
        {
            return;
        }

        disposed = true;
        if (Options.Namespace is { } host)
        {
            LocalNetwork.Remove(host, this);
        }

        lock (Kernel.Gate)
        {
            Queues.Close();
        }

        await Kernel.CloseAsync();
    }
}
