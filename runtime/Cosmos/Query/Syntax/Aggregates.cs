using System.Diagnostics;

namespace Runtime.Cosmos.Query.Syntax;

enum AggregateKind
{
    Count,
    CountIf,
    Sum,
    Avg,
    Min,
    Max,
}

/// <summary>One aggregate over one group.</summary>
/// <remarks>
/// Undefined is passed over. A value that is no number makes a sum or an average undefined, an array or object a
/// minimum or maximum: https://learn.microsoft.com/azure/cosmos-db/nosql/query/aggregate-functions
/// </remarks>
sealed class Accumulator(AggregateKind kind)
{
    long count;
    double sum;
    Value extreme;
    bool isSpoilt;

    public Value Result => kind switch
    {
        AggregateKind.Count or AggregateKind.CountIf => Value.Of((double)count),
        _ when isSpoilt => Value.Undefined,
        AggregateKind.Sum => Value.Of(sum),
        AggregateKind.Avg => count == 0 ? Value.Undefined : Value.Of(sum / count),
        AggregateKind.Min or AggregateKind.Max => extreme,
        _ => throw new UnreachableException(),
    };

    public void Add(Value value)
    {
        if (value.IsUndefined || (kind == AggregateKind.CountIf && !value.IsTrue))
        {
            return;
        }

        count++;
        switch (kind)
        {
            case AggregateKind.Sum or AggregateKind.Avg:
                isSpoilt |= !value.IsNumber;
                sum += value.IsNumber ? value.Number : 0;
                break;
            case AggregateKind.Min or AggregateKind.Max:
                isSpoilt |= value.Kind is ValueKind.Array or ValueKind.Object;
                var order = ValueOrder.Compare(value, extreme);
                extreme = extreme.IsUndefined || (kind == AggregateKind.Min ? order < 0 : order > 0) ? value : extreme;
                break;
        }
    }
}

/// <summary>Rows of a query with aggregates: one for each group, in the order of the group's values.</summary>
static class Groups
{
    /// <summary>Each group's key with its row; a row may be undefined and is then no row.</summary>
    public static IEnumerable<(Value Key, Value Row)> Rows(
        SelectQuery query, IEnumerable<Scope> bindings, Scope unbound)
    {
        var groups = new SortedDictionary<Value, Group>(ValueOrder.Instance);
        foreach (var bound in bindings)
        {
            var key = KeyOf(query, bound);
            if (!groups.TryGetValue(key, out var group))
            {
                groups.Add(key, group = new Group(query, bound));
            }

            group.Add(bound);
        }

        // Aggregates without GROUP BY give a row even where there is nothing to count.
        if (groups.Count == 0 && query.GroupBy.Count == 0)
        {
            groups.Add(Value.Null, new Group(query, unbound));
        }

        return groups.Select(group => (group.Key, group.Value.Project()));
    }

    // Undefined is a value of its own to group by, which an array would drop: so each part is wrapped.
    static Value KeyOf(SelectQuery query, Scope scope)
    {
        IReadOnlyList<Value> parts = [.. query.GroupBy.Select(part =>
        {
            var value = part.Evaluate(scope);
            IReadOnlyList<Value> wrapped = value.IsUndefined ? [] : [value];
            return Value.Of(wrapped);
        })];
        return Value.Of(parts);
    }

    /// <summary>
    /// A group in the making. Its first row stands for it where the projection names a GROUP BY value.
    /// </summary>
    sealed class Group(SelectQuery query, Scope first)
    {
        readonly Accumulator[] accumulators =
            [.. query.Aggregates.Select(aggregate => new Accumulator(aggregate.Kind))];
        readonly Scope representative = first.Copy();

        public void Add(Scope scope)
        {
            for (var i = 0; i < accumulators.Length; i++)
            {
                accumulators[i].Add(query.Aggregates[i].Argument.Evaluate(scope));
            }
        }

        public Value Project()
        {
            representative.Group = accumulators;
            return query.Project(representative);
        }
    }
}
