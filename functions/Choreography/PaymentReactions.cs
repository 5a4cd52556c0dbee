using Azure.Messaging.ServiceBus;
using Commerce;
using Commerce.Ordering;
using Commerce.Payments;
using EventSourcing;
using Functions.Messaging;
using Microsoft.Azure.Functions.Worker;
using static Commerce.Payments.PaymentCommand;

namespace Functions.Choreography;

/// <summary>
/// Payments: set money aside for an order whose goods are held, and which is approved if it has to be; let go of it
/// when its parcel does not go, take it when the order is confirmed.
/// </summary>
/// <remarks>
/// First the gateway, idempotent under the payment's id, then the record of its answer; a crash in between asks again
/// and gets the same answer. The gateway is told to void before that is recorded, so a record that says void is never
/// ahead of the money.
/// </remarks>
public sealed class PaymentReactions(
    CommandHandler<Payment, PaymentCommand, PaymentEvent> payments,
    IPaymentGateway gateway,
    PlacedOrders orders,
    Listening listening)
{
    const string Context = "payments";

    [Function(nameof(ReactPayments))]
    public Task ReactPayments(
        [ServiceBusTrigger(Outbox.Topic, Context, Connection = Connections.ServiceBus, IsSessionsEnabled = true)]
        ServiceBusReceivedMessage message,
        CancellationToken cancellation) =>
        listening.HearAsync(
            Context,
            message,
            heard => heard.Content switch
            {
                StockReserved e => AuthorizeAsync(heard, new(e.Order), isApproved: false, cancellation),
                OrderApproved e => AuthorizeAsync(heard, new(e.Order), isApproved: true, cancellation),
                ShipmentRefused e => VoidAsync(heard, new(e.Order), e.Code, cancellation),
                ShipmentCancelled e => VoidAsync(heard, new(e.Order), e.Code, cancellation),
                OrderConfirmed e => CaptureAsync(heard, new(e.Order), cancellation),
                _ => throw heard.Unexpected(),
            },
            cancellation);

    async Task AuthorizeAsync(Heard heard, OrderId order, bool isApproved, CancellationToken cancellation)
    {
        var placed = await orders.FindAsync(order, cancellation);

        // A large order goes on with its approval, which is asked for once its goods are held; who approves does not
        // say how the order is carried out.
        if (placed.Workflow != Order.Choreography || placed.ApproveWithin is not null != isApproved) return;
        var payment = PaymentId.Of(order);

        // Answered already: a message may come again long after a gateway has forgotten that it was asked.
        if ((await payments.LoadAsync(Payment.Stream(payment), StreamRange.All, cancellation)).Sequence > 0) return;
        var answer = await gateway.AuthorizeAsync(payment, placed.Total, placed.PaymentMethod, cancellation);
        var (verb, command) = answer is PaymentAnswer.Approved approved
            ? ("authorize", (PaymentCommand)new RecordAuthorized(placed.Total, approved.Id))
            : ("decline", Declined((PaymentAnswer.Declined)answer));
        var outcome = await payments.HandleAsync(
            Payment.Stream(payment), command, heard.Command(verb), cancellation);

        // Voided meanwhile: the money was let go at the gateway before that was recorded, and others have been told.
        if (outcome.Refusal != PaymentRefusal.Voided) heard.Demand(outcome.Refusal);
    }

    async Task VoidAsync(Heard heard, OrderId order, string? why, CancellationToken cancellation)
    {
        var payment = PaymentId.Of(order);
        var answer = await gateway.VoidAsync(payment, cancellation);
        await MustAsync(heard, "void", payment, answer, new RecordVoided(why), cancellation);
    }

    async Task CaptureAsync(Heard heard, OrderId order, CancellationToken cancellation)
    {
        var payment = PaymentId.Of(order);
        var known = await payments.LoadAsync(Payment.Stream(payment), StreamRange.All, cancellation);
        if (known.State.Authorization is not { } authorization)
            throw new ReactionRefusedException(heard, PaymentRefusal.Unknown);
        var answer = await gateway.CaptureAsync(payment, authorization.AuthorizationId, cancellation);
        await MustAsync(heard, "capture", payment, answer, new RecordCaptured(), cancellation);
    }

    async Task MustAsync(
        Heard heard, string verb, PaymentId payment, PaymentAnswer answer, PaymentCommand command,
        CancellationToken cancellation)
    {
        if (answer is PaymentAnswer.Declined declined) heard.Demand(new(declined.Code, declined.Detail));
        var outcome = await payments.HandleAsync(
            Payment.Stream(payment), command, heard.Command(verb), cancellation);
        heard.Demand(outcome.Refusal);
    }

    static RecordDeclined Declined(PaymentAnswer.Declined declined) => new(declined.Code, declined.Detail);
}
