using System.Text.Json;
using Functions.Sagas;

namespace Functions.Tests.Sagas;

/// <summary>
/// Sagas outlive deployments: older versions finish as they began, parked ones wait as long as it takes.
/// </summary>
[Collection(nameof(FaultySystem))]
public sealed class SagaVersionTests(FaultySystem system)
{
    [Fact]
    public void The_version_new_sagas_tell_is_the_one_the_host_gives_them()
    {
        using var host = JsonDocument.Parse(
            File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "host.json")));
        Assert.Equal(
            SagaStories.Version,
            host.RootElement.GetProperty("extensions").GetProperty("durableTask").GetProperty("defaultVersion")
                .GetString());
    }

    [Fact]
    public async Task A_saga_of_the_first_version_and_one_of_the_second_both_finish_as_they_began()
    {
        var (first, second) = (Guid.NewGuid(), Guid.NewGuid());
        await FirstVersion.StartAsync(system, first, number: 8, system.Clock.GetUtcNow().AddDays(1));
        foreach (var order in (Guid[])[first, second])
        {
            system.Strikes.Order(order, [
                new(nameof(ShipmentSteps.BookShipment), Mishap.Refused, 1),
                new(nameof(PaymentSteps.VoidPayment), Mishap.FaultsBeforeEffect, StepPolicy.Behind.AttemptsMax)]);
            await system.PlaceAsync(order, 8);
        }

        system.Clock.Advance(TimeSpan.FromDays(2));
        await system.SettleAsync([first, second]);
        await system.System.Host.Durable.WhenIdleAsync();

        var old = await ParkedStoryAsync(first, steps: 5);
        var young = await ParkedStoryAsync(second, steps: 8);
        Assert.Equal(("1", "2"), (old.Text("version"), young.Text("version")));

        // A parked undo holds up the others in the first version, and lets them go on in the second.
        Assert.DoesNotContain(Steps(old), step => step.StartsWith("undo reserve", StringComparison.Ordinal));
        Assert.Equal(2, Steps(young).Count(step => step.StartsWith("undo reserve", StringComparison.Ordinal)));

        foreach (var (order, story) in new[] { (first, old), (second, young) })
            await system.DecideAsync(
                order, "retry", "undo authorize payment",
                story.Body.GetProperty("parked")[0].GetProperty("stop").GetInt32());
        await system.SettleAsync([first, second]);
        Assert.Equal("compensated", (await system.StoryAsync(first)).Text("status"));
        Assert.Equal("compensated", (await system.StoryAsync(second)).Text("status"));
        var books = system.Books();
        await books.OpenAsync(system.Products, default);
        Assert.Empty(await books.CheckAsync(first, system.LinesOf(8), default));
        Assert.Empty(await books.CheckAsync(second, system.LinesOf(8), default));
    }

    [Fact]
    public async Task A_parked_saga_outlives_the_process()
    {
        var folder = Directory.CreateTempSubdirectory("parked-").FullName;
        var own = new FaultySystem(folder);
        try
        {
            await own.InitializeAsync();
            var order = Guid.NewGuid();
            own.Strikes.Order(order, [
                new(nameof(ShipmentSteps.BookShipment), Mishap.Refused, 1),
                new(nameof(PaymentSteps.VoidPayment), Mishap.FaultsBeforeEffect, StepPolicy.Behind.AttemptsMax)]);
            await own.PlaceAsync(order, 0);
            await own.SettleAsync([order]);
            await own.System.Host.Durable.WhenIdleAsync();

            await own.System.Host.StopAsync(default);
            await own.DisposeAsync();
            own.Clock.Advance(TimeSpan.FromDays(40));
            await own.StartAsync();

            var parked = await own.Admin.GetAsync("/api/operations/sagas?state=parked", default);
            var saga = Assert.Single(parked.Body.GetProperty("sagas").EnumerateArray());
            Assert.Equal($"order-{order}", saga.GetProperty("saga").GetString());
            var stop = Assert.Single(saga.GetProperty("parked").EnumerateArray());
            await own.DecideAsync(order, "retry", "undo authorize payment", stop.GetProperty("stop").GetInt32());
            await own.SettleAsync([order]);
            Assert.Equal("compensated", (await own.StoryAsync(order)).Text("status"));
        }
        finally
        {
            await own.DisposeAsync();
            Directory.Delete(folder, recursive: true);
        }
    }

    Task<Runtime.Local.ApiAnswer> ParkedStoryAsync(Guid order, int steps) => RunningSystem.EventuallyAsync(
        () => system.StoryAsync(order),
        story => story.Text("status") == "parked" && Steps(story).Count >= steps);

    static List<string> Steps(Runtime.Local.ApiAnswer story) =>
        [.. story.Body.GetProperty("steps").EnumerateArray().Select(step => step.GetProperty("step").GetString()!)];
}
