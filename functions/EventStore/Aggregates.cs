using Commerce.Catalog;
using Commerce.Customers;
using Commerce.Inventory;
using Commerce.Ordering;
using Commerce.Payments;
using Commerce.Restocking;
using Commerce.Shipping;
using EventSourcing;

namespace Functions.EventStore;

/// <summary>Every kind of stream this system writes: its decider, its stored event names and its snapshots.</summary>
public static class Aggregates
{
    public static readonly Aggregate<Order, OrderCommand, OrderEvent> Orders =
        new(Order.Category, Order.Decider, new(OrderEvent.Types));

    public static readonly Aggregate<Payment, PaymentCommand, PaymentEvent> Payments =
        new(Payment.Category, Payment.Decider, new(PaymentEvent.Types));

    public static readonly Aggregate<Shipment, ShipmentCommand, ShipmentEvent> Shipments =
        new(Shipment.Category, Shipment.Decider, new(ShipmentEvent.Types));

    /// <summary>
    /// A customer's stream lives as long as the customer and grows with every order on credit: worth a snapshot.
    /// </summary>
    public static readonly Aggregate<Customer, CustomerCommand, CustomerEvent> Customers = new(
        Customer.Category,
        Customer.Decider,
        new(CustomerEvent.Types),
        new SnapshotPolicy(Every: 100, Schema: "1"));

    public static readonly Aggregate<Product, ProductCommand, ProductEvent> Products =
        new(Product.Category, Product.Decider, new(ProductEvent.Types));

    public static readonly Aggregate<Restock, RestockCommand, RestockEvent> Restocks =
        new(Restock.Category, Restock.Decider, new(RestockEvent.Types));

    public static readonly Aggregate<Allocation, AllocationCommand, AllocationEvent> Allocations =
        new(Allocation.Category, Allocation.Decider, new(AllocationEvent.Types));

    /// <summary>
    /// A stock stream lives as long as its product and grows with every order: it is worth a snapshot.
    /// </summary>
    public static readonly Aggregate<Stock, StockCommand, StockEvent> Stocks =
        new(Stock.Category, Stock.Decider, new(StockEvent.Types), new SnapshotPolicy(Every: 100, Schema: "1"));
}
