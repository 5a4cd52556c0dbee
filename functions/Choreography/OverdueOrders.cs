using Commerce;
using Commerce.Ordering;
using EventSourcing;
using Functions.Messaging;
using Functions.Projections;
using Microsoft.Azure.Cosmos;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.Logging;

namespace Functions.Choreography;

/// <summary>
/// Stops choreographed orders that stay pending for too long: nobody leads them, so nobody else would notice.
/// </summary>
/// <remarks>
/// It reads a view, so it may come late, and never wrong: the order itself decides. A step that answers afterwards
/// finds its stream closed by the undoing, or is undone with the rest.
/// </remarks>
public sealed class OverdueOrders(
    ViewContainer views,
    IEventStore store,
    CommandHandler<Order, OrderCommand, OrderEvent> orders,
    TimeProvider clock,
    ILogger<OverdueOrders> log)
{
    public const int OrdersPerRunMax = 500;

    public static readonly TimeSpan PendingMax = TimeSpan.FromMinutes(15);

    [Function(nameof(CancelOverdueOrders))]
    public Task CancelOverdueOrders([TimerTrigger("15 * * * * *")] TimerInfo timer, CancellationToken cancellation) =>
        CancelAsync(cancellation);

    /// <summary>How many orders it asked to stop.</summary>
    public async Task<int> CancelAsync(CancellationToken cancellation)
    {
        var live = await views.LiveAsync(Views.OrderList, cancellation);
        var query = new QueryDefinition(
            "SELECT * FROM c WHERE c.generation = @generation AND c.view.status = @status "
            + "AND c.view.placedAt <= @bound")
            .WithParameter("@status", "pending")
            .WithParameter("@bound", clock.GetUtcNow() - PendingMax);
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
        var known = (await orders.KnownAsync(stream, TimeSpan.Zero, cancellation)).State;
        if (known is not { Status: OrderStatus.Pending, Request: null, Content.Workflow: Order.Choreography })
            return false;

        var placed = await store.ReadAsync(stream, new(1, 1), cancellation).FirstAsync(cancellation);
        var outcome = await orders.HandleAsync(
            stream,
            new OrderCommand.RequestCancellation("It stayed pending for too long.", Integration.Watcher),
            new(
                $"{Integration.ChoreographedPrefix}{Integration.Watcher}/{order}",
                placed.CorrelationId,
                placed.EventId.ToString("D"),
                Integration.Watcher),
            cancellation);
        if (outcome.Refusal is null) log.LogWarning("{Order} stayed pending for too long and is stopped", stream);
        return outcome.Refusal is null;
    }
}
