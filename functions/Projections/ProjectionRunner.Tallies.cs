using System.Collections.Concurrent;
using System.Net;
using System.Text.Json;
using EventSourcing;
using Microsoft.Azure.Cosmos;

namespace Functions.Projections;

public sealed partial class ProjectionRunner
{
    /// <summary>One transaction holds at most a hundred operations: a total and its markers.</summary>
    public const int MarkersPerBatchMax = 90;

    static readonly TransactionalBatchItemRequestOptions NoContent = new() { EnableContentResponseOnWrite = false };

    internal async Task TallyAsync<TShare, TTotal>(
        Tally<TShare, TTotal> tally, IReadOnlyList<StoredEvent> delivered, CancellationToken cancellation)
        where TShare : class
        where TTotal : class
    {
        var groups = await ByGroupAsync(tally, delivered, cancellation);
        var healed = new ConcurrentDictionary<string, bool>();
        await Parallel.ForEachAsync(
            groups,
            InParallel(cancellation),
            async (group, stop) =>
            {
                foreach (var streams in group.Value.Chunk(MarkersPerBatchMax))
                    foreach (var stream in await TallyAsync(tally, group.Key, streams, stop)) healed[stream] = true;
            });

        // A stream is off the list when every group of it goes on, not with the first.
        foreach (var stream in healed.Keys) await parking.RemoveAsync(tally.FullName, stream, cancellation);
    }

    internal async Task<IReadOnlyList<StoredEvent>> UntalliedAsync<TShare, TTotal>(
        Tally<TShare, TTotal> tally, IReadOnlyList<StoredEvent> delivered, CancellationToken cancellation)
        where TShare : class
        where TTotal : class
    {
        var unseen = new ConcurrentDictionary<(string, long), StoredEvent>();
        var container = database.GetContainer(tally.Container);
        var groups = await ByGroupAsync(tally, delivered, cancellation);
        await Parallel.ForEachAsync(
            groups.SelectMany(group => group.Value.Select(stream => (Group: group.Key, Stream: stream))),
            InParallel(cancellation),
            async (share, stop) =>
            {
                var key = tally.StoredMarker(share.Group, share.Stream.Stream);
                var (marker, _) = await container.FindAsync<ViewDocument<TShare>>(key.Id, key.Partition, stop);
                if (marker?.Parked.Count > 0) return;
                var until = marker?.Seen.GetValueOrDefault(share.Stream.Stream.ToString()) ?? 0;
                foreach (var missing in share.Stream.Events.Where(e => e.Sequence > until))
                    unseen[(missing.StreamId, missing.Sequence)] = missing;
            });
        return [.. unseen.Values];
    }

    async Task<Dictionary<string, List<Delivered<TShare>>>> ByGroupAsync<TShare, TTotal>(
        Tally<TShare, TTotal> tally, IReadOnlyList<StoredEvent> delivered, CancellationToken cancellation)
        where TShare : class
        where TTotal : class
    {
        var groups = new Dictionary<string, List<Delivered<TShare>>>();
        foreach (var stream in delivered.GroupBy(e => e.StreamId))
        {
            if (!StreamId.TryParse(stream.Key, out var id) || id.Category != tally.Category) continue;
            var ordered = stream.OrderBy(e => e.Sequence).DistinctBy(e => e.Sequence).ToList();
            var names = await OfFirstAsync(tally.FullName, id, ordered[0], tally.GroupsOfFirst, cancellation);
            foreach (var name in names ?? [])
            {
                if (!groups.TryGetValue(name, out var streams)) groups.Add(name, streams = []);
                streams.Add(new(tally.FeedOf(name), id, ordered));
            }
        }

        return groups;
    }

    /// <summary>The streams of this group that were parked and are not any more.</summary>
    async Task<IReadOnlyList<string>> TallyAsync<TShare, TTotal>(
        Tally<TShare, TTotal> tally, string group, Delivered<TShare>[] streams, CancellationToken cancellation)
        where TShare : class
        where TTotal : class
    {
        for (var attempt = 1; attempt <= WriteAttemptsMax; attempt++)
        {
            if (await TryTallyAsync(tally, group, streams, cancellation) is { } healed) return healed;
            await Task.Delay(FirstPause * (1 << attempt), clock, cancellation);
        }

        throw new InvalidOperationException(
            $"{tally.Name} {group} changed under each of {WriteAttemptsMax} attempts to write it.");
    }

    /// <summary>Null when somebody else wrote the total first: nothing of this is stored.</summary>
    async Task<IReadOnlyList<string>?> TryTallyAsync<TShare, TTotal>(
        Tally<TShare, TTotal> tally, string group, Delivered<TShare>[] streams, CancellationToken cancellation)
        where TShare : class
        where TTotal : class
    {
        // The total is read before the markers and replaced under its ETag with every marker: had anybody changed a
        // marker since, the total would have changed too. So markers need no ETags.
        var container = database.GetContainer(tally.Container);
        var totalKey = tally.StoredTotal(group);
        var (total, etag) = await container.FindAsync<ViewDocument<TTotal>>(totalKey.Id, group, cancellation);
        var batch = container.CreateTransactionalBatch(new PartitionKey(group));
        var (sum, changed, healed) = (total?.View, new List<ViewKey>(), new List<string>());
        foreach (var delivered in streams)
        {
            var key = tally.StoredMarker(group, delivered.Stream);
            var (marker, _) = await container.FindAsync<ViewDocument<TShare>>(key.Id, group, cancellation);
            var before = marker ?? new() { Id = key.Id, Pk = group, Generation = tally.Generation };
            var after = await FoldAsync(tally.FullName, before, delivered, cancellation);
            if (ReferenceEquals(before, after)) continue;
            sum = tally.Move(sum, before.View, after.View);
            healed.AddRange(before.Parked.Except(after.Parked));
            batch.UpsertItemStream(Json(after), NoContent);
            changed.Add(key);
        }

        if (changed.Count == 0) return healed;
        var next = new ViewDocument<TTotal>
        {
            Id = totalKey.Id,
            Pk = group,
            Generation = tally.Generation,
            View = sum,
        };
        if (etag is null) batch.CreateItemStream(Json(next), NoContent);
        else batch.ReplaceItemStream(
            next.Id, Json(next), new() { EnableContentResponseOnWrite = false, IfMatchEtag = etag });
        using var written = await batch.ExecuteAsync(cancellation);
        if (written.IsSuccessStatusCode)
        {
            foreach (var key in changed) looks.Written(tally.Container, key);
            return healed;
        }

        if (written.StatusCode is HttpStatusCode.Conflict or HttpStatusCode.PreconditionFailed
            || IsTransient(written.StatusCode)) return null;
        throw new CosmosException(
            $"{tally.Name} {group}: {written.ErrorMessage}", written.StatusCode, 0, written.ActivityId,
            written.RequestCharge);
    }

    static MemoryStream Json<T>(T document) => new(JsonSerializer.SerializeToUtf8Bytes(document, StoredJson.Options));
}
