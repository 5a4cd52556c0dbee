using Commerce;
using Commerce.Ordering;
using EventSourcing;
using Functions.EventStore;
using Functions.Messaging;
using Functions.Projections;
using Microsoft.Azure.Cosmos;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.Logging;

namespace Functions.Choreography;

/// <summary>
/// Stops choreographed orders that stay pending for too long, and ends the time for approving them: nobody leads them,
/// so nobody else would notice.
/// </summary>
/// <remarks>
/// It reads a view, so it may come late, and never wrong: the order's stream decides. The view names only orders that
/// are due, those that wait the longest first; one that is stopped is not due any more, so none keeps others waiting.
/// A step that answers afterwards finds its stream closed by the undoing, or is undone with the rest.
/// </remarks>
public sealed class OverdueOrders(
    ViewContainer views,
    IEventStore store,
    CommandHandler<Order, OrderCommand, OrderEvent> orders,
    TimeProvider clock,
    ILogger<OverdueOrders> log)
{
    public const int OrdersPerRunMax = 500;

    [Function(nameof(CancelOverdueOrders))]
    public Task CancelOverdueOrders([TimerTrigger("15 * * * * *")] TimerInfo timer, CancellationToken cancellation) =>
        CancelAsync(cancellation);

    /// <summary>How many orders it asked to stop.</summary>
    public async Task<int> CancelAsync(CancellationToken cancellation)
    {
        var live = await views.LiveAsync(Views.OrderList, cancellation);
        var query = new QueryDefinition(
            "SELECT * FROM c WHERE c.generation = @generation AND c.view.status = @status "
            + "AND c.view.due <= @now ORDER BY c.view.due")
            .WithParameter("@status", "pending")
            .WithParameter("@now", clock.GetUtcNow());
        var stopped = 0;
        foreach (var row in await views.PageAsync(live, query, partition: null, OrdersPerRunMax, cancellation))
        {
            if (row.View is { } summary && await StopAsync(summary.Order, cancellation)) stopped++;
        }

        return stopped;
    }

    async Task<bool> StopAsync(OrderId order, CancellationToken cancellation)
    {
        var stream = Order.Stream(order);
        List<Recorded<OrderEvent>> events;
        try
        {
            events = await store.ReadAsync(stream, StreamRange.All, cancellation)
                .Select(Aggregates.Orders.Codec.Decode).ToListAsync(cancellation);
        }
        catch (UndecodableEventException poison)
        {
            log.LogError(poison, "{Order} is overdue, and nobody can read it", stream);
            return false;
        }

        var row = events.Aggregate((OrderSummary?)null, OrderSummary.Project);
        if (row is not { Status: OrderStatus.Pending, Due: { } due } || due > clock.GetUtcNow()) return false;
        var isUnanswered = events.Exists(e => e.Event is OrderEvent.ApprovalRequested)
            && !events.Exists(e => e.Event is OrderEvent.Approved);
        var placed = events[0].Metadata;
        var outcome = await orders.HandleAsync(
            stream,
            isUnanswered
                ? new OrderCommand.ExpireApproval()
                : new OrderCommand.RequestCancellation("It stayed pending for too long.", Integration.Watcher),
            new(
                $"{Integration.ChoreographedPrefix}{Integration.Watcher}/{order}{(isUnanswered ? "/approval" : "")}",
                placed.CorrelationId,
                placed.EventId.ToString("D"),
                Integration.Watcher),
            cancellation);
        if (outcome.Refusal is null) log.LogWarning("{Order} stayed pending for too long and is stopped", stream);
        return outcome.Refusal is null;
    }
}
