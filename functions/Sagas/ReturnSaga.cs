using System.Collections.Immutable;
using System.Text.Json.Serialization;
using Commerce;
using Commerce.Ordering;
using EventSourcing;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask;

namespace Functions.Sagas;

/// <summary>An order to be given back: what was sold, and what the customer paid.</summary>
public sealed record ReturnedOrder(Origin Origin, ImmutableArray<OrderLine> Lines, Money Total)
{
    /// <summary>Set when an earlier run of the saga broke.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public Rerun? Again { get; init; }
}

/// <summary>
/// Takes a confirmed order back: the parcel is kept from leaving if it still can be, the money refunded, the goods put
/// in stock again. It begins behind its point of no return, so it only goes forward.
/// </summary>
public static class ReturnSaga
{
    static readonly TimeSpan OutsideTimeout = TimeSpan.FromSeconds(30);

    /// <summary>
    /// The order's own saga may still be at work, or parked: about a day of asking, then somebody has to look.
    /// </summary>
    static readonly StepPolicy UntilTheSaleIsDone = new(
        40, FirstPause: TimeSpan.FromSeconds(1), PauseMax: TimeSpan.FromHours(1));

    public static string IdOf(OrderId order) => StreamId.Of("return", order.Value).ToString();

    [Function(nameof(ReturnSaga))]
    public static async Task RunAsync([OrchestrationTrigger] TaskOrchestrationContext context, ReturnedOrder order)
    {
        var saga = new Saga(context, SagaStories.Begin(
            order.Origin, nameof(ReturnSaga), context.Version, new(context.CurrentUtcDateTime, TimeSpan.Zero),
            order.Again));

        await saga.MustAsync(AwaitSale(order));
        await saga.MustAsync(RecallParcel(order));
        await saga.MustAsync(RefundPayment(order));
        await saga.MustAllAsync(order.Lines.Select(line => Restock(order, line)));
        await saga.MustAsync(CompleteReturn(order));
        await saga.EndAsync();
    }

    static Step AwaitSale(ReturnedOrder order) =>
        new("wait until the sale is done", nameof(ReturnSteps.AwaitSale), order) { Policy = UntilTheSaleIsDone };

    static Step RecallParcel(ReturnedOrder order) =>
        new("recall parcel", nameof(ReturnSteps.RecallParcel), order.Origin) { Timeout = OutsideTimeout };

    static Step RefundPayment(ReturnedOrder order) =>
        new("refund payment", nameof(ReturnSteps.RefundPayment), new RefundStep(order.Origin, order.Total))
        {
            Timeout = OutsideTimeout,
        };

    static Step Restock(ReturnedOrder order, OrderLine line) =>
        new($"restock {line.Product}", nameof(ReturnSteps.RestockReturned),
            new StockStep(order.Origin, line.Product, line.Quantity));

    static Step CompleteReturn(ReturnedOrder order) =>
        new("complete return", nameof(ReturnSteps.CompleteReturn), order.Origin);
}
