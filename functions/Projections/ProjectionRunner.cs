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
/// event.
/// </remarks>
public sealed class ProjectionRunner(
    Database database, IEventStore events, TimeProvider clock, ILogger<ProjectionRunner> log)
{
    public const int DocumentsInParallelMax = 16;
    public const int WriteAttemptsMax = 8;
    public const int FirstEventsMax = 10_000;
    public const string ParkedContainer = "parked";

    static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(50);

    readonly ConcurrentDictionary<StreamId, StoredEvent> firsts = [];

    /// <summary>
    /// Returns when every event is in its document or its stream is parked; throws only for what a retry may cure.
    /// </summary>
    public async Task RunAsync<TView>(
        View<TView> view, IReadOnlyList<JsonElement> changes, CancellationToken cancellation)
        where TView : class
    {
        var documents = new Dictionary<ViewKey, List<(Feed<TView>, StreamId, List<StoredEvent>)>>();
        foreach (var stream in Changes.Events(changes).GroupBy(e => e.StreamId))
        {
            if (!StreamId.TryParse(stream.Key, out var id)) continue;
            if (view.Feeds.FirstOrDefault(f => f.Category == id.Category) is not { } feed) continue;
            var ordered = stream.OrderBy(e => e.Sequence).ToList();
            var key = feed.KeyOfName is { } byName ? byName(id)
                : feed.KeyOfFirst!(await FirstAsync(id, ordered[0], cancellation));
            if (!documents.TryGetValue(key, out var streams)) documents.Add(key, streams = []);
            streams.Add((feed, id, ordered));
        }

        await Parallel.ForEachAsync(
            documents,
            new ParallelOptions { MaxDegreeOfParallelism = DocumentsInParallelMax, CancellationToken = cancellation },
            async (document, stop) => await ProjectAsync(view, document.Key, document.Value, stop));
    }

    async Task ProjectAsync<TView>(
        View<TView> view, ViewKey key, List<(Feed<TView> Feed, StreamId Stream, List<StoredEvent> Events)> streams,
        CancellationToken cancellation)
        where TView : class
    {
        var container = database.GetContainer(view.Container);
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                var (before, etag) = await ReadAsync<TView>(container, key, cancellation);
                var after = before;
                foreach (var (feed, stream, fresh) in streams)
                    after = await FoldAsync(view.Name, feed, after, stream, fresh, cancellation);
                if (ReferenceEquals(before, after) || await WriteAsync(container, after, etag, cancellation)) return;
            }
            catch (CosmosException struggling) when (IsTransient(struggling) && attempt < WriteAttemptsMax)
            {
                log.LogWarning(
                    "{View}: the store answered {Status}; trying again", view.Name, (int)struggling.StatusCode);
            }

            if (attempt >= WriteAttemptsMax)
                throw new InvalidOperationException(
                    $"{view.Name} {key.Id} changed under each of {WriteAttemptsMax} attempts to write it.");
            await Task.Delay(FirstPause * (1 << attempt), clock, cancellation);
        }
    }

    async Task<ViewDocument<TView>> FoldAsync<TView>(
        string view, Feed<TView> feed, ViewDocument<TView> document, StreamId stream, List<StoredEvent> fresh,
        CancellationToken cancellation)
        where TView : class
    {
        var name = stream.ToString();
        var seen = document.Seen.GetValueOrDefault(name);
        var last = fresh[^1].Sequence;
        if (last <= seen) return document;

        var (shown, at) = (document.View, seen);
        await foreach (var stored in FromAsync(stream, seen + 1, fresh, cancellation))
        {
            try
            {
                shown = feed.Fold(shown, stored);
                at = stored.Sequence;
            }
            catch (Exception poison)
            {
                // A fold is a pure function of the view and the event, so whatever it throws it will throw again.
                await ParkAsync(view, stored, poison, cancellation);
                return document with
                {
                    View = shown,
                    Seen = With(document.Seen, name, at),
                    Parked = [.. document.Parked.Where(p => p != name), name],
                };
            }
        }

        if (document.Parked.Contains(name)) await UnparkAsync(view, stream, cancellation);
        return document with
        {
            View = shown,
            Seen = With(document.Seen, name, at),
            Parked = [.. document.Parked.Where(p => p != name)],
        };
    }

    /// <summary>
    /// The batch's own events when they follow on, else the stream's: what the feed lost is read, not missed.
    /// </summary>
    IAsyncEnumerable<StoredEvent> FromAsync(
        StreamId stream, long next, List<StoredEvent> fresh, CancellationToken cancellation)
    {
        var follow = fresh.Where(e => e.Sequence >= next).DistinctBy(e => e.Sequence).ToList();
        if (follow.Count > 0 && follow[0].Sequence == next && follow[^1].Sequence == next + follow.Count - 1)
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

    static async Task<(ViewDocument<TView>, string? ETag)> ReadAsync<TView>(
        Container container, ViewKey key, CancellationToken cancellation)
        where TView : class
    {
        using var response = await container.ReadItemStreamAsync(
            key.Id, new PartitionKey(key.Partition), null, cancellation);
        if (response.StatusCode == HttpStatusCode.NotFound) return (new() { Id = key.Id, Pk = key.Partition }, null);
        response.EnsureSuccessStatusCode();
        var document = await JsonSerializer.DeserializeAsync<ViewDocument<TView>>(
            response.Content, StoredJson.Options, cancellation);
        return (document!, response.Headers.ETag);
    }

    /// <summary>False when somebody else wrote first: read again and fold on that.</summary>
    static async Task<bool> WriteAsync<TView>(
        Container container, ViewDocument<TView> document, string? etag, CancellationToken cancellation)
        where TView : class
    {
        using var content = new MemoryStream(JsonSerializer.SerializeToUtf8Bytes(document, StoredJson.Options));
        var partition = new PartitionKey(document.Pk);
        var options = new ItemRequestOptions { IfMatchEtag = etag, EnableContentResponseOnWrite = false };
        using var response = etag is null
            ? await container.CreateItemStreamAsync(content, partition, options, cancellation)
            : await container.ReplaceItemStreamAsync(content, document.Id, partition, options, cancellation);
        if (response.StatusCode is HttpStatusCode.Conflict or HttpStatusCode.PreconditionFailed) return false;
        response.EnsureSuccessStatusCode();
        return true;
    }

    async Task ParkAsync(string view, StoredEvent stored, Exception poison, CancellationToken cancellation)
    {
        log.LogError(poison, "{View}: {Stream} is parked at {Sequence}", view, stored.StreamId, stored.Sequence);
        var parked = new ParkedEvent(
            stored.StreamId, view, stored.StreamId, stored.Sequence, stored.EventType, poison.Message,
                clock.GetUtcNow());
        using var content = new MemoryStream(JsonSerializer.SerializeToUtf8Bytes(parked, StoredJson.Options));
        using var response = await database.GetContainer(ParkedContainer)
            .UpsertItemStreamAsync(content, new PartitionKey(view), null, cancellation);
        response.EnsureSuccessStatusCode();
    }

    async Task UnparkAsync(string view, StreamId stream, CancellationToken cancellation)
    {
        using var response = await database.GetContainer(ParkedContainer)
            .DeleteItemStreamAsync(stream.ToString(), new PartitionKey(view), null, cancellation);
        if (response.StatusCode != HttpStatusCode.NotFound) response.EnsureSuccessStatusCode();
    }

    static Dictionary<string, long> With(IReadOnlyDictionary<string, long> seen, string stream, long sequence) =>
        new(seen) { [stream] = sequence };

    static bool IsTransient(CosmosException fault) => fault.StatusCode is
        HttpStatusCode.TooManyRequests or HttpStatusCode.ServiceUnavailable or HttpStatusCode.RequestTimeout
        or HttpStatusCode.Gone or (HttpStatusCode)449;
}

/// <summary>A stream standing still in one view, and why; its id is the stream, its partition the view.</summary>
public sealed record ParkedEvent(
    string Id, string Pk, string Stream, long Sequence, string EventType, string Error, DateTimeOffset Since);

/// <summary>Reads change-feed batches of the event container.</summary>
public static class Changes
{
    /// <summary>
    /// The events among the changed documents; snapshots live in the same container and are passed over.
    /// </summary>
    public static IEnumerable<StoredEvent> Events(IEnumerable<JsonElement> changes) => changes
        .Where(change => change.TryGetProperty("eventType", out _))
        .Select(change => change.Deserialize<StoredEvent>(StoredJson.Options)!);
}
