using Commerce.Inventory;
using Commerce.Restocking;
using EventSourcing;
using Microsoft.Azure.Functions.Worker;

namespace Functions.Sagas;

/// <summary>One supplier by its rank among the offers: which one that is stands on the restock's stream.</summary>
public sealed record SupplierStep(RestockOrder Order, int Rank);

public sealed record AbandonedStep(RestockOrder Order, Refusal Why);

/// <summary>
/// What the restock saga asks of the suppliers and the stock: first the supplier, idempotent under the restock's id,
/// then the record of its answer.
/// </summary>
public sealed class RestockSteps(
    CommandHandler<Restock, RestockCommand, RestockEvent> restocks,
    CommandHandler<Stock, StockCommand, StockEvent> stocks,
    ISuppliers suppliers)
{
    [Function(nameof(CollectOffers))]
    public async Task<Refusal?> CollectOffers([ActivityTrigger] RestockOrder order, CancellationToken cancellation)
    {
        // Other offers under the same command would be refused, and the restock given up for it: the first ones stand.
        var known = await restocks.KnownAsync(
            Restock.Stream(order.Origin.Restock), TimeSpan.Zero, cancellation);
        if (!known.State.Offers.IsEmpty) return null;
        var offers = await suppliers.OffersAsync(order.Product, order.Quantity, cancellation);
        return await RecordAsync(order, "offers", new RestockCommand.RecordOffers([.. offers]), cancellation);
    }

    [Function(nameof(OrderFromSupplier))]
    public async Task<Refusal?> OrderFromSupplier([ActivityTrigger] SupplierStep step, CancellationToken cancellation)
    {
        if (await SupplierAsync(step, cancellation) is not { } supplier) return RestockRefusal.NoOffer;
        var answer = await suppliers.OrderAsync(
            supplier, step.Order.Origin.Restock, step.Order.Product, step.Order.Quantity, cancellation);
        return answer is SupplierAnswer.Accepted accepted
            ? await RecordAsync(
                step.Order, $"order-{step.Rank}", new RestockCommand.RecordOrdered(supplier, accepted.Confirmation),
                cancellation)
            : Refused(answer);
    }

    [Function(nameof(CancelSupplierOrder))]
    public async Task<Refusal?> CancelSupplierOrder(
        [ActivityTrigger] SupplierStep step, CancellationToken cancellation)
    {
        // No supplier of this rank: then nothing was ordered from it, and nothing will be.
        if (await SupplierAsync(step, cancellation) is not { } supplier) return null;
        var answer = await suppliers.CancelAsync(supplier, step.Order.Origin.Restock, cancellation);
        return answer is SupplierAnswer.Accepted
            ? await RecordAsync(
                step.Order, $"cancel-{step.Rank}", new RestockCommand.RecordCancelled(supplier), cancellation)
            : Refused(answer);
    }

    /// <summary>The receipt names the restock: goods are counted once.</summary>
    [Function(nameof(BookGoods))]
    public async Task<Refusal?> BookGoods([ActivityTrigger] RestockOrder order, CancellationToken cancellation) =>
        (await stocks.HandleAsync(
            Stock.Stream(order.Product),
            new StockCommand.Receive(order.Quantity, order.Origin.Saga),
            order.Origin.Command("book"),
            cancellation)).Refusal;

    [Function(nameof(CompleteRestock))]
    public Task<Refusal?> CompleteRestock([ActivityTrigger] RestockOrder order, CancellationToken cancellation) =>
        RecordAsync(order, "complete", new RestockCommand.RecordReceived(), cancellation);

    [Function(nameof(AbandonRestock))]
    public Task<Refusal?> AbandonRestock([ActivityTrigger] AbandonedStep step, CancellationToken cancellation) =>
        RecordAsync(step.Order, "abandon", new RestockCommand.Abandon(step.Why.Code, step.Why.Detail), cancellation);

    async Task<string?> SupplierAsync(SupplierStep step, CancellationToken cancellation)
    {
        var restock = await restocks.LoadAsync(
            Restock.Stream(step.Order.Origin.Restock), StreamRange.All, cancellation);
        return restock.State.Offers.ElementAtOrDefault(step.Rank)?.Supplier;
    }

    async Task<Refusal?> RecordAsync(
        RestockOrder order, string name, RestockCommand command, CancellationToken cancellation) =>
        (await restocks.HandleAsync(
            Restock.Stream(order.Origin.Restock), command, order.Origin.Command(name), cancellation)).Refusal;

    static Refusal Refused(SupplierAnswer answer) => answer is SupplierAnswer.Declined declined
        ? new(declined.Code, declined.Detail)
        : throw new InvalidOperationException($"A supplier answered {answer}.");
}
