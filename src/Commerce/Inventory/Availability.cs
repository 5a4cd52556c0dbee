using System.Diagnostics;
using EventSourcing;
using static Commerce.Inventory.StockEvent;

namespace Commerce.Inventory;

/// <summary>What the product page asks, how many can I still buy, and the warehouse: how many lie here?</summary>
public sealed record Availability(
    ProductId Product, long Available, long Held, long OnHand, DateTimeOffset? LastReceivedAt)
{
    public static Availability? Project(Availability? view, Recorded<StockEvent> recorded)
    {
        var stock = view ?? new(Stock.IdOf(recorded.Stream), 0, 0, 0, null);
        return recorded.Event switch
        {
            Received e => stock with
            {
                Available = stock.Available + e.Quantity,
                OnHand = stock.OnHand + e.Quantity,
                LastReceivedAt = recorded.Metadata.Timestamp,
            },
            Reserved e => stock with { Available = stock.Available - e.Quantity, Held = stock.Held + e.Quantity },
            Released e => stock with { Available = stock.Available + e.Quantity, Held = stock.Held - e.Quantity },
            Committed e => stock with { OnHand = stock.OnHand - e.Quantity, Held = stock.Held - e.Quantity },
            _ => throw new UnreachableException(),
        };
    }
}
