namespace Runtime.Cosmos.Storage;

/// <summary>
/// One logical partition; its ordinal stands for its key wherever trees compare, and lasts a process.
/// </summary>
sealed class Partition(PartitionKey key, int ordinal, bool hierarchical)
{
    string? effectiveHex;

    public PartitionKey Key { get; } = key;

    public int Ordinal { get; } = ordinal;

    public string EffectiveHex => effectiveHex ??= Key.EffectiveHex(hierarchical);
}

/// <summary>One stored version of an item. Immutable: a change makes another.</summary>
sealed class Item
{
    public required Partition Partition { get; init; }

    public required string Id { get; init; }

    /// <summary>The item's number in its container: given at creation, kept by every later version.</summary>
    public required long Number { get; init; }

    /// <summary>The transaction that wrote this version, in commit order.</summary>
    public required long Lsn { get; init; }

    /// <summary>The place among the writes of that transaction.</summary>
    public required int Ordinal { get; init; }

    /// <summary>Whole seconds, as the service keeps them.</summary>
    public required long Timestamp { get; init; }

    public required long? ExpiresAt { get; init; }

    public required string ETag { get; init; }

    /// <summary>The JSON text as answered: the client's own text followed by the system properties.</summary>
    public required byte[] Body { get; init; }

    public required string[] UniqueKeys { get; init; }

    /// <summary>The same version under another expiry, after the container's lifetime was redefined.</summary>
    public Item Expiring(long? expiresAt) => new()
    {
        Partition = Partition,
        Id = Id,
        Number = Number,
        Lsn = Lsn,
        Ordinal = Ordinal,
        Timestamp = Timestamp,
        ExpiresAt = expiresAt,
        ETag = ETag,
        Body = Body,
        UniqueKeys = UniqueKeys,
    };

    public bool IsExpired(long now) => ExpiresAt <= now;
}
