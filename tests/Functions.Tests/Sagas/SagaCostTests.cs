using Functions.Sagas;
using Runtime.Cosmos;

namespace Functions.Tests.Sagas;

/// <summary>What a saga costs beside its steps' own commands, as docs/internals/costs.md states it.</summary>
[Collection(nameof(FaultySystem))]
public sealed class SagaCostTests(FaultySystem system)
{
    /// <summary>One start, and for each activity its call and its answer: 8 steps and the last chapter.</summary>
    const int ActionsOfAnOrder = 1 + 2 * (8 + 1);

    [Fact]
    public async Task A_confirmed_order_of_two_lines_takes_nineteen_durable_actions_and_two_writes_of_its_story()
    {
        await system.System.Host.Durable.WhenIdleAsync();
        var (actions, stories) = (system.System.Host.Durable.Counters.Actions, StoryWrites());
        var order = Guid.NewGuid();
        await system.PlaceAsync(order, 9);
        await system.SettleAsync([order]);
        await system.System.Host.Durable.WhenIdleAsync();

        Assert.Equal("completed", (await system.StoryAsync(order)).Text("status"));
        Assert.Equal(ActionsOfAnOrder, system.System.Host.Durable.Counters.Actions - actions);
        Assert.Equal(2, StoryWrites() - stories);
    }

    long StoryWrites() => system.System.Cosmos.Ledger.Snapshot().Lines
        .Where(line => line.Key.Container == SagaStories.Container
            && line.Key.Operation is CosmosOperation.Create or CosmosOperation.Replace or CosmosOperation.Upsert)
        .Sum(line => line.Value.Requests);
}
