using System.Diagnostics;
using EventSourcing;

namespace Benchmarks.Events;

/// <summary>The smallest stream there is: what is measured on it is the machinery around it.</summary>
sealed record Tally(long Total, long Events)
{
    public sealed record Count(int By);

    public sealed record Counted(int By, string Note);

    public static readonly EventTypes<Counted> Types = new() { { "tally-counted", typeof(Counted) } };

    public static Aggregate<Tally, Count, Counted> Aggregate(SnapshotPolicy? snapshots = null) =>
        new("tally", new(new(0, 0), Evolve, Decide), new(Types), snapshots);

    static Tally Evolve(Tally tally, Counted counted) => new(tally.Total + counted.By, tally.Events + 1);

    static Decision<Counted> Decide(Count count, Tally tally) =>
        count.By > 0 ? [new Counted(count.By, "small")] : throw new UnreachableException();

    public static CommandContext Context(string command) => new(command, "benchmark", "benchmark", "benchmark");
}
