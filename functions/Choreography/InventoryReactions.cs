using System.Collections.Immutable;
using Azure.Messaging.ServiceBus;
using Commerce;
using Commerce.Inventory;
using Commerce.Ordering;
using EventSourcing;
using Functions.Messaging;
using Microsoft.Azure.Functions.Worker;

namespace Functions.Choreography;

/// <summary>
/// Inventory: hold every line of an order that has credit, give all back when its payment fails or is taken back, let
/// the goods go when it is confirmed.
/// </summary>
/// <remarks>
/// The lines live on the streams of many products. What became of all of them is decided on the order's allocation: the
/// lines follow that decision, whichever of two messages or two deliveries comes first and wherever one of them dies.
/// </remarks>
public sealed class InventoryReactions(
    CommandHandler<Stock, StockCommand, StockEvent> stocks,
    CommandHandler<Allocation, AllocationCommand, AllocationEvent> allocations,
    PlacedOrders orders,
    Listening listening)
{
    public const int LinesInParallelMax = 8;

    const string Context = "inventory";

    [Function(nameof(ReactInventory))]
    public Task ReactInventory(
        [ServiceBusTrigger(Outbox.Topic, Context, Connection = Connections.ServiceBus, IsSessionsEnabled = true)]
        ServiceBusReceivedMessage message,
        CancellationToken cancellation) =>
        listening.HearAsync(
            Context,
            message,
            heard => heard.Content switch
            {
                CreditReserved e => ReserveAsync(heard, new(e.Order), cancellation),
                PaymentDeclined e => ReleaseAsync(heard, new(e.Order), e.Code, cancellation),
                PaymentVoided e => ReleaseAsync(heard, new(e.Order), e.Code ?? "payment-voided", cancellation),
                OrderConfirmed e => CommitAsync(heard, new(e.Order), cancellation),
                _ => throw heard.Unexpected(),
            },
            cancellation);

    async Task ReserveAsync(Heard heard, OrderId order, CancellationToken cancellation)
    {
        var placed = await orders.FindAsync(order, cancellation);
        var refusals = await EachAsync(
            heard,
            "reserve",
            placed,
            line => new StockCommand.Reserve(ReservationId.Of(order), line.Quantity),
            cancellation);

        // A line answers a repeat as the first time, even if it was released since. So the answer for all of them is
        // whatever the allocation says now, and if that is no, every line is closed.
        var no = refusals.FirstOrDefault(refusal => refusal is not null);
        AllocationCommand told = no is null
            ? new AllocationCommand.RecordReserved(LinesOf(placed))
            : new AllocationCommand.RecordRefused(no.Code, no.Detail);
        var outcome = await allocations.HandleAsync(
            Allocation.Stream(order),
            told,
            heard.Command(no is null ? "reserved" : "refused") with { LikelyNew = true },
            cancellation);
        if (outcome.State.Status is AllocationStatus.Refused or AllocationStatus.Released)
            await ReleaseLinesAsync(heard, placed, order, cancellation);
    }

    async Task ReleaseAsync(Heard heard, OrderId order, string why, CancellationToken cancellation)
    {
        var placed = await orders.FindAsync(order, cancellation);
        await MustAsync(heard, "close", order, new AllocationCommand.Release(why), cancellation);
        await ReleaseLinesAsync(heard, placed, order, cancellation);
    }

    async Task CommitAsync(Heard heard, OrderId order, CancellationToken cancellation)
    {
        var placed = await orders.FindAsync(order, cancellation);
        var refusals = await EachAsync(
            heard, "commit", placed, _ => new StockCommand.Commit(ReservationId.Of(order)), cancellation);
        heard.Demand(refusals.FirstOrDefault(refusal => refusal is not null));
        await MustAsync(heard, "committed", order, new AllocationCommand.Commit(), cancellation);
    }

    async Task ReleaseLinesAsync(
        Heard heard, OrderEvent.Placed placed, OrderId order, CancellationToken cancellation)
    {
        var refusals = await EachAsync(
            heard, "release", placed, _ => new StockCommand.Release(ReservationId.Of(order)), cancellation);
        heard.Demand(refusals.FirstOrDefault(refusal => refusal is not null));
    }

    async Task MustAsync(
        Heard heard, string verb, OrderId order, AllocationCommand command, CancellationToken cancellation)
    {
        var outcome = await allocations.HandleAsync(
            Allocation.Stream(order), command, heard.Command(verb), cancellation);
        heard.Demand(outcome.Refusal);
    }

    /// <summary>What each line's stock answered, in the order of the lines.</summary>
    async Task<Refusal?[]> EachAsync(
        Heard heard, string verb, OrderEvent.Placed placed, Func<OrderLine, StockCommand> command,
        CancellationToken cancellation)
    {
        var answers = new Refusal?[placed.Lines.Length];
        await Parallel.ForAsync(
            0,
            answers.Length,
            new ParallelOptions { MaxDegreeOfParallelism = LinesInParallelMax, CancellationToken = cancellation },
            async (i, stop) => answers[i] = (await stocks.HandleAsync(
                Stock.Stream(placed.Lines[i].Product), command(placed.Lines[i]), heard.Command(verb), stop)).Refusal);
        return answers;
    }

    static ImmutableArray<AllocatedLine> LinesOf(OrderEvent.Placed placed) =>
        [.. placed.Lines.Select(line => new AllocatedLine(line.Product, line.Quantity))];
}
