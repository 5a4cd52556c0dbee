using System.Collections.Immutable;
using System.Diagnostics;

namespace EventSourcing.Tests;

public readonly record struct PieceId(Guid Value);

public abstract record CounterEvent
{
    public sealed record Added(int By) : CounterEvent;

    public sealed record Taken(int By) : CounterEvent;

    public sealed record Noted(string Text) : CounterEvent;

    public sealed record Placed(PieceId Piece, int Square) : CounterEvent;

    public static readonly EventTypes<CounterEvent> Types = new()
    {
        { "counter-added", typeof(Added) },
        { "counter-taken", typeof(Taken) },
        { "counter-noted", typeof(Noted) },
        { "counter-piece-placed", typeof(Placed) },
    };
}

public abstract record CounterCommand
{
    /// <summary>Not idempotent: only its command id keeps a repeat from adding twice.</summary>
    public sealed record Add(int By) : CounterCommand;

    /// <summary>Idempotent by its own rule: what is reached is reached.</summary>
    public sealed record Reach(int Value) : CounterCommand;

    /// <summary>Refused when there is not enough.</summary>
    public sealed record Take(int By) : CounterCommand;

    /// <summary>Has the members of <see cref="Take"/> and means something else.</summary>
    public sealed record TakeAll(int By) : CounterCommand;

    public sealed record AddOnes(int Count) : CounterCommand;

    public sealed record Note(int Length, int Count = 1, char Letter = 'x') : CounterCommand;

    public sealed record Place(PieceId Piece, int Square) : CounterCommand;
}

/// <summary>A number that goes up and down: the smallest stream that can conflict, refuse and repeat.</summary>
public sealed record Counter(int Value, int Notes, ImmutableDictionary<PieceId, int> Pieces)
{
    public static readonly Refusal TooLittle = new("too-little", "There is not that much.");

    public static readonly Decider<Counter, CounterCommand, CounterEvent> Decider = new(
        new(0, 0, ImmutableDictionary<PieceId, int>.Empty), Evolve, Decide);

    public static Aggregate<Counter, CounterCommand, CounterEvent> Aggregate(SnapshotPolicy? snapshots = null) =>
        new("counter", Decider, new(CounterEvent.Types), snapshots);

    static Counter Evolve(Counter counter, CounterEvent @event) => @event switch
    {
        CounterEvent.Added e => counter with { Value = counter.Value + e.By },
        CounterEvent.Taken e => counter with { Value = counter.Value - e.By },
        CounterEvent.Noted => counter with { Notes = counter.Notes + 1 },
        CounterEvent.Placed e => counter with { Pieces = counter.Pieces.SetItem(e.Piece, e.Square) },
        _ => throw new UnreachableException(),
    };

    static Decision<CounterEvent> Decide(CounterCommand command, Counter counter) => command switch
    {
        CounterCommand.Add c => [new CounterEvent.Added(c.By)],
        CounterCommand.Reach c when counter.Value >= c.Value => [],
        CounterCommand.Reach c => [new CounterEvent.Added(c.Value - counter.Value)],
        CounterCommand.Take c when counter.Value < c.By => TooLittle,
        CounterCommand.Take c => [new CounterEvent.Taken(c.By)],
        CounterCommand.TakeAll => [new CounterEvent.Taken(counter.Value)],
        CounterCommand.AddOnes c =>
            Decision.Of<CounterEvent>([.. Enumerable.Repeat(new CounterEvent.Added(1), c.Count)]),
        CounterCommand.Note c => Decision.Of<CounterEvent>(
            [.. Enumerable.Repeat(new CounterEvent.Noted(new string(c.Letter, c.Length)), c.Count)]),
        CounterCommand.Place c => [new CounterEvent.Placed(c.Piece, c.Square)],
        _ => throw new UnreachableException(),
    };
}
