using Azure.Messaging.ServiceBus;
using Commerce;
using Commerce.Ordering;
using EventSourcing;
using Functions.Messaging;
using Microsoft.Azure.Functions.Worker;
using static Commerce.Ordering.OrderCommand;

namespace Functions.Choreography;

/// <summary>
/// Ordering: confirm an order whose parcel is booked, cancel it once its credit is refused or given back.
/// </summary>
public sealed class OrderingReactions(
    CommandHandler<Order, OrderCommand, OrderEvent> orders, Listening listening)
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
                ShipmentBooked e => ConfirmAsync(heard, new(e.Order), cancellation),
                CreditRefused e => CancelAsync(heard, new(e.Order), e.Code, cancellation),
                CreditReleased e => CancelAsync(heard, new(e.Order), e.Code, cancellation),
                _ => throw heard.Unexpected(),
            },
            cancellation);

    async Task ConfirmAsync(Heard heard, OrderId order, CancellationToken cancellation)
    {
        var outcome = await AskAsync(heard, "confirm", order, new Confirm(), cancellation);

        // Somebody wanted it stopped first: shipping has heard of that as well, and the undoing is on its way.
        if (outcome is { } no && no != OrderRefusal.CancellationRequested && no != OrderRefusal.Cancelled)
            throw new ReactionRefusedException(heard, no);
    }

    async Task CancelAsync(Heard heard, OrderId order, string code, CancellationToken cancellation)
    {
        var command = new Cancel(code, $"The order could not be carried out: {code}.");
        if (await AskAsync(heard, "cancel", order, command, cancellation) is { } no)
            throw new ReactionRefusedException(heard, no);
    }

    async Task<Refusal?> AskAsync(
        Heard heard, string verb, OrderId order, OrderCommand command, CancellationToken cancellation) =>
        (await orders.HandleAsync(Order.Stream(order), command, heard.Command(verb), cancellation)).Refusal;
}
