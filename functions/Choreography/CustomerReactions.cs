using Azure.Messaging.ServiceBus;
using Commerce;
using Commerce.Customers;
using EventSourcing;
using Functions.Messaging;
using Microsoft.Azure.Functions.Worker;
using static Commerce.Customers.CustomerCommand;

namespace Functions.Choreography;

/// <summary>
/// Customers: hold credit for an order as it is placed, give it back when the stock is given back or the order is paid.
/// </summary>
public sealed class CustomerReactions(
    CommandHandler<Customer, CustomerCommand, CustomerEvent> customers, PlacedOrders orders, Listening listening)
{
    const string Context = "customers";

    [Function(nameof(ReactCustomers))]
    public Task ReactCustomers(
        [ServiceBusTrigger(Outbox.Topic, Context, Connection = Connections.ServiceBus, IsSessionsEnabled = true)]
        ServiceBusReceivedMessage message,
        CancellationToken cancellation) =>
        listening.HearAsync(
            Context,
            message,
            heard => heard.Content switch
            {
                OrderPlaced e => AskAsync(
                    heard,
                    "reserve",
                    new(e.Customer),
                    new RequestCredit(ReservationOf(e.Order), new(e.Total.MinorUnits, new(e.Total.Currency))),
                    cancellation),
                StockRefused e => ReleaseAsync(heard, e.Order, e.Code, cancellation),
                StockReleased e => ReleaseAsync(heard, e.Order, e.Code, cancellation),
                PaymentCaptured e => ReleaseAsync(heard, e.Order, why: null, cancellation),
                _ => throw heard.Unexpected(),
            },
            cancellation);

    async Task ReleaseAsync(Heard heard, Guid order, string? why, CancellationToken cancellation)
    {
        var placed = await orders.FindAsync(new(order), cancellation);
        await AskAsync(
            heard, "release", placed.Customer, new ReleaseCredit(ReservationOf(order), why), cancellation);
    }

    async Task AskAsync(
        Heard heard, string verb, CustomerId customer, CustomerCommand command, CancellationToken cancellation)
    {
        var outcome = await customers.HandleAsync(
            Customer.Stream(customer), command, heard.Command(verb), cancellation);
        heard.Demand(outcome.Refusal);
    }

    static CreditReservationId ReservationOf(Guid order) => CreditReservationId.Of(new OrderId(order));
}
