namespace Commerce.Restocking;

/// <summary>What a supplier said. A "no" is an answer, not a fault: asking again changes nothing.</summary>
public abstract record SupplierAnswer
{
    /// <summary>Done, now or by an earlier call with the same key; the confirmation is the supplier's own.</summary>
    public sealed record Accepted(string Confirmation) : SupplierAnswer;

    public sealed record Declined(string Code, string Detail) : SupplierAnswer;

    SupplierAnswer() { }
}

/// <summary>
/// Sells goods to this shop. Ordering and cancelling are idempotent under the restock's id at each supplier; the answer
/// may be lost on the way, so whoever gets an exception asks again with the same key.
/// </summary>
public interface ISuppliers
{
    /// <summary>What each supplier asks for a piece; an offer binds nobody.</summary>
    Task<IReadOnlyList<Offer>> OffersAsync(ProductId product, int quantity, CancellationToken cancellation);

    Task<SupplierAnswer> OrderAsync(
        string supplier, RestockId restock, ProductId product, int quantity, CancellationToken cancellation);

    /// <summary>Takes the order back, if there was one, and closes the id against a late order.</summary>
    Task<SupplierAnswer> CancelAsync(string supplier, RestockId restock, CancellationToken cancellation);
}
