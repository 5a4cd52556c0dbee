using System.Collections.Immutable;
using EventSourcing;

namespace Commerce.Restocking;

/// <summary>Names one order of goods from suppliers: the key under which each of them delivers at most once.</summary>
public readonly record struct RestockId(Guid Value)
{
    public Refusal? Fault() => Value == Guid.Empty
        ? new("invalid-restock-id", "A restock id is a GUID written 8-4-4-4-12, not all zeros.", RefusalKind.Invalid)
        : null;

    public override string ToString() => Value.ToString("D");
}

/// <summary>What one supplier asks for a piece.</summary>
public sealed record Offer(string Supplier, Money UnitPrice);

/// <summary>The facts on a restock stream. Names and shapes are stored for ever: add, never edit.</summary>
public abstract record RestockEvent
{
    public sealed record Requested(ProductId Product, int Quantity) : RestockEvent;

    /// <summary>The cheapest offer comes first.</summary>
    public sealed record Offered(ImmutableArray<Offer> Offers) : RestockEvent;

    public sealed record Ordered(string Supplier, string Confirmation) : RestockEvent;

    /// <summary>Nothing comes from this supplier any more, whether or not it had taken the order.</summary>
    public sealed record OrderCancelled(string Supplier) : RestockEvent;

    /// <summary>The goods are in stock.</summary>
    public sealed record Received : RestockEvent;

    /// <summary>No supplier delivers.</summary>
    public sealed record Abandoned(string Code, string Detail) : RestockEvent;

    public static readonly EventTypes<RestockEvent> Types = new()
    {
        { "restock-requested", typeof(Requested) },
        { "restock-offered", typeof(Offered) },
        { "restock-ordered", typeof(Ordered) },
        { "restock-order-cancelled", typeof(OrderCancelled) },
        { "restock-received", typeof(Received) },
        { "restock-abandoned", typeof(Abandoned) },
    };

    RestockEvent() { }
}

/// <summary>What can be asked of a restock.</summary>
public abstract record RestockCommand
{
    public sealed record Request(ProductId Product, int Quantity) : RestockCommand;

    public sealed record RecordOffers(ImmutableArray<Offer> Offers) : RestockCommand;

    public sealed record RecordOrdered(string Supplier, string Confirmation) : RestockCommand;

    public sealed record RecordCancelled(string Supplier) : RestockCommand;

    public sealed record RecordReceived : RestockCommand;

    public sealed record Abandon(string Code, string Detail) : RestockCommand;

    RestockCommand() { }
}

/// <summary>Every "no" of a restock.</summary>
public static class RestockRefusal
{
    public static readonly Refusal Unknown = new("unknown-restock", "There is no such restock.", RefusalKind.Unknown);

    public static readonly Refusal OtherContent = new(
        "restock-exists-with-other-content", "A restock with this id was requested with other content.");

    public static readonly Refusal OrderCancelled = new(
        "supplier-order-cancelled", "The order with this supplier was cancelled.");

    public static readonly Refusal OtherSupplier = new(
        "ordered-from-another-supplier", "The goods are ordered from another supplier.");

    public static readonly Refusal Ordered = new("restock-ordered", "The goods are ordered.");

    public static readonly Refusal NotOrdered = new("restock-not-ordered", "The goods are not ordered yet.");

    public static readonly Refusal Received = new("restock-received", "The goods are here.");

    public static readonly Refusal Abandoned = new("restock-abandoned", "The restock was given up.");

    public static readonly Refusal NoOffer = new("no-offer", "No supplier has made a further offer.");

    public static Refusal Invalid(string detail) => new("invalid-restock", detail, RefusalKind.Invalid);
}
