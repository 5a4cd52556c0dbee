using System.Net;
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

    public static async Task PutAsync<T>(
        this Container into, T document, string partition, CancellationToken cancellation)
    {
        using var content = new MemoryStream(JsonSerializer.SerializeToUtf8Bytes(document, StoredJson.Options));
        var options = new ItemRequestOptions { EnableContentResponseOnWrite = false };
        using var written = await into.UpsertItemStreamAsync(
            content, new PartitionKey(partition), options, cancellation);
        written.EnsureSuccessStatusCode();
    }

    /// <summary>
    /// False when somebody else wrote first: <paramref name="etag"/> is the version to replace, null for none yet.
    /// </summary>
    public static async Task<bool> ReplaceAsync<T>(
        this Container into, T document, string id, string partition, string? etag, CancellationToken cancellation)
    {
        using var content = new MemoryStream(JsonSerializer.SerializeToUtf8Bytes(document, StoredJson.Options));
        var options = new ItemRequestOptions { IfMatchEtag = etag, EnableContentResponseOnWrite = false };
        using var written = etag is null
            ? await into.CreateItemStreamAsync(content, new PartitionKey(partition), options, cancellation)
            : await into.ReplaceItemStreamAsync(content, id, new PartitionKey(partition), options, cancellation);
        if (written.StatusCode is HttpStatusCode.Conflict or HttpStatusCode.PreconditionFailed
            or HttpStatusCode.NotFound) return false;
        written.EnsureSuccessStatusCode();
        return true;
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
}
