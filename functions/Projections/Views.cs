using System.Text.Json;
using Commerce.Catalog;
using Commerce.Customers;
using Commerce.Inventory;
using Commerce.Ordering;
using EventSourcing;
using Functions.EventStore;
using Microsoft.Azure.Functions.Worker;

namespace Functions.Projections;

/// <summary>
/// The views, and the change feed that keeps each of them up to date under a lease prefix of its own.
/// </summary>
public sealed partial class Views(ProjectionRunner runner)
{
    public static readonly View<OrderDetails> OrderDetails = new(
        "order-details",
        "order-details",
        Feed.ByName<OrderDetails,
            OrderEvent>(Order.Category, Aggregates.Orders.Codec, Commerce.Ordering.OrderDetails.Project, ById));

    /// <summary>
    /// The rows of one customer share a partition; whose row it is only the order's first event says.
    /// </summary>
    public static readonly View<OrderSummary> OrderList = new(
        "order-list",
        "order-list",
        Feed.ByFirst<OrderSummary, OrderEvent>(
            Order.Category,
            Aggregates.Orders.Codec,
            OrderSummary.Project,
            (first, stream) => new(stream.Id, ((OrderEvent.Placed)first).Customer.ToString())));

    public static readonly View<ProductListing> Products = new(
        "products",
        "products",
        Feed.ByName<ProductListing,
            ProductEvent>(Product.Category, Aggregates.Products.Codec, ProductListing.Project, ById));

    public static readonly View<Availability> Availability = new(
        "availability",
        "availability",
        Feed.ByName<Availability,
            StockEvent>(Stock.Category, Aggregates.Stocks.Codec, Commerce.Inventory.Availability.Project, ById));

    public static readonly View<CustomerCard> Customers = new(
        "customers",
        "customers",
        Feed.ByName<CustomerCard,
            CustomerEvent>(Customer.Category, Aggregates.Customers.Codec, CustomerCard.Project, ById));

    /// <summary>Orders added up by day, product and customer.</summary>
    public static readonly Tally<SalesShare, Sales> OrderStatistics = new(
        "order-statistics",
        "order-statistics",
        Order.Category,
        first => [.. SalesGroup.Of(Aggregates.Orders.Codec.Decode(first)).Select(group => group.Value)],
        (group, share, stored) => SalesShare.Project(new(group), share, Aggregates.Orders.Codec.Decode(stored)),
        (total, before, after) => (total ?? Sales.None)
            + (after?.Figures() ?? Sales.None) - (before?.Figures() ?? Sales.None));

    /// <summary>Every view there is: what the reconciliation looks after and an operator can name.</summary>
    public static IReadOnlyList<View> All =>
    [
        OrderDetails, OrderList, Products, ProductSearch, Availability, Customers, OrderStatistics, Deliveries,
        DeliveryReferences,
    ];

    public static View? Find(string name) => All.FirstOrDefault(view => view.Name == name);

    static ViewKey ById(StreamId stream) => ViewKey.Of(stream.Id);

    [Function(nameof(ProjectOrderDetails)), ExponentialBackoffRetry(-1, "00:00:01", "00:01:00")]
    public Task ProjectOrderDetails(
        [CosmosDBTrigger(
            Store.Database,
            Store.Events,
            Connection = Store.Connection,
            LeaseContainerName = Store.Leases,
            LeaseContainerPrefix = "order-details",
            StartFromBeginning = true,
            FeedPollDelay = Store.FeedPollDelay,
            MaxItemsPerInvocation = Store.FeedItemsMax)]
        IReadOnlyList<JsonElement> changes,
        CancellationToken cancellation) => runner.RunAsync(OrderDetails, changes, cancellation);

    [Function(nameof(ProjectOrderList)), ExponentialBackoffRetry(-1, "00:00:01", "00:01:00")]
    public Task ProjectOrderList(
        [CosmosDBTrigger(
            Store.Database,
            Store.Events,
            Connection = Store.Connection,
            LeaseContainerName = Store.Leases,
            LeaseContainerPrefix = "order-list",
            StartFromBeginning = true,
            FeedPollDelay = Store.FeedPollDelay,
            MaxItemsPerInvocation = Store.FeedItemsMax)]
        IReadOnlyList<JsonElement> changes,
        CancellationToken cancellation) => runner.RunAsync(OrderList, changes, cancellation);

    [Function(nameof(ProjectProducts)), ExponentialBackoffRetry(-1, "00:00:01", "00:01:00")]
    public Task ProjectProducts(
        [CosmosDBTrigger(
            Store.Database,
            Store.Events,
            Connection = Store.Connection,
            LeaseContainerName = Store.Leases,
            LeaseContainerPrefix = "products",
            StartFromBeginning = true,
            FeedPollDelay = Store.FeedPollDelay,
            MaxItemsPerInvocation = Store.FeedItemsMax)]
        IReadOnlyList<JsonElement> changes,
        CancellationToken cancellation) => runner.RunAsync(Products, changes, cancellation);

    [Function(nameof(ProjectAvailability)), ExponentialBackoffRetry(-1, "00:00:01", "00:01:00")]
    public Task ProjectAvailability(
        [CosmosDBTrigger(
            Store.Database,
            Store.Events,
            Connection = Store.Connection,
            LeaseContainerName = Store.Leases,
            LeaseContainerPrefix = "availability",
            StartFromBeginning = true,
            FeedPollDelay = Store.FeedPollDelay,
            MaxItemsPerInvocation = Store.FeedItemsMax)]
        IReadOnlyList<JsonElement> changes,
        CancellationToken cancellation) => runner.RunAsync(Availability, changes, cancellation);

    [Function(nameof(ProjectCustomers)), ExponentialBackoffRetry(-1, "00:00:01", "00:01:00")]
    public Task ProjectCustomers(
        [CosmosDBTrigger(
            Store.Database,
            Store.Events,
            Connection = Store.Connection,
            LeaseContainerName = Store.Leases,
            LeaseContainerPrefix = "customers",
            StartFromBeginning = true,
            FeedPollDelay = Store.FeedPollDelay,
            MaxItemsPerInvocation = Store.FeedItemsMax)]
        IReadOnlyList<JsonElement> changes,
        CancellationToken cancellation) => runner.RunAsync(Customers, changes, cancellation);

    [Function(nameof(ProjectOrderStatistics)), ExponentialBackoffRetry(-1, "00:00:01", "00:01:00")]
    public Task ProjectOrderStatistics(
        [CosmosDBTrigger(
            Store.Database,
            Store.Events,
            Connection = Store.Connection,
            LeaseContainerName = Store.Leases,
            LeaseContainerPrefix = "order-statistics",
            StartFromBeginning = true,
            FeedPollDelay = Store.FeedPollDelay,
            MaxItemsPerInvocation = Store.FeedItemsMax)]
        IReadOnlyList<JsonElement> changes,
        CancellationToken cancellation) => runner.RunAsync(OrderStatistics, changes, cancellation);
}
