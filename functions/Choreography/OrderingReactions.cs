using Azure.Messaging.ServiceBus;
using Commerce;
using Commerce.Ordering;
using EventSourcing;
using Functions.Messaging;
using Microsoft.Azure.Functions.Worker;
using static Commerce.Ordering.OrderCommand;

namespace Functions.Choreography;

/// <summary>
/// Ordering: ask for approval of a large order whose goods are held, confirm an order whose parcel is booked, cancel it
/// once its credit is refused or given back.
/// </summary>
public sealed class OrderingReactions(
    CommandHandler<Order, OrderCommand, OrderEvent> orders, PlacedOrders placedOrders, Listening listening)
{
    const string Context = "ordering";

    [Function(nameof(ReactOrdering))]
    public Task ReactOrdering(
        [ServiceBusTrigger(Outbox.Topic, Context, Connection = Connections.ServiceBus, IsSessionsEnabled = true)]
        ServiceBusReceivedMessage message,
        CancellationToken cancellation) =>
        listening.HearAsync(
            Context,
            message,
            heard => heard.Content switch
            {
                StockReserved e => AskApprovalAsync(heard, new(e.Order), cancellation),
                ShipmentBooked e => ConfirmAsync(heard, new(e.Order), cancellation),
                CreditRefused e => CancelAsync(heard, new(e.Order), e.Code, cancellation),
                CreditReleased e => CancelAsync(heard, new(e.Order), e.Code, cancellation),
                _ => throw heard.Unexpected(),
            },
            cancellation);

    /// <summary>
    /// Goods are held while people think it over, a card is not: payments goes on with the answer. The time counts from
    /// the event heard, so that heard again it is the same question.
    /// </summary>
    async Task AskApprovalAsync(Heard heard, OrderId order, CancellationToken cancellation)
    {
        var placed = await placedOrders.FindAsync(order, cancellation);
        if (placed.ApproveWithin is { } within)
            DemandUnlessStopped(heard, await AskAsync(
                heard, "request-approval", order, new RequestApproval(heard.Event.Time + within), cancellation));
    }

    async Task ConfirmAsync(Heard heard, OrderId order, CancellationToken cancellation)
    {
        DemandUnlessStopped(heard, await AskAsync(heard, "confirm", order, new Confirm(), cancellation));
    }

    // Somebody wanted it stopped first: shipping has heard of that as well, and the undoing is on its way.
    static void DemandUnlessStopped(Heard heard, Refusal? refusal)
    {
        if (refusal != OrderRefusal.CancellationRequested && refusal != OrderRefusal.Cancelled) heard.Demand(refusal);
    }

    async Task CancelAsync(Heard heard, OrderId order, string code, CancellationToken cancellation)
    {
        var command = new Cancel(code, $"The order could not be carried out: {code}.");
        heard.Demand(await AskAsync(heard, "cancel", order, command, cancellation));
    }

    async Task<Refusal?> AskAsync(
        Heard heard, string verb, OrderId order, OrderCommand command, CancellationToken cancellation) =>
        (await orders.HandleAsync(Order.Stream(order), command, heard.Command(verb), cancellation)).Refusal;
}
