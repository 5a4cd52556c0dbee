using System.Text.Json;
using EventSourcing;

namespace Functions.Projections;

/// <summary>A document among the events that this code can not read as one.</summary>
public sealed record UnreadableChange(string Stream, string Id, string Error);

/// <summary>Reads change-feed batches of the event container.</summary>
public static class Changes
{
    /// <summary>
    /// The events among the changed documents; snapshots live in the same container and are passed over.
    /// </summary>
    /// <exception cref="JsonException">A document calls itself an event and is none.</exception>
    public static IEnumerable<StoredEvent> Events(IEnumerable<JsonElement> changes) => changes
        .Where(change => change.TryGetProperty("eventType", out _))
        .Select(change => change.Deserialize<StoredEvent>(StoredJson.Options)!);

    /// <summary>The same without throwing: one document nobody can read must not hold up the others.</summary>
    public static (IReadOnlyList<StoredEvent> Events, IReadOnlyList<UnreadableChange> Unreadable) Sort(
        IEnumerable<JsonElement> changes)
    {
        var (events, unreadable) = (new List<StoredEvent>(), new List<UnreadableChange>());
        foreach (var change in changes)
        {
            try
            {
                events.AddRange(Events([change]));
            }
            catch (JsonException malformed)
            {
                unreadable.Add(new(Text(change, "streamId"), Text(change, "id"), malformed.Message));
            }
        }

        return (events, unreadable);
    }

    static string Text(JsonElement change, string name) =>
        change.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : "";
}
