using System.Text.Json.Serialization;
using Microsoft.Azure.Cosmos;

namespace Functions.Projections;

/// <summary>What a rebuild is at; whether its generation is read, the switch alone says.</summary>
public enum RebuildStage
{
    /// <summary>Reads the events from the first one on.</summary>
    Building,

    /// <summary>Has read them all, is kept up to date, and is compared with what is read.</summary>
    Verifying,

    /// <summary>May be switched to, and back from.</summary>
    Ready,

    /// <summary>What is not read is being deleted; when that is done the rebuild is over.</summary>
    Cleaning,
}

/// <summary>One document that is not the same in both generations.</summary>
public sealed record Difference(string Id, string Partition, string What);

/// <summary>What the two generations of a view have in common and what not, document by document.</summary>
public sealed record Comparison(
    DateTimeOffset At,
    long Equal,
    long Different,
    long Missing,
    long Extra,
    long Behind,
    IReadOnlyList<Difference> Samples)
{
    public static Comparison None(DateTimeOffset at) => new(at, 0, 0, 0, 0, 0, []);

    /// <summary>Nothing to explain: a rebuild by the same folds shows the same.</summary>
    [JsonIgnore]
    public bool IsClean => Different + Missing + Extra + Behind == 0;
}

/// <summary>A generation being built beside the live one: who wanted it, and how far it has come.</summary>
public sealed record Rebuild(string Pk, int Generation, string By, string Why, DateTimeOffset StartedAt)
{
    public string Id { get; init; } = RebuildStates.RebuildId;

    public RebuildStage Stage { get; init; }

    /// <summary>One place in the feed for each of its ranges: what a crash goes on from.</summary>
    public IReadOnlyList<string> Continuations { get; init; } = [];

    /// <summary>All documents of the event container when the rebuild began, snapshots among them.</summary>
    public long DocumentsTotal { get; init; }

    public long DocumentsRead { get; init; }

    /// <summary>The events among them that the view takes in.</summary>
    public long EventsRead { get; init; }

    public DateTimeOffset? BuiltAt { get; init; }

    public Comparison? Comparison { get; init; }

    /// <summary>The generation being deleted.</summary>
    public int? Doomed { get; init; }

    public DateTimeOffset? DoomedAt { get; init; }

    /// <summary>Never a hundred before the end is reached, however much was written since the count.</summary>
    [JsonIgnore]
    public double Percent => Stage != RebuildStage.Building ? 100
        : DocumentsTotal == 0 ? 0
        : Math.Min(99.9, Math.Round(100.0 * DocumentsRead / DocumentsTotal, 1));
}

/// <summary>The rebuilds under way, one document each; whoever writes it must know how it was.</summary>
public sealed class RebuildStates(Database database)
{
    internal const string RebuildId = "rebuild";

    readonly Container container = database.GetContainer(ProjectionStates.ContainerName);

    public Task<(Rebuild? Found, string? ETag)> FindAsync(string view, CancellationToken cancellation) =>
        container.FindAsync<Rebuild>(RebuildId, view, cancellation);

    /// <summary>The new version; null when somebody else wrote first, and whoever asked has to stop.</summary>
    public Task<string?> SaveAsync(Rebuild rebuild, string? etag, CancellationToken cancellation) =>
        container.StoreAsync(rebuild, RebuildId, rebuild.Pk, etag, cancellation);

    public Task RemoveAsync(Rebuild rebuild, string? etag, CancellationToken cancellation) =>
        container.RemoveAsync(RebuildId, rebuild.Pk, etag, cancellation);
}
