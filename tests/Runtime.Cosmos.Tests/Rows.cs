using System.Net;
using System.Text;
using System.Text.Json;
using Microsoft.Azure.Cosmos;

namespace Runtime.Cosmos.Tests;

/// <summary>Writing and reading through the SDK in as few words as possible.</summary>
static class Rows
{
    public static async Task<List<T>> DrainAsync<T>(this FeedIterator<T> pages)
    {
        using (pages)
        {
            var rows = new List<T>();
            while (pages.HasMoreResults)
            {
                rows.AddRange(await pages.ReadNextAsync());
            }

            return rows;
        }
    }

    /// <summary>All rows as compact JSON text, of one partition or, without a key, of all.</summary>
    public static async Task<List<string>> QueryAsync(
        this Container container, QueryDefinition query, string? key = null, int? pageItems = null)
    {
        var options = new QueryRequestOptions
        {
            PartitionKey = key is null ? null : new PartitionKey(key),
            MaxItemCount = pageItems,
        };
        var rows = await container.GetItemQueryIterator<JsonElement>(query, requestOptions: options).DrainAsync();
        return rows.ConvertAll(row => JsonSerializer.Serialize(row, Plain));
    }

    public static Task<List<string>> QueryAsync(
        this Container container, string query, string? key = null, int? pageItems = null) =>
        container.QueryAsync(new QueryDefinition(query), key, pageItems);

    public static async Task StoreAsync(this Container container, string json, string key = "p")
    {
        using var text = new MemoryStream(Encoding.UTF8.GetBytes(json));
        using var answer = await container.UpsertItemStreamAsync(text, new PartitionKey(key));
        answer.EnsureSuccessStatusCode();
    }

    public static async Task<CosmosException> RefusedAsync(HttpStatusCode status, Func<Task> action)
    {
        var refused = await Assert.ThrowsAnyAsync<CosmosException>(action);
        Assert.Equal(status, refused.StatusCode);
        return refused;
    }

    static readonly JsonSerializerOptions Plain = new()
    {
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };
}
