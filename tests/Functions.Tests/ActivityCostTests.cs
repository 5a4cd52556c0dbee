using Functions.EventStore;
using Functions.Tests.Choreography;
using Runtime.Cosmos;
using Runtime.DurableTask;
using Runtime.Local;

namespace Functions.Tests;

/// <summary>The intake is the busiest endpoint of a shop: what it asks of the store is promised.</summary>
public sealed class ActivityCostTests
{
    [Fact]
    public async Task What_a_person_does_whom_this_process_knows_costs_the_event_store_nothing()
    {
        var clock = new VirtualClock(new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero));
        await using var system = await LocalSystem.StartAsync(
            new() { Clock = clock, Settings = RunningSystem.Settings() }, default);
        using var http = system.CreateHttpClient();
        var api = new Api(http);
        var customer = await Wanted.CustomerAsync(api, 100_00);
        await LookAtAsync(api, customer, clock.GetUtcNow());

        clock.Advance(TimeSpan.FromMinutes(30));
        var before = Asked(system);
        await LookAtAsync(api, customer, clock.GetUtcNow());

        Assert.Equal(0, Asked(system) - before);
    }

    /// <summary>Questions about streams; the feeds look for themselves.</summary>
    static long Asked(LocalSystem system)
    {
        var charged = system.Cosmos.Ledger.Snapshot().Of(Store.Events);
        return charged[CosmosOperation.Read].Requests + charged[CosmosOperation.Query].Requests
            + charged[CosmosOperation.ReadFeed].Requests;
    }

    static async Task LookAtAsync(Api api, Guid customer, DateTimeOffset at)
    {
        var answer = await api.PostAsync(
            "/api/activity",
            new
            {
                userId = customer,
                events = new[] { new { id = Guid.NewGuid(), action = "viewed", productId = "blue-mug", at } },
            },
            null,
            default);
        Assert.Equal(202, (int)answer.Status);
    }
}
