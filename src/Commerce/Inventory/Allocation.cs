using System.Collections.Immutable;
using System.Diagnostics;
using EventSourcing;
using static Commerce.Inventory.AllocationCommand;
using static Commerce.Inventory.AllocationEvent;

namespace Commerce.Inventory;

/// <summary>So many pieces of one product that an order asked for.</summary>
public sealed record AllocatedLine(ProductId Product, int Quantity);

/// <summary>The facts on an allocation stream. Names and shapes are stored for ever: add, never edit.</summary>
public abstract record AllocationEvent
{
    public sealed record Reserved(ImmutableArray<AllocatedLine> Lines) : AllocationEvent;

    public sealed record Refused(string Code, string Detail) : AllocationEvent;

    /// <summary>Nothing is held any more; why is the code of what took it back.</summary>
    public sealed record Released(string Why) : AllocationEvent;

    public sealed record Committed : AllocationEvent;

    public static readonly EventTypes<AllocationEvent> Types = new()
    {
        { "allocation-reserved", typeof(Reserved) },
        { "allocation-refused", typeof(Refused) },
        { "allocation-released", typeof(Released) },
        { "allocation-committed", typeof(Committed) },
    };

    AllocationEvent() { }
}

/// <summary>What can be asked of an allocation.</summary>
public abstract record AllocationCommand
{
    public sealed record RecordReserved(ImmutableArray<AllocatedLine> Lines) : AllocationCommand;

    public sealed record RecordRefused(string Code, string Detail) : AllocationCommand;

    public sealed record Release(string Why) : AllocationCommand;

    public sealed record Commit : AllocationCommand;

    AllocationCommand() { }
}

/// <summary>Every "no" of an allocation.</summary>
public static class AllocationRefusal
{
    public static readonly Refusal Unknown = new(
        "unknown-allocation", "Nothing was reserved for this order.", RefusalKind.Unknown);

    public static readonly Refusal Closed = new("allocation-closed", "The allocation is closed.");

    public static readonly Refusal Reserved = new("allocation-reserved", "The allocation is reserved already.");

    public static readonly Refusal Committed = new("allocation-committed", "The goods have left.");

    public static readonly Refusal OtherLines = new(
        "allocation-with-other-lines", "The allocation was made for other lines.");
}

/// <summary>Where an allocation stands. Only Reserved goes on, to Released or Committed.</summary>
public enum AllocationStatus
{
    None,
    Reserved,
    Refused,
    Released,
    Committed,
}

/// <summary>
/// What one order holds of many stocks: all of its lines or none. The stocks answer line by line, each on its own
/// stream; what became of the order as a whole is decided once, here, and only what is decided here is told to others.
/// </summary>
public sealed record Allocation(AllocationStatus Status, ImmutableArray<AllocatedLine> Lines)
{
    public const string Category = "allocation";

    public const int CodeLengthMax = 64;
    public const int DetailLengthMax = 500;

    public static readonly Decider<Allocation, AllocationCommand, AllocationEvent> Decider =
        new(new(AllocationStatus.None, []), Evolve, Decide);

    public static StreamId Stream(OrderId order) => StreamId.Of(Category, order.Value);

    /// <summary>Whose stream it is: the way back from <see cref="Stream"/>.</summary>
    public static OrderId IdOf(StreamId stream) => new(Guid.ParseExact(stream.Id, "D"));

    static Allocation Evolve(Allocation allocation, AllocationEvent @event) => @event switch
    {
        Reserved e => new(AllocationStatus.Reserved, e.Lines),
        Refused => allocation with { Status = AllocationStatus.Refused },
        Released => allocation with { Status = AllocationStatus.Released },
        Committed => allocation with { Status = AllocationStatus.Committed },
        _ => throw new UnreachableException(),
    };

    static Decision<AllocationEvent> Decide(AllocationCommand command, Allocation allocation) =>
        (command, allocation.Status) switch
        {
            (RecordReserved c, AllocationStatus.None) => [new Reserved(c.Lines)],
            (RecordReserved, AllocationStatus.Refused or AllocationStatus.Released) => AllocationRefusal.Closed,
            (RecordReserved c, _) => c.Lines.SequenceEqual(allocation.Lines) ? [] : AllocationRefusal.OtherLines,

            (RecordRefused c, AllocationStatus.None) =>
                [new Refused(Text.Fit(c.Code, CodeLengthMax), Text.Fit(c.Detail, DetailLengthMax))],

            // Refused, or closed before the refusal came: nothing is held either way.
            (RecordRefused, AllocationStatus.Refused or AllocationStatus.Released) => [],
            (RecordRefused, _) => AllocationRefusal.Reserved,

            // An undo may overtake the step it undoes: it closes the allocation, so a late reservation is refused.
            (Release c, AllocationStatus.None or AllocationStatus.Reserved) => [new Released(c.Why)],
            (Release, AllocationStatus.Committed) => AllocationRefusal.Committed,
            (Release, _) => [],

            (Commit, AllocationStatus.Reserved) => [new Committed()],
            (Commit, AllocationStatus.Committed) => [],
            (Commit, AllocationStatus.None) => AllocationRefusal.Unknown,
            (Commit, _) => AllocationRefusal.Closed,
            _ => throw new UnreachableException(),
        };
}
