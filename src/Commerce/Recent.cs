using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;

namespace Commerce;

/// <summary>
/// What was settled lately, by id: it answers a late repeat, and forgets the oldest so that a stream's state stays
/// bounded however long it lives.
/// </summary>
/// <remarks>
/// Forgetting is safe for a command that was recorded: its id is unique in its stream for ever, so the event store
/// refuses to append a second outcome however old the first. Only the friendly answer is forgotten, not the guard.
/// </remarks>
public sealed class Recent<TId, TOutcome>
    where TId : notnull
{
    public const int EntriesMax = 1_000;

    public static readonly Recent<TId, TOutcome> None = new([]);

    readonly ImmutableDictionary<TId, TOutcome> byId;
    readonly ImmutableQueue<TId> oldestFirst;

    /// <param name="entries">Oldest first, as <see cref="Entries"/> gives them: the shape a snapshot stores.</param>
    public Recent(ImmutableArray<KeyValuePair<TId, TOutcome>> entries)
    {
        byId = ImmutableDictionary.CreateRange(entries);
        oldestFirst = ImmutableQueue.CreateRange(entries.Select(entry => entry.Key));
    }

    Recent(ImmutableDictionary<TId, TOutcome> byId, ImmutableQueue<TId> oldestFirst) =>
        (this.byId, this.oldestFirst) = (byId, oldestFirst);

    public ImmutableArray<KeyValuePair<TId, TOutcome>> Entries =>
        [.. oldestFirst.Select(id => KeyValuePair.Create(id, byId[id]))];

    public bool TryFind(TId id, [MaybeNullWhen(false)] out TOutcome outcome) => byId.TryGetValue(id, out outcome);

    public bool Contains(TId id) => byId.ContainsKey(id);

    public bool IsEmpty() => byId.IsEmpty;

    public Recent<TId, TOutcome> Add(TId id, TOutcome outcome)
    {
        if (byId.ContainsKey(id)) return new(byId.SetItem(id, outcome), oldestFirst);
        var added = byId.Add(id, outcome);
        var order = oldestFirst.Enqueue(id);
        if (added.Count <= EntriesMax) return new(added, order);
        order = order.Dequeue(out var oldest);
        return new(added.Remove(oldest), order);
    }
}
