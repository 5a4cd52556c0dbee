using Functions.Sagas;

namespace Functions.Tests.Sagas;

/// <summary>The books of a restock: delivered, booked and told is what was ordered, or nothing.</summary>
static class RestockBooks
{
    /// <summary>What does not balance, and the step whose work that would have been.</summary>
    public static async Task<IReadOnlyList<(string Step, string What)>> CheckAsync(
        FaultySystem system, string product, Guid restock, int quantity)
    {
        var wrong = new List<(string, string)>();
        void Demand(bool holds, string step, string what)
        {
            if (!holds) wrong.Add((step, what));
        }

        var types = (await system.Api.EventsAsync($"restock-{restock}", default))
            .Select(e => e.GetProperty("eventType").GetString()!).ToList();
        var ordered = types.Contains("restock-ordered") && !types.Contains("restock-abandoned")
            && types.LastIndexOf("restock-ordered") > types.LastIndexOf("restock-order-cancelled");
        var delivered = system.Suppliers.Deliveries(new(restock)).Values.Sum();
        var booked = (await system.Api.EventsAsync($"stock-{product}", default))
            .Select(e => e.GetProperty("eventData"))
            .Where(told => told.TryGetProperty("receipt", out var receipt)
                && receipt.GetString() == $"restock-{restock}")
            .Sum(told => told.GetProperty("quantity").GetInt32());
        Demand(
            delivered == (ordered ? quantity : 0), nameof(RestockSteps.CancelSupplierOrder), $"delivered {delivered}");
        Demand(booked == (ordered ? quantity : 0), nameof(RestockSteps.BookGoods), $"booked {booked}");
        Demand(
            types[^1] == (ordered ? "restock-received" : "restock-abandoned"),
            ordered ? nameof(RestockSteps.CompleteRestock) : nameof(RestockSteps.AbandonRestock),
            $"ended with {types[^1]}");
        return wrong;
    }
}
