using System.Globalization;
using EventSourcing.Tests.Stores;
using Runtime.Cosmos;

namespace EventSourcing.Tests.Costs;

/// <summary>What something asked of the database: requests, request units and the requests by kind.</summary>
sealed record Measured(long Requests, double Charge, string Kinds)
{
    public static async Task<Measured> OfAsync(LocalCosmos cosmos, Func<Task> what)
    {
        var before = cosmos.Ledger.Snapshot();
        await what();
        var done = cosmos.Ledger.Snapshot() - before;

        // A plan is worked out in the gateway: a round trip, but no request unit.
        var kinds = done.Lines.OrderBy(line => line.Key.Operation).Select(line =>
            $"{line.Value.Requests} {line.Key.Operation.ToString().ToLowerInvariant()} ({line.Key.Status})");
        return new(done.Total.Requests, done.Total.Charge, string.Join(", ", kinds));
    }

    /// <summary>One row of a table in <c>docs/internals/costs.md</c>.</summary>
    public string Row(string name) =>
        string.Create(CultureInfo.InvariantCulture, $"| {name} | {Requests} | {Charge:F2} | {Kinds} |");
}
