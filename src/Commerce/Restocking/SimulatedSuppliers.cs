using static Commerce.Restocking.SupplierAnswer;

namespace Commerce.Restocking;

/// <summary>What suppliers can be asked to do, for saying which of it shall time out.</summary>
public enum SupplierCall
{
    Offer,
    Order,
    Cancel,
}

/// <summary>
/// Three suppliers without a warehouse, with a ledger to check afterwards: <c>north</c> is the cheapest and delivers up
/// to 100 pieces, <c>south</c> up to 500, <c>west</c>, the dearest, up to 2,000. More than that an order is declined.
/// </summary>
/// <remarks>Memory is all they have; a confirmation follows from the restock's id, so it survives a restart.</remarks>
public sealed class SimulatedSuppliers : ISuppliers
{
    public const int RestocksMax = 100_000;

    static readonly (string Name, int UnitPrice, int PiecesMax)[] Suppliers =
        [("west", 6_25, 2_000), ("north", 5_00, 100), ("south", 5_50, 500)];

    readonly SimulatedLine<SupplierCall> line = new("supplier");
    readonly Dictionary<(RestockId, string), Job> jobs = [];
    readonly Queue<(RestockId, string)> oldestFirst = [];

    /// <summary>Lets the next calls of one kind time out, before their effect or with the answer lost.</summary>
    public void TimeOut(SupplierCall call, int times = 1, bool afterEffect = false) =>
        line.TimeOut(call, times, afterEffect);

    /// <summary>Ends every time-out ordered with <see cref="TimeOut"/>.</summary>
    public void Recover() => line.Recover();

    /// <summary>How many pieces each supplier will deliver under this restock; none that took no order.</summary>
    public IReadOnlyDictionary<string, int> Deliveries(RestockId restock) => line.Read(() => Suppliers
        .Where(s => jobs.GetValueOrDefault((restock, s.Name)) is { Quantity: not null, Closed: false })
        .ToDictionary(s => s.Name, s => jobs[(restock, s.Name)].Quantity!.Value));

    public Task<IReadOnlyList<Offer>> OffersAsync(ProductId product, int quantity, CancellationToken cancellation) =>
        line.Call<IReadOnlyList<Offer>>(
            SupplierCall.Offer,
            () => [.. Suppliers.Select(s => new Offer(s.Name, new(s.UnitPrice, Currency.EUR)))],
            cancellation);

    public Task<SupplierAnswer> OrderAsync(
        string supplier, RestockId restock, ProductId product, int quantity, CancellationToken cancellation) =>
        line.Call(SupplierCall.Order, () => Order(supplier, restock, quantity), cancellation);

    public Task<SupplierAnswer> CancelAsync(string supplier, RestockId restock, CancellationToken cancellation) =>
        line.Call<SupplierAnswer>(SupplierCall.Cancel, () => Cancel(supplier, restock), cancellation);

    SupplierAnswer Order(string supplier, RestockId restock, int quantity)
    {
        var known = Suppliers.FirstOrDefault(s => s.Name == supplier);
        if (known.Name is null) return new Declined("unknown-supplier", $"There is no supplier {supplier}.");
        var job = jobs.GetValueOrDefault((restock, supplier)) ?? Open(restock, supplier);
        if (job.Closed) return new Declined("supplier-order-cancelled", "The order was cancelled before it came.");
        if (job.Quantity is { } ordered && ordered != quantity)
            return new Declined("order-with-other-quantity", $"{ordered} pieces were ordered.");
        if (quantity > known.PiecesMax)
            return new Declined("out-of-stock", $"{supplier} has {known.PiecesMax} pieces.");
        job.Quantity = quantity;
        return new Accepted($"{supplier}-{restock.Value:N}");
    }

    Accepted Cancel(string supplier, RestockId restock)
    {
        var job = jobs.GetValueOrDefault((restock, supplier)) ?? Open(restock, supplier);
        job.Closed = true;
        return new($"{supplier}-{restock.Value:N}");
    }

    Job Open(RestockId restock, string supplier)
    {
        if (jobs.Count == RestocksMax) jobs.Remove(oldestFirst.Dequeue());
        oldestFirst.Enqueue((restock, supplier));
        return jobs[(restock, supplier)] = new();
    }

    sealed class Job
    {
        public int? Quantity { get; set; }

        public bool Closed { get; set; }
    }
}
