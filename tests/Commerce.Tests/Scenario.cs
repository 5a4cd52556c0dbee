using EventSourcing;

namespace Commerce.Tests;

/// <summary>Given these facts, when this is asked, then these facts follow, or a refusal.</summary>
static class Scenario
{
    public static Given<TState, TCommand, TEvent> Given<TState, TCommand, TEvent>(
        this Decider<TState, TCommand, TEvent> decider, params TEvent[] events) => new(decider, events);

    /// <summary>Folds the events of one stream into a view: the first at noon, the others an hour apart.</summary>
    public static TView? Project<TView, TEvent>(
        StreamId stream, Func<TView?, Recorded<TEvent>, TView?> project, params TEvent[] events)
        where TView : class =>
        events.Select((e, i) => new Recorded<TEvent>(stream, i + 1, e, Samples.Metadata(hours: i)))
            .Aggregate((TView?)null, project);
}

sealed record Given<TState, TCommand, TEvent>(Decider<TState, TCommand, TEvent> Decider, TEvent[] Events)
{
    public When<TState, TCommand, TEvent> When(TCommand command)
    {
        var state = Decider.Fold(Events);
        return new(Decider, state, command, Decider.Decide(command, state));
    }
}

sealed record When<TState, TCommand, TEvent>(
    Decider<TState, TCommand, TEvent> Decider, TState State, TCommand Command, Decision<TEvent> Decision)
{
    /// <summary>Exactly these facts, none if already done; and the same command again leads to no more.</summary>
    public void Then(params TEvent[] expected)
    {
        Assert.Null(Decision.Refusal);
        Assert.Equal(expected, Decision.Events);

        var again = Decider.Decide(Command, Decision.Events.Aggregate(State, Decider.Evolve));
        Assert.Null(again.Refusal);
        Assert.Empty(again.Events);
    }

    /// <summary>For a rule about what is allowed, where the facts themselves are another test's business.</summary>
    public void ThenAccepted() => Then([.. Decision.Events]);

    public void ThenRefused(Refusal expected)
    {
        Assert.Equal(expected, Decision.Refusal);
        Assert.Empty(Decision.Events);
    }

    /// <summary>Refused by this code, whatever the sentence for people says.</summary>
    public void ThenRefused(string code, RefusalKind kind)
    {
        Assert.NotNull(Decision.Refusal);
        Assert.Equal((code, kind), (Decision.Refusal.Code, Decision.Refusal.Kind));
        Assert.Empty(Decision.Events);
    }
}
