using System.Diagnostics.Metrics;
using System.Net;
using System.Text.Json;
using EventSourcing;
using Functions.EventStore;
using Microsoft.Azure.Cosmos;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.Logging;

namespace Functions.Projections;

/// <summary>
/// Makes sure that no view misses an event for good: follows the change feed a little behind the triggers, with a place
/// of its own for each view, asks the view what it has seen, and brings it what it has not.
/// </summary>
/// <remarks>
/// A batch the trigger lost, a trigger that stopped, a crash between effect and checkpoint, a pause: each ends here at
/// the latest. An event is left to its trigger for <see cref="Grace"/>, so in good times this costs what reading
/// costs, about one request unit an event and one a document. Because it asks the views and not the triggers, a
/// silent feed (events wait) is told from a quiet one (no events wait); that it runs at all shows in
/// <see cref="Bookmark.CheckedAt"/>.
/// </remarks>
public sealed class Reconciliation(
    Database database, ProjectionRunner runner, ProjectionStates states, ViewGenerations generations,
    Parking parking, TimeProvider clock, ILogger<Reconciliation> log)
{
    public const int PagesMax = 200;
    public const int AttemptsMax = 5;

    public const string MeterName = "Projections";

    public static readonly TimeSpan Grace = TimeSpan.FromSeconds(30);

    static readonly Meter Meter = new(MeterName);
    static readonly Histogram<double> Lags = Meter.CreateHistogram<double>(
        "projections.lag", "s", "How long the oldest event a view had not seen was waiting, by projection.");

    static readonly Gauge<long> ParkedStreams = Meter.CreateGauge<long>(
        "projections.parked", "{stream}", "How many streams stand still in a view, by projection.");

    [Function(nameof(ReconcileViews))]
    public Task ReconcileViews([TimerTrigger("0 * * * * *")] TimerInfo timer, CancellationToken cancellation) =>
        // Every view gets its turn before a fault of one of them is told.
        Task.WhenAll(Views.All.Select(view => ReconcileGenerationsAsync(view, cancellation)));

    /// <summary>One look for what is read: how far it is behind and what stands still is measured, too.</summary>
    public async Task<Bookmark> WatchAsync(View live, CancellationToken cancellation)
    {
        var bookmark = await ReconcileAsync(live, cancellation);
        var projection = new KeyValuePair<string, object?>("projection", live.Name);
        Lags.Record(bookmark.Lag.TotalSeconds, projection);
        ParkedStreams.Record(await parking.CountAsync(live.FullName, cancellation), projection);
        return bookmark;
    }

    async Task ReconcileGenerationsAsync(View view, CancellationToken cancellation)
    {
        var (live, other) = await generations.OfAsync(view, cancellation);
        await WatchAsync(live, cancellation);

        // A generation still being built has no bookmark: all that it lacks it is about to read anyway.
        if (other is not null && await states.BookmarkAsync(other.FullName, cancellation) is not null)
            await ReconcileAsync(other, cancellation);
    }

    /// <summary>One look from the bookmark on; what it says afterwards is stored.</summary>
    public async Task<Bookmark> ReconcileAsync(View view, CancellationToken cancellation)
    {
        var isPaused = await states.PauseOfAsync(view.Name, cancellation) is not null;
        var bookmark = (await states.BookmarkAsync(view.FullName, cancellation) ?? new(view.FullName)) with
        {
            CheckedAt = clock.GetUtcNow(),
            Lag = TimeSpan.Zero,
            EventsBehind = 0,
        };
        var feed = database.GetContainer(Store.Events);
        if (bookmark.Continuations.Count == 0) bookmark = bookmark with { Continuations = await RangesAsync(feed) };

        for (var range = 0; range < bookmark.Continuations.Count; range++)
            bookmark = await ReconcileAsync(view, feed, bookmark, range, isPaused, cancellation);
        await states.SaveAsync(bookmark, cancellation);
        return bookmark;
    }

    async Task<Bookmark> ReconcileAsync(
        View view, Container feed, Bookmark bookmark, int range, bool isPaused, CancellationToken cancellation)
    {
        using var pages = feed.GetChangeFeedStreamIterator(
            StartOf(bookmark.Continuations[range]),
            ChangeFeedMode.Incremental,
            new() { PageSizeHint = Store.FeedItemsMax });
        for (var read = 0; read < PagesMax && pages.HasMoreResults; read++)
        {
            using var page = await pages.ReadNextAsync(cancellation);
            if (page.StatusCode == HttpStatusCode.NotModified) break;
            page.EnsureSuccessStatusCode();
            var found = await page.Content.PageAsync<JsonElement>(cancellation);

            // Whatever the trigger lost, it may have been the one that was to be parked.
            var (readable, unreadable) = Changes.Sort(found);
            await parking.ParkAsync(view.FullName, unreadable, view.Reads, cancellation);
            var events = readable.Where(view.TakesIn).ToList();
            bookmark = await ExamineAsync(view, events, bookmark, isPaused, cancellation);

            // The place moves on only when nothing before it may still be on its way through the trigger. A pause
            // holds it: it is where the view goes on.
            if (isPaused || events.Any(e => bookmark.CheckedAt - e.Timestamp < Grace)) break;
            bookmark = bookmark with
            {
                Continuations =
                    [.. bookmark.Continuations.Select((old, i) => i == range ? page.ContinuationToken : old)],
            };

            // A crash from here on goes on from here.
            if (events.Count > 0) await states.SaveAsync(bookmark, cancellation);
        }

        return bookmark;
    }

    async Task<Bookmark> ExamineAsync(
        View view, List<StoredEvent> events, Bookmark bookmark, bool isPaused, CancellationToken cancellation)
    {
        var unseen = await UnseenAsync(view, events, cancellation);
        if (unseen.Count == 0) return bookmark;
        var lag = bookmark.CheckedAt - unseen.Min(e => e.Timestamp);
        var late = unseen.Where(e => bookmark.CheckedAt - e.Timestamp >= Grace).ToList();
        if (late.Count > 0 && !isPaused)
        {
            log.LogWarning("{View}: {Count} events came by reconciliation, not by the feed", view.Name, late.Count);
            await view.ProjectAsync(runner, late, cancellation);
        }

        return bookmark with
        {
            Lag = lag > bookmark.Lag ? lag : bookmark.Lag,
            EventsBehind = bookmark.EventsBehind + unseen.Count,
            EventsHealed = bookmark.EventsHealed + (isPaused ? 0 : late.Count),
        };
    }

    /// <summary>
    /// One document of a hundred that does not answer is no reason to give up the look. Asked again at once: what asks
    /// for time has been given it by the SDK.
    /// </summary>
    async Task<IReadOnlyList<StoredEvent>> UnseenAsync(
        View view, List<StoredEvent> events, CancellationToken cancellation)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await view.UnseenAsync(runner, events, cancellation);
            }
            catch (CosmosException struggling)
                when (ProjectionRunner.IsTransient(struggling.StatusCode) && attempt < AttemptsMax)
            {
                log.LogInformation("{View}: asked again after {Status}", view.Name, struggling.StatusCode);
            }
        }
    }

    /// <summary>
    /// Each range is read on its own, so that a busy one never keeps another waiting. A range that is split later on is
    /// still read whole under its first place.
    /// </summary>
    internal static async Task<IReadOnlyList<string>> RangesAsync(Container feed) =>
        [.. (await feed.GetFeedRangesAsync()).Select(range => Beginning + range.ToJsonString())];

    const string Beginning = "beginning:";

    internal static ChangeFeedStartFrom StartOf(string place) => place.StartsWith(Beginning, StringComparison.Ordinal)
        ? ChangeFeedStartFrom.Beginning(FeedRange.FromJsonString(place[Beginning.Length..]))
        : ChangeFeedStartFrom.ContinuationToken(place);
}
