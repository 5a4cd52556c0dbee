using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;

namespace Runtime.DurableTask.Tests;

public sealed class ActivityTests
{
    [Theory, EveryStorage]
    public async Task Activities_run_one_after_the_other_with_their_results(Storage storage)
    {
        await using var host = await TestHost.StartAsync(storage, registry => registry
            .AddActivityFunc<int, int>("Double", (_, number) => number * 2)
            .AddOrchestratorFunc<int, int>("Chain", async (context, number) =>
            {
                for (var i = 0; i < 3; i++)
                {
                    number = await context.CallActivityAsync<int>("Double", number);
                }

                return number;
            }));

        var ended = await host.RunAsync("Chain", 5);

        Assert.Equal(OrchestrationRuntimeStatus.Completed, ended.RuntimeStatus);
        Assert.Equal(40, ended.ReadOutputAs<int>());
    }

    [Theory, EveryStorage]
    public async Task Activities_fan_out_and_in(Storage storage)
    {
        await using var host = await TestHost.StartAsync(storage, registry => registry
            .AddActivityFunc<int, int>("Square", (_, number) => number * number)
            .AddOrchestratorFunc<int, int>("Sum", async (context, count) =>
            {
                var calls = Enumerable.Range(0, count).Select(i => context.CallActivityAsync<int>("Square", i));
                return (await Task.WhenAll(calls)).Sum();
            }));

        var ended = await host.RunAsync("Sum", 100);

        Assert.Equal(328350, ended.ReadOutputAs<int>());
    }
}
