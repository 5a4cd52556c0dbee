using System.Text.Json;
using System.Text.Json.Nodes;

namespace EventSourcing;

/// <summary>
/// Turns the stored JSON of one event version into the next version's, without touching what is stored.
/// </summary>
public sealed record Upcaster(string EventType, int FromVersion, Func<JsonObject, JsonObject> Convert);

/// <summary>
/// Events of one family to their stored JSON and back. Added fields default, removed ones are skipped, older versions
/// climb the chain of upcasters; a name or version nobody knows is an error, never skipped.
/// </summary>
public sealed class EventCodec<TEvent>
    where TEvent : notnull
{
    readonly EventTypes<TEvent> types;
    readonly Dictionary<(string Type, int Version), Upcaster> upcasters;

    /// <exception cref="ArgumentException">A version has no upcaster, or two, or a useless one.</exception>
    public EventCodec(EventTypes<TEvent> types, params IEnumerable<Upcaster> upcasters)
    {
        this.types = types;
        this.upcasters = upcasters.ToDictionary(u => (u.EventType, u.FromVersion));
        foreach (var (name, version) in this.upcasters.Keys)
        {
            if (version < 1 || types.Find(name) is not { } type || version >= type.Version)
                throw new ArgumentException($"Nothing is ever converted from {name} version {version}.");
        }

        foreach (var type in types)
        {
            for (var version = 1; version < type.Version; version++)
            {
                if (!this.upcasters.ContainsKey((type.Name, version)))
                    throw new ArgumentException(
                        $"{type.Name} is at version {type.Version}; nothing converts version {version}.");
            }
        }
    }

    /// <summary>Whose the family's personal members are, one entry for each event that has any.</summary>
    public IEnumerable<Personal> Personal => types.Select(type => type.Personal).OfType<Personal>();

    internal Personal? PersonalOf(TEvent @event) => types.Of(@event).Personal;

    public (EventType Type, JsonElement Data) Encode(TEvent @event)
    {
        var type = types.Of(@event);
        return (type, JsonSerializer.SerializeToElement(@event, type.ClrType, StoredJson.Options));
    }

    /// <exception cref="UndecodableEventException">This code can not read the event.</exception>
    public Recorded<TEvent> Decode(StoredEvent stored)
    {
        if (!StreamId.TryParse(stored.StreamId, out var stream))
            throw new UndecodableEventException(stored, "its stream name is not valid");
        return new(stream, stored.Sequence, DecodeEvent(stored), stored.Metadata);
    }

    /// <exception cref="UndecodableEventException">This code can not read the event.</exception>
    public TEvent DecodeEvent(StoredEvent stored)
    {
        var type = types.Find(stored.EventType)
            ?? throw new UndecodableEventException(stored, "no event of that name is known here");
        if (stored.EventVersion < 1) throw new UndecodableEventException(stored, "versions count from 1");
        if (stored.EventVersion > type.Version)
            throw new UndecodableEventException(stored, $"newer code wrote it; this code knows version {type.Version}");
        try
        {
            var data = stored.EventVersion == type.Version
                ? stored.EventData.Deserialize(type.ClrType, StoredJson.Options)
                : Upcast(stored, type).Deserialize(type.ClrType, StoredJson.Options);
            return (TEvent)(data ?? throw new UndecodableEventException(stored, "its data is null"));
        }
        catch (Exception malformed) when (malformed is not UndecodableEventException)
        {
            // Whatever a converter or an upcaster trips over, the reader needs to know which event it was.
            throw new UndecodableEventException(stored, malformed.Message, malformed);
        }
    }

    JsonObject Upcast(StoredEvent stored, EventType type)
    {
        var data = JsonObject.Create(stored.EventData)
            ?? throw new UndecodableEventException(stored, "its data is no object");
        for (var version = stored.EventVersion; version < type.Version; version++)
            data = upcasters[(type.Name, version)].Convert(data);
        return data;
    }
}

/// <summary>
/// A stored event that today's code can not read; the message names the stream, sequence and event type.
/// </summary>
public sealed class UndecodableEventException(StoredEvent stored, string why, Exception? inner = null)
    : InvalidOperationException(
        $"Event {stored.Sequence} of {stored.StreamId} ({stored.EventType} v{stored.EventVersion}) can not be read: "
        + why,
        inner);
