using System.Collections;

namespace EventSourcing;

/// <summary>An event's name and schema version as stored: written once, never changed, never reused.</summary>
public sealed record EventType(string Name, int Version, Type ClrType, Personal? Personal = null);

/// <summary>
/// Every event of one family under its stored name. The names are a storage contract: a class may be renamed, its
/// stored name may not; a changed shape is a new version with an upcaster from the one before.
/// </summary>
public sealed class EventTypes<TEvent> : IEnumerable<EventType>
    where TEvent : notnull
{
    readonly Dictionary<Type, EventType> byType = [];
    readonly Dictionary<string, EventType> byName = new(StringComparer.Ordinal);

    /// <summary>
    /// Adds an event for a collection initialiser: <c>new() { { "stock-received", typeof(Received) } }</c>.
    /// </summary>
    public void Add(string name, Type type, int version = 1) => Add(name, type, null, version);

    /// <summary>Adds an event of which some members are a person's, and are stored sealed.</summary>
    public void Add(string name, Type type, Personal? personal, int version = 1)
    {
        if (!typeof(TEvent).IsAssignableFrom(type))
            throw new ArgumentException($"{type} is not a {typeof(TEvent)}.", nameof(type));
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        ArgumentOutOfRangeException.ThrowIfLessThan(version, 1);
        personal?.Check(name, type);
        var entry = new EventType(name, version, type, personal);
        byType.Add(type, entry);
        byName.Add(name, entry);
    }

    /// <exception cref="ArgumentException">The event was never given a name to be stored under.</exception>
    public EventType Of(TEvent @event) => byType.GetValueOrDefault(@event.GetType())
        ?? throw new ArgumentException($"{@event.GetType()} has no stored name.", nameof(@event));

    /// <summary>The event stored under this name, or null when no event of the family ever had it.</summary>
    public EventType? Find(string name) => byName.GetValueOrDefault(name);

    public IEnumerator<EventType> GetEnumerator() => byType.Values.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
