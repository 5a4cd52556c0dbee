namespace EventSourcing;

/// <summary>
/// The rules of one kind of stream: where it starts, what each event changes, and what each command leads to.
/// All three are pure. Deciding the same command again on the resulting state must answer <c>[]</c>, neither events
/// nor a refusal: that is what makes every retry free.
/// </summary>
public sealed record Decider<TState, TCommand, TEvent>(
    TState Initial,
    Func<TState, TEvent, TState> Evolve,
    Func<TCommand, TState, Decision<TEvent>> Decide)
{
    public TState Fold(IEnumerable<TEvent> events) => events.Aggregate(Initial, Evolve);
}
