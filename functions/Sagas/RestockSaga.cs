using System.Collections.Immutable;
using System.Text.Json.Serialization;
using Commerce;
using Commerce.Restocking;
using EventSourcing;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask;

namespace Functions.Sagas;

/// <summary>Whose step it is: the restock, and the request and event it all began with.</summary>
public sealed record RestockOrigin(RestockId Restock, string CorrelationId, string CausationId)
{
    public string Saga => RestockSaga.IdOf(Restock);

    /// <summary>A step's command: asking again is a repeat and not a second effect.</summary>
    public CommandContext Command(string step) => new($"{Saga}/{step}", CorrelationId, CausationId, Saga);
}

/// <summary>What is to be restocked, as it was requested.</summary>
public sealed record RestockOrder(RestockOrigin Origin, ProductId Product, int Quantity)
{
    /// <summary>A supplier has taken the order: the saga only goes forward.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool IsOrdered { get; init; }

    /// <summary>Set when an earlier run of the saga broke.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public Rerun? Again { get; init; }
}

/// <summary>
/// Orders goods from the cheapest supplier that delivers and puts them in stock. A supplier that declines, or of which
/// nobody knows whether it will deliver, is passed over for the next one; an order that one has taken is the point of
/// no return.
/// </summary>
public static class RestockSaga
{
    static readonly TimeSpan OutsideTimeout = TimeSpan.FromSeconds(30);

    static readonly ImmutableArray<string> Ranks = ["the cheapest", "the second cheapest", "the third cheapest"];

    public static string IdOf(RestockId restock) => Restock.Stream(restock).ToString();

    [Function(nameof(RestockSaga))]
    public static async Task<Refusal?> RunAsync(
        [OrchestrationTrigger] TaskOrchestrationContext context, RestockOrder order)
    {
        var saga = new Saga(context, SagaStories.Begin(
            order.Origin, context.Version, new(context.CurrentUtcDateTime, TimeSpan.Zero), order.Again));

        var refusal = order.IsOrdered ? null :
            await saga.AskAsync(CollectOffers(order)) ??
            await saga.FirstOfAsync(Ranks.Select((name, rank) => OrderFrom(order, name, rank)));

        if (refusal is not null)
        {
            await saga.UndoAsync(refusal);
            await saga.MustAsync(Abandon(order, refusal));
        }
        else
        {
            await saga.MustAsync(BookGoods(order));
            await saga.MustAsync(Complete(order));
        }

        await saga.EndAsync();
        return refusal;
    }

    static Step CollectOffers(RestockOrder order) =>
        new("collect offers", nameof(RestockSteps.CollectOffers), order) { Timeout = OutsideTimeout };

    static Step OrderFrom(RestockOrder order, string name, int rank) =>
        new($"order from {name}", nameof(RestockSteps.OrderFromSupplier), new SupplierStep(order, rank),
            nameof(RestockSteps.CancelSupplierOrder))
        {
            Timeout = OutsideTimeout,
        };

    static Step BookGoods(RestockOrder order) =>
        new($"book {order.Product} in", nameof(RestockSteps.BookGoods), order);

    static Step Complete(RestockOrder order) =>
        new("complete restock", nameof(RestockSteps.CompleteRestock), order);

    static Step Abandon(RestockOrder order, Refusal why) =>
        new("abandon restock", nameof(RestockSteps.AbandonRestock), new AbandonedStep(order, why));
}
