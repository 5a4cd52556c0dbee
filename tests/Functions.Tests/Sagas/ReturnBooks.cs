using Functions.Sagas;

namespace Functions.Tests.Sagas;

/// <summary>
/// The books of an order that was given back: the money is refunded, the goods are counted once, no parcel left.
/// </summary>
static class ReturnBooks
{
    /// <summary>What does not balance, and the step whose work that would have been.</summary>
    public static async Task<IReadOnlyList<(string Step, string What)>> CheckAsync(
        FaultySystem system, Guid order, IReadOnlyList<(string Product, int Quantity)> lines)
    {
        var wrong = new List<(string, string)>();
        var money = system.Gateway.Ledger(new(order));
        if (money.Captured == 0 || money.Refunded != money.Captured)
            wrong.Add((nameof(ReturnSteps.RefundPayment), $"{money}"));
        if (system.Carrier.Ledger(new(order)) is not { Booked: 1, Cancelled: 1 })
            wrong.Add((nameof(ReturnSteps.RecallParcel), "the parcel left"));
        var types = (await system.Api.EventsAsync($"order-{order}", default))
            .Select(e => e.GetProperty("eventType").GetString()!).ToList();
        if (types is not [.., "order-return-requested", "order-returned"])
            wrong.Add((nameof(ReturnSteps.CompleteReturn), $"the order is not returned: {string.Join(' ', types)}"));
        foreach (var (product, quantity) in lines)
        {
            var moved = (await system.Api.EventsAsync($"stock-{product}", default))
                .Select(e => (Type: e.GetProperty("eventType").GetString(), Told: e.GetProperty("eventData"))).ToList();
            var back = moved
                .Where(m => m.Told.TryGetProperty("receipt", out var receipt)
                    && receipt.GetString() == $"return-{order}")
                .Sum(m => m.Told.GetProperty("quantity").GetInt32());
            var left = moved
                .Where(m => m.Type == "stock-committed" && m.Told.GetProperty("reservation").GetGuid() == order)
                .Sum(m => m.Told.GetProperty("quantity").GetInt32());
            if (back != quantity || left != quantity)
                wrong.Add((
                    nameof(ReturnSteps.RestockReturned), $"{left} of {quantity} {product} left, {back} came back"));
        }

        return wrong;
    }
}
