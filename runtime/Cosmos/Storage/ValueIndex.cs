using Runtime.Cosmos.Query;

namespace Runtime.Cosmos.Storage;

/// <summary>What an index is of: one path, within each logical partition or over the whole container.</summary>
sealed record IndexDefinition(PropertyPath Path, bool IsPerPartition)
{
    public string Name => $"{(IsPerPartition ? "p" : "c")}{Path.CanonicalText}";
}

readonly record struct IndexEntry(Value Key, Item Item);

/// <summary>All items of a container in the order of one of their values, those without it first.</summary>
/// <remarks>
/// The indexing policy says which paths may be searched; an index itself is made when a query first needs it and kept
/// from then on, so a container pays memory and write time only for the paths its queries use.
/// </remarks>
sealed class ValueIndex
{
    readonly SortedTree<IndexEntry> tree;

    ValueIndex(IndexDefinition definition, SortedTree<IndexEntry> tree) => (Definition, this.tree) = (definition, tree);

    public IndexDefinition Definition { get; }

    public static ValueIndex Build(IndexDefinition definition, IEnumerable<Item> items)
    {
        var order = new EntryOrder(definition.IsPerPartition);
        IndexEntry[] entries = [.. items.Select(item => EntryOf(definition, item, Documents.Read(item.Body)))];
        Array.Sort(entries, order);
        return new ValueIndex(definition, SortedTree<IndexEntry>.FromSorted(order, entries));
    }

    public ValueIndex With(Item item, Value document) =>
        new(Definition, tree.With(EntryOf(Definition, item, document)));

    public ValueIndex Without(Item item, Value document) =>
        new(Definition, tree.Without(EntryOf(Definition, item, document)));

    public IEnumerable<IndexEntry> From(IndexProbe probe, bool descending) => tree.From(probe, descending);

    static IndexEntry EntryOf(IndexDefinition definition, Item item, Value document)
    {
        var value = document;
        foreach (var name in definition.Path.Segments)
        {
            value = value.Property(name);
        }

        return new IndexEntry(value.Detached(), item);
    }

    sealed class EntryOrder(bool isPerPartition) : IComparer<IndexEntry>
    {
        public int Compare(IndexEntry x, IndexEntry y)
        {
            var order = isPerPartition ? x.Item.Partition.Ordinal.CompareTo(y.Item.Partition.Ordinal) : 0;
            order = order != 0 ? order : ValueOrder.Compare(x.Key, y.Key);
            return order != 0 ? order : x.Item.Number.CompareTo(y.Item.Number);
        }
    }
}

/// <summary>Which end of what a probe stands at.</summary>
enum IndexEdge
{
    AllStart,
    AllEnd,
    KindStart,
    KindEnd,
    Key,
}

/// <summary>A place in an index; without a partition it is in one over the whole container.</summary>
readonly struct IndexProbe(Partition? partition, IndexEdge edge, Value key, long number) : IProbe<IndexEntry>
{
    public static IndexProbe At(Partition? partition, Value key, long number) =>
        new(partition, IndexEdge.Key, key, number);

    public int Compare(IndexEntry entry)
    {
        if (partition is not null && partition.Ordinal.CompareTo(entry.Item.Partition.Ordinal) is var order and not 0)
        {
            return order;
        }

        switch (edge)
        {
            case IndexEdge.AllStart:
                return -1;
            case IndexEdge.AllEnd:
                return 1;
        }

        var byKind = key.Kind.CompareTo(entry.Key.Kind);
        if (byKind != 0 || edge != IndexEdge.Key)
        {
            return byKind != 0 ? byKind : edge == IndexEdge.KindStart ? -1 : 1;
        }

        var byKey = ValueOrder.Compare(key, entry.Key);
        return byKey != 0 ? byKey : number.CompareTo(entry.Item.Number);
    }
}
