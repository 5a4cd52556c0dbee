using Runtime.Cosmos.Storage;

namespace Runtime.Cosmos.Charges;

/// <summary>What an operation costs in request units, by the model the service publishes.</summary>
/// <remarks>Formula, sources and how far to trust them: docs/internals/request-units.md.</remarks>
static class RequestUnits
{
    /// <summary>One index term written or taken out.</summary>
    const double PerTerm = 0.2;
    const double PerPatchOperation = 0.4;

    /// <summary>A lookup that ends without a document, or finds the one the caller already has.</summary>
    public const double Miss = 1;

    /// <summary>A write that was refused before anything was written.</summary>
    const double RefusedWrite = 1.24;

    const double QueryPage = 2.2;
    const double QueryIndexUse = 0.6;
    const double QueryPerLookup = 0.05;
    const double QueryPerEntry = 0.0005;
    const double QueryPerDocument = 0.025;
    const double QueryPerMebibyte = 6.65;

    // Kilobytes, read, write: the published table. Between two rows the cost is interpolated.
    static readonly (double Kilobytes, double Read, double Write)[] Table =
    [
        (1, 1.00, 4.95), (2, 1.04, 6.29), (4, 1.14, 6.67), (8, 1.33, 7.04), (16, 1.67, 9.52), (32, 2.19, 11.23),
        (64, 4.76, 22.67), (128, 9.95, 48.19), (256, 20.28, 98.29), (512, 40.95, 184.57), (1024, 145.90, 625.00),
        (2048, 291.80, 1250.00),
    ];

    public static double Read(int bytes) => Interpolated(bytes, row => row.Read);

    public static double Write(int bytes) => Interpolated(bytes, row => row.Write);

    public static double Of(Outcome outcome, IndexingPolicy policy) => Math.Round(outcome switch
    {
        { Status: 200 or 201 or 204, Before: null, After: { } created } => Stored(created, policy),
        { Status: 204, Before: { } deleted } => Stored(deleted, policy),
        { Status: 200, Before: { } before, After: { } after } =>
            Write(before.Body.Length) + Write(after.Body.Length) + (PerTerm * Changed(before, after, policy)) +
            (PerPatchOperation * outcome.PatchOperations),
        _ => RefusedWrite,
    }, 2);

    /// <summary>Reads answer what they loaded; finding nothing, or nothing new, costs a lookup.</summary>
    public static double OfRead(Outcome outcome) =>
        outcome is { Status: 200, After: { } item } ? Math.Round(Read(item.Body.Length), 2) : Miss;

    /// <summary>A page of a query: preparing it, searching indexes, loading documents, writing rows.</summary>
    public static double Query(QueryWork work) => Math.Round(
        QueryPage + (work.Lookups > 0 ? QueryIndexUse + (QueryPerLookup * work.Lookups) : 0) +
        (QueryPerEntry * work.Entries) + (QueryPerDocument * work.Documents) +
        (QueryPerMebibyte * (work.BytesLoaded + work.BytesWritten) / (1024 * 1024)), 2);

    static double Stored(Item item, IndexingPolicy policy) =>
        Write(item.Body.Length) + (PerTerm * (policy.Terms(item.Body).Count + item.UniqueKeys.Length));

    static int Changed(Item before, Item after, IndexingPolicy policy)
    {
        var terms = policy.Terms(after.Body);
        terms.SymmetricExceptWith(policy.Terms(before.Body));
        var keys = before.UniqueKeys.Zip(after.UniqueKeys).Count(pair => pair.First != pair.Second) * 2;
        return terms.Count + keys;
    }

    static double Interpolated(int bytes, Func<(double Kilobytes, double Read, double Write), double> cost)
    {
        var kilobytes = bytes / 1024.0;
        var upper = Array.FindIndex(Table, row => row.Kilobytes >= kilobytes);
        switch (upper)
        {
            case 0:
                return cost(Table[0]);
            case < 0:
                return cost(Table[^1]) * kilobytes / Table[^1].Kilobytes;
        }

        var (low, high) = (Table[upper - 1], Table[upper]);
        var share = (kilobytes - low.Kilobytes) / (high.Kilobytes - low.Kilobytes);
        return cost(low) + (share * (cost(high) - cost(low)));
    }
}

/// <summary>What one page of a query made the server do.</summary>
readonly record struct QueryWork(int Lookups, long Entries, int Documents, long BytesLoaded, long BytesWritten);
