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
        // What came first is tried without asking whether it came before: it hardly ever did, and then it is refused.
        if (await TryTallyAsync(tally, group, streams, isFirstLook: true, cancellation) is { } atOnce) return atOnce;
        for (var attempt = 1; attempt < WriteAttemptsMax; attempt++)
        {
            if (await TryTallyAsync(tally, group, streams, isFirstLook: false, cancellation) is { } healed)
                return healed;
            await Task.Delay(FirstPause * (1 << attempt), clock, cancellation);
        }

        throw new InvalidOperationException(
            $"{tally.Name} {group} changed under each of {WriteAttemptsMax} attempts to write it.");
    }

    /// <summary>Null when somebody else wrote any of it first: nothing of this is stored.</summary>
    async Task<IReadOnlyList<string>?> TryTallyAsync<TShare, TTotal>(
        Tally<TShare, TTotal> tally, string group, Delivered<TShare>[] streams, bool isFirstLook,
        CancellationToken cancellation)
        where TShare : class
        where TTotal : class
    {
        var (moves, healed) = (new List<Marked<TShare>>(), new List<string>());
        foreach (var delivered in streams)
        {
            if (await MoveAsync(tally, group, delivered, isFirstLook, cancellation) is not { } move) continue;
            moves.Add(move);
            healed.AddRange(move.Before.Parked.Except(move.After.Parked));
        }

        if (moves.Count == 0) return healed;
        var container = database.GetContainer(tally.Container);
        var batch = container.CreateTransactionalBatch(new PartitionKey(group));
        foreach (var (key, _, after, etag) in moves) Put(batch, key, Json(after), etag);
        if (moves.Exists(move => tally.Moves(move.Before.View, move.After.View)))
        {
            var key = tally.StoredTotal(group);
            var (total, etag) = await container.FindAsync<ViewDocument<TTotal>>(key.Id, group, cancellation);
            var sum = moves.Aggregate(
                total?.View, (so, move) => tally.Move(so, move.Before.View, move.After.View));
            var next = new ViewDocument<TTotal> { Id = key.Id, Pk = group, Generation = tally.Generation, View = sum };
            Put(batch, key, Json(next), etag);
        }

        using var written = await batch.ExecuteAsync(cancellation);
        if (written.IsSuccessStatusCode)
        {
            for (var i = 0; i < moves.Count; i++)
            {
                remembered.Keep(tally.Container, moves[i].Key, moves[i].After, written[i].ETag);
                looks.Written(tally.Container, moves[i].Key);
            }

            return healed;
        }

        if (written.StatusCode is HttpStatusCode.Conflict or HttpStatusCode.PreconditionFailed
            or HttpStatusCode.NotFound || IsTransient(written.StatusCode)) return null;
        throw new CosmosException(
            $"{tally.Name} {group}: {written.ErrorMessage}", written.StatusCode, 0, written.ActivityId,
            written.RequestCharge);
    }

    /// <summary>A stream's share as it becomes; null when its marker has seen all of it.</summary>
    async Task<Marked<TShare>?> MoveAsync<TShare, TTotal>(
        Tally<TShare, TTotal> tally, string group, Delivered<TShare> delivered, bool isFirstLook,
        CancellationToken cancellation)
        where TShare : class
        where TTotal : class
    {
        var key = tally.StoredMarker(group, delivered.Stream);
        if (isFirstLook)
        {
            var isKnown = remembered.TryTake<TShare>(tally.Container, key, out var known, out var version);
            if (isKnown && await AfterAsync(known!, version) is { } soon) return soon;
            if (!isKnown && delivered.Events[0].Sequence == 1) return await AfterAsync(Unmarked(), null);
        }

        var (marker, etag) = await database.GetContainer(tally.Container)
            .FindAsync<ViewDocument<TShare>>(key.Id, group, cancellation);
        return await AfterAsync(marker ?? Unmarked(), etag);

        async Task<Marked<TShare>?> AfterAsync(ViewDocument<TShare> before, string? etag)
        {
            var after = await FoldAsync(tally.FullName, before, delivered, cancellation);
            return ReferenceEquals(before, after) ? null : new(key, before, after, etag);
        }

        ViewDocument<TShare> Unmarked() => new() { Id = key.Id, Pk = group, Generation = tally.Generation };
    }

    /// <summary>Everything is stored as it was known or not at all, so no share counts twice.</summary>
    static void Put(TransactionalBatch batch, ViewKey key, Stream document, string? etag)
    {
        if (etag is null) batch.CreateItemStream(document, NoContent);
        else batch.ReplaceItemStream(
            key.Id, document, new() { EnableContentResponseOnWrite = false, IfMatchEtag = etag });
    }

    static MemoryStream Json<T>(T document) => new(JsonSerializer.SerializeToUtf8Bytes(document, StoredJson.Options));

    /// <summary>What becomes of one stream's marker, and the version it replaces.</summary>
    sealed record Marked<TShare>(
        ViewKey Key, ViewDocument<TShare> Before, ViewDocument<TShare> After, string? ETag)
        where TShare : class;
}
