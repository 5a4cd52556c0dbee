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
    CommandHandler<Order, OrderCommand, OrderEvent> orders,
    CommandHandler<Restock, RestockCommand, RestockEvent> restocks,
    SagaStories stories, SagaSettings settings, Parking parking, TimeProvider clock, ILogger<StartSagas> log)
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

    /// <summary>
    /// How the saga begins that this event asks for, for the first time or again; null when nothing is left to do, or
    /// the event asks for none.
    /// </summary>
    public async Task<Beginning?> BeginningAsync(StoredEvent stored, Rerun? again, CancellationToken cancellation)
    {
        if (stored.EventType == "restock-requested") return await RestockAsync(stored, again, cancellation);
        var recorded = Aggregates.Orders.Codec.Decode(stored);
        var origin = OriginOf(recorded);
        return recorded.Event switch
        {
            OrderEvent.Placed { Workflow: Order.Orchestration } e =>
                await PlacedAsync(origin, e, recorded, again, cancellation),
            OrderEvent.ReturnRequested =>
                await ReturnAsync(origin with { Saga = ReturnSaga.IdOf(origin.Order) }, recorded, again, cancellation),
            _ => null,
        };
    }

    async Task TakeAsync(DurableTaskClient sagas, StoredEvent stored, CancellationToken cancellation)
    {
        if (Starts(stored))
        {
            if (await BeginningAsync(stored, again: null, cancellation) is { } beginning)
                await StartAsync(sagas, beginning, cancellation);
            return;
        }

        // To an order that no saga carries out, or none any more, it says nothing: such an event is discarded.
        await sagas.RaiseEventAsync(
            OriginOf(Aggregates.Orders.Codec.Decode(stored)).Saga, OrderSaga.OrderChanged, stored.EventType,
            cancellation);
    }

    async Task<Beginning?> PlacedAsync(
        Origin origin, OrderEvent.Placed placed, Recorded<OrderEvent> recorded, Rerun? again,
        CancellationToken cancellation)
    {
        var at = recorded.Metadata.Timestamp;
        var isConfirmed = false;
        if (again is not null || clock.GetUtcNow() - at > OldAfter)
        {
            // The pivot is behind an order that was confirmed, and a cancelled one has been taken back: to ask gateway
            // and carrier for it all again, who may answer otherwise today, could undo what has long been done.
            var order = (await orders.KnownAsync(recorded.Stream, TimeSpan.Zero, cancellation)).State;
            if (order.Status == OrderStatus.Cancelled) return null;
            isConfirmed = order.Status != OrderStatus.Pending;
        }

        return new(
            SagaStories.Begin(origin, nameof(OrderSaga), SagaStories.Version, at, again),
            new PlacedOrder(
                origin, placed.Lines, placed.Total, placed.ShipTo, placed.PaymentMethod,
                isConfirmed ? null : settings.ApprovalOf(placed.Total), isConfirmed)
            {
                Again = again,
            });
    }

    async Task<Beginning?> ReturnAsync(
        Origin origin, Recorded<OrderEvent> recorded, Rerun? again, CancellationToken cancellation)
    {
        var age = again is null ? TimeSpan.MaxValue : TimeSpan.Zero;
        var order = (await orders.KnownAsync(recorded.Stream, age, cancellation)).State;
        if (again is not null && order.Status == OrderStatus.Returned) return null;
        return new(
            SagaStories.Begin(origin, nameof(ReturnSaga), SagaStories.Version, recorded.Metadata.Timestamp, again),
            new ReturnedOrder(origin, order.Content!.Lines, order.Content.Total) { Again = again });
    }

    async Task<Beginning?> RestockAsync(StoredEvent stored, Rerun? again, CancellationToken cancellation)
    {
        var recorded = Aggregates.Restocks.Codec.Decode(stored);
        var requested = (RestockEvent.Requested)recorded.Event;
        var isOrdered = false;
        if (again is not null)
        {
            var restock = (await restocks.KnownAsync(recorded.Stream, TimeSpan.Zero, cancellation)).State;
            if (restock.Status is RestockStatus.Received or RestockStatus.Abandoned) return null;
            isOrdered = restock.Status == RestockStatus.Ordered;
        }

        var origin = new RestockOrigin(
            Restock.IdOf(recorded.Stream), recorded.Metadata.CorrelationId, recorded.Metadata.EventId.ToString("D"));
        return new(
            SagaStories.Begin(origin, SagaStories.Version, recorded.Metadata.Timestamp, again),
            new RestockOrder(origin, requested.Product, requested.Quantity) { IsOrdered = isOrdered, Again = again });
    }

    static Origin OriginOf(Recorded<OrderEvent> recorded) => new(
        Order.IdOf(recorded.Stream), recorded.Metadata.CorrelationId, recorded.Metadata.EventId.ToString("D"))
    {
        TraceParent = recorded.Metadata.TraceParent,
    };

    async Task StartAsync(DurableTaskClient sagas, Beginning beginning, CancellationToken cancellation)
    {
        var story = beginning.Story;
        if (await sagas.GetInstanceAsync(story.Saga, cancellation) is not null) return;

        // The story first: a saga that runs is never invisible. Both writes are harmless when they happen again.
        if (!await stories.OpenAsync(story, cancellation)) return;
        await sagas.ScheduleNewOrchestrationInstanceAsync(
            story.Type, beginning.Input, new StartOrchestrationOptions(story.Saga), cancellation);
        log.LogInformation("Saga {Saga} started", story.Saga);
    }
}

/// <summary>The first chapter of a saga, and what its orchestration is given.</summary>
public sealed record Beginning(SagaStory Story, object Input);
