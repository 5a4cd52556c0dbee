using System.Collections.Immutable;
using Commerce;
using Commerce.Customers;
using Commerce.Ordering;
using EventSourcing;
using Functions.EventStore;
using Functions.Http;
using Functions.Projections;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Cosmos;
using Microsoft.Azure.Functions.Worker;

namespace Functions.Queries;

/// <summary>
/// One question asked in two ways: put together now from what each owner says (overview), or read from views that were
/// put together when it was written (summary). Both tell the same once all is quiet.
/// </summary>
public sealed class CustomerFactQueries(
    ViewContainer views, IEventStore events, TimeProvider clock)
{
    public const int OrdersMax = 1_000;

    /// <summary>How long an owner may take; the answer goes without him then, and says so.</summary>
    public static readonly TimeSpan OwnerDeadline = TimeSpan.FromSeconds(2);

    const int OrdersPerPage = 100;

    [Function(nameof(GetCustomerOverview))]
    public async Task<IResult> GetCustomerOverview(
        [HttpTrigger(
            AuthorizationLevel.Function, "get", Route = "customers/{customerId}/overview")] HttpRequest request,
        string customerId,
        CancellationToken cancellation)
    {
        var customer = Id(customerId);
        var card = Part.AskAsync("customer", stop => CardAsync(customer, stop), OwnerDeadline, clock, cancellation);
        var orders = Part.AskAsync("orders", stop => OrdersAsync(customer, stop), OwnerDeadline, clock, cancellation);
        var (who, what) = (await card, await orders);
        if (who is { Missing: null, Value: null }) return Problem.Of(CustomerRefusal.Unknown);
        return ViewAnswer.Json(CustomerFacts.Of(
            who.Value, what.Value, [.. new[] { who.Missing, what.Missing }.OfType<string>()]));
    }

    [Function(nameof(GetCustomerSummary))]
    public async Task<IResult> GetCustomerSummary(
        [HttpTrigger(AuthorizationLevel.Function, "get", Route = "customers/{customerId}/summary")] HttpRequest request,
        string customerId,
        CancellationToken cancellation)
    {
        var customer = Id(customerId);
        await ViewAnswer.WaitForCustomerAsync(views, request, customer, cancellation);
        var sales = views.ReadAsync<Sales>(
            Views.OrderStatistics, Tally<SalesShare, Sales>.Total(SalesGroup.Of(customer).Value), null, TimeSpan.Zero,
            cancellation);
        var card = await views.ReadAsync<CustomerCard>(
            Views.Customers, ViewKey.Of(customer.ToString()), null, TimeSpan.Zero, cancellation);
        var total = (await sales)?.View ?? Sales.None;
        return card?.View is { } found
            ? ViewAnswer.Json(CustomerFacts.Of(found, OrderFigures.Of(total), []))
            : Problem.Of(CustomerRefusal.Unknown);
    }

    /// <summary>The customer as the customer's own stream tells it, this moment.</summary>
    async Task<CustomerCard?> CardAsync(CustomerId customer, CancellationToken cancellation)
    {
        CustomerCard? card = null;
        await foreach (var stored in events.ReadAsync(Customer.Stream(customer), StreamRange.All, cancellation))
            card = CustomerCard.Project(card, Aggregates.Customers.Codec.Decode(stored));
        return card;
    }

    /// <summary>The customer's orders, counted one by one.</summary>
    async Task<OrderFigures?> OrdersAsync(CustomerId customer, CancellationToken cancellation)
    {
        var live = await views.LiveAsync(Views.OrderList, cancellation);
        var (figures, after) = (OrderFigures.None, "");
        while (figures.Orders < OrdersMax)
        {
            var query = new QueryDefinition(
                "SELECT * FROM c WHERE c.generation = @generation AND c.id > @after ORDER BY c.id")
                .WithParameter("@after", after);
            var rows = await views.PageAsync(live, query, customer.ToString(), OrdersPerPage, cancellation);
            foreach (var row in rows) figures = figures.With(row.View!);
            if (rows.Count < OrdersPerPage) return figures;
            after = rows[^1].Id;
        }

        return figures with { IsCut = true };
    }

    static CustomerId Id(string text) =>
        Request.Valid(CustomerId.TryParse(text, out var customer, out var refusal), customer, refusal);
}

/// <summary>What is known of a customer, and the parts whose owner did not answer in time.</summary>
public sealed record CustomerFacts(
    CustomerCard? Customer, OrderFigures? Orders, bool IsPartial, IReadOnlyList<string> Missing)
{
    public static CustomerFacts Of(CustomerCard? customer, OrderFigures? orders, IReadOnlyList<string> missing) =>
        new(customer, orders, missing.Count > 0, missing);
}

/// <summary>How a customer's orders ended, and what was sold to them in minor units by currency.</summary>
public sealed record OrderFigures(
    long Orders,
    long Pending,
    long Sold,
    long Cancelled,
    long Delivered,
    ImmutableSortedDictionary<string, long> Revenue,
    bool IsCut = false)
{
    public static readonly OrderFigures None = Of(Sales.None);

    public static OrderFigures Of(Sales sales) =>
        new(sales.Orders, sales.Pending, sales.Sold, sales.Cancelled, sales.Delivered, sales.Revenue);

    public OrderFigures With(OrderSummary order)
    {
        // The share of an order in a total is the catalogue of what counts as what; pieces are not in a row of a list.
        var one = new SalesShare(order.Status, 0, order.Total).Figures();
        return new(
            Orders + one.Orders,
            Pending + one.Pending,
            Sold + one.Sold,
            Cancelled + one.Cancelled,
            Delivered + one.Delivered,
            one.Revenue.Aggregate(Revenue, (sums, sum) => sums.SetItem(
                sum.Key, checked(sums.GetValueOrDefault(sum.Key) + sum.Value))));
    }
}
