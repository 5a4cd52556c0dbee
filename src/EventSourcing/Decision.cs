using System.Collections;
using System.Runtime.CompilerServices;

namespace EventSourcing;

/// <summary>
/// The answer to a command: the facts to append (<c>[]</c> means already done), or a <see cref="Refusal"/>.
/// </summary>
[CollectionBuilder(typeof(Decision), nameof(Decision.Of))]
public readonly struct Decision<TEvent> : IReadOnlyList<TEvent>
{
    readonly TEvent[]? events;

    internal Decision(TEvent[] events) => this.events = events;

    Decision(Refusal refusal) => Refusal = refusal;

    /// <summary>Why nothing was decided, or null when <see cref="Events"/> holds the answer.</summary>
    public Refusal? Refusal { get; }

    public IReadOnlyList<TEvent> Events => events ?? [];

    public int Count => Events.Count;

    public TEvent this[int index] => Events[index];

    public IEnumerator<TEvent> GetEnumerator() => Events.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    public static implicit operator Decision<TEvent>(Refusal refusal) => new(refusal);
}

/// <summary>Makes <see cref="Decision{TEvent}"/> a collection expression.</summary>
public static class Decision
{
    public static Decision<TEvent> Of<TEvent>(ReadOnlySpan<TEvent> events) => new(events.ToArray());
}
