using System.Globalization;
using System.Text.Json;
using EventSourcing;

namespace Functions.Projections;

/// <summary>A document among the events that this code can not read as one.</summary>
public sealed record UnreadableChange(string Stream, string Id, string Error)
{
    /// <summary>Which event of its stream it stands for; 0 when not even that can be told.</summary>
    public long Sequence =>
        long.TryParse(Id, NumberStyles.None, CultureInfo.InvariantCulture, out var sequence) ? sequence : 0;
}

/// <summary>Reads change-feed batches of the event container.</summary>
public static class Changes
{
    /// <summary>
    /// The events among the changed documents; snapshots live in the same container and are passed over. One that
    /// nobody can read holds up no other, but it is never dropped: whoever sorts parks it.
    /// </summary>
    public static (IReadOnlyList<StoredEvent> Events, IReadOnlyList<UnreadableChange> Unreadable) Sort(
        IEnumerable<JsonElement> changes)
    {
        var (events, unreadable) = (new List<StoredEvent>(), new List<UnreadableChange>());
        foreach (var change in changes.Where(change => change.TryGetProperty("eventType", out _)))
        {
            try
            {
                events.Add(change.Deserialize<StoredEvent>(StoredJson.Options)!);
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
