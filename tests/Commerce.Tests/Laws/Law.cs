using EventSourcing;
using FsCheck;
using FsCheck.Fluent;
using Microsoft.FSharp.Core;

namespace Commerce.Tests.Laws;

/// <summary>Runs any sequence of commands against a decider and checks what must hold after every one.</summary>
static class Law
{
    const int SequencesMax = 300;

    // The same sequences on every run; a failing one is shrunk and printed with its seed.
    static readonly Config Seeded = Config.QuickThrowOnFailure
        .WithMaxTest(SequencesMax)
        .WithEndSize(60)
        .WithReplay(FSharpOption<Replay>.Some(new(new Rnd(20_260_301), FSharpOption<int>.None)));

    public static void ForAll<T>(Gen<T> items, Action<T[]> holds) =>
        Prop.ForAll(Arb.Array(Arb.From(items)), holds).Check(Seeded);

    /// <summary>
    /// For any commands: a refusal comes without facts; facts make the same command already done; and the law holds at
    /// every step, told the state before, the facts and the state after.
    /// </summary>
    public static void Hold<TState, TCommand, TEvent>(
        Decider<TState, TCommand, TEvent> decider, Gen<TCommand> commands, Action<TState, TEvent[], TState> law) =>
        ForAll(commands, sequence => Run(decider, sequence, law));

    /// <summary>The same, and the law is told all facts of the stream and the state they lead to.</summary>
    public static void HoldInTheEnd<TState, TCommand, TEvent>(
        Decider<TState, TCommand, TEvent> decider, Gen<TCommand> commands, Action<TEvent[], TState> law) =>
        ForAll(commands, sequence =>
        {
            var facts = new List<TEvent>();
            var state = Run(decider, sequence, (_, events, _) => facts.AddRange(events));
            law([.. facts], state);
        });

    static TState Run<TState, TCommand, TEvent>(
        Decider<TState, TCommand, TEvent> decider, TCommand[] commands, Action<TState, TEvent[], TState> law)
    {
        var state = decider.Initial;
        foreach (var command in commands)
        {
            var decision = decider.Decide(command, state);
            var after = decision.Events.Aggregate(state, decider.Evolve);
            if (decision.Refusal is not null)
            {
                Assert.Empty(decision.Events);
            }
            else
            {
                var again = decider.Decide(command, after);
                Assert.Null(again.Refusal);
                Assert.Empty(again.Events);
            }

            law(state, [.. decision.Events], after);
            state = after;
        }

        return state;
    }

    /// <summary>A small choice, so that ids collide and commands meet each other.</summary>
    public static Gen<Guid> Ids { get; } = Gen.Choose(1, 4).Select(i => new Guid(i, 0, 0, new byte[8]));
}
