using System.Net;
using System.Text.Json;
using EventSourcing;
using Functions.Http;
using Microsoft.Azure.Cosmos;

namespace Functions.Projections;

/// <summary>Reads view documents of the generation that is live; queries see nothing else.</summary>
public sealed class ViewContainer(
    Database database, IEventStore events, ViewGenerations generations, Looks looks, TimeProvider clock)
{
    public const int LooksMax = 20;

    static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(25);
    static readonly TimeSpan PauseMax = TimeSpan.FromSeconds(1);

    /// <summary>What a list asks: it names the generation in its query, so that it never sees two at once.</summary>
    internal ValueTask<TView> LiveAsync<TView>(TView view, CancellationToken cancellation)
        where TView : View => generations.LiveAsync(view, cancellation);

    /// <summary>The document of a view; see the other overload.</summary>
    internal async Task<ViewDocument<TShown>?> ReadAsync<TShown>(
        View view, ViewKey key, ConsistencyToken? token, TimeSpan wait, CancellationToken cancellation)
        where TShown : class
    {
        var live = await generations.LiveAsync(view, cancellation);
        return await ReadAsync<TShown>(live.Container, live.Stored(key), token, wait, cancellation);
    }

    /// <summary>
    /// The document, as soon as it has seen <paramref name="token"/>'s event or <paramref name="wait"/> is over; null
    /// when there is none. The pause between looks doubles and the looks are everybody's who waits for the document, so
    /// a long wait of many costs few reads.
    /// </summary>
    internal async Task<ViewDocument<TView>?> ReadAsync<TView>(
        string container, ViewKey key, ConsistencyToken? token, TimeSpan wait, CancellationToken cancellation)
        where TView : class
    {
        var until = clock.GetUtcNow() + wait;
        var pause = FirstPause;
        var document = await PointReadAsync<TView>(container, key, cancellation);
        for (var look = 1; token is { } asked && !HasSeen(document, asked) && look < LooksMax; look++)
        {
            var left = until - clock.GetUtcNow();
            if (left <= TimeSpan.Zero) break;
            document = await looks.NextAsync(
                container,
                key,
                pause < left ? pause : left,
                clock,
                () => PointReadAsync<TView>(container, key, CancellationToken.None),
                cancellation);
            pause = pause * 2 < PauseMax ? pause * 2 : PauseMax;
        }

        return document;
    }

    /// <summary>
    /// Waits until the view has seen what the token names, wherever in it that is shown; false when it has not. A list
    /// that waited is asked afterwards, and shows it.
    /// </summary>
    internal async Task<bool> HasSeenAsync<TView>(
        View<TView> view, ConsistencyToken token, TimeSpan wait, CancellationToken cancellation)
        where TView : class
    {
        if (view.FeedOf(token.Stream) is not { } feed)
            throw new InvalidRequestException("token-not-taken", $"This list does not show {token.Stream}.");
        if (feed.KeyOfName is { } byName)
            return HasSeen(await ReadAsync<TView>(view, byName(token.Stream), token, wait, cancellation), token);

        // Where the row stands only the stream's first event says; without one there is nothing to be seen.
        await foreach (var first in events.ReadAsync(token.Stream, new(1, 1), cancellation))
            return HasSeen(
                await ReadAsync<TView>(view, feed.KeyOfFirst!(first), token, wait, cancellation), token);
        return false;
    }

    /// <summary>One page of a query on the live generation, in the query's own order.</summary>
    public Task<IReadOnlyList<ViewDocument<TView>>> PageAsync<TView>(
        View<TView> live, QueryDefinition query, string? partition, int limit, CancellationToken cancellation)
        where TView : class => PageAsync<TView>(
            live.Container, query.WithParameter("@generation", live.Generation), partition, limit, cancellation);

    /// <summary>One page of a query on documents that no projection keeps, so that there is one generation.</summary>
    public Task<IReadOnlyList<ViewDocument<TView>>> PageAsync<TView>(
        string container, QueryDefinition query, string? partition, int limit, CancellationToken cancellation)
        where TView : class =>
        database.GetContainer(container).FirstAsync<ViewDocument<TView>>(query, partition, limit, cancellation);

    /// <summary>
    /// How many documents there are of each <c>facet</c>, as <c>count</c> says; true and false as text.
    /// </summary>
    internal async Task<Dictionary<string, long>> CountsAsync(
        View live, QueryDefinition query, CancellationToken cancellation)
    {
        var counts = new Dictionary<string, long>();
        query = query.WithParameter("@generation", live.Generation);
        await foreach (var page in database.GetContainer(live.Container).PagesAsync<Counted>(
            query, partition: null, pageItems: null, cancellation))
        {
            foreach (var (facet, count) in page)
            {
                var name = facet.ValueKind == JsonValueKind.String ? facet.GetString()! : facet.GetRawText();
                counts[name] = counts.GetValueOrDefault(name) + count;
            }
        }

        return counts;
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
        where TView : class =>
        (await database.GetContainer(container).FindAsync<ViewDocument<TView>>(key.Id, key.Partition, cancellation))
            .Found;

    sealed record Counted(JsonElement Facet, long Count);
}
