using System.Net;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Microsoft.Azure.Cosmos;

namespace EventSourcing.Cosmos;

/// <summary>
/// All streams of one container at once: through its change feed, which shows every event once and those of one
/// stream in order, and through its index of correlations.
/// </summary>
public sealed class CosmosEventArchive(Container container) : IEventArchive
{
    const int PageItems = 500;

    public async IAsyncEnumerable<ArchivePage> ReadAllAsync(
        string? continuation, [EnumeratorCancellation] CancellationToken cancellation)
    {
        using var feed = container.GetChangeFeedStreamIterator(
            continuation is null
                ? ChangeFeedStartFrom.Beginning()
                : ChangeFeedStartFrom.ContinuationToken(continuation),
            ChangeFeedMode.LatestVersion,
            new() { PageSizeHint = PageItems });
        while (feed.HasMoreResults)
        {
            using var page = await feed.ReadNextAsync(cancellation);
            Telemetry.Charged("archive", page.Headers.RequestCharge);

            // The feed never ends; there is nothing more at this moment.
            if (page.StatusCode == HttpStatusCode.NotModified) yield break;
            page.EnsureSuccessStatusCode();
            var changes = await JsonSerializer.DeserializeAsync<Changes>(
                page.Content, StoredJson.Options, cancellation);
            yield return new(
                [.. changes!.Documents.Where(IsEvent).Select(Event).OrderBy(e => e.Sequence)], page.ContinuationToken);
        }
    }

    public async Task<IReadOnlyList<StoredEvent>> CorrelatedAsync(
        string correlationId, int limit, CancellationToken cancellation)
    {
        var query = new QueryDefinition("SELECT TOP @limit * FROM c WHERE c.correlationId = @id")
            .WithParameter("@limit", limit)
            .WithParameter("@id", correlationId);
        using var pages = container.GetItemQueryStreamIterator(query, null, new() { MaxItemCount = PageItems });
        var found = new List<StoredEvent>();
        while (pages.HasMoreResults)
        {
            using var page = await pages.ReadNextAsync(cancellation);
            page.EnsureSuccessStatusCode();
            Telemetry.Charged("correlation", page.Headers.RequestCharge);
            var changes = await JsonSerializer.DeserializeAsync<Changes>(
                page.Content, StoredJson.Options, cancellation);
            found.AddRange(changes!.Documents.Select(Event));
        }

        return [.. found.OrderBy(e => e.Timestamp).ThenBy(e => e.StreamId).ThenBy(e => e.Sequence)];
    }

    /// <summary>Snapshots live in the same container.</summary>
    static bool IsEvent(JsonElement document) => document.TryGetProperty("eventType", out _);

    static StoredEvent Event(JsonElement document) => document.Deserialize<StoredEvent>(StoredJson.Options)!;

    sealed record Changes(IReadOnlyList<JsonElement> Documents);
}
