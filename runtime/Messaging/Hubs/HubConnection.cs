using System.Diagnostics;
using System.Globalization;
using Azure.Messaging.EventHubs;
using Azure.Messaging.EventHubs.Consumer;
using Runtime.Messaging.Storage;
using static Azure.Messaging.EventHubs.EventHubsException;

namespace Runtime.Messaging.Hubs;

/// <summary>
/// An Event Hubs client's way to its hub: it finds it, calls it and words its failures as the SDK does.
/// </summary>
sealed class HubConnection(string fullyQualifiedNamespace, string hubName, MessageBroker? broker)
{
    public string FullyQualifiedNamespace { get; } = fullyQualifiedNamespace;

    public string HubName { get; } = hubName;

    public TimeProvider Clock => Broker.Options.Clock;

    public MessageBrokerOptions Options => Broker.Options;

    MessageBroker Broker => broker ?? LocalNetwork.Find(FullyQualifiedNamespace) ?? throw new EventHubsException(
        isTransient: true, HubName,
        $"No broker of the namespace '{FullyQualifiedNamespace}' is open in this process. " +
        "Open a MessageBroker with that namespace first; this build reaches no network.",
        FailureReason.ServiceCommunicationProblem);

    /// <summary>A partition's bounds, as far as readers may see.</summary>
    public Task<PartitionProperties> PropertiesAsync(string partitionId, CancellationToken cancellation) =>
        CallAsync(hub => Describe(hub[partitionId]), cancellation);

    public async Task<T> CallAsync<T>(Func<Hub, T> operation, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        try
        {
            var target = Broker;
            return await target.Kernel.RunAsync(() => operation(target.Hubs[HubName]));
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            throw new EventHubsException(
                isTransient: true, HubName, e.Message, FailureReason.ServiceCommunicationProblem, e);
        }
    }

    public IncomingEvent Encode(EventData data, string? key)
    {
        // The SDK links sender and receiver by this id.
        var payload = Payload.Encode(data.GetRawAmqpMessage(), Activity.Current?.Id);
        return payload.Length <= Options.EventBatchBytesMax
            ? new(payload, key)
            : throw TooLarge(payload.Length);
    }

    public async Task SendAsync(
        IReadOnlyList<IncomingEvent> events, string? partitionId, string? key, CancellationToken cancellation)
    {
        if (events.Count == 0)
        {
            return;
        }

        var bytes = events.Sum(e => (long)e.Payload.Length);
        if (bytes > Options.EventBatchBytesMax)
        {
            throw TooLarge(bytes);
        }

        if (await CallAsync(hub => hub.Send(events, partitionId, key), cancellation))
        {
            throw new EventHubsException(
                isTransient: true, HubName, "An injected fault: the events are stored, but the answer got lost.",
                FailureReason.ServiceTimeout);
        }
    }

    /// <summary>Counts a reader in, and finds the number of the event it begins with.</summary>
    public Task<long> StartReadingAsync(
        string group, string partitionId, EventPosition position, CancellationToken cancellation) => CallAsync(
        hub =>
        {
            hub.RequireGroup(group);
            var partition = hub[partitionId];
            var start = Find(partition, position);
            return partition.AddReader(group) ? start : throw new EventHubsException(
                isTransient: false, HubName,
                $"{Options.ReadersPerGroupMax} readers of consumer group '{group}' are on partition '{partitionId}' already.",
                FailureReason.QuotaExceeded);
        },
        cancellation);

    /// <summary>Counts a reader out; a broker that is closed has no readers to count.</summary>
    public void StopReading(string group, string partitionId)
    {
        var target = broker ?? LocalNetwork.Find(FullyQualifiedNamespace);
        if (target is not null)
        {
            lock (target.Kernel.Gate)
            {
                target.Hubs[HubName][partitionId].RemoveReader(group);
            }
        }
    }

    /// <summary>Waits for events from a number on, at most <paramref name="wait"/>; empty when none came.</summary>
    public async Task<IReadOnlyList<StoredEvent>> ReadAsync(
        string partitionId, long from, int countMax, TimeSpan wait, CancellationToken cancellation)
    {
        var count = Math.Min(countMax, Options.ReadEventsMax);
        while (true)
        {
            var (events, partition, start, grown) = await CallAsync(
                hub =>
                {
                    var partition = hub[partitionId];

                    // What has grown too old is skipped, as on Azure.
                    var start = Math.Max(from, partition.First);
                    return (partition.Read(start, count), partition, start, partition.Grown);
                },
                cancellation);
            events ??= Broker.Kernel.Store!.ReadEvents(partition.Row, start, count);
            if (events.Count > 0 || (wait <= TimeSpan.Zero && wait != Timeout.InfiniteTimeSpan))
            {
                return events;
            }

            var began = Clock.GetTimestamp();
            try
            {
                await grown.WaitAsync(wait, Clock, cancellation);
            }
            catch (TimeoutException)
            {
                return [];
            }

            wait = wait == Timeout.InfiniteTimeSpan ? wait : wait - Clock.GetElapsedTime(began);
        }
    }

    public PartitionProperties Describe(HubPartition partition) => EventHubsModelFactory.PartitionProperties(
        HubName, partition.Id, partition.First >= partition.Visible, partition.First, partition.Visible - 1,
        partition.Head.NextOffset.ToString(CultureInfo.InvariantCulture),
            new(partition.Head.LastEnqueuedAt, TimeSpan.Zero));

    static long Find(HubPartition partition, EventPosition position) => position switch
    {
        { SequenceNumber: { } sequence } => position.IsInclusive ? sequence : sequence + 1,
        { Offset: { } offset } => partition.FirstWhere(
            e => e.Offset >= offset + (position.IsInclusive ? 0 : 1),
            store => store.FindOffset(partition.Row, offset + (position.IsInclusive ? 0 : 1))),
        { EnqueuedTime: { } time } => partition.FirstWhere(
            e => e.EnqueuedAt >= time.UtcTicks, store => store.FindTime(partition.Row, time.UtcTicks)),
        { IsLatest: true } => partition.Visible,
        _ => partition.First,
    };

    EventHubsException TooLarge(long bytes) => new(
        isTransient: false, HubName, $"The events have {bytes} bytes; {Options.EventBatchBytesMax} are allowed.",
        FailureReason.MessageSizeExceeded);
}
