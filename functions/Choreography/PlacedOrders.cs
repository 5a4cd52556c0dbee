using Commerce;
using Commerce.Ordering;
using EventSourcing;

namespace Functions.Choreography;

/// <summary>
/// What was ordered, asked of its owner: addresses, ways to pay and the like do not travel in messages. It was written
/// once and never changes, so what this process knows of it is as good as the store.
/// </summary>
public sealed class PlacedOrders(CommandHandler<Order, OrderCommand, OrderEvent> orders)
{
    public async ValueTask<OrderEvent.Placed> FindAsync(OrderId order, CancellationToken cancellation) =>
        (await orders.KnownAsync(Order.Stream(order), TimeSpan.MaxValue, cancellation)).State.Content
        ?? throw new InvalidOperationException($"A message speaks of order {order}, and there is none.");
}
