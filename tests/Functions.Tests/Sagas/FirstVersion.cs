using Commerce;
using Commerce.Ordering;
using Functions.Sagas;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;

namespace Functions.Tests.Sagas;

/// <summary>Starts order sagas as the first version's starter left them.</summary>
static class FirstVersion
{
    /// <summary>Due to run only when its order is there; the feed finds it and starts no other.</summary>
    public static Task<string> StartAsync(FaultySystem system, Guid order, int number, DateTimeOffset at)
    {
        Money price = new(1_00, Currency.EUR);
        var lines = system.LinesOf(number);
        return system.System.Host.Durable.Client.ScheduleNewOrchestrationInstanceAsync(
            nameof(OrderSaga),
            new PlacedOrder(
                new(new(order), "test", "test"),
                [.. lines.Select(line => new OrderLine(new(line.Product), line.Quantity, price))],
                price * lines.Sum(line => line.Quantity),
                new("Sample Customer", "Main Street 1", "Berlin", "10115", "DE"),
                new("card_4242")),
            new StartOrchestrationOptions($"order-{order}", at) { Version = "1" },
            default);
    }
}
