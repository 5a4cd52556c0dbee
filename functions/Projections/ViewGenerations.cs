using System.Collections.Concurrent;
using Microsoft.Azure.Cosmos;

namespace Functions.Projections;

/// <summary>
/// Which generation of a view is read, and which one beside it is kept up to date: one document a view, and replacing
/// it is the whole switch.
/// </summary>
public sealed record GenerationSwitch(string Pk)
{
    public string Id { get; init; } = ViewGenerations.SwitchId;

    public int Live { get; init; }

    /// <summary>Being built, ready to be switched to, or kept to go back to; null when there is none.</summary>
    public int? Other { get; init; }

    /// <summary>A number is never given twice, so what a crash left behind is never taken for something new.</summary>
    public int Highest { get; init; }

    public DateTimeOffset ChangedAt { get; init; }
}

/// <summary>Reads and replaces the switch of each view.</summary>
public sealed class ViewGenerations(Database database, TimeProvider clock)
{
    internal const string SwitchId = "generations";

    /// <summary>
    /// How long an instance may not know that the switch has changed. Both generations are kept up to date, so to read
    /// the former one for so long is no fault.
    /// </summary>
    public static readonly TimeSpan KnownFor = TimeSpan.FromSeconds(5);

    /// <summary>When everybody knows for sure, and what was begun before is over or comes again.</summary>
    public static readonly TimeSpan KnownToAll = KnownFor * 2;

    readonly Container container = database.GetContainer(ProjectionStates.ContainerName);
    readonly ConcurrentDictionary<string, (GenerationSwitch Switch, DateTimeOffset Until)> known = [];

    /// <summary>The generation that is read.</summary>
    public async ValueTask<TView> LiveAsync<TView>(TView view, CancellationToken cancellation)
        where TView : View =>
        (await KnownAsync(view.Name, cancellation)).Live is var live && live == view.Generation
            ? view
            : (TView)(view with { Generation = live });

    /// <summary>The generation that is read, and the one beside it.</summary>
    public async ValueTask<(View Live, View? Other)> OfAsync(View view, CancellationToken cancellation)
    {
        var known = await KnownAsync(view.Name, cancellation);
        return (view with { Generation = known.Live }, known.Other is { } other ? view with { Generation = other }
            : null);
    }

    /// <summary>The switch as it is stored now, and the version to replace.</summary>
    public async Task<(GenerationSwitch Switch, string? ETag)> FindAsync(string view, CancellationToken cancellation)
    {
        var (found, etag) = await container.FindAsync<GenerationSwitch>(SwitchId, view, cancellation);
        return (found ?? new(view), etag);
    }

    /// <summary>False when somebody else was faster; nothing is changed then.</summary>
    public async Task<bool> ReplaceAsync(GenerationSwitch changed, string? etag, CancellationToken cancellation)
    {
        changed = changed with { ChangedAt = clock.GetUtcNow() };
        if (!await container.ReplaceAsync(changed, SwitchId, changed.Pk, etag, cancellation)) return false;
        known[changed.Pk] = (changed, clock.GetUtcNow() + KnownFor);
        return true;
    }

    async ValueTask<GenerationSwitch> KnownAsync(string view, CancellationToken cancellation)
    {
        var now = clock.GetUtcNow();
        if (known.TryGetValue(view, out var remembered) && now < remembered.Until) return remembered.Switch;
        var (found, _) = await FindAsync(view, cancellation);
        known[view] = (found, now + KnownFor);
        return found;
    }
}
