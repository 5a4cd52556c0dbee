using Runtime.Cosmos.Http;
using Runtime.Cosmos.Storage;

namespace Runtime.Cosmos.Query.Execution;

/// <summary>The part of a container a request is about: one logical partition, or a stretch of key space.</summary>
sealed class Target
{
    Target(bool isPartition, Partition? partition, string? from, string? to) =>
        (IsPartition, Partition, this.from, this.to) = (isPartition, partition, from, to);

    readonly string? from;
    readonly string? to;

    /// <summary>Whether one partition key was given; its partition may not exist yet.</summary>
    public bool IsPartition { get; }

    public Partition? Partition { get; }

    public static Target Of(ServerRequest request, Container container)
    {
        if (request.Header(Names.PartitionKey) is { } header)
        {
            var key = PartitionKey.Parse(header, container.Definition.PartitionKeyPaths.Count);
            return new Target(true, container.Find(key), null, null);
        }

        return new Target(false, null, request.Header(Names.StartEpk), request.Header(Names.EndEpk));
    }

    public bool Holds(Partition partition)
    {
        if (IsPartition)
        {
            return ReferenceEquals(partition, Partition);
        }

        return (from is null || string.CompareOrdinal(partition.EffectiveHex, from) >= 0) &&
            (to is null || string.CompareOrdinal(partition.EffectiveHex, to) < 0);
    }

    public bool Holds(Item item, long now) => !item.IsExpired(now) && Holds(item.Partition);
}
