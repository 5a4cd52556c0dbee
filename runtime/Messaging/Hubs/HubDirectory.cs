using Azure.Messaging.EventHubs;

namespace Runtime.Messaging.Hubs;

/// <summary>The event hubs of a broker by their names, made from its topology and its file.</summary>
sealed class HubDirectory
{
    readonly Dictionary<string, Hub> hubs = new(StringComparer.OrdinalIgnoreCase);

    public HubDirectory(Kernel kernel, MessagingTopology topology)
    {
        var rows = new Dictionary<int, HubPartition>();
        foreach (var declaration in topology.Hubs)
        {
            RefuseFewerPartitions(kernel, declaration);
            var hub = new Hub(kernel, declaration);
            hubs.Add(hub.Name, hub);
            foreach (var id in hub.PartitionIds)
            {
                rows.TryAdd(hub[id].Row, hub[id]);
            }
        }

        foreach (var (partition, group, sequence, offset) in kernel.Store?.Checkpoints() ?? [])
        {
            if (rows.TryGetValue(partition, out var found))
            {
                found.Checkpoints[group] = new(sequence, offset);
            }
        }
    }

    public bool IsBusy => hubs.Values.Any(hub => hub.IsBusy);

    public Hub this[string name] => hubs.TryGetValue(name, out var hub) ? hub : throw new EventHubsException(
        isTransient: false, name, "The messaging entity could not be found.",
        EventHubsException.FailureReason.ResourceNotFound);

    /// <summary>Keys are spread over the partitions there are; with fewer, the events of the others would be
    /// unreachable.
    /// </summary>
    static void RefuseFewerPartitions(Kernel kernel, HubDeclaration declaration)
    {
        var lost = Hub.PartitionPath(declaration.Name, declaration.PartitionCount);
        if (kernel.Store?.PartitionPaths().Contains(lost) is true)
        {
            throw new TopologyException(
                $"Event hub '{declaration.Name}' has more than {declaration.PartitionCount} partitions in the file; " +
                "partitions cannot be taken away.");
        }
    }
}
