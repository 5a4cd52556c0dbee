using Commerce;
using Commerce.Catalog;
using Commerce.Customers;
using Commerce.Inventory;
using Commerce.Ordering;
using Commerce.Payments;
using Commerce.Shipping;
using EventSourcing.Tests.Commands;
using EventSourcing.Tests.Stores;

namespace EventSourcing.Tests.Costs;

/// <summary>
/// Every request that the commands of one confirmed order of two lines send, as docs/internals/costs.md lists them.
/// </summary>
public sealed class OrderCostTests : IClassFixture<LocalCosmos>
{
    static readonly CancellationToken None = CancellationToken.None;

    readonly LocalCosmos cosmos;
    readonly StateCache cache = new();
    readonly ManualClock clock = new();
    readonly Address address = new("Ada Lovelace", "12 St James's Square", "London", "SW1Y 4JH", "GB");
    readonly Money price = new(1250, Currency.EUR);
    readonly CustomerId customer = new(Guid.NewGuid());
    readonly OrderId order = new(Guid.NewGuid());
    readonly ProductId[] wanted = [new("blue-mug"), new("red-mug")];
    readonly CommandHandler<Order, OrderCommand, OrderEvent> orders;
    readonly CommandHandler<Product, ProductCommand, ProductEvent> products;
    readonly CommandHandler<Customer, CustomerCommand, CustomerEvent> customers;
    readonly CommandHandler<Stock, StockCommand, StockEvent> stocks;
    readonly CommandHandler<Payment, PaymentCommand, PaymentEvent> payments;
    readonly CommandHandler<Shipment, ShipmentCommand, ShipmentEvent> shipments;

    public OrderCostTests(LocalCosmos cosmos)
    {
        this.cosmos = cosmos;
        orders = Handler(Order.Category, Order.Decider, OrderEvent.Types);
        products = Handler(Product.Category, Product.Decider, ProductEvent.Types);
        customers = Handler(Customer.Category, Customer.Decider, CustomerEvent.Types);
        stocks = Handler(Stock.Category, Stock.Decider, StockEvent.Types);
        payments = Handler(Payment.Category, Payment.Decider, PaymentEvent.Types);
        shipments = Handler(Shipment.Category, Shipment.Decider, ShipmentEvent.Types);
    }

    [Fact]
    public async Task One_confirmed_order_of_two_lines()
    {
        await OpenShopAsync();
        var (requests, charge) = (0L, 0d);
        foreach (var (name, ask) in Steps())
        {
            var cost = await Measured.OfAsync(cosmos, ask);
            CostDocument.Says(cost.Row(name));
            (requests, charge) = (requests + cost.Requests, charge + cost.Charge);
        }

        CostDocument.Says(new Measured(requests, charge, "").Row("**all**"));

        // Nine events, each decided after the one before it was stored, can not be stored in fewer batches.
        Assert.Equal(9, requests);
    }

    async Task OpenShopAsync()
    {
        await customers.HandleAsync(
            Customer.Stream(customer),
            new CustomerCommand.Put("Ada Lovelace", "ada@example.org", address, new(100_000, Currency.EUR)),
            Instance.Context(),
            None);
        foreach (var product in wanted)
        {
            await products.HandleAsync(
                Product.Stream(product), new ProductCommand.Put("A mug", "mugs", price), Instance.Context(), None);
            await stocks.HandleAsync(
                Stock.Stream(product), new StockCommand.Receive(100, "delivery-1"), Instance.Context(), None);
        }

    }

    (string Name, Func<Task> Ask)[] Steps()
    {
        var (payment, shipment, held) = (PaymentId.Of(order), ShipmentId.Of(order), ReservationId.Of(order));
        var lines = wanted.Select(product => new OrderLine(product, 2, price));
        return
        [
            ("look up the customer and two prices", async () =>
            {
                await customers.KnownAsync(Customer.Stream(customer), TimeSpan.MaxValue, None);
                foreach (var product in wanted)
                    await products.KnownAsync(Product.Stream(product), TimeSpan.FromSeconds(5), None);
            }),
            ("place the order", () => DoneAsync(orders.HandleAsync(
                Order.Stream(order),
                new OrderCommand.Place(customer, [.. lines], address, new("card_4242")),
                Context("place") with { LikelyNew = true },
                None))),
            ("reserve the first product", () => StockAsync(wanted[0], new StockCommand.Reserve(held, 2), "reserve")),
            ("reserve the second product", () => StockAsync(wanted[1], new StockCommand.Reserve(held, 2), "reserve")),
            ("record the authorization", () => DoneAsync(payments.HandleAsync(
                Payment.Stream(payment),
                new PaymentCommand.RecordAuthorized(price * 4, "authorization-1"),
                Context("authorize") with { LikelyNew = true },
                None))),
            ("record the booking", () => DoneAsync(shipments.HandleAsync(
                Shipment.Stream(shipment),
                new ShipmentCommand.Book(address, "tracking-1"),
                Context("book") with { LikelyNew = true },
                None))),
            ("confirm the order", () => DoneAsync(orders.HandleAsync(
                Order.Stream(order), new OrderCommand.Confirm(), Context("confirm"), None))),
            ("record the capture", () => DoneAsync(payments.HandleAsync(
                Payment.Stream(payment), new PaymentCommand.RecordCaptured(), Context("capture"), None))),
            ("commit the first product", () => StockAsync(wanted[0], new StockCommand.Commit(held), "commit")),
            ("commit the second product", () => StockAsync(wanted[1], new StockCommand.Commit(held), "commit")),
        ];

        CommandContext Context(string step) => new($"{Order.Stream(order)}/{step}", "correlation", "causation", "saga");

        Task StockAsync(ProductId product, StockCommand command, string step) =>
            DoneAsync(stocks.HandleAsync(Stock.Stream(product), command, Context(step), None));
    }

    static async Task DoneAsync<TState, TEvent>(Task<Outcome<TState, TEvent>> asked)
    {
        var outcome = await asked;
        Assert.Null(outcome.Refusal);
        Assert.Single(outcome.Events);
    }

    CommandHandler<TState, TCommand, TEvent> Handler<TState, TCommand, TEvent>(
        string category, Decider<TState, TCommand, TEvent> decider, EventTypes<TEvent> types)
        where TState : class
        where TEvent : notnull =>
        new(new(category, decider, new(types)), cosmos.Store, cache, clock);
}
