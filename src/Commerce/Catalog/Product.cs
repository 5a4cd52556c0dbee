using System.Diagnostics;
using EventSourcing;
using static Commerce.Catalog.ProductCommand;
using static Commerce.Catalog.ProductEvent;

namespace Commerce.Catalog;

/// <summary>The facts on a product stream. Names and shapes are stored for ever: add, never edit.</summary>
public abstract record ProductEvent
{
    public sealed record Registered(string Name, string Category, Money Price) : ProductEvent;

    public sealed record Renamed(string Name) : ProductEvent;

    public sealed record Recategorized(string Category) : ProductEvent;

    public sealed record Repriced(Money Price) : ProductEvent;

    public static readonly EventTypes<ProductEvent> Types = new()
    {
        { "product-registered", typeof(Registered) },
        { "product-renamed", typeof(Renamed) },
        { "product-recategorized", typeof(Recategorized) },
        { "product-repriced", typeof(Repriced) },
    };

    ProductEvent() { }
}

/// <summary>What can be asked of a product.</summary>
public abstract record ProductCommand
{
    /// <summary>The product shall look like this, whatever it looked like before.</summary>
    public sealed record Put(string Name, string Category, Money Price) : ProductCommand;

    ProductCommand() { }
}

/// <summary>Every "no" of a product.</summary>
public static class ProductRefusal
{
    public static Refusal Invalid(string detail) => new("invalid-product", detail, RefusalKind.Invalid);
}

/// <summary>One product on offer: only what its decisions need to know.</summary>
public sealed record Product(Registered? Offer)
{
    public const string Category = "product";

    public const int NameLengthMax = 200;
    public const int CategoryLengthMax = 64;

    public static readonly Decider<Product, ProductCommand, ProductEvent> Decider =
        new(new((Registered?)null), Evolve, Decide);

    public static StreamId Stream(ProductId product) => StreamId.Of(Category, product.Value);

    /// <summary>Whose stream it is: the way back from <see cref="Stream"/>.</summary>
    public static ProductId IdOf(StreamId stream) => new(stream.Id);

    static Product Evolve(Product product, ProductEvent @event) => (@event, product.Offer) switch
    {
        (Registered e, _) => new(e),
        (Renamed e, { } offer) => new(offer with { Name = e.Name }),
        (Recategorized e, { } offer) => new(offer with { Category = e.Category }),
        (Repriced e, { } offer) => new(offer with { Price = e.Price }),
        _ => throw new UnreachableException(),
    };

    static Decision<ProductEvent> Decide(ProductCommand command, Product product) => (command, product.Offer) switch
    {
        (Put c, _) when Fault(c) is { } fault => fault,
        (Put c, null) => [new Registered(c.Name, c.Category, c.Price)],
        (Put c, { } offer) =>
        [
            .. c.Name == offer.Name ? Nothing : [new Renamed(c.Name)],
            .. c.Category == offer.Category ? Nothing : [new Recategorized(c.Category)],
            .. c.Price == offer.Price ? Nothing : [new Repriced(c.Price)],
        ],
        _ => throw new UnreachableException(),
    };

    static ProductEvent[] Nothing => [];

    static Refusal? Fault(Put c) =>
        !Text.IsLine(c.Name, NameLengthMax) ? ProductRefusal.Invalid($"A name is 1 to {NameLengthMax} characters.")
        : !Text.IsSlug(c.Category, CategoryLengthMax)
            ? ProductRefusal.Invalid(
                $"A category is 1 to {CategoryLengthMax} lower-case letters, digits and dashes.")
        : c.Price.Fault(minorUnitsMin: 1);
}
