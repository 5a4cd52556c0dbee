using Functions.Sagas;
using Runtime.Local;

namespace Functions.Tests.Sagas;

/// <summary>The books of the orders of a matrix, case by case.</summary>
static class OrderBooks
{
    /// <summary>Demands that they balance; each order's number is its place among the cases.</summary>
    public static async Task BalancedAsync(FaultySystem system, IReadOnlyList<SagaCase> cases, int times = 1)
    {
        var books = system.Books();
        var wrong = (await books.OpenAsync(system.Products, default)).Select(v => $"{v}").ToList();
        foreach (var (number, @case) in cases.Index())
        {
            foreach (var violation in await books.CheckAsync(@case.Id, system.LinesOf(number, times), default))
            {
                // What an operator chose to leave undone stays open, and nothing else does.
                if (@case.Decision == "skip" && violation.Book == BookOf(@case.Strikes[^1].Activity)) continue;
                wrong.Add($"{@case.Name}: {violation.Book}: {violation.What}");
            }
        }

        Assert.True(
            wrong.Count == 0,
            $"{wrong.Count} violations in {cases.Count} cases:\n{string.Join('\n', wrong.Take(30))}");
    }

    static Book BookOf(string activity) => activity switch
    {
        nameof(StockSteps.ReleaseStock) or nameof(StockSteps.CommitStock) => Book.Stock,
        nameof(PaymentSteps.VoidPayment) or nameof(PaymentSteps.CapturePayment) => Book.Payment,
        nameof(ShipmentSteps.CancelShipment) => Book.Shipment,
        nameof(OrderSteps.CancelOrder) => Book.Order,
        _ => throw new InvalidOperationException($"{activity} is in no book."),
    };
}
