using Runtime.Cosmos.Query.Syntax;
using Runtime.Cosmos.Storage;

namespace Runtime.Cosmos.Query.Execution;

/// <summary>The items a query looks at, in the query's order, from a position on.</summary>
sealed class ItemSource(
    Container container, ContainerState state, Target target, Reach reach, CompiledQuery query, RowOrder order, long now)
{
    public Scope Scope(Candidate candidate)
    {
        var scope = new Scope(query.Slots);
        scope[0] = candidate.Document;
        return scope;
    }

    public IEnumerable<Candidate> From(Position position)
    {
        _ = container;
        if (order.Items.Count > 0)
        {
            return Items(0).Select(Read).Where(candidate => order.IsBehind(candidate, position)).Order(order);
        }

        return Items(position.RowsOfItem > 0 ? position.Number : position.Number + 1).Select(Read);
    }

    Candidate Read(Item item)
    {
        var document = Documents.Read(item.Body);
        if (order.Items.Count == 0)
        {
            return new Candidate(item, document, []);
        }

        var scope = new Scope(query.Slots);
        scope[0] = document;
        return new Candidate(item, document, order.KeysOf(scope));
    }

    /// <summary>Live items of the target in the order of their numbers.</summary>
    IEnumerable<Item> Items(long from) => Reached(from).Where(item => target.Holds(item, now));

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
