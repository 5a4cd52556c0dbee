using System.Net;
using System.Text.Json;
using EventSourcing;
using Functions.Http;
using Microsoft.Azure.Cosmos;

namespace Functions.Projections;

/// <summary>Reads view documents; queries see nothing else.</summary>
public sealed class ViewContainer(Database database, TimeProvider clock)
{
    public const int PollsMax = 20;

    static readonly TimeSpan FirstPoll = TimeSpan.FromMilliseconds(25);
    static readonly TimeSpan PollMax = TimeSpan.FromSeconds(1);

    /// <summary>
    /// The document, as soon as it has seen <paramref name="token"/>'s event or <paramref name="wait"/> is over; null
    /// when there is none. The pause between polls doubles, so a long wait costs few reads.
    /// </summary>
    internal async Task<ViewDocument<TView>?> ReadAsync<TView>(
        string container, ViewKey key, ConsistencyToken? token, TimeSpan wait, CancellationToken cancellation)
        where TView : class
    {
        var until = clock.GetUtcNow() + wait;
        var pause = FirstPoll;
        for (var poll = 1; ; poll++)
        {
            var document = await PointReadAsync<TView>(container, key, cancellation);
            if (token is null || HasSeen(document, token.Value)) return document;
            var left = until - clock.GetUtcNow();
            if (left <= TimeSpan.Zero || poll == PollsMax) return document;
            await Task.Delay(pause < left ? pause : left, clock, cancellation);
            pause = pause * 2 < PollMax ? pause * 2 : PollMax;
        }
    }

    /// <summary>One page of a query, in the query's own order.</summary>
    public async Task<IReadOnlyList<ViewDocument<TView>>> PageAsync<TView>(
        string container, QueryDefinition query, string? partition, int limit, CancellationToken cancellation)
        where TView : class
    {
        var found = new List<ViewDocument<TView>>();
        using var pages = database.GetContainer(container).GetItemQueryStreamIterator(
            query,
            null,
            new() { PartitionKey = partition is null ? null : new PartitionKey(partition), MaxItemCount = limit });
        while (pages.HasMoreResults && found.Count < limit)
        {
            using var page = await pages.ReadNextAsync(cancellation);
            page.EnsureSuccessStatusCode();
            var documents = await JsonSerializer.DeserializeAsync<Page<TView>>(
                page.Content, StoredJson.Options, cancellation);
            found.AddRange(documents!.Documents.Take(limit - found.Count));
        }

        return found;
    }

    internal static bool HasSeen<TView>(ViewDocument<TView>? document, ConsistencyToken token)
        where TView : class =>
        document?.Seen.GetValueOrDefault(token.Stream.ToString()) >= token.Sequence;

    public static async Task<ViewDocument<TView>?> DocumentAsync<TView>(
        ResponseMessage read, CancellationToken cancellation)
        where TView : class
    {
        if (read.StatusCode == HttpStatusCode.NotFound) return null;
        read.EnsureSuccessStatusCode();
        return await JsonSerializer.DeserializeAsync<ViewDocument<TView>>(
            read.Content, StoredJson.Options, cancellation);
    }

    async Task<ViewDocument<TView>?> PointReadAsync<TView>(
        string container, ViewKey key, CancellationToken cancellation)
        where TView : class
    {
        using var read = await database.GetContainer(container)
            .ReadItemStreamAsync(key.Id, new PartitionKey(key.Partition), null, cancellation);
        return await DocumentAsync<TView>(read, cancellation);
    }

    sealed record Page<TView>(IReadOnlyList<ViewDocument<TView>> Documents)
        where TView : class;
}
