using Functions.Sagas;
using Runtime.Cosmos;

namespace Functions.Tests.Sagas;

/// <summary>What a saga costs beside its steps' own commands, as docs/internals/costs.md states it.</summary>
[Collection(nameof(FaultySystem))]
public sealed class SagaCostTests(FaultySystem system)
{
    /// <summary>One start, and for each activity its call and its answer: 8 steps and the last chapter.</summary>
    const int ActionsOfAnOrder = 1 + 2 * (8 + 1);

    /// <summary>The question, the word and the look at it, and two chapters that tell of the wait.</summary>
    const int ActionsOfAnApproval = 2 + 1 + 2 + 2 * 2;

    [Theory]
    [InlineData(1, ActionsOfAnOrder, 2)]
    [InlineData(20, ActionsOfAnOrder + ActionsOfAnApproval, 4)]
    public async Task A_confirmed_order_of_two_lines_takes_the_actions_and_writes_of_its_story_that_are_promised(
        int times, int actionsPromised, int writesPromised)
    {
        await system.System.Host.Durable.WhenIdleAsync();
        var (actions, stories) = (system.System.Host.Durable.Counters.Actions, StoryWrites());
        var order = Guid.NewGuid();
        await system.PlaceAsync(order, 9, times);
        if (times > 1)
        {
            await RunningSystem.EventuallyAsync(
                () => system.StoryAsync(order), story => story.Text("standsAt") == """["approval"]""");
            await system.Api.PostAsync($"/api/orders/{order}/approval", new { decision = "approve" }, null, default);
        }

        await RunningSystem.EventuallyAsync(() => system.StoryAsync(order), story => story.Text("endedAt") is not null);
        await system.System.Host.Durable.WhenIdleAsync();

        Assert.Equal("completed", (await system.StoryAsync(order)).Text("status"));
        Assert.Equal(actionsPromised, system.System.Host.Durable.Counters.Actions - actions);
        Assert.Equal(writesPromised, StoryWrites() - stories);
    }

    long StoryWrites() => system.System.Cosmos.Ledger.Snapshot().Lines
        .Where(line => line.Key.Container == SagaStories.Container
            && line.Key.Operation is CosmosOperation.Create or CosmosOperation.Replace or CosmosOperation.Upsert)
        .Sum(line => line.Value.Requests);
}
