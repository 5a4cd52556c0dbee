using System.Net;
using System.Text.Json;
using EventSourcing;
using Functions.Projections;
using Microsoft.Azure.Cosmos;

namespace Functions.UserActivity;

/// <summary>What one event adds to a group; its marker is stored with the sum and counts it once.</summary>
public sealed record ActivityShare(string Marker, IReadOnlyDictionary<string, int> Counts);

/// <summary>Sums by product within groups, each event counted once however often it comes.</summary>
/// <remarks>
/// A group is a partition with one document for the sum and a marker for each event. Both change in one transaction:
/// after a crash the events come again, and those with a marker are left out. Markers expire when no repetition can
/// come any more: the hub has forgotten the event by then, and the intake refuses it for its age.
/// </remarks>
public sealed class ActivityTotals(Database database)
{
    public const string Container = "activity-totals";

    /// <summary>The hub keeps events for a day, and takes them up to a day late.</summary>
    public static readonly TimeSpan MarkerAge = ActivityIntake.LateMax + TimeSpan.FromHours(48);

    const string TotalId = "total";
    const int OperationsMax = 100;
    const int AttemptsMax = 20;
    const int CountsMax = 10_000;

    /// <param name="group">The partition to add to.</param>
    /// <param name="shares">What each event adds.</param>
    /// <param name="age">How long the sum is kept after its last change; null for ever.</param>
    /// <param name="cancellation">Nothing is half written when it fires.</param>
    public async Task AddAsync(
        string group, IEnumerable<ActivityShare> shares, TimeSpan? age, CancellationToken cancellation)
    {
        foreach (var chunk in shares.DistinctBy(share => share.Marker).Chunk(OperationsMax - 1))
        {
            await AddAsync(group, [.. chunk], age, cancellation);
        }
    }

    public async Task<IReadOnlyDictionary<string, int>> ReadAsync(string group, CancellationToken cancellation) =>
        (await database.GetContainer(Container).FindAsync<Total>(TotalId, group, cancellation)).Found?.Counts
            ?? new Dictionary<string, int>();

    async Task AddAsync(string group, List<ActivityShare> shares, TimeSpan? age, CancellationToken cancellation)
    {
        var container = database.GetContainer(Container);
        for (var attempt = 0; attempt < AttemptsMax && shares.Count > 0;)
        {
            var (total, etag) = await container.FindAsync<Total>(TotalId, group, cancellation);
            using var written = await Batch(container, group, Sum(group, total, shares, age), etag, shares)
                .ExecuteAsync(cancellation);
            if (written.IsSuccessStatusCode) return;

            // The transaction names the one operation it failed at; the sum is the first.
            var failed = Enumerable.Range(0, written.Count)
                .First(i => written[i].StatusCode != HttpStatusCode.FailedDependency);
            switch (written[failed].StatusCode)
            {
                case HttpStatusCode.Conflict when failed > 0:
                    shares.RemoveAt(failed - 1);
                    break;
                case HttpStatusCode.Conflict or HttpStatusCode.PreconditionFailed or HttpStatusCode.NotFound:
                    attempt++;
                    break;
                default:
                    throw new CosmosException(
                        $"{group}: {written.ErrorMessage}", written.StatusCode, 0, written.ActivityId,
                        written.RequestCharge);
            }
        }

        if (shares.Count > 0)
            throw new InvalidOperationException($"{group} changed under each of {AttemptsMax} attempts to add to it.");
    }

    static TransactionalBatch Batch(
        Container container, string group, Total sum, string? etag, List<ActivityShare> shares)
    {
        var batch = container.CreateTransactionalBatch(new PartitionKey(group));
        if (etag is null) batch.CreateItemStream(Json(sum), Quiet(etag));
        else batch.ReplaceItemStream(TotalId, Json(sum), Quiet(etag));
        foreach (var share in shares)
        {
            batch.CreateItemStream(Json(new Marker(share.Marker, group, (int)MarkerAge.TotalSeconds)), Quiet(null));
        }

        return batch;
    }

    /// <summary>Beyond the bound the least counted make room: a document has a size.</summary>
    static Total Sum(string group, Total? total, List<ActivityShare> shares, TimeSpan? age)
    {
        var counts = new Dictionary<string, int>(total?.Counts ?? new Dictionary<string, int>());
        foreach (var (product, count) in shares.SelectMany(share => share.Counts))
        {
            counts[product] = counts.GetValueOrDefault(product) + count;
        }

        var kept = counts.Count <= CountsMax ? counts : counts.OrderByDescending(count => count.Value)
            .ThenBy(count => count.Key, StringComparer.Ordinal).Take(CountsMax).ToDictionary();
        return new(TotalId, group, age is { } time ? (int)time.TotalSeconds : -1, kept);
    }

    static TransactionalBatchItemRequestOptions Quiet(string? etag) =>
        new() { EnableContentResponseOnWrite = false, IfMatchEtag = etag };

    static MemoryStream Json<T>(T document) => new(JsonSerializer.SerializeToUtf8Bytes(document, StoredJson.Options));

    sealed record Total(string Id, string Pk, int Ttl, IReadOnlyDictionary<string, int> Counts);

    sealed record Marker(string Id, string Pk, int Ttl);
}
