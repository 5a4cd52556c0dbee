using System.Collections.Concurrent;
using System.Net;
using System.Text.Json;
using EventSourcing;
using Microsoft.Azure.Cosmos;
using Microsoft.Extensions.Logging;

namespace Functions.Projections;

/// <summary>
/// Brings the documents of a view up to the events of one change-feed batch: streams in order, documents in parallel,
/// every event exactly once in effect.
/// </summary>
/// <remarks>
/// The feed may deliver twice, late, or lose a batch. Each document says how far it has seen each stream, so an event
/// already seen changes nothing, and a gap is read from the stream itself before going on. The document is replaced
/// under its ETag: two deliveries at once cost a retry, never an effect. An event that can not be folded parks its
/// stream for this view: the view stays where it is, later events of the stream queue behind (each of them finds the
/// gap and meets the same event), all other streams go on, and code that can fold it heals the view with the next
/// event or when an operator asks. The parked entry is written before the document and removed after it, so a crash
/// in between leaves an entry too many, never a stream standing still that nobody can see.
/// </remarks>
public sealed partial class ProjectionRunner(
    Database database,
    IEventStore events,
    Parking parking,
    ProjectionStates states,
    ViewGenerations generations,
    Looks looks,
    TimeProvider clock,
    ILogger<ProjectionRunner> log)
{
    public const int DocumentsInParallelMax = 16;
    public const int WriteAttemptsMax = 8;
    public const int FirstEventsMax = 10_000;

    static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(50);

    readonly ConcurrentDictionary<StreamId, StoredEvent> firsts = [];
    readonly Remembered remembered = new();

    /// <summary>
    /// Takes in a batch as the feed delivered it, unless the view is paused: then the batch is let go, for the
    /// reconciliation stands still at the pause and goes on from there. Both generations of a view that has two take it
    /// in, the one that is not read first: so whoever switches to it never sees less than before.
    /// </summary>
    public async Task RunAsync(View view, IReadOnlyList<JsonElement> changes, CancellationToken cancellation)
    {
        if (await states.IsPausedAsync(view.Name, cancellation)) return;
        var (read, unreadable) = Changes.Sort(changes);
        var (live, other) = await generations.OfAsync(view, cancellation);
        var aside = other is null ? Task.CompletedTask : ProjectAsync(other, read, unreadable, cancellation);
        await Task.WhenAny(aside);

        // What fails aside must not hold up what is read; thrown afterwards it makes the batch come again.
        await ProjectAsync(live, read, unreadable, cancellation);
        await aside;
    }

    async Task ProjectAsync(
        View view, IReadOnlyList<StoredEvent> read, IReadOnlyList<UnreadableChange> unreadable,
        CancellationToken cancellation)
    {
        await parking.ParkAsync(view.FullName, unreadable, view.Reads, cancellation);
        await view.ProjectAsync(this, read, cancellation);
    }

    /// <summary>
    /// Returns when every event is in its document or its stream is parked; throws only for what a retry may cure.
    /// </summary>
    internal async Task ProjectAsync<TView>(
        View<TView> view, IReadOnlyList<StoredEvent> fresh, CancellationToken cancellation)
        where TView : class
    {
        var documents = await ByDocumentAsync(view, fresh, cancellation);
        await Parallel.ForEachAsync(
            documents,
            InParallel(cancellation),
            async (document, stop) =>
            {
                using var span = Telemetry.Follow("project", document.Value[0].Events[0].TraceParent);
                span?.SetTag("view", view.Name).SetTag("stream", document.Value[0].Stream.ToString());
                await ProjectAsync(view, document.Key, document.Value, stop);
            });
    }

    /// <summary>Costs a point read a document: what a reconciliation pays for knowing that nothing is lost.</summary>
    internal async Task<IReadOnlyList<StoredEvent>> UnseenAsync<TView>(
        View<TView> view, IReadOnlyList<StoredEvent> delivered, CancellationToken cancellation)
        where TView : class
    {
        var unseen = new ConcurrentBag<StoredEvent>();
        await Parallel.ForEachAsync(
            await ByDocumentAsync(view, delivered, cancellation),
            InParallel(cancellation),
            async (document, stop) =>
            {
                if (await SeenAsync<TView>(view, document.Key, stop) is not { } seen) return;
                foreach (var (_, stream, ordered) in document.Value)
                {
                    if (seen.Parked.Contains(stream.ToString())) continue;
                    var until = seen.Seen.GetValueOrDefault(stream.ToString());
                    foreach (var missing in ordered.Where(e => e.Sequence > until)) unseen.Add(missing);
                }
            });
        return [.. unseen];
    }

    async Task<Dictionary<ViewKey, List<Delivered<TView>>>> ByDocumentAsync<TView>(
        View<TView> view, IReadOnlyList<StoredEvent> delivered, CancellationToken cancellation)
        where TView : class
    {
        var documents = new Dictionary<ViewKey, List<Delivered<TView>>>();
        foreach (var stream in delivered.GroupBy(e => e.StreamId))
        {
            if (!StreamId.TryParse(stream.Key, out var id) || view.FeedOf(id) is not { } feed) continue;
            var ordered = stream.OrderBy(e => e.Sequence).DistinctBy(e => e.Sequence).ToList();
            if (await KeyAsync(view.FullName, feed, id, ordered[0], cancellation) is not { } bare) continue;
            var key = view.Stored(bare);
            if (!documents.TryGetValue(key, out var streams)) documents.Add(key, streams = []);
            streams.Add(new(feed, id, ordered));
        }

        return documents;
    }

    async Task<ViewKey?> KeyAsync<TView>(
        string view, Feed<TView> feed, StreamId stream, StoredEvent earliest, CancellationToken cancellation)
        where TView : class =>
        feed.KeyOfName is { } byName
            ? byName(stream)
            : (await OfFirstAsync(
                view, stream, earliest, first => new Found(feed.KeyOfFirst!(first)), cancellation))?.Key;

    /// <summary>
    /// What the stream's first event says; null when it says nothing and the stream is parked, or left out, for that.
    /// </summary>
    async Task<T?> OfFirstAsync<T>(
        string view, StreamId stream, StoredEvent earliest, Func<StoredEvent, T> take, CancellationToken cancellation)
        where T : class
    {
        StoredEvent first;
        try
        {
            first = await FirstAsync(stream, earliest, cancellation);
        }
        catch (JsonException unreadable)
        {
            await parking.ParkAsync(view, stream.ToString(), 1, unreadable.Message, cancellation);
            return null;
        }

        try
        {
            return take(first);
        }
        catch (Exception poison)
        {
            // What is taken is a pure function of the event, so whatever it throws it will throw again.
            if (!await parking.IsDiscardedAsync(view, first, cancellation))
                await parking.ParkAsync(view, first, poison, cancellation);
            return null;
        }
    }

    async Task ProjectAsync<TView>(
        View<TView> view, ViewKey key, List<Delivered<TView>> streams, CancellationToken cancellation)
        where TView : class
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                if (await TryProjectAsync(view, key, streams, cancellation)) return;
            }
            catch (CosmosException struggling) when (IsTransient(struggling.StatusCode) && attempt < WriteAttemptsMax)
            {
                log.LogWarning(
                    "{View}: the store answered {Status}; trying again", view.Name, (int)struggling.StatusCode);
            }
            catch (Exception hopeless) when (IsHopeless(hopeless))
            {
                // The document, not an event, is at fault; every stream in it waits for somebody to look at it.
                foreach (var (_, _, delivered) in streams)
                    await parking.ParkAsync(view.FullName, delivered[^1], hopeless, cancellation);
                return;
            }

            if (attempt >= WriteAttemptsMax)
                throw new InvalidOperationException(
                    $"{view.Name} {key.Id} changed under each of {WriteAttemptsMax} attempts to write it.");
            await Task.Delay(FirstPause * (1 << attempt), clock, cancellation);
        }
    }

    /// <summary>False when somebody else wrote the document first: read again and fold on that.</summary>
    async Task<bool> TryProjectAsync<TView>(
        View<TView> view, ViewKey key, List<Delivered<TView>> streams, CancellationToken cancellation)
        where TView : class
    {
        if (remembered.TryTake<TView>(view.Container, key, out var known, out var version)
            && await FoldOnAsync(view, key, known, version, streams, cancellation) == true) return true;

        // What is remembered may be old: that there is nothing to do, and what to do instead, the store says.
        var (found, etag) = await database.GetContainer(view.Container)
            .FindAsync<ViewDocument<TView>>(key.Id, key.Partition, cancellation);
        var before = found ?? new() { Id = key.Id, Pk = key.Partition, Generation = view.Generation };
        return await FoldOnAsync(view, key, before, etag, streams, cancellation) != false;
    }

    /// <summary>Null when the document has seen it all; false when somebody else wrote it first.</summary>
    async Task<bool?> FoldOnAsync<TView>(
        View<TView> view, ViewKey key, ViewDocument<TView> before, string? etag, List<Delivered<TView>> streams,
        CancellationToken cancellation)
        where TView : class
    {
        var after = before;
        foreach (var delivered in streams) after = await FoldAsync(view.FullName, after, delivered, cancellation);
        if (ReferenceEquals(before, after)) return null;
        var stored = await database.GetContainer(view.Container)
            .StoreAsync(after, key.Id, key.Partition, etag, cancellation);
        if (stored is null) return false;
        remembered.Keep(view.Container, key, after, stored);
        looks.Written(view.Container, key);
        foreach (var healed in before.Parked.Except(after.Parked))
            await parking.RemoveAsync(view.FullName, healed, cancellation);
        return true;
    }

    async Task<ViewDocument<TView>> FoldAsync<TView>(
        string view, ViewDocument<TView> document, Delivered<TView> delivered, CancellationToken cancellation)
        where TView : class
    {
        var (feed, stream, fresh) = delivered;
        var name = stream.ToString();
        var seen = document.Seen.GetValueOrDefault(name);
        if (fresh[^1].Sequence <= seen) return document;

        var (shown, at, isParked) = (document.View, seen, false);
        try
        {
            await foreach (var stored in FromAsync(stream, seen + 1, fresh, cancellation))
            {
                if (stored.Sequence != at + 1) break;
                try
                {
                    shown = feed.Fold(shown, stored);
                }
                catch (Exception poison)
                {
                    // A fold is a pure function of the view and the event, so whatever it throws it will throw again.
                    isParked = !await parking.IsDiscardedAsync(view, stored, cancellation);
                    if (isParked) await parking.ParkAsync(view, stored, poison, cancellation);
                    if (isParked) break;
                }

                at = stored.Sequence;
            }
        }
        catch (JsonException unreadable)
        {
            isParked = true;
            await parking.ParkAsync(view, name, at + 1, unreadable.Message, cancellation);
        }

        // A replica may know less than the feed told. To go on as if that were all would wait for an event that may
        // never come; to be asked again costs a moment.
        if (!isParked && at < fresh[^1].Sequence)
            throw new InvalidOperationException($"{stream} can not be read up to {fresh[^1].Sequence} yet.");
        if (at == seen && document.Parked.Contains(name) == isParked) return document;
        return document with
        {
            View = shown,
            Seen = at == 0 ? document.Seen : new Dictionary<string, long>(document.Seen) { [name] = at },
            Parked = [.. document.Parked.Where(p => p != name), .. isParked ? [name] : Array.Empty<string>()],
        };
    }

    /// <summary>
    /// The batch's own events when they follow on, else the stream's: what the feed lost is read, not missed.
    /// </summary>
    IAsyncEnumerable<StoredEvent> FromAsync(
        StreamId stream, long next, List<StoredEvent> fresh, CancellationToken cancellation)
    {
        var follow = fresh.Where(e => e.Sequence >= next).ToList();
        if (follow[0].Sequence == next && follow[^1].Sequence == next + follow.Count - 1)
            return follow.ToAsyncEnumerable();
        log.LogInformation("{Stream}: healing from {Next} to {Last}", stream, next, fresh[^1].Sequence);
        return events.ReadAsync(stream, new(next, fresh[^1].Sequence), cancellation);
    }

    async Task<StoredEvent> FirstAsync(StreamId stream, StoredEvent earliest, CancellationToken cancellation)
    {
        if (earliest.Sequence == 1) return Remember(stream, earliest);
        if (firsts.TryGetValue(stream, out var known)) return known;
        await foreach (var first in events.ReadAsync(stream, new(1, 1), cancellation)) return Remember(stream, first);
        throw new InvalidOperationException($"{stream} has an event {earliest.Sequence} but no first one.");
    }

    StoredEvent Remember(StreamId stream, StoredEvent first)
    {
        // Only ever a saving of a point read, so forgetting everything at the bound is good enough.
        if (firsts.Count >= FirstEventsMax) firsts.Clear();
        return firsts.GetOrAdd(stream, first);
    }

    /// <summary>How far the document is; null when it can not be read, which parked its streams already.</summary>
    async Task<ViewDocument<TView>?> SeenAsync<TView>(View view, ViewKey key, CancellationToken cancellation)
        where TView : class
    {
        try
        {
            var (found, _) = await database.GetContainer(view.Container)
                .FindAsync<ViewDocument<TView>>(key.Id, key.Partition, cancellation);
            return found ?? new() { Id = key.Id, Pk = key.Partition };
        }
        catch (JsonException)
        {
            return null;
        }
    }

    static ParallelOptions InParallel(CancellationToken cancellation) =>
        new() { MaxDegreeOfParallelism = DocumentsInParallelMax, CancellationToken = cancellation };

    internal static bool IsTransient(HttpStatusCode status) => status is
        HttpStatusCode.TooManyRequests or HttpStatusCode.ServiceUnavailable or HttpStatusCode.RequestTimeout
        or HttpStatusCode.Gone or (HttpStatusCode)449;

    static bool IsHopeless(Exception fault) =>
        fault is JsonException or CosmosException { StatusCode: HttpStatusCode.RequestEntityTooLarge };

    sealed record Found(ViewKey Key);

    /// <summary>What the feed brought of one stream: in order of sequence, each once.</summary>
    sealed record Delivered<TView>(Feed<TView> Feed, StreamId Stream, List<StoredEvent> Events)
        where TView : class;
}
