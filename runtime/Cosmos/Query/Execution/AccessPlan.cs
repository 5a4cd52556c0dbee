using Runtime.Cosmos.Http;
using Runtime.Cosmos.Query.Syntax;
using Runtime.Cosmos.Storage;

namespace Runtime.Cosmos.Query.Execution;

/// <summary>How a query comes at its items: all there are within its reach, or along an index.</summary>
/// <remarks>
/// Few items are looked at one by one and sorted: that beats any index. Among many, an index on the path sorted by
/// gives the order for nothing, so a page reads little more than a page; unless another path confines the query to few
/// items, which are then quicker found and sorted. A query without an order follows the index of the path it confines
/// most.
/// </remarks>
sealed record AccessPlan(IndexDefinition? Index, IReadOnlyList<ValueRange>? Ranges, bool IsInOrder)
{
    /// <summary>Up to here a scan is as good as an index.</summary>
    public const int ScannedMax = 128;

    /// <summary>Up to here finding and sorting beats following the order and discarding.</summary>
    public const int SortedMax = 1000;

    public static readonly AccessPlan Scan = new(null, null, false);

    public static AccessPlan Of(
        CompiledQuery query, IndexFilter filter, Reach reach, ContainerDefinition definition, string? resumedIndex,
        Func<IndexDefinition, bool> isAvailable, Func<AccessPlan, int, bool> holdsMoreThan)
    {
        // Named items need no finding, and over several partitions no index has one order.
        if (resumedIndex is null &&
            (reach.Items is not null || reach.Partitions is { Count: not 1 } || !holdsMoreThan(Scan, ScannedMax)))
        {
            return Scan;
        }

        var isPerPartition = reach.Partitions is not null;
        var confined = ConfinedPaths.Of(filter.Conjuncts)
            .Where(path => IndexFilter.IsIndexed(path.Value.Path, definition) &&
                !IndexFilter.IsKeyPath(path.Value.Path, definition))
            .Select(path => new AccessPlan(Defined(path.Value.Path, isPerPartition), path.Value.Ranges, false))
            .Where(plan => isAvailable(plan.Index!))
            .OrderBy(plan => plan.Ranges!.All(range => range.IsEqual) ? 0 : 1)
            .ToList();
        if (query.Select.OrderBy is not [var first, ..] || query.Select.IsDistinct)
        {
            return resumedIndex is null
                ? confined.FirstOrDefault() ?? Scan
                : confined.Find(plan => plan.Index!.Name == resumedIndex)
                    ?? throw Refused.BadRequest("The continuation token does not belong to this query.");
        }

        if (!isAvailable(Defined(first.Path, isPerPartition)))
        {
            return Scan;
        }

        var name = Defined(first.Path, isPerPartition).Name;
        var ordered = (confined.Find(plan => plan.Index!.Name == name) ??
            new AccessPlan(Defined(first.Path, isPerPartition), null, true)) with { IsInOrder = true };
        return confined.Find(plan => plan.Index!.Name != name && !holdsMoreThan(plan, SortedMax)) ?? ordered;
    }

    static IndexDefinition Defined(PathExpression path, bool isPerPartition) =>
        new(PropertyPath.Parse(PropertyPath.Canonical(path.Names)), isPerPartition);
}
