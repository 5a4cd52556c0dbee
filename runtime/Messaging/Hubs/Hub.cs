using Azure.Messaging.EventHubs;

namespace Runtime.Messaging.Hubs;

/// <summary>An event hub: its partitions, and who may read them.</summary>
sealed class Hub
{
    public const string DefaultGroup = "$Default";

    readonly Kernel kernel;
    readonly HubPartition[] partitions;
    readonly HashSet<string> groups;
    int nextUnkeyed;

    public Hub(Kernel kernel, HubDeclaration declaration)
    {
        this.kernel = kernel;
        Name = declaration.Name;
        groups = new(declaration.ConsumerGroups, StringComparer.OrdinalIgnoreCase) { DefaultGroup };
        partitions = [.. Enumerable.Range(0, declaration.PartitionCount).Select(i => Partition(declaration, i))];
    }

    public string Name { get; }

    public DateTimeOffset CreatedAt => new(partitions[0].CreatedAt, TimeSpan.Zero);

    public bool IsBusy => Array.Exists(partitions, partition => partition.IsBusy);

    public string[] PartitionIds => [.. partitions.Select(partition => partition.Id)];

    public static string PartitionPath(string hub, int index) => $"{hub}/{index}";

    public HubPartition this[string partitionId] =>
        Array.Find(partitions, partition => partition.Id == partitionId) ?? throw new EventHubsException(
            isTransient: false, Name, $"There is no partition '{partitionId}'.",
                EventHubsException.FailureReason.ResourceNotFound);

    public void RequireGroup(string group)
    {
        if (!groups.Contains(group))
        {
            throw new EventHubsException(
                isTransient: false, Name, $"There is no consumer group '{group}'.",
                EventHubsException.FailureReason.ResourceNotFound);
        }
    }

    /// <summary>Takes all events or none, into one partition: the named one, the key's, or the next in turn.</summary>
    /// <returns>Whether the answer is to get lost.</returns>
    public bool Send(IReadOnlyList<IncomingEvent> events, string? partitionId, string? key)
    {
        var faults = kernel.Faults;
        if (faults.Strikes(faults.SendFailures))
        {
            throw new EventHubsException(
                isTransient: true, Name, "An injected fault: the service is busy.",
                EventHubsException.FailureReason.ServiceBusy);
        }

        var partition = partitionId is not null ? this[partitionId]
            : key is not null ? partitions[PartitionHash.Partition(key, partitions.Length)]
            : partitions[(nextUnkeyed++ & int.MaxValue) % partitions.Length];
        partition.Append(events);
        if (faults.Strikes(faults.Duplicates))
        {
            partition.Append(events);
        }

        return faults.Strikes(faults.LostAcknowledgements);
    }

    HubPartition Partition(HubDeclaration declaration, int index)
    {
        var (row, created, head) = kernel.Store?.Partition(PartitionPath(Name, index), kernel.Now)
            ?? (0, kernel.Now, default);
        return new(kernel, $"{index}", row, created, head, declaration.Retention.Ticks);
    }
}
