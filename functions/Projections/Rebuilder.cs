using System.Net;
using System.Text.Json;
using Functions.EventStore;
using Microsoft.Azure.Cosmos;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.Logging;

namespace Functions.Projections;

/// <summary>
/// Builds a generation of a view beside the live one, from the first event on, while both take in what is written; then
/// compares them. What to do with it an operator decides.
/// </summary>
/// <remarks>
/// The feed shows the new generation every event written from the moment all instances know of it; this reads every
/// event written before that. An event shown by both changes nothing the second time, for the documents know what they
/// have seen. Progress is stored after every page: after a crash the page begun is read again, which is free, too.
/// Nothing but documents comes out of a projection, so there are no side effects to turn off; nobody is told of a
/// document that nobody reads, and lag and parked events of this generation raise no alarm.
/// </remarks>
public sealed class Rebuilder(
    Database database,
    ProjectionRunner runner,
    ProjectionStates projections,
    ViewGenerations generations,
    RebuildStates rebuilds,
    Parking parking,
    Verification verification,
    TimeProvider clock,
    ILogger<Rebuilder> log)
{
    public int PageItems { get; init; } = 1_000;

    /// <summary>One turn ends after this, whatever is left: the next one goes on.</summary>
    public static readonly TimeSpan TurnMax = TimeSpan.FromMinutes(5);

    [Function(nameof(ContinueRebuilds))]
    public Task ContinueRebuilds(
        [TimerTrigger("*/30 * * * * *")] TimerInfo timer, CancellationToken cancellation) =>
        Task.WhenAll(Views.All.Select(view => ContinueAsync(view, cancellation)));

    /// <summary>
    /// Takes the view's rebuild as far as it goes without anybody's decision; null when there is none.
    /// </summary>
    public async Task<Rebuild?> ContinueAsync(View view, CancellationToken cancellation)
    {
        var (rebuild, etag) = await rebuilds.FindAsync(view.Name, cancellation);
        if (rebuild is null || await projections.PauseOfAsync(view.Name, cancellation) is not null) return rebuild;
        var turn = new Turn(rebuilds, view, rebuild, etag!, clock.GetUtcNow());
        if (turn.Rebuild.Stage == RebuildStage.Building) await BuildAsync(turn, cancellation);
        if (turn.Rebuild.Stage == RebuildStage.Verifying) await VerifyAsync(turn, cancellation);
        if (turn.Rebuild.Stage == RebuildStage.Cleaning) return await CleanAsync(turn, cancellation);
        return turn.Rebuild;
    }

    async Task BuildAsync(Turn turn, CancellationToken cancellation)
    {
        if (await AdmittedAsync(turn, cancellation) is not { } admitted) return;
        var feed = database.GetContainer(Store.Events);
        if (turn.Rebuild.Continuations.Count == 0)
        {
            var (ranges, total) = (await Reconciliation.RangesAsync(feed), await CountAsync(feed, cancellation));
            if (!await turn.SaveAsync(
                r => r with { Continuations = ranges, DocumentsTotal = total }, cancellation)) return;
        }

        var began = clock.GetUtcNow();
        for (var range = 0; range < turn.Rebuild.Continuations.Count; range++)
            if (!await ReadAsync(turn, feed, range, cancellation)) return;

        // Only an end reached after everybody knew of the generation is the end: what came later, the feed has shown
        // it.
        if (began - admitted < ViewGenerations.KnownToAll) return;
        await projections.SaveAsync(
            new(turn.Built.FullName) { Continuations = turn.Rebuild.Continuations, CheckedAt = clock.GetUtcNow() },
            cancellation);
        await turn.SaveAsync(
            r => r with { Stage = RebuildStage.Verifying, BuiltAt = clock.GetUtcNow() }, cancellation);
        log.LogInformation(
            "{View}: built from {Count} events", turn.Built.FullName, turn.Rebuild.EventsRead);
    }

    /// <summary>
    /// Since when the switch names the generation; what the start of a rebuild left undone is done here.
    /// </summary>
    async Task<DateTimeOffset?> AdmittedAsync(Turn turn, CancellationToken cancellation)
    {
        var (found, etag) = await generations.FindAsync(turn.View.Name, cancellation);
        if (found.Other == turn.Rebuild.Generation) return found.ChangedAt;
        var admitted = found with { Other = turn.Rebuild.Generation, Highest = turn.Rebuild.Generation };
        return await generations.ReplaceAsync(admitted, etag, cancellation) ? clock.GetUtcNow() : null;
    }

    /// <summary>False when the turn is over before the range is.</summary>
    async Task<bool> ReadAsync(Turn turn, Container feed, int range, CancellationToken cancellation)
    {
        using var pages = feed.GetChangeFeedStreamIterator(
            Reconciliation.StartOf(turn.Rebuild.Continuations[range]),
            ChangeFeedMode.Incremental,
            new() { PageSizeHint = PageItems });
        while (pages.HasMoreResults)
        {
            if (clock.GetUtcNow() - turn.Began > TurnMax) return false;
            using var page = await pages.ReadNextAsync(cancellation);
            if (page.StatusCode == HttpStatusCode.NotModified) break;
            page.EnsureSuccessStatusCode();
            var read = await page.Content.PageAsync<JsonElement>(cancellation);
            var (events, unreadable) = Changes.Sort(read);
            await parking.ParkAsync(turn.Built.FullName, unreadable, turn.Built.Reads, cancellation);
            var taken = events.Where(turn.View.TakesIn).ToList();
            await turn.Built.ProjectAsync(runner, taken, cancellation);
            if (!await turn.SaveAsync(
                r => r with
                {
                    Continuations = [.. r.Continuations.Select((old, i) => i == range ? page.ContinuationToken : old)],
                    DocumentsRead = r.DocumentsRead + read.Count,
                    EventsRead = r.EventsRead + taken.Count,
                },
                cancellation)) return false;
        }

        return true;
    }

    async Task VerifyAsync(Turn turn, CancellationToken cancellation)
    {
        var (found, _) = await generations.FindAsync(turn.View.Name, cancellation);
        var comparison = await verification.CompareAsync(
            turn.View with { Generation = found.Live }, turn.Built, cancellation);
        await turn.SaveAsync(r => r with { Stage = RebuildStage.Ready, Comparison = comparison }, cancellation);
    }

    /// <summary>
    /// Null when nothing is left of it. Safe to repeat from any point: the rebuild's own document goes last.
    /// </summary>
    async Task<Rebuild?> CleanAsync(Turn turn, CancellationToken cancellation)
    {
        var (found, etag) = await generations.FindAsync(turn.View.Name, cancellation);
        if (turn.Rebuild.Doomed is null)
        {
            var doomed = found.Other ?? turn.Rebuild.Generation;
            if (!await turn.SaveAsync(r => r with { Doomed = doomed, DoomedAt = clock.GetUtcNow() }, cancellation))
                return turn.Rebuild;
        }

        if (found.Other is not null
            && !await generations.ReplaceAsync(found with { Other = null }, etag, cancellation)) return turn.Rebuild;

        // Until every instance knows, one may still read it and another still write it.
        if (clock.GetUtcNow() - turn.Rebuild.DoomedAt < ViewGenerations.KnownToAll) return turn.Rebuild;
        var dead = turn.View with { Generation = turn.Rebuild.Doomed!.Value };
        await verification.DeleteAsync(dead, cancellation);
        while (await parking.ListAsync(
            dead.FullName, null, clock.GetUtcNow(), null, 100, cancellation) is { Count: > 0 } left)
            foreach (var parked in left) await parking.RemoveAsync(dead.FullName, parked.Stream, cancellation);
        await projections.ForgetAsync(dead.FullName, cancellation);
        await rebuilds.RemoveAsync(turn.Rebuild, turn.ETag, cancellation);
        return null;
    }

    static async Task<long> CountAsync(Container feed, CancellationToken cancellation)
    {
        var total = 0L;
        using var pages = feed.GetItemQueryIterator<long>("SELECT VALUE COUNT(1) FROM c");
        while (pages.HasMoreResults) total += (await pages.ReadNextAsync(cancellation)).Sum();
        return total;
    }

    /// <summary>One rebuild while one instance works on it; when another one takes over, saving says so.</summary>
    sealed class Turn(RebuildStates rebuilds, View view, Rebuild rebuild, string etag, DateTimeOffset began)
    {
        public View View { get; } = view;

        public View Built { get; } = view with { Generation = rebuild.Generation };

        public DateTimeOffset Began { get; } = began;

        public Rebuild Rebuild { get; private set; } = rebuild;

        public string ETag { get; private set; } = etag;

        public async Task<bool> SaveAsync(Func<Rebuild, Rebuild> change, CancellationToken cancellation)
        {
            var changed = change(Rebuild);
            if (await rebuilds.SaveAsync(changed, ETag, cancellation) is not { } saved) return false;
            (Rebuild, ETag) = (changed, saved);
            return true;
        }
    }
}
