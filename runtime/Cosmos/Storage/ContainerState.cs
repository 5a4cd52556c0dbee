using System.Collections.Immutable;
using Runtime.Cosmos.ChangeFeed;
using Runtime.Cosmos.Query;

namespace Runtime.Cosmos.Storage;

/// <summary>Everything in a container at one instant. Whoever holds it may read it for ever without a lock.</summary>
sealed record ContainerState
{
    public static readonly ContainerState Empty = new();

    /// <summary>The newest committed transaction.</summary>
    public long Lsn { get; init; }

    /// <summary>The highest item number given out; deleting the item does not give it back.</summary>
    public long LastNumber { get; init; }

    public SortedTree<Item> ById { get; init; } = new(ItemOrder.ById);

    public SortedTree<Item> ByNumber { get; init; } = new(ItemOrder.ByNumber);

    public SortedTree<Item> ByPartition { get; init; } = new(ItemOrder.ByPartition);

    public SortedTree<Item> ByLsn { get; init; } = new(ItemOrder.ByLsn);

    /// <summary>Only items that will expire.</summary>
    public SortedTree<Item> ByExpiry { get; init; } = new(ItemOrder.ByExpiry);

    /// <summary>Every change there was, for as long as the container says; empty unless it says so.</summary>
    public SortedTree<HistoryEntry> History { get; init; } = new(HistoryEntry.Order);

    public SortedTree<UniqueEntry> Unique { get; init; } = new(UniqueOrder.Instance);

    /// <summary>
    /// By name; only those some query has asked for. They are not stored: the next process makes its own.
    /// </summary>
    public ImmutableDictionary<string, ValueIndex> Indexes { get; init; } =
        ImmutableDictionary<string, ValueIndex>.Empty;

    /// <summary>The live item of this id: one that has expired counts as absent, even before it is swept.</summary>
    public Item? Find(Partition partition, string id, long now) =>
        ById.TryFind(new IdProbe(partition.Ordinal, id), out var item) && !item.IsExpired(now) ? item : null;

    /// <summary>The state with this version stored, in place of the one before it.</summary>
    public ContainerState With(Item item, Item? before)
    {
        var unique = Unique;
        var (byLsn, byExpiry) = (ByLsn, ByExpiry);
        if (before is not null)
        {
            unique = Released(unique, before);
            byLsn = byLsn.Without(before);
            byExpiry = before.ExpiresAt is null ? byExpiry : byExpiry.Without(before);
        }

        for (var constraint = 0; constraint < item.UniqueKeys.Length; constraint++)
        {
            unique = unique.With(new UniqueEntry(constraint, item.UniqueKeys[constraint], item));
        }

        return this with
        {
            Lsn = item.Lsn,
            LastNumber = Math.Max(LastNumber, item.Number),
            ById = ById.With(item),
            ByNumber = ByNumber.With(item),
            ByPartition = ByPartition.With(item),
            ByLsn = byLsn.With(item),
            ByExpiry = item.ExpiresAt is null ? byExpiry : byExpiry.With(item),
            Unique = unique,
            Indexes = Reindexed(before, item),
        };
    }

    public ContainerState Without(Item item) => this with
    {
        Indexes = Reindexed(item, null),
        ById = ById.Without(item),
        ByNumber = ByNumber.Without(item),
        ByPartition = ByPartition.Without(item),
        ByLsn = ByLsn.Without(item),
        ByExpiry = item.ExpiresAt is null ? ByExpiry : ByExpiry.Without(item),
        Unique = Released(Unique, item),
    };

