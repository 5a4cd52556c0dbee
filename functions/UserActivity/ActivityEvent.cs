using System.Text.Json;
using Azure.Messaging.EventHubs;
using EventSourcing;

namespace Functions.UserActivity;

/// <summary>What somebody did in the shop.</summary>
public enum ActivityAction
{
    Viewed,
    Searched,
    Added,
    Purchased,
}

/// <summary>One thing a person did, as it travels through the hub and lies in the log: a contract for ever.</summary>
/// <remarks>
/// The id is the client's own: the same id again is the same event. The user is the customer's stream, whose key seals
/// what is personal; the query and where it came from are sealed from the start, so that no copy holds them open. When
/// it happened is what the client says, when it was received what we know.
/// </remarks>
public sealed record ActivityEvent(
    Guid Id,
    string User,
    ActivityAction Action,
    IReadOnlyList<string> Products,
    string? Query,
    DateTimeOffset At,
    DateTimeOffset ReceivedAt,
    string? From)
{
    public EventData ToData() => new(JsonSerializer.SerializeToUtf8Bytes(this, StoredJson.Options))
    {
        ContentType = "application/json",
        MessageId = Id.ToString("D"),
    };

    /// <exception cref="JsonException">It is not one of ours, or of a later version.</exception>
    public static ActivityEvent Of(EventData data)
    {
        ArgumentNullException.ThrowIfNull(data);
        var found = JsonSerializer.Deserialize<ActivityEvent>(data.EventBody.ToMemory().Span, StoredJson.Options);
        if (found is not { User: not null, Products: not null } || found.Products.Contains(null!))
            throw new JsonException("An activity names its user and products.");

        // Other producers than ours may name a product twice.
        return found with { Products = [.. found.Products.Distinct()] };
    }
}
