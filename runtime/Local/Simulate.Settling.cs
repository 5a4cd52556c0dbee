using System.Diagnostics;
using Commerce.Ordering;
using EventSourcing;
using Functions.Projections;
using Microsoft.Azure.Cosmos;
using Microsoft.Extensions.DependencyInjection;

namespace Runtime.Local;

sealed partial class Simulate
{
    /// <summary>Waits until no more than so many of these orders have not ended, and says which.</summary>
    async Task<List<Placed>> SettleAsync(List<Placed> open, int leftMax, CancellationToken stop)
    {
        var (progress, told, still) = (Stopwatch.StartNew(), Stopwatch.StartNew(), Stopwatch.StartNew());
        var isLed = open is [{ Workflow: Order.Orchestration }, ..];
        var (messages, leaps) = (await MessagesAsync(), 0);
        while (open.Count > leftMax)
        {
            var left = await UnendedAsync(open, stop);
            ended += open.Count - left.Count;
            if (left.Count < open.Count) progress.Restart();
            var before = (Open: open.Count, Messages: messages);
            (open, messages) = (left, await MessagesAsync());
            if (left.Count < before.Open || messages != before.Messages) (still, leaps) = (Stopwatch.StartNew(), 0);
            if (still.Elapsed > QuietAfter)
            {
                // First a reconciliation comes round, or a lock that was lost runs out. Whoever is left then waits for
                // the watcher, and that one for what the list of orders may have missed.
                var isOverdue = !isLed && messages.Waiting == 0 && leaps >= LeapsToReconcile;
                if (isOverdue) await TryFindOverdueAsync(stop);
                clock.Advance(isOverdue ? Order.PendingMax : LongLeap);
                (still, leaps) = (Stopwatch.StartNew(), leaps + 1);
            }

            if (progress.Elapsed > Patience)
            {
                foreach (var order in open)
                    violations.Add(new(order.Id, Book.Order, $"does not end: {await StandAsync(order, stop)}"));
                return [];
            }

            if (open.Count == 0 || told.Elapsed > TellEvery)
            {
                told.Restart();
                Tell($"{ended} of {plan.Orders} orders ended, {crashes} crashes, "
                    + $"{decisions} decisions about parked sagas, {messages.Waiting} messages under way, "
                    + $"{clock.GetUtcNow():MM-dd HH:mm}");
            }

            if (open.Count > leftMax) await Task.Delay(Round, TimeProvider.System, stop);
        }

        return open;
    }

    /// <summary>
    /// Those that have not ended. To look at every open order is work itself: when so many have turned out open, the
    /// others count as open until their turn comes, which is first next time.
    /// </summary>
    async Task<List<Placed>> UnendedAsync(List<Placed> open, CancellationToken stop)
    {
        var left = new List<Placed>();
        var asked = 0;
        foreach (var orders in open.Chunk(RequestsMax))
        {
            if (left.Count >= AskedMax) break;
            asked += orders.Length;
            var hasEnded = await Task.WhenAll(orders.Select(order => order.Workflow == Order.Orchestration
                ? HasSagaEndedAsync(order, stop) : HasStreamEndedAsync(order, stop)));
            left.AddRange(orders.Where((_, i) => !hasEnded[i]));
        }

        return [.. open.Skip(asked), .. left];
    }

    /// <summary>How many messages wait to be delivered, and how many for an operator.</summary>
    async Task<(long Waiting, long Dead)> MessagesAsync()
    {
        var queues = await system!.Broker.CountAsync();
        return (queues.Sum(queue => queue.Active + queue.Scheduled), queues.Sum(queue => queue.DeadLettered));
    }

    /// <summary>Whether its saga has ended; one that is parked is told to try again.</summary>
    async Task<bool> HasSagaEndedAsync(Placed order, CancellationToken stop)
    {
        var saga = await system!.Host.Durable.Client.GetInstanceAsync(
            $"order-{order.Id}", getInputsAndOutputs: true, stop);
        if (saga?.SerializedCustomStatus?.Contains("parked at", StringComparison.Ordinal) == true)
            await DecideAsync(order, "retry", stop);
        return saga is { IsCompleted: true };
    }

    async Task<string> StandAsync(Placed order, CancellationToken stop)
    {
        var saga = await system!.Host.Durable.Client.GetInstanceAsync(
            $"order-{order.Id}", getInputsAndOutputs: true, stop);
        var events = await Api.EventsAsync($"order-{order.Id}", stop);
        return $"{saga?.RuntimeStatus.ToString() ?? "no saga"} {saga?.SerializedCustomStatus}, "
            + string.Join(", ", events.Select(e => e.GetProperty("eventType").GetString()));
    }

    /// <summary>Whether it was confirmed or cancelled, as this process knows it: no other one writes.</summary>
    async Task<bool> HasStreamEndedAsync(Placed order, CancellationToken stop)
    {
        var orders = system!.Host.Services.GetRequiredService<CommandHandler<Order, OrderCommand, OrderEvent>>();
        try
        {
            var known = await orders.KnownAsync(Order.Stream(new(order.Id)), TimeSpan.MaxValue, stop);
            return known.State.Status is not (OrderStatus.None or OrderStatus.Pending);
        }
        catch (Exception fault) when (fault is CosmosException or HttpRequestException)
        {
            // The store fails on purpose. Its turn comes again.
            return false;
        }
    }

    async Task TryFindOverdueAsync(CancellationToken stop)
    {
        try
        {
            await Reconciliation.ReconcileAsync(Views.OrderList, stop);
        }
        catch (Exception fault) when (fault is CosmosException or HttpRequestException)
        {
            // The store fails on purpose. A timer would log it and come again, and so does this.
        }
    }

    Reconciliation Reconciliation => system!.Host.Services.GetRequiredService<Reconciliation>();

    async Task DecideAsync(Placed order, string action, CancellationToken stop)
    {
        var answer = await new Api(admin!).PostAsync(
            $"/api/operations/sagas/order-{order.Id}/decision",
            new { action, by = "simulation", why = "the outage is over" }, null, stop);
        if (answer.IsSuccess) Interlocked.Increment(ref decisions);
    }
}
