using System.Text.Json;
using Commerce.Catalog;
using Commerce.Customers;
using Commerce.Inventory;
using Commerce.Ordering;
using Commerce.Shipping;
using EventSourcing;
using Functions.EventStore;
using Microsoft.Azure.Functions.Worker;

namespace Functions.Projections;

public sealed partial class Views
{
    /// <summary>A product and its stock have the same id, so one document takes in both streams.</summary>
    public static readonly View<SearchedProduct> ProductSearch = new(
        "product-search",
        "product-search",
        Feed.ByName<SearchedProduct, ProductEvent>(
            Product.Category, Aggregates.Products.Codec, SearchedProduct.Project, ById),
        Feed.ByName<SearchedProduct, StockEvent>(
            Stock.Category, Aggregates.Stocks.Codec, SearchedProduct.Project, ById));

    /// <summary>An order is one parcel under the same id.</summary>
    public static readonly View<Delivery> Deliveries = new(
        "deliveries",
        "deliveries",
        Feed.ByName<Delivery, OrderEvent>(Order.Category, Aggregates.Orders.Codec, Delivery.Project, ById),
        Feed.ByName<Delivery, ShipmentEvent>(Shipment.Category, Aggregates.Shipments.Codec, Delivery.Project, ById));

    public static readonly View<DeliveryReference> DeliveryReferences = new(
        "delivery-references",
        "delivery-references",
        Feed.ByName<DeliveryReference, ProductEvent>(
            Product.Category, Aggregates.Products.Codec, DeliveryReference.Project, ByStream),
        Feed.ByName<DeliveryReference, CustomerEvent>(
            Customer.Category, Aggregates.Customers.Codec, DeliveryReference.Project, ByStream));

    /// <summary>Products and customers share a container, so the category is part of the id.</summary>
    static ViewKey ByStream(StreamId stream) => ViewKey.Of(stream.ToString());

    [Function(nameof(ProjectProductSearch)), ExponentialBackoffRetry(-1, "00:00:01", "00:01:00")]
    public Task ProjectProductSearch(
        [CosmosDBTrigger(
            Store.Database,
            Store.Events,
            Connection = Store.Connection,
            LeaseContainerName = Store.Leases,
            LeaseContainerPrefix = "product-search",
            StartFromBeginning = true,
            FeedPollDelay = Store.FeedPollDelay,
            MaxItemsPerInvocation = Store.FeedItemsMax)]
        IReadOnlyList<JsonElement> changes,
        CancellationToken cancellation) => runner.RunAsync(ProductSearch, changes, cancellation);

    [Function(nameof(ProjectDeliveries)), ExponentialBackoffRetry(-1, "00:00:01", "00:01:00")]
    public Task ProjectDeliveries(
        [CosmosDBTrigger(
            Store.Database,
            Store.Events,
            Connection = Store.Connection,
            LeaseContainerName = Store.Leases,
            LeaseContainerPrefix = "deliveries",
            StartFromBeginning = true,
            FeedPollDelay = Store.FeedPollDelay,
            MaxItemsPerInvocation = Store.FeedItemsMax)]
        IReadOnlyList<JsonElement> changes,
        CancellationToken cancellation) => runner.RunAsync(Deliveries, changes, cancellation);

    [Function(nameof(ProjectDeliveryReferences)), ExponentialBackoffRetry(-1, "00:00:01", "00:01:00")]
    public Task ProjectDeliveryReferences(
        [CosmosDBTrigger(
            Store.Database,
            Store.Events,
            Connection = Store.Connection,
            LeaseContainerName = Store.Leases,
            LeaseContainerPrefix = "delivery-references",
            StartFromBeginning = true,
            FeedPollDelay = Store.FeedPollDelay,
            MaxItemsPerInvocation = Store.FeedItemsMax)]
        IReadOnlyList<JsonElement> changes,
        CancellationToken cancellation) => runner.RunAsync(DeliveryReferences, changes, cancellation);
}