    /// <summary>
    /// Rebuilds the whole from stored items, sorting once per order rather than inserting one by one.
    /// </summary>
    public static ContainerState Load(IReadOnlyCollection<Item> items, long lsn, long lastNumber)
    {
        var unique = items.SelectMany(item => item.UniqueKeys.Select((value, i) => new UniqueEntry(i, value, item)));
        return new ContainerState
        {
            Lsn = lsn,
            LastNumber = lastNumber,
            ById = Sorted(items, ItemOrder.ById),
            ByNumber = Sorted(items, ItemOrder.ByNumber),
            ByPartition = Sorted(items, ItemOrder.ByPartition),
            ByLsn = Sorted(items, ItemOrder.ByLsn),
            ByExpiry = Sorted(items.Where(item => item.ExpiresAt is not null), ItemOrder.ByExpiry),
            Unique = Sorted(unique, UniqueOrder.Instance),
        };
    }

    ImmutableDictionary<string, ValueIndex> Reindexed(Item? before, Item? after)
    {
        if (Indexes.IsEmpty)
        {
            return Indexes;
        }

        var old = before is null ? Value.Undefined : Documents.Read(before.Body);
        var current = after is null ? Value.Undefined : Documents.Read(after.Body);
        var changed = Indexes.ToBuilder();
        foreach (var (name, index) in Indexes)
        {
            var without = before is null ? index : index.Without(before, old);
            changed[name] = after is null ? without : without.With(after, current);
        }

        return changed.ToImmutable();
    }

    static SortedTree<T> Sorted<T>(IEnumerable<T> entries, IComparer<T> order) =>
        SortedTree<T>.FromSorted(order, [.. entries.Order(order)]);

    static SortedTree<UniqueEntry> Released(SortedTree<UniqueEntry> unique, Item item)
    {
        for (var constraint = 0; constraint < item.UniqueKeys.Length; constraint++)
        {
            unique = unique.Without(new UniqueEntry(constraint, item.UniqueKeys[constraint], item));
        }

        return unique;
    }
}

/// <summary>The orders items are kept in.</summary>
static class ItemOrder
{
    public static readonly IComparer<Item> ById = Comparer<Item>.Create((x, y) =>
    {
        var order = x.Partition.Ordinal.CompareTo(y.Partition.Ordinal);
        return order != 0 ? order : string.CompareOrdinal(x.Id, y.Id);
    });

    public static readonly IComparer<Item> ByNumber = Comparer<Item>.Create((x, y) => x.Number.CompareTo(y.Number));

    public static readonly IComparer<Item> ByPartition = Comparer<Item>.Create((x, y) =>
    {
        var order = x.Partition.Ordinal.CompareTo(y.Partition.Ordinal);
        return order != 0 ? order : x.Number.CompareTo(y.Number);
    });

    public static readonly IComparer<Item> ByLsn = Comparer<Item>.Create((x, y) =>
    {
        var order = x.Lsn.CompareTo(y.Lsn);
        return order != 0 ? order : x.Ordinal.CompareTo(y.Ordinal);
    });

    public static readonly IComparer<Item> ByExpiry = Comparer<Item>.Create((x, y) =>
    {
        var order = x.ExpiresAt!.Value.CompareTo(y.ExpiresAt!.Value);
        return order != 0 ? order : x.Number.CompareTo(y.Number);
    });
}

readonly struct IdProbe(int partition, string id) : IProbe<Item>
{
    public int Compare(Item entry)
    {
        var order = partition.CompareTo(entry.Partition.Ordinal);
        return order != 0 ? order : string.CompareOrdinal(id, entry.Id);
    }
}

readonly struct NumberProbe(long number) : IProbe<Item>
{
    public int Compare(Item entry) => number.CompareTo(entry.Number);
}

readonly struct PartitionProbe(int partition, long number) : IProbe<Item>
{
    public int Compare(Item entry)
    {
        var order = partition.CompareTo(entry.Partition.Ordinal);
        return order != 0 ? order : number.CompareTo(entry.Number);
    }
}

/// <summary>The first write of the transaction after the given one.</summary>
readonly struct AfterLsnProbe(long lsn) : IProbe<Item>
{
    public int Compare(Item entry) => entry.Lsn > lsn ? -1 : 1;
}
