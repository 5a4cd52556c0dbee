using Commerce.Catalog;
using Commerce.Customers;
using Commerce.Inventory;
using Commerce.Ordering;
using Commerce.Shipping;
using EventSourcing;

namespace Functions.Projections;

// Views that show more than one context at once. No context knows another, so they are folded here, each part by its
// own context's fold.

/// <summary>What a search for products looks through: the listing, and whether there is any to be had.</summary>
/// <remarks>Goods may be received before the product is registered as the feed tells it: then there is no listing
/// yet.</remarks>
public sealed record SearchedProduct(ProductListing? Listing, Availability? Stock, bool InStock)
{
    public static SearchedProduct Project(SearchedProduct? view, Recorded<ProductEvent> recorded) =>
        Of(ProductListing.Project(view?.Listing, recorded), view?.Stock);

    public static SearchedProduct Project(SearchedProduct? view, Recorded<StockEvent> recorded) =>
        Of(view?.Listing, Availability.Project(view?.Stock, recorded));

    static SearchedProduct Of(ProductListing? listing, Availability? stock) =>
        new(listing, stock, stock is { Available: > 0 });
}

/// <summary>What the person waiting for an order asks: what is in the parcel, and where is it?</summary>
public sealed record Delivery(DeliveredOrder? Order, DeliveryProgress? Parcel)
{
    public static Delivery Project(Delivery? view, Recorded<OrderEvent> recorded) =>
        new(DeliveredOrder.Project(view?.Order, recorded), view?.Parcel);

    public static Delivery Project(Delivery? view, Recorded<ShipmentEvent> recorded) =>
        new(view?.Order, DeliveryProgress.Project(view?.Parcel, recorded));
}

/// <summary>
/// The catalog's and the customers' data as deliveries show them: a copy of their own, one document a product or
/// customer.
/// </summary>
/// <remarks>
/// A name is stored once and put to a delivery when that is read. So a product renamed is one write and right
/// everywhere at once, not one for each of its million deliveries, some of which would be wrong meanwhile.
/// </remarks>
public sealed record DeliveryReference(ProductListing? Product, CustomerCard? Customer)
{
    public static DeliveryReference Project(DeliveryReference? view, Recorded<ProductEvent> recorded) =>
        new(ProductListing.Project(view?.Product, recorded), null);

    public static DeliveryReference Project(DeliveryReference? view, Recorded<CustomerEvent> recorded) =>
        new(null, CustomerCard.Project(view?.Customer, recorded));
}
