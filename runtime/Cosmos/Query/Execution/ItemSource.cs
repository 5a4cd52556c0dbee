using Runtime.Cosmos.Query.Syntax;
using Runtime.Cosmos.Storage;

namespace Runtime.Cosmos.Query.Execution;

/// <summary>A query needs an index the container does not have yet; make it and ask again.</summary>
sealed class MissingIndex(IndexDefinition definition) : Exception
{
    public IndexDefinition Definition => definition;
}

/// <summary>The items a query looks at, in the query's order, from a position on.</summary>
sealed class ItemSource
{
    readonly ContainerState state;
    readonly Target target;
    readonly Reach reach;
    readonly CompiledQuery query;
    readonly RowOrder order;
    readonly long now;
    readonly AccessPlan plan;

    public ItemSource(
        Container container, ContainerState state, Target target, IndexFilter filter, CompiledQuery query,
        RowOrder order, Position position, long now)
    {
        (this.state, this.target, this.query, this.order, this.now) = (state, target, query, order, now);
        reach = Reach.Of(filter, container, state, target);
        plan = position != Position.Start && order.Items.Count == 0 && position.Index is null && !query.MustSeeAll
            ? AccessPlan.Scan
            : AccessPlan.Of(query, filter, reach, container.Definition, position.Index, IsAvailable, HoldsMoreThan);
    }

    /// <summary>The index an unordered query follows: a later page must follow the same.</summary>
    public string? FollowedIndex => order.Items.Count == 0 ? plan.Index?.Name : null;

    public IEnumerable<Candidate> From(Position position)
    {
        if (plan.Index is null)
        {
            return order.Items.Count == 0
                ? Scanned(position.RowsOfItem > 0 ? position.Number : position.Number + 1).Select(Read)
                : Scanned(0).Select(Read).Where(candidate => order.IsBehind(candidate, position)).Order(order);
        }

        if (order.Items.Count == 0)
        {
            return Followed(plan, position, isDescending: false)
                .Select(entry => new Candidate(entry.Item, Scope.Of(query.Slots, entry.Item.Body), [entry.Key]));
        }

        if (!plan.IsInOrder)
        {
            return Followed(plan, Position.Start, isDescending: false).Select(entry => Read(entry.Item))
                .Where(candidate => order.IsBehind(candidate, position)).Order(order);
        }

        var followed = Followed(plan, position, order.IsDescending).Select(entry => Read(entry.Item));
        return order.Items.Count == 1 ? followed : Regrouped(followed, position);
    }

    /// <summary>
    /// Items come in the order of the first key; those with the same are put in the order of the rest.
    /// </summary>
    IEnumerable<Candidate> Regrouped(IEnumerable<Candidate> followed, Position position)
    {
        var group = new List<Candidate>();
        foreach (var candidate in followed)
        {
            if (group.Count > 0 && group[0].Keys[0] != candidate.Keys[0])
            {
                foreach (var member in group.Order(order))
                {
                    yield return member;
                }

                group.Clear();
            }

            if (order.IsBehind(candidate, position))
            {
                group.Add(candidate);
            }
        }

        foreach (var member in group.Order(order))
        {
            yield return member;
        }
    }

    IEnumerable<IndexEntry> Followed(AccessPlan along, Position position, bool isDescending)
    {
        var index = state.Indexes.GetValueOrDefault(along.Index!.Name) ?? throw new MissingIndex(along.Index);
        var partition = along.Index.IsPerPartition ? reach.Partitions![0] : null;
        var edge = new IndexProbe(partition, isDescending ? IndexEdge.AllEnd : IndexEdge.AllStart, default, 0);
        var entries = along.Ranges is { } ranges
            ? InRanges(index, partition, isDescending ? ranges.Reverse() : ranges, position, isDescending)
            : index.From(StartAt(position, partition, isDescending) ?? edge, isDescending);
        return entries
            .TakeWhile(entry => partition is null || ReferenceEquals(entry.Item.Partition, partition))
            .Where(entry => target.Holds(entry.Item, now));
    }

    IEnumerable<IndexEntry> InRanges(
        ValueIndex index, Partition? partition, IEnumerable<ValueRange> ranges, Position position, bool isDescending)
    {
        foreach (var range in ranges)
        {
            var start = range.Start(partition, isDescending);
            if (StartAt(position, partition, isDescending) is { } resumed)
            {
                // Ranges before the position are done; within one, the position is where to go on.
                var key = position.Keys[0];
                if (range.Reaches(key, !isDescending) && range.Reaches(key, isDescending))
                {
                    start = resumed;
                }
                else if (ComesBefore(range, key, isDescending))
                {
                    continue;
                }
            }

            foreach (var entry in index.From(start, isDescending))
            {
                if (!range.Reaches(entry.Key, isDescending) ||
                    (partition is not null && !ReferenceEquals(entry.Item.Partition, partition)))
                {
                    break;
                }

                yield return entry;
            }
        }
    }

    static bool ComesBefore(ValueRange range, Value key, bool isDescending)
    {
        var order = range.Kind != key.Kind ? range.Kind.CompareTo(key.Kind)
            : range.Reaches(key, isDescending) ? 1
            : -1;
        return isDescending && range.Kind != key.Kind ? order > 0 : order < 0;
    }

    IndexProbe? StartAt(Position position, Partition? partition, bool isDescending)
    {
        if (position.Keys.Count == 0)
        {
            return null;
        }

        // Of several sort keys the index knows the first alone: the whole of its group is looked at again.
        var number = order.Items.Count > 1 ? (isDescending ? long.MaxValue : long.MinValue)
            : position.RowsOfItem > 0 ? position.Number
            : isDescending ? position.Number - 1
            : position.Number == long.MaxValue ? long.MaxValue
            : position.Number + 1;
        return IndexProbe.At(partition, position.Keys[0], number);
    }

    bool IsAvailable(IndexDefinition definition) =>
        state.Indexes.Count < CosmosLimits.IndexesMax || state.Indexes.ContainsKey(definition.Name);

    bool HoldsMoreThan(AccessPlan along, int count) => along.Index is null
        ? Reached(0).Skip(count).Any()
        : Followed(along, Position.Start, isDescending: false).Skip(count).Any();

    Candidate Read(Item item)
    {
        var scope = Scope.Of(query.Slots, item.Body);
        return new Candidate(item, scope, order.KeysOf(scope));
    }

    /// <summary>Live items of the target in the order of their numbers.</summary>
    IEnumerable<Item> Scanned(long from) => Reached(from).Where(item => target.Holds(item, now));

    IEnumerable<Item> Reached(long from)
    {
        if (reach.Items is { } named)
        {
            return named.Where(item => item.Number >= from).OrderBy(item => item.Number);
        }

        return reach.Partitions switch
        {
            null => state.ByNumber.From(new NumberProbe(from)),
            [] => [],
            [var one] => InPartition(one, from),
            var several => several.SelectMany(partition => InPartition(partition, from)).OrderBy(item => item.Number),
        };
    }

    IEnumerable<Item> InPartition(Partition partition, long from) => state.ByPartition
        .From(new PartitionProbe(partition.Ordinal, from))
        .TakeWhile(item => ReferenceEquals(item.Partition, partition));
}
