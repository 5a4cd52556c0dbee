using System.Collections.Immutable;

namespace Runtime.Cosmos;

/// <summary>What a request asked for.</summary>
public enum CosmosOperation
{
    Account,
    Metadata,
    PartitionKeyRanges,
    QueryPlan,
    Create,
    Read,
    Replace,
    Upsert,
    Delete,
    Patch,
    Batch,
    Query,
    ReadFeed,
    ChangeFeed,
}

/// <summary>How many requests, and what they cost together in request units.</summary>
public readonly record struct CosmosTally(long Requests, double Charge)
{
    public static CosmosTally operator +(CosmosTally left, CosmosTally right) => left.Add(right);

    public static CosmosTally operator -(CosmosTally left, CosmosTally right) => left.Subtract(right);

    public CosmosTally Add(CosmosTally other) => new(Requests + other.Requests, Charge + other.Charge);

    public CosmosTally Subtract(CosmosTally other) =>
        new(Requests - other.Requests, Math.Round(Charge - other.Charge, 6));
}

/// <summary>What one line of the ledger counts: requests of a kind, to a container, with one status.</summary>
public readonly record struct CosmosLedgerLine(string? Container, CosmosOperation Operation, int Status);

/// <summary>Counts every request answered and its charge.</summary>
public sealed class CosmosLedger
{
    readonly Lock gate = new();
    readonly Dictionary<CosmosLedgerLine, CosmosTally> lines = [];

    public CosmosLedgerSnapshot Snapshot()
    {
        lock (gate)
        {
            return new CosmosLedgerSnapshot(lines.ToImmutableDictionary());
        }
    }

    public void Reset()
    {
        lock (gate)
        {
            lines.Clear();
        }
    }

    internal void Record(CosmosLedgerLine line, double charge)
    {
        lock (gate)
        {
            lines[line] = lines.GetValueOrDefault(line) + new CosmosTally(1, charge);
        }
    }
}

/// <summary>The ledger at one moment; the difference of two is what happened between them.</summary>
public sealed class CosmosLedgerSnapshot
{
    internal CosmosLedgerSnapshot(ImmutableDictionary<CosmosLedgerLine, CosmosTally> lines) => Lines = lines;

    public IReadOnlyDictionary<CosmosLedgerLine, CosmosTally> Lines { get; }

    public CosmosTally Total => Sum(_ => true);

    public CosmosTally this[CosmosOperation operation] => Sum(line => line.Operation == operation);

    /// <summary>Only what went to one container.</summary>
    public CosmosLedgerSnapshot Of(string container) =>
        new(Lines.Where(line => line.Key.Container == container).ToImmutableDictionary());

    public static CosmosLedgerSnapshot operator -(CosmosLedgerSnapshot later, CosmosLedgerSnapshot earlier) =>
        later.Subtract(earlier);

    public CosmosLedgerSnapshot Subtract(CosmosLedgerSnapshot earlier) => new(Lines
        .Select(line => KeyValuePair.Create(line.Key, line.Value - earlier.Lines.GetValueOrDefault(line.Key)))
        .Where(line => line.Value.Requests != 0)
        .ToImmutableDictionary());

    CosmosTally Sum(Func<CosmosLedgerLine, bool> counts) =>
        Lines.Where(line => counts(line.Key)).Aggregate(default(CosmosTally), (sum, line) => sum + line.Value);
}
