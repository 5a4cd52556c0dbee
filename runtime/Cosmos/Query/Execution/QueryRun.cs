using Runtime.Cosmos.Http;
using Runtime.Cosmos.Query.Syntax;
using Runtime.Cosmos.Storage;

namespace Runtime.Cosmos.Query.Execution;

/// <summary>One page of one query over one instant of a container.</summary>
/// <remarks>
/// Two ways. A plain query streams: items come in the query's order from the position on, each gives its rows, and the
/// page ends after enough of them. A query that must see everything first (DISTINCT, GROUP BY, aggregates) computes all
/// of its rows, sorts them by value and gives the stretch after the position. Either way a position is a place in an
/// order of values, so pages stay right while items are written in between.
/// </remarks>
sealed class QueryRun
{
    readonly CompiledQuery query;
    readonly Position start;
    readonly IndexFilter filter;
    readonly ItemSource source;
    readonly Tally tally;

    public QueryRun(
        Container container, ContainerState state, Target target, CompiledQuery query, Position start, long now)
    {
        this.query = query;
        filter = new IndexFilter(query.Select.Where, container.Definition);
        var order = new RowOrder(query.MustSeeAll ? [] : query.Select.OrderBy);
        CheckOrder(container.Definition.Indexing);
        source = new ItemSource(container, state, target, filter, query, order, start, now);
        this.start = start with { Index = query.MustSeeAll ? null : source.FollowedIndex };
        var isFirst = start.Keys.Count == 0 && start.Given == 0;
        tally = new Tally(filter, query.Select, isFirst || !query.MustSeeAll, container.Definition);
    }

    SelectQuery Select => query.Select;

    int Most => Math.Min(Select.Top ?? int.MaxValue, Select.Limit ?? int.MaxValue);

    public Page Page(int rowsMax)
    {
        using var page = new PageWriter(rowsMax);
        var next = start.Given >= Most ? null : query.MustSeeAll ? All(page, start) : Stream(page, start);
        return page.Finish(next, tally.Charge(page));
    }

    /// <summary>As the service does: what no index carries cannot be sorted by.</summary>
    void CheckOrder(IndexingPolicy indexing)
    {
        foreach (var item in Select.OrderBy)
        {
            if (item.Path.Slot != 0)
            {
                throw Refused.Unsupported("ORDER BY of a joined value");
            }

            if (!indexing.Includes(item.Path.Names))
            {
                throw Refused.BadRequest("The index path corresponding to the specified order-by item is excluded.");
            }
        }

        if (Select.OrderBy.Count > 1 && !indexing.HasComposite(
            [.. Select.OrderBy.Select(item => (PropertyPath.Canonical(item.Path.Names), item.IsDescending))]))
        {
            throw Refused.BadRequest(
                "The order by query does not have a corresponding composite index that it can be served from.");
        }
    }

    Position? Stream(PageWriter page, Position position)
    {
        var place = position;
        foreach (var candidate in source.From(position))
        {
            var isLoaded = filter.Passes(candidate.Scope);
            var isResumed = place.RowsOfItem > 0 && candidate.Item.Number == place.Number;
            var rows = 0;
            foreach (var bound in isLoaded ? Select.Bindings(candidate.Scope) : [])
            {
                var row = Select.GivesDocument ? Value.Null : Select.Project(bound);
                if (row.IsUndefined || (++rows <= position.RowsOfItem && isResumed && ReferenceEquals(place, position)))
                {
                    continue;
                }

                if (place.Skipped < (Select.Offset ?? 0))
                {
                    place = place with { Skipped = place.Skipped + 1 };
                    continue;
                }

                if (page.IsFull)
                {
                    return place;
                }

                if (Select.GivesDocument)
                {
                    page.Add(candidate.Item);
                }
                else
                {
                    page.Add(row);
                }

                place = At(place, candidate, Select.From.Count == 0 ? 0 : rows) with { Given = place.Given + 1 };
                if (place.Given >= Most)
                {
                    tally.Add(candidate.Item, isLoaded);
                    return null;
                }
            }

            tally.Add(candidate.Item, isLoaded);
            if (!page.IsFull)
            {
                place = At(place, candidate, 0);
            }
        }

        return null;
    }

    static Position At(Position place, Candidate candidate, int rowsOfItem) =>
        place with { Keys = candidate.Keys, Number = candidate.Item.Number, RowsOfItem = rowsOfItem };

    Position? All(PageWriter page, Position position)
    {
        var place = position;
        var rows = Select.IsGrouped ? Grouped() : Distinct();
        foreach (var (keys, row) in rows)
        {
            if (place.Keys.Count > 0 && CompareRows(keys, place.Keys) <= 0)
            {
                continue;
            }

            if (page.IsFull)
            {
                return place;
            }

            place = place with { Keys = keys };
            if (place.Skipped < (Select.Offset ?? 0))
            {
                place = place with { Skipped = place.Skipped + 1 };
                continue;
            }

            page.Add(row);
            place = place with { Given = place.Given + 1 };
            if (place.Given >= Most)
            {
                return null;
            }
        }

        return null;
    }

    int CompareRows(IReadOnlyList<Value> left, IReadOnlyList<Value> right)
    {
        var order = Select.CompareKeys(left, right);
        return order != 0 ? order : ValueOrder.Compare(left[^1], right[^1]);
    }

    IEnumerable<(IReadOnlyList<Value> Keys, Value Row)> Grouped()
    {
        var groups = Groups.Rows(Select, Everything(), new Scope(query.Slots)).ToList();
        var rows = groups.Where(group => !group.Row.IsUndefined);
        rows = Select.IsDistinct ? rows.DistinctBy(group => group.Row) : rows;
        return rows.Select(group => ((IReadOnlyList<Value>)[group.Key], group.Row));
    }

    /// <summary>
    /// Each row once, in the query's order and, where that leaves it open, in the order of the rows' values.
    /// </summary>
    IEnumerable<(IReadOnlyList<Value> Keys, Value Row)> Distinct()
    {
        var seen = new SortedSet<IReadOnlyList<Value>>(
            Comparer<IReadOnlyList<Value>>.Create(CompareRows));
        foreach (var bound in Everything())
        {
            if (Select.Project(bound) is { IsUndefined: false } row)
            {
                seen.Add([.. Select.SortKeys(bound), row]);
            }
        }

        return seen.Select(keys => (keys, keys[^1]));
    }

    IEnumerable<Scope> Everything()
    {
        foreach (var candidate in source.From(Position.Start))
        {
            var isLoaded = filter.Passes(candidate.Scope);
            tally.Add(candidate.Item, isLoaded);
            foreach (var bound in isLoaded ? Select.Bindings(candidate.Scope) : [])
            {
                yield return bound;
            }
        }
    }
}
