using System.Net;
using System.Runtime.CompilerServices;
using System.Text.Json;
using EventSourcing;
using Microsoft.Azure.Cosmos;

namespace Functions.Projections;

/// <summary>Single documents of our own making, in the same JSON as everything stored.</summary>
static class Documents
{
    /// <summary>The document and its ETag, or nothing when there is none.</summary>
    /// <exception cref="JsonException">The document is of a shape this code does not know.</exception>
    public static async Task<(T? Found, string? ETag)> FindAsync<T>(
        this Container from, string id, string partition, CancellationToken cancellation)
        where T : class
    {
        using var read = await from.ReadItemStreamAsync(id, new PartitionKey(partition), null, cancellation);
        if (read.StatusCode == HttpStatusCode.NotFound) return default;
        read.EnsureSuccessStatusCode();
        var found = await JsonSerializer.DeserializeAsync<T>(read.Content, StoredJson.Options, cancellation);
        return (found, read.Headers.ETag);
    }

    /// <summary>What a query finds, page by page in its own order, in one partition or in all.</summary>
    public static async IAsyncEnumerable<IReadOnlyList<T>> PagesAsync<T>(
        this Container from, QueryDefinition query, string? partition, int? pageItems,
        [EnumeratorCancellation] CancellationToken cancellation)
    {
        using var pages = from.GetItemQueryStreamIterator(
            query,
            null,
            new() { PartitionKey = partition is null ? null : new PartitionKey(partition), MaxItemCount = pageItems });
        while (pages.HasMoreResults)
        {
            using var page = await pages.ReadNextAsync(cancellation);
            page.EnsureSuccessStatusCode();
            yield return await page.Content.PageAsync<T>(cancellation);
        }
    }

    /// <summary>The first so many of what a query finds, in its own order.</summary>
    public static async Task<IReadOnlyList<T>> FirstAsync<T>(
        this Container from, QueryDefinition query, string? partition, int limit, CancellationToken cancellation)
    {
        var found = new List<T>();
        await foreach (var page in from.PagesAsync<T>(query, partition, limit, cancellation))
        {
            found.AddRange(page.Take(limit - found.Count));
            if (found.Count == limit) break;
        }

        return found;
    }

    /// <summary>The documents of one answer to a query, or of one page of a feed.</summary>
    public static async Task<IReadOnlyList<T>> PageAsync<T>(this Stream answer, CancellationToken cancellation) =>
        (await JsonSerializer.DeserializeAsync<Page<T>>(answer, StoredJson.Options, cancellation))!.Documents;

    public static async Task PutAsync<T>(
        this Container into, T document, string partition, CancellationToken cancellation)
    {
        using var content = new MemoryStream(JsonSerializer.SerializeToUtf8Bytes(document, StoredJson.Options));
        var options = new ItemRequestOptions { EnableContentResponseOnWrite = false };
        using var written = await into.UpsertItemStreamAsync(
            content, new PartitionKey(partition), options, cancellation);
        written.EnsureSuccessStatusCode();
    }

    /// <summary>False when somebody else wrote first; see <see cref="StoreAsync"/>.</summary>
    public static async Task<bool> ReplaceAsync<T>(
        this Container into, T document, string id, string partition, string? etag, CancellationToken cancellation) =>
        await into.StoreAsync(document, id, partition, etag, cancellation) is not null;

    /// <summary>
    /// The new version, or null when somebody else wrote first: <paramref name="etag"/> is the version to replace, null
    /// for none yet.
    /// </summary>
    public static async Task<string?> StoreAsync<T>(
        this Container into, T document, string id, string partition, string? etag, CancellationToken cancellation)
    {
        using var content = new MemoryStream(JsonSerializer.SerializeToUtf8Bytes(document, StoredJson.Options));
        var options = new ItemRequestOptions { IfMatchEtag = etag, EnableContentResponseOnWrite = false };
        using var written = etag is null
            ? await into.CreateItemStreamAsync(content, new PartitionKey(partition), options, cancellation)
            : await into.ReplaceItemStreamAsync(content, id, new PartitionKey(partition), options, cancellation);
        if (written.StatusCode is HttpStatusCode.Conflict or HttpStatusCode.PreconditionFailed
            or HttpStatusCode.NotFound) return null;
        written.EnsureSuccessStatusCode();
        return written.Headers.ETag;
    }

    /// <summary>Deletes the document unless it is gone, or another one than <paramref name="etag"/> says.</summary>
    public static async Task RemoveAsync(
        this Container from, string id, string partition, string? etag, CancellationToken cancellation)
    {
        using var removed = await from.DeleteItemStreamAsync(
            id, new PartitionKey(partition), new() { IfMatchEtag = etag }, cancellation);
        if (removed.StatusCode is not (HttpStatusCode.NotFound or HttpStatusCode.PreconditionFailed))
            removed.EnsureSuccessStatusCode();
    }

    sealed record Page<T>(IReadOnlyList<T> Documents);
}
