using System.Collections.Concurrent;
using Microsoft.Azure.Cosmos;

namespace Functions.Projections;

/// <summary>How far the reconciliation of one view has come, and what it found there.</summary>
public sealed record Bookmark(string Pk)
{
    public string Id { get; init; } = ProjectionStates.BookmarkId;

    /// <summary>One place in the feed for each of its ranges; empty before the first look.</summary>
    public IReadOnlyList<string> Continuations { get; init; } = [];

    public DateTimeOffset CheckedAt { get; init; }

    /// <summary>How long the oldest event that the view had not seen has been waiting.</summary>
    public TimeSpan Lag { get; init; }

    /// <summary>How many events the view had not seen, among those looked at.</summary>
    public int EventsBehind { get; init; }

    /// <summary>All events this reconciliation ever brought to the view because the trigger did not.</summary>
    public long EventsHealed { get; init; }
}

/// <summary>A view that takes in nothing until it is resumed, and on whose word.</summary>
public sealed record Pause(string Pk, string By, string Why, DateTimeOffset At)
{
    public string Id { get; init; } = ProjectionStates.PauseId;
}

/// <summary>What is known of each projection beside its view.</summary>
public sealed class ProjectionStates(Database database, TimeProvider clock)
{
    public const string ContainerName = "projections";

    internal const string BookmarkId = "bookmark";
    internal const string PauseId = "pause";

    /// <summary>How long an instance may not know of a pause: asking costs one request unit each time.</summary>
    static readonly TimeSpan PauseKnownFor = TimeSpan.FromSeconds(5);

    readonly Container container = database.GetContainer(ContainerName);
    readonly ConcurrentDictionary<string, (bool IsPaused, DateTimeOffset Until)> pauses = [];

    public async Task<Bookmark?> BookmarkAsync(string view, CancellationToken cancellation) =>
        (await container.FindAsync<Bookmark>(BookmarkId, view, cancellation)).Found;

    /// <summary>Only the reconciliation writes bookmarks, and of it one runs at a time.</summary>
    public Task SaveAsync(Bookmark bookmark, CancellationToken cancellation) =>
        container.PutAsync(bookmark, bookmark.Pk, cancellation);

    /// <summary>The generation is gone, so is its place in the feed.</summary>
    public Task ForgetAsync(string fullName, CancellationToken cancellation) =>
        container.RemoveAsync(BookmarkId, fullName, etag: null, cancellation);

    public async Task<Pause?> PauseOfAsync(string view, CancellationToken cancellation) =>
        (await container.FindAsync<Pause>(PauseId, view, cancellation)).Found;

    public async Task PauseAsync(string view, string by, string why, CancellationToken cancellation)
    {
        await container.PutAsync(new Pause(view, by, why, clock.GetUtcNow()), view, cancellation);
        pauses.TryRemove(view, out _);
    }

    public async Task ResumeAsync(string view, CancellationToken cancellation)
    {
        await container.RemoveAsync(PauseId, view, etag: null, cancellation);
        pauses.TryRemove(view, out _);
    }

    public async ValueTask<bool> IsPausedAsync(string view, CancellationToken cancellation)
    {
        var now = clock.GetUtcNow();
        if (pauses.TryGetValue(view, out var known) && now < known.Until) return known.IsPaused;
        var isPaused = await PauseOfAsync(view, cancellation) is not null;
        pauses[view] = (isPaused, now + PauseKnownFor);
        return isPaused;
    }
}
