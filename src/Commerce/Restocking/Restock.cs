using System.Collections.Immutable;
using System.Diagnostics;
using EventSourcing;
using static Commerce.Restocking.RestockCommand;
using static Commerce.Restocking.RestockEvent;

namespace Commerce.Restocking;

/// <summary>Where a restock stands. Received and Abandoned are final.</summary>
public enum RestockStatus
{
    None,
    Requested,
    Ordered,
    Received,
    Abandoned,
}

/// <summary>
/// One order of goods from the cheapest supplier that delivers: only what its decisions need to know.
/// </summary>
public sealed record Restock(
    RestockStatus Status, Requested? Content, ImmutableArray<Offer> Offers, Ordered? Order,
        ImmutableHashSet<string> Closed)
{
    public const string Category = "restock";

    public const int OffersMax = 10;
    public const int NameLengthMax = 64;
    public const int TextLengthMax = 500;

    public static readonly Decider<Restock, RestockCommand, RestockEvent> Decider =
        new(new(RestockStatus.None, null, [], null, []), Evolve, Decide);

    public static StreamId Stream(RestockId restock) => StreamId.Of(Category, restock.Value);

    /// <summary>Whose stream it is: the way back from <see cref="Stream"/>.</summary>
    public static RestockId IdOf(StreamId stream) => new(Guid.ParseExact(stream.Id, "D"));

    static Restock Evolve(Restock restock, RestockEvent @event) => @event switch
    {
        Requested e => restock with { Status = RestockStatus.Requested, Content = e },
        Offered e => restock with { Offers = e.Offers },
        Ordered e => restock with { Status = RestockStatus.Ordered, Order = e },
        OrderCancelled e when restock.Order?.Supplier == e.Supplier => restock with
        {
            Status = RestockStatus.Requested,
            Order = null,
            Closed = restock.Closed.Add(e.Supplier),
        },
        OrderCancelled e => restock with { Closed = restock.Closed.Add(e.Supplier) },
        Received => restock with { Status = RestockStatus.Received },
        Abandoned => restock with { Status = RestockStatus.Abandoned },
        _ => throw new UnreachableException(),
    };

    static Decision<RestockEvent> Decide(RestockCommand command, Restock restock) => (command, restock.Status) switch
    {
        (Request c, RestockStatus.None) => (c.Product.Fault() ?? Quantity.Fault(c.Quantity)) is { } fault
            ? fault
            : [new Requested(c.Product, c.Quantity)],
        (Request c, _) => new Requested(c.Product, c.Quantity) == restock.Content ? [] : RestockRefusal.OtherContent,
        (_, RestockStatus.None) => RestockRefusal.Unknown,

        // The first offers stand: what was ordered by their order must not change under a saga that goes on.
        (RecordOffers, _) when !restock.Offers.IsEmpty => [],
        (RecordOffers c, RestockStatus.Requested) => Fault(c.Offers) is { } fault
            ? fault
            : [new Offered([.. c.Offers.OrderBy(o => o.UnitPrice.MinorUnits).ThenBy(o => o.Supplier)])],
        (RecordOffers, _) => RestockRefusal.Abandoned,

        // An undo may overtake the step it undoes: it closes the supplier, so a late order is refused.
        (RecordOrdered c, _) when restock.Closed.Contains(c.Supplier ?? "") => RestockRefusal.OrderCancelled,
        (RecordOrdered, RestockStatus.Abandoned) => RestockRefusal.Abandoned,
        (RecordOrdered c, RestockStatus.Requested) => Fault(c) is { } fault
            ? fault
            : [new Ordered(c.Supplier, c.Confirmation)],
        (RecordOrdered c, _) => restock.Order?.Supplier == c.Supplier ? [] : RestockRefusal.OtherSupplier,

        (RecordCancelled c, _) when restock.Closed.Contains(c.Supplier ?? "") => [],
        (RecordCancelled c, RestockStatus.Received) when restock.Order?.Supplier == c.Supplier =>
            RestockRefusal.Received,
        (RecordCancelled c, _) => Text.IsSlug(c.Supplier, NameLengthMax)
            ? [new OrderCancelled(c.Supplier)]
            : RestockRefusal.Invalid(SupplierRule),

        (RecordReceived, RestockStatus.Ordered) => [new Received()],
        (RecordReceived, RestockStatus.Received) => [],
        (RecordReceived, _) => RestockRefusal.NotOrdered,

        (Abandon c, RestockStatus.Requested) => Text.IsSlug(c.Code, NameLengthMax)
            ? [new Abandoned(c.Code, Text.Fit(c.Detail, TextLengthMax))]
            : RestockRefusal.Invalid($"A code is 1 to {NameLengthMax} lower-case letters, digits and dashes."),
        (Abandon, RestockStatus.Abandoned) => [],
        (Abandon, _) => RestockRefusal.Ordered,
        _ => throw new UnreachableException(),
    };

    static Refusal? Fault(ImmutableArray<Offer> offers) =>
        offers.IsDefaultOrEmpty || offers.Length > OffersMax
            ? RestockRefusal.Invalid($"There are 1 to {OffersMax} offers.")
        : offers.Any(offer => offer is null || !Text.IsSlug(offer.Supplier, NameLengthMax))
            || offers.DistinctBy(offer => offer.Supplier).Count() < offers.Length
            ? RestockRefusal.Invalid(SupplierRule)
        : offers.Select(offer => offer.UnitPrice.Fault(minorUnitsMin: 1)).FirstOrDefault(fault => fault is not null)
            ?? (offers.DistinctBy(offer => offer.UnitPrice.Currency).Count() > 1
                ? RestockRefusal.Invalid("All offers are in one currency.")
                : null);

    static Refusal? Fault(RecordOrdered c) =>
        !Text.IsSlug(c.Supplier, NameLengthMax) ? RestockRefusal.Invalid(SupplierRule)
        : !Text.IsLine(c.Confirmation, NameLengthMax)
            ? RestockRefusal.Invalid($"A confirmation is 1 to {NameLengthMax} characters.")
        : null;

    static readonly string SupplierRule =
        $"A supplier is named once, by 1 to {NameLengthMax} lower-case letters, digits and dashes.";
}
