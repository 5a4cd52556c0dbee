using Runtime.Cosmos.Query.Syntax;
using Runtime.Cosmos.Storage;

namespace Runtime.Cosmos.Query.Execution;

/// <summary>An item on its way through a query: the scope it is looked at in, and its sort keys.</summary>
sealed record Candidate(Item Item, Scope Scope, IReadOnlyList<Value> Keys);

/// <summary>The total order a query's items come in: its sort keys, then the item's number.</summary>
/// <remarks>
/// Numbers run against the clock when the first key does. Clients that plan a query themselves compare resource ids
/// that way and drop what looks older than what they have, so any other order among equal keys would lose rows.
/// </remarks>
sealed class RowOrder(IReadOnlyList<OrderItem> items) : IComparer<Candidate>
{
    public static readonly RowOrder ByNumber = new([]);

    public IReadOnlyList<OrderItem> Items => items;

    public bool IsDescending => items is [{ IsDescending: true }, ..];

    public Value[] KeysOf(Scope scope) => items.Count == 0 ? [] : [.. items.Select(item => item.Path.Evaluate(scope))];

    public int Compare(Candidate? x, Candidate? y) => Compare(x!.Keys, x.Item.Number, y!.Keys, y.Item.Number);

    /// <summary>Whether a candidate lies behind a position, or is the very item a page ended within.</summary>
    public bool IsBehind(Candidate candidate, Position position)
    {
        if (ReferenceEquals(position, Position.Start) || (position.Number == 0 && position.Keys.Count == 0))
        {
            return true;
        }

        var order = Compare(candidate.Keys, candidate.Item.Number, position.Keys, position.Number);
        return order > 0 || (order == 0 && position.RowsOfItem > 0);
    }

    public int Compare(IReadOnlyList<Value> leftKeys, long leftNumber, IReadOnlyList<Value> rightKeys, long rightNumber)
    {
        for (var i = 0; i < items.Count; i++)
        {
            if (ValueOrder.Compare(leftKeys[i], rightKeys[i]) is var order and not 0)
            {
                return items[i].IsDescending ? -order : order;
            }
        }

        return IsDescending ? rightNumber.CompareTo(leftNumber) : leftNumber.CompareTo(rightNumber);
    }
}
