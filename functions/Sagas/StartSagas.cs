using System.Text.Json;
using Commerce.Ordering;
using Commerce.Restocking;
using EventSourcing;
using Functions.EventStore;
using Functions.Projections;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Logging;

namespace Functions.Sagas;

/// <summary>
/// Starts and wakes sagas. The event itself asks for it, through the change feed: what is stored gets its saga, and an
/// answer reaches it, whatever crashes in between. The instance id from the business id makes a repeated start
/// harmless, and a repeated waking only makes a saga look once more.
/// </summary>
public sealed class StartSagas(
    CommandHandler<Order, OrderCommand, OrderEvent> orders, SagaStories stories, SagaSettings settings,
    ILogger<StartSagas> log)
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
        // Streams side by side, each in its own order: a saga is started before it is woken.
        var streams = Changes.Events(changes).Where(e => Asking.Contains(e.EventType)).GroupBy(e => e.StreamId);
        await Parallel.ForEachAsync(
            streams,
            new ParallelOptions { MaxDegreeOfParallelism = StartsInParallelMax, CancellationToken = cancellation },
            async (stream, stop) =>
            {
                foreach (var stored in stream) await TakeAsync(sagas, stored, stop);
            });
    }

    static readonly HashSet<string> Asking =
    [
        "order-placed", "order-approved", "order-rejected", "order-cancellation-requested", "order-return-requested",
        "restock-requested",
    ];

    Task TakeAsync(DurableTaskClient sagas, StoredEvent stored, CancellationToken cancellation)
    {
        if (stored.EventType == "restock-requested") return RestockAsync(sagas, stored, cancellation);
        var recorded = Aggregates.Orders.Codec.Decode(stored);
        var origin = new Origin(
            Order.IdOf(recorded.Stream), recorded.Metadata.CorrelationId, recorded.Metadata.EventId.ToString("D"))
        {
            TraceParent = recorded.Metadata.TraceParent,
        };
        return recorded.Event switch
        {
            OrderEvent.Placed { Workflow: Order.Orchestration } e => StartAsync(
                sagas,
                SagaStories.Begin(origin, nameof(OrderSaga), SagaStories.Version, recorded.Metadata.Timestamp),
                new PlacedOrder(
                    origin, e.Lines, e.Total, e.ShipTo, e.PaymentMethod, settings.ApprovalOf(e.Total)),
                cancellation),
            OrderEvent.Placed => Task.CompletedTask,
            OrderEvent.ReturnRequested => ReturnAsync(
                sagas, origin with { Saga = ReturnSaga.IdOf(origin.Order) }, recorded, cancellation),

            // To an order that no saga carries out, or none any more, it says nothing: such an event is discarded.
            _ => sagas.RaiseEventAsync(origin.Saga, OrderSaga.OrderChanged, stored.EventType, cancellation),
        };
    }

    async Task ReturnAsync(
        DurableTaskClient sagas, Origin origin, Recorded<OrderEvent> recorded, CancellationToken cancellation)
    {
        var placed = (await orders.KnownAsync(recorded.Stream, TimeSpan.MaxValue, cancellation)).State.Content!;
        await StartAsync(
            sagas,
            SagaStories.Begin(origin, nameof(ReturnSaga), SagaStories.Version, recorded.Metadata.Timestamp),
            new ReturnedOrder(origin, placed.Lines, placed.Total),
            cancellation);
    }

    Task RestockAsync(DurableTaskClient sagas, StoredEvent stored, CancellationToken cancellation)
    {
        var recorded = Aggregates.Restocks.Codec.Decode(stored);
        var requested = (RestockEvent.Requested)recorded.Event;
        var origin = new RestockOrigin(
            Restock.IdOf(recorded.Stream), recorded.Metadata.CorrelationId, recorded.Metadata.EventId.ToString("D"));
        return StartAsync(
            sagas,
            SagaStories.Begin(origin, SagaStories.Version, recorded.Metadata.Timestamp),
            new RestockOrder(origin, requested.Product, requested.Quantity),
            cancellation);
    }

    async Task StartAsync(
        DurableTaskClient sagas, SagaStory story, object input, CancellationToken cancellation)
    {
        if (await sagas.GetInstanceAsync(story.Saga, cancellation) is not null) return;

        // The story first: a saga that runs is never invisible. Both writes are harmless when they happen again.
        if (!await stories.OpenAsync(story, cancellation)) return;
        await sagas.ScheduleNewOrchestrationInstanceAsync(
            story.Type, input, new StartOrchestrationOptions(story.Saga), cancellation);
        log.LogInformation("Saga {Saga} started", story.Saga);
    }
}
