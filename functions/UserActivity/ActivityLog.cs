using System.Text.Json;
using EventSourcing;
using Functions.Projections;
using Microsoft.Azure.Cosmos;

namespace Functions.UserActivity;

/// <summary>One line of a person's log; a document that is created once and never changed.</summary>
/// <remarks>It lies in the partition of the person's stream. Its products, query and address are sealed: what somebody
/// looked at is forgotten with them.</remarks>
public sealed record ActivityEntry(
    string Id,
    string Pk,
    ActivityAction Action,
    IReadOnlyList<string> Products,
    string? Query,
    DateTimeOffset At,
    DateTimeOffset ReceivedAt,
    string? From);

/// <summary>The audit log of each person: who did what, when and from where, each event once.</summary>
public sealed class ActivityLog(Database database, PersonalSeal seal)
{
    public const string Container = "activity";

    /// <summary>Where lies what no code could read; never a person's partition, which begins with a category.</summary>
    public const string Unreadable = "unreadable";

    Container Log => database.GetContainer(Container);

    /// <summary>Stores the event unless its id is there already: then it is the same one, come again.</summary>
    public async Task AppendAsync(ActivityEvent happened, CancellationToken cancellation)
    {
        if (!StreamId.TryParse(happened.User, out var user))
            throw new JsonException($"'{happened.User}' names no user.");
        var products = new List<string>(happened.Products.Count);
        foreach (var product in happened.Products) products.Add(await seal.SealAsync(user, product, cancellation));
        var id = happened.Id.ToString("D");
        var entry = new ActivityEntry(
            id, happened.User, happened.Action, products, happened.Query, happened.At, happened.ReceivedAt,
            happened.From);
        await Log.ReplaceAsync(entry, id, happened.User, etag: null, cancellation);
    }

    /// <summary>Keeps an event for whoever finds out what it was; the stream goes on.</summary>
    public async Task ParkAsync(string id, ReadOnlyMemory<byte> body, string error, CancellationToken cancellation)
    {
        var parked = new UnreadableEntry(id, Unreadable, Convert.ToBase64String(body.Span), error);
        await Log.ReplaceAsync(parked, id, Unreadable, etag: null, cancellation);
    }

    /// <summary>A page of a person's log, the newest first, its sealed texts opened or read as erased.</summary>
    public async Task<IReadOnlyList<ActivityEntry>> PageAsync(
        StreamId user, ActivityAction? action, ActivityPlace? after, int limit, CancellationToken cancellation)
    {
        var query = new QueryDefinition(
            "SELECT * FROM c"
            + (action, after) switch
            {
                (null, null) => "",
                (not null, null) => " WHERE c.action = @action",
                (null, not null) => " WHERE (c.at < @at OR (c.at = @at AND c.id < @id))",
                _ => " WHERE c.action = @action AND (c.at < @at OR (c.at = @at AND c.id < @id))",
            }
            + " ORDER BY c.at DESC, c.id DESC")
            .WithParameter("@action", action is { } one ? JsonNamingPolicy.CamelCase.ConvertName($"{one}") : null)
            .WithParameter("@at", after?.At)
            .WithParameter("@id", after?.Id);
        using var pages = Log.GetItemQueryStreamIterator(
            query, null, new() { PartitionKey = new PartitionKey(user.ToString()), MaxItemCount = limit });
        var found = new List<ActivityEntry>();
        while (pages.HasMoreResults && found.Count < limit)
        {
            using var page = await pages.ReadNextAsync(cancellation);
            page.EnsureSuccessStatusCode();
            using var text = new MemoryStream();
            await page.Content.CopyToAsync(text, cancellation);
            var open = await seal.OpenAsync(text.GetBuffer().AsMemory(0, (int)text.Length), cancellation);
            found.AddRange(JsonSerializer.Deserialize<Page>(open.Span, StoredJson.Options)!.Documents);
        }

        return found.Count > limit ? found[..limit] : found;
    }

    sealed record Page(IReadOnlyList<ActivityEntry> Documents);

    sealed record UnreadableEntry(string Id, string Pk, string Body, string Error);
}

/// <summary>Behind which line of a log a page starts.</summary>
public sealed record ActivityPlace(DateTimeOffset At, string Id)
{
    public static ActivityPlace Of(ActivityEntry entry) => new(entry.At, entry.Id);
}
