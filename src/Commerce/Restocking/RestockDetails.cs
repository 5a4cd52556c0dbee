using System.Collections.Immutable;
using System.Diagnostics;
using EventSourcing;
using static Commerce.Restocking.RestockEvent;

namespace Commerce.Restocking;

/// <summary>Everything a buyer asks about one restock.</summary>
public sealed record RestockDetails(
    RestockId Restock, ProductId Product, int Quantity, RestockStatus Status, DateTimeOffset RequestedAt)
{
    /// <summary>The cheapest first.</summary>
    public ImmutableArray<Offer> Offers { get; init; } = [];

    public string? Supplier { get; init; }

    public string? Confirmation { get; init; }

    /// <summary>Suppliers that could not deliver, or of which nobody knew.</summary>
    public ImmutableArray<string> PassedOver { get; init; } = [];

    public DateTimeOffset? ReceivedAt { get; init; }

    public string? AbandonedCode { get; init; }

    public string? AbandonedDetail { get; init; }

    public static RestockDetails? Project(RestockDetails? view, Recorded<RestockEvent> recorded) =>
        (recorded.Event, view) switch
        {
            (Requested e, _) => new(
                Restocking.Restock.IdOf(recorded.Stream), e.Product, e.Quantity, RestockStatus.Requested,
                recorded.Metadata.Timestamp),
            (Offered e, { } restock) => restock with { Offers = e.Offers },
            (Ordered e, { } restock) => restock with
            {
                Status = RestockStatus.Ordered,
                Supplier = e.Supplier,
                Confirmation = e.Confirmation,
            },
            (OrderCancelled e, { } restock) => restock.Supplier == e.Supplier
                ? restock with
                {
                    Status = RestockStatus.Requested,
                    Supplier = null,
                    Confirmation = null,
                    PassedOver = restock.PassedOver.Add(e.Supplier),
                }
                : restock with { PassedOver = restock.PassedOver.Add(e.Supplier) },
            (Received, { } restock) => restock with
            {
                Status = RestockStatus.Received,
                ReceivedAt = recorded.Metadata.Timestamp,
            },
            (Abandoned e, { } restock) => restock with
            {
                Status = RestockStatus.Abandoned,
                AbandonedCode = e.Code,
                AbandonedDetail = e.Detail,
            },
            _ => throw new UnreachableException(),
        };
}
