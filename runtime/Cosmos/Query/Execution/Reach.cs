using Runtime.Cosmos.Query.Syntax;
using Runtime.Cosmos.Storage;

namespace Runtime.Cosmos.Query.Execution;

/// <summary>Where the items a query can match must lie: named items, some logical partitions, or anywhere.</summary>
/// <remarks>Found from equalities in the WHERE alone; it may hold too much, never too little.</remarks>
sealed record Reach(IReadOnlyList<Partition>? Partitions, IReadOnlyList<Item>? Items)
{
    // Beyond this a list of names is no shorter than looking at everything.
    const int AlternativesMax = 20_000;

    public static Reach Of(IndexFilter filter, Container container, ContainerState state, Target target)
    {
        if (target.IsPartition)
        {
            IReadOnlyList<Partition> one = target.Partition is { } partition ? [partition] : [];
            return Narrowed(filter.Conjuncts, container, state, one) ?? new Reach(one, null);
        }

        return Narrowed(filter.Conjuncts, container, state, null) ?? OfAlternatives(filter, container, state) ??
            new Reach(null, null);
    }

    /// <summary>Alternatives that each name their items, as clients ask for many items by id at once.</summary>
    static Reach? OfAlternatives(IndexFilter filter, Container container, ContainerState state)
    {
        foreach (var conjunct in filter.Conjuncts)
        {
            if (conjunct is not LogicalExpression { IsAnd: false } alternatives ||
                alternatives.Parts.Count > AlternativesMax)
            {
                continue;
            }

            var parts = alternatives.Parts
                .Select(part => Narrowed(Flat(part), container, state, null))
                .ToList();
            if (parts.TrueForAll(part => part?.Items is not null))
            {
                return new Reach(null, [.. parts.SelectMany(part => part!.Items!).Distinct()]);
            }

            if (parts.TrueForAll(part => part?.Partitions is not null))
            {
                return new Reach([.. parts.SelectMany(part => part!.Partitions!).Distinct()], null);
            }
        }

        return null;
    }

    static IEnumerable<Expression> Flat(Expression expression) => expression is LogicalExpression { IsAnd: true } both
        ? both.Parts.SelectMany(Flat)
        : [expression];

    static Reach? Narrowed(
        IEnumerable<Expression> conjuncts, Container container, ContainerState state,
        IReadOnlyList<Partition>? partitions)
    {
        var parts = conjuncts.ToList();
        partitions ??= PartitionsOf(parts, container);
        if (partitions is null)
        {
            return null;
        }

        if (Equal(parts, ["id"]) is not { } ids || ids.Count * (long)partitions.Count > AlternativesMax)
        {
            return new Reach(partitions, null);
        }

        var items = new List<Item>();
        foreach (var partition in partitions)
        {
            foreach (var id in ids)
            {
                if (id.IsString && state.ById.TryFind(new IdProbe(partition.Ordinal, id.Text), out var item))
                {
                    items.Add(item);
                }
            }
        }

        return new Reach(partitions, items);
    }

    static IReadOnlyList<Partition>? PartitionsOf(IReadOnlyList<Expression> conjuncts, Container container)
    {
        var paths = container.Definition.PartitionKeyPaths;
        if (paths.Count != 1 || Equal(conjuncts, paths[0].Segments) is not { } values)
        {
            return null;
        }

        return [.. values.Select(value => container.Find(PartitionKey.Of(value))).OfType<Partition>()];
    }

    /// <summary>The values a path is said to equal, by <c>=</c> or IN with constants.</summary>
    static IReadOnlyCollection<Value>? Equal(IReadOnlyList<Expression> conjuncts, IReadOnlyList<string> names)
    {
        bool IsPath(Expression expression) =>
            expression is PathExpression { Slot: 0 } path && path.Names.SequenceEqual(names);

        foreach (var conjunct in conjuncts)
        {
            switch (conjunct)
            {
                case BinaryExpression { Kind: BinaryOperator.Equal, Right: Constant constant } equality
                    when IsPath(equality.Left):
                    return [constant.Value];
                case BinaryExpression { Kind: BinaryOperator.Equal, Left: Constant constant } equality
                    when IsPath(equality.Right):
                    return [constant.Value];
                case InExpression { Constants: { } constants } list when IsPath(list.Needle):
                    return constants;
            }
        }

        return null;
    }
}
