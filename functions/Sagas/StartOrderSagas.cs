using System.Text.Json;
using Commerce.Ordering;
using EventSourcing;
using Functions.EventStore;
using Functions.Projections;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Logging;

namespace Functions.Sagas;

/// <summary>
/// Starts the saga of every order placed for orchestration. The event itself asks for it, through the change feed: an
/// order that is stored gets its saga, whatever crashes in between, and the instance id from the order makes a repeat
/// harmless.
/// </summary>
public sealed class StartOrderSagas(SagaStories stories, ILogger<StartOrderSagas> log)
{
    const int StartsInParallelMax = 16;

    [Function(nameof(StartPlacedOrders)), ExponentialBackoffRetry(-1, "00:00:01", "00:01:00")]
    public async Task StartPlacedOrders(
        [CosmosDBTrigger(
            Store.Database,
            Store.Events,
            Connection = Store.Connection,
            LeaseContainerName = Store.Leases,
            LeaseContainerPrefix = "order-sagas",
            StartFromBeginning = true,
            FeedPollDelay = Store.FeedPollDelay,
            MaxItemsPerInvocation = Store.FeedItemsMax)]
        IReadOnlyList<JsonElement> changes,
        [DurableClient] DurableTaskClient sagas,
        CancellationToken cancellation)
    {
        var placed = Changes.Events(changes)
            .Where(e => e.EventType == "order-placed")
            .Select(Aggregates.Orders.Codec.Decode)
            .Where(e => e.Event is OrderEvent.Placed { Workflow: Order.Orchestration });
        await Parallel.ForEachAsync(
            placed,
            new ParallelOptions { MaxDegreeOfParallelism = StartsInParallelMax, CancellationToken = cancellation },
            async (order, stop) => await StartAsync(sagas, order, stop));
    }

    async Task StartAsync(DurableTaskClient sagas, Recorded<OrderEvent> recorded, CancellationToken cancellation)
    {
        var placed = (OrderEvent.Placed)recorded.Event;
        var origin = new Origin(
            Order.IdOf(recorded.Stream), recorded.Metadata.CorrelationId, recorded.Metadata.EventId.ToString("D"));
        if (await sagas.GetInstanceAsync(origin.Saga, cancellation) is not null) return;

        // The story first: a saga that runs is never invisible. Both writes are harmless when they happen again.
        if (!await stories.OpenAsync(SagaStories.Begin(origin, recorded.Metadata.Timestamp), cancellation)) return;
        await sagas.ScheduleNewOrchestrationInstanceAsync(
            nameof(OrderSaga),
            new PlacedOrder(origin, placed.Lines, placed.Total, placed.ShipTo, placed.PaymentMethod),
            new StartOrchestrationOptions(origin.Saga),
            cancellation);
        log.LogInformation("Saga {Saga} started", origin.Saga);
    }
}
