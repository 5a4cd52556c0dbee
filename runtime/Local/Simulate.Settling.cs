using System.Collections.Concurrent;
using System.Diagnostics;
using Commerce.Ordering;
using Functions.Projections;
using Microsoft.Azure.Cosmos;
using Microsoft.Extensions.DependencyInjection;

namespace Runtime.Local;

sealed partial class Simulate
{
    /// <summary>Waits until every order of the wave has ended.</summary>
    async Task SettleAsync(Wave wave, CancellationToken stop)
    {
        var (open, progress, told) = (wave.Orders.ToList(), Stopwatch.StartNew(), Stopwatch.StartNew());
        while (open.Count > 0)
        {
            var left = wave.Workflow == Order.Orchestration
                ? await SagasAsync(open, stop) : await PendingAsync(open, stop);
            ended += open.Count - left.Count;
            if (left.Count < open.Count) progress.Restart();
            open = left;
            isStalled = progress.Elapsed > StalledAfter;
            if (isStalled && faults.On) await TryReconcileAsync(stop);
            if (progress.Elapsed > Patience)
            {
                foreach (var order in open) violations.Add(new(order.Id, Book.Order, "does not end"));
                return;
            }

            if (open.Count == 0 || told.Elapsed > TellEvery)
            {
                told.Restart();
                Tell($"{ended} of {plan.Orders} orders ended, {crashes} crashes, "
                    + $"{decisions} decisions about parked sagas");
            }

            // To look at every open order is work itself: not more than a small part of the time.
            if (open.Count > 0) await Task.Delay(open.Count > 100 ? 10 * Round : Round, TimeProvider.System, stop);
        }
    }

    /// <summary>Those whose saga has not ended; one that is parked is told to try again.</summary>
    async Task<List<Placed>> SagasAsync(List<Placed> open, CancellationToken stop)
    {
        var left = new List<Placed>();
        foreach (var order in open)
        {
            var saga = await system!.Host.Durable.Client.GetInstanceAsync(
                $"order-{order.Id}", getInputsAndOutputs: true, stop);
            if (saga?.SerializedCustomStatus?.Contains("parked at", StringComparison.Ordinal) == true)
                await DecideAsync(order, "retry", stop);
            if (saga is not { IsCompleted: true }) left.Add(order);
        }

        return left;
    }

    async Task TryReconcileAsync(CancellationToken stop)
    {
        try
        {
            await ReconcileAsync(stop);
        }
        catch (Exception fault) when (fault is CosmosException or HttpRequestException)
        {
            // The store fails on purpose. A timer would log it and come again, and so does this.
        }
    }

    Task ReconcileAsync(CancellationToken stop)
    {
        var reconciliation = system!.Host.Services.GetRequiredService<Reconciliation>();
        return reconciliation.ReconcileViews(new(), stop);
    }

    /// <summary>Those whose stream does not say yet that they were confirmed or cancelled.</summary>
    async Task<List<Placed>> PendingAsync(List<Placed> open, CancellationToken stop)
    {
        var left = new ConcurrentBag<Placed>();
        await Parallel.ForEachAsync(open, Parallelism(stop), async (order, _) =>
        {
            var events = await Api.EventsAsync($"order-{order.Id}", stop);
            if (!events.Any(e => e.GetProperty("eventType").GetString() is "order-confirmed" or "order-cancelled"))
                left.Add(order);
        });
        return [.. left];
    }

    async Task DecideAsync(Placed order, string action, CancellationToken stop)
    {
        var answer = await new Api(admin!).PostAsync(
            $"/api/operations/sagas/order-{order.Id}/decision",
            new { action, by = "simulation", why = "the outage is over" }, null, stop);
        if (answer.IsSuccess) Interlocked.Increment(ref decisions);
    }
}
