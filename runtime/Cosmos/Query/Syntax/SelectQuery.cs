namespace Runtime.Cosmos.Query.Syntax;

/// <summary>A name bound by FROM or JOIN: to a value, or to each element of an array in turn.</summary>
sealed record FromItem(int Slot, Expression Source, bool Iterates);

/// <summary>One ORDER BY item; always a path of the document, as the service demands.</summary>
sealed record OrderItem(PathExpression Path, bool IsDescending);

/// <summary>
/// A parsed query. It computes rows from whatever its scope holds; reading documents is not its affair.
/// </summary>
sealed class SelectQuery
{
    public bool IsDistinct { get; set; }

    public int? Top { get; set; }

    public int? Offset { get; set; }

    public int? Limit { get; set; }

    /// <summary>What a row becomes; null where the query says <c>SELECT *</c>.</summary>
    public Expression? Projection { get; set; }

    /// <summary>Whether an aggregate is only part of what a row shows; the service's planner refuses that.</summary>
    public bool ComposesAggregates { get; set; }

    /// <summary>The slot <c>SELECT *</c> answers.</summary>
    public int StarSlot { get; set; }

    /// <summary>Whether a row is the document as it is.</summary>
    public bool GivesDocument =>
        Projection is null ? StarSlot == 0 : Projection is PathExpression { Slot: 0, Names.Count: 0 };

    public List<FromItem> From { get; } = [];

    public Expression? Where { get; set; }

    public List<Expression> GroupBy { get; } = [];

    public List<OrderItem> OrderBy { get; } = [];

    public List<AggregateExpression> Aggregates { get; } = [];

    public bool IsGrouped => GroupBy.Count > 0 || Aggregates.Count > 0;

    public Value Project(Scope scope) => Projection is null ? scope[StarSlot] : Projection.Evaluate(scope);

    /// <summary>
    /// Binds the names of FROM and JOIN in every combination that passes WHERE; the scope holds each in turn.
    /// </summary>
    public IEnumerable<Scope> Bindings(Scope scope, int depth = 0)
    {
        if (depth == From.Count)
        {
            if (Where is null || Where.Evaluate(scope).IsTrue)
            {
                yield return scope;
            }

            yield break;
        }

        var item = From[depth];
        var source = item.Source.Evaluate(scope);
        if (source.IsUndefined)
        {
            yield break;
        }

        foreach (var value in item.Iterates ? source.Elements() : [source])
        {
            scope[item.Slot] = value;
            foreach (var bound in Bindings(scope, depth + 1))
            {
                yield return bound;
            }
        }
    }

    /// <summary>All rows, as a subquery gives them: grouped, distinct, ordered and cut.</summary>
    public IEnumerable<Value> Rows(Scope scope) => Rows(Bindings(scope), scope);

    public IEnumerable<Value> Rows(IEnumerable<Scope> bindings, Scope unbound)
    {
        var rows = IsGrouped ? Groups.Rows(this, bindings, unbound).Select(group => group.Row)
            : OrderBy.Count > 0 ? Ordered(bindings)
            : bindings.Select(Project);
        rows = rows.Where(row => !row.IsUndefined);
        rows = IsDistinct ? rows.Distinct() : rows;
        rows = Offset is { } offset ? rows.Skip(offset) : rows;
        return Top is null && Limit is null ? rows : rows.Take(Top ?? Limit!.Value);
    }

    IEnumerable<Value> Ordered(IEnumerable<Scope> bindings) => bindings
        .Select(bound => (Keys: SortKeys(bound), Row: Project(bound)))
        .Order(Comparer<(Value[] Keys, Value Row)>.Create((x, y) => CompareKeys(x.Keys, y.Keys)))
        .Select(pair => pair.Row);

    public Value[] SortKeys(Scope scope) => [.. OrderBy.Select(item => item.Path.Evaluate(scope))];

    public int CompareKeys(IReadOnlyList<Value> left, IReadOnlyList<Value> right)
    {
        for (var i = 0; i < OrderBy.Count; i++)
        {
            if (ValueOrder.Compare(left[i], right[i]) is var order and not 0)
            {
                return OrderBy[i].IsDescending ? -order : order;
            }
        }

        return 0;
    }
}
