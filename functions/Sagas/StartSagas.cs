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
/// harmless, and a repeated waking only makes a saga look once more. What the trigger loses all the same,
/// <see cref="SagaStartWatch"/> finds; an event nobody can read parks its stream here and holds up no other.
/// </summary>
public sealed class StartSagas(
    CommandHandler<Order, OrderCommand, OrderEvent> orders, SagaStories stories, SagaSettings settings,
    Parking parking, TimeProvider clock, ILogger<StartSagas> log)
{
    /// <summary>The lease prefix, and the name under which streams that can not be read are parked.</summary>
    public const string Name = "order-sagas";

    const int StartsInParallelMax = 16;

    /// <summary>
    /// An order placed longer ago whose saga is new has been through it before: its events come from a backup.
    /// </summary>
    static readonly TimeSpan OldAfter = TimeSpan.FromHours(1);

    [Function(nameof(StartPlacedOrders)), ExponentialBackoffRetry(-1, "00:00:01", "00:01:00")]
    public Task StartPlacedOrders(
        [CosmosDBTrigger(
            Store.Database,
            Store.Events,
            Connection = Store.Connection,
            LeaseContainerName = Store.Leases,
            LeaseContainerPrefix = Name,
            StartFromBeginning = true,
            FeedPollDelay = Store.FeedPollDelay,
            MaxItemsPerInvocation = Store.FeedItemsMax)]
        IReadOnlyList<JsonElement> changes,
        [DurableClient] DurableTaskClient sagas,
        CancellationToken cancellation) => TakeAsync(sagas, changes, cancellation);

    /// <summary>Takes in a batch as the feed delivered it.</summary>
    public async Task TakeAsync(
        DurableTaskClient sagas, IReadOnlyList<JsonElement> changes, CancellationToken cancellation)
    {
        var (read, unreadable) = Changes.Sort(changes);
        await parking.ParkAsync(Name, unreadable, Reads, cancellation);
        await TakeAsync(sagas, read, cancellation);
    }

    /// <summary>Starts and wakes whom these events ask for; any of them may come again.</summary>
    public Task TakeAsync(
        DurableTaskClient sagas, IReadOnlyList<StoredEvent> events, CancellationToken cancellation) =>
        // Streams side by side, each in its own order: a saga is started before it is woken.
        Parallel.ForEachAsync(
            events.Where(Asks).GroupBy(e => e.StreamId),
            new ParallelOptions { MaxDegreeOfParallelism = StartsInParallelMax, CancellationToken = cancellation },
            async (stream, stop) =>
            {
                foreach (var stored in stream.OrderBy(e => e.Sequence))
                {
                    try
                    {
                        await TakeAsync(sagas, stored, stop);
                    }
                    catch (UndecodableEventException poison)
                    {
                        await parking.ParkAsync(Name, stored, poison, stop);
                        return;
                    }
                }
            });

    /// <summary>Whether an event of such a stream ever asks for a saga.</summary>
    public static bool Reads(StreamId stream) => stream.Category is Order.Category or Restock.Category;

    public static bool Asks(StoredEvent stored) => Asking.Contains(stored.EventType);

    /// <summary>Such an event begins a saga; the other ones wake one.</summary>
    public static bool Starts(StoredEvent stored) =>
        stored.EventType is "order-placed" or "order-return-requested" or "restock-requested";

    /// <summary>Which saga an event asks for; null when it asks for none, or nobody can read it.</summary>
    public static string? SagaOf(StoredEvent stored)
    {
        if (stored.EventType == "restock-requested") return stored.StreamId;
        try
        {
            var recorded = Aggregates.Orders.Codec.Decode(stored);
            return recorded.Event switch
            {
                OrderEvent.Placed { Workflow: not Order.Orchestration } => null,
                OrderEvent.ReturnRequested => ReturnSaga.IdOf(Order.IdOf(recorded.Stream)),
                _ => OrderSaga.IdOf(Order.IdOf(recorded.Stream)),
            };
        }
        catch (UndecodableEventException)
        {
            return null;
        }
    }

    static readonly HashSet<string> Asking =
    [
        "order-placed", "order-approved", "order-rejected", "order-cancellation-requested", "order-return-requested",
        "restock-requested",
    ];

    async Task TakeAsync(DurableTaskClient sagas, StoredEvent stored, CancellationToken cancellation)
    {
        if (stored.EventType == "restock-requested")
        {
            await RestockAsync(sagas, stored, cancellation);
            return;
        }

        var recorded = Aggregates.Orders.Codec.Decode(stored);
        var origin = new Origin(
            Order.IdOf(recorded.Stream), recorded.Metadata.CorrelationId, recorded.Metadata.EventId.ToString("D"))
        {
            TraceParent = recorded.Metadata.TraceParent,
        };
        await (recorded.Event switch
        {
            OrderEvent.Placed { Workflow: Order.Orchestration } e => PlacedAsync(
                sagas, origin, e, recorded, cancellation),
            OrderEvent.Placed => Task.CompletedTask,
            OrderEvent.ReturnRequested => ReturnAsync(
                sagas, origin with { Saga = ReturnSaga.IdOf(origin.Order) }, recorded, cancellation),

            // To an order that no saga carries out, or none any more, it says nothing: such an event is discarded.
            _ => sagas.RaiseEventAsync(origin.Saga, OrderSaga.OrderChanged, stored.EventType, cancellation),
        });
    }

    async Task PlacedAsync(
        DurableTaskClient sagas, Origin origin, OrderEvent.Placed placed, Recorded<OrderEvent> recorded,
        CancellationToken cancellation)
    {
        var at = recorded.Metadata.Timestamp;
        var isConfirmed = false;
        if (clock.GetUtcNow() - at > OldAfter)
        {
            // The pivot is behind an order that was confirmed, and a cancelled one has been taken back: to ask gateway
            // and carrier for it all again, who may answer otherwise today, could undo what has long been done.
            var order = (await orders.KnownAsync(recorded.Stream, TimeSpan.Zero, cancellation)).State;
            if (order.Status == OrderStatus.Cancelled) return;
            isConfirmed = order.Status != OrderStatus.Pending;
        }

        await StartAsync(
            sagas,
            SagaStories.Begin(origin, nameof(OrderSaga), SagaStories.Version, at),
            new PlacedOrder(
                origin, placed.Lines, placed.Total, placed.ShipTo, placed.PaymentMethod,
                isConfirmed ? null : settings.ApprovalOf(placed.Total), isConfirmed),
            cancellation);
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
