using Runtime.Local;

namespace Functions.Tests;

/// <summary>The simulation that anyone can run, small; it crashes, loses and repeats like a large one.</summary>
public sealed class SimulationTests
{
    [Fact]
    public async Task Whatever_goes_wrong_the_books_balance_in_both_workflows() =>
        Assert.Equal(0, await Simulate.RunAsync(new(Orders: 16, Seed: 7), CancellationToken.None));
}
