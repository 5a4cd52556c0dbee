using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Functions.Operations;
using Functions.Sagas;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.DependencyInjection;

namespace Functions.Tests.Sagas;

/// <summary>Sagas that hang, die or are forgotten are found, and what is long over is removed.</summary>
[Collection(nameof(FaultySystem))]
public sealed class SagaWatchTests(FaultySystem system)
{
    static readonly TimeSpan Silence = TimeSpan.FromHours(3);

    DurableTaskClient Sagas => system.System.Host.Durable.Client;

    SagaWatch Watch => ActivatorUtilities.CreateInstance<SagaWatch>(system.System.Host.Services);

    [Fact]
    public async Task A_saga_that_hangs_in_a_step_is_listed_as_stuck_and_counted()
    {
        var order = Guid.NewGuid();
        var answer = new TaskCompletionSource();
        system.Around = async (context, next) =>
        {
            if (context.FunctionDefinition.Name == nameof(StockSteps.ReserveStock)
                && $"{context.BindingContext.BindingData.GetValueOrDefault("instanceId")}" == $"order-{order}")
                await answer.Task;
            await system.Strikes.Around(context, next);
        };
        await system.PlaceAsync(order, 6);
        await RunningSystem.EventuallyAsync(
            () => system.StoryAsync(order), story => story.Text("status") == "running");
        Assert.DoesNotContain($"order-{order}", await StuckAsync());

        system.Clock.Advance(Silence);

        Assert.Contains($"order-{order}", await StuckAsync());
        var (found, metrics) = await LookAsync();
        Assert.True(found.Stuck >= 1);
        Assert.True(metrics["sagas.stuck"] >= 1);
        Assert.True(metrics.ContainsKey("sagas.parked"));
        Assert.Equal("running", (await system.StoryAsync(order)).Text("status"));

        answer.SetResult();
        await system.SettleAsync([order]);
        system.Around = system.Strikes.Around;
        Assert.DoesNotContain($"order-{order}", await StuckAsync());
    }

    [Fact]
    public async Task A_saga_whose_orchestration_died_ended_or_vanished_is_marked_as_broken()
    {
        var (died, ended, vanished) = (Guid.NewGuid(), Guid.NewGuid(), Guid.NewGuid());
        await BeginAsync(died);
        await Sagas.ScheduleNewOrchestrationInstanceAsync(
            nameof(OrderSaga), null, new StartOrchestrationOptions($"order-{died}"), default);
        await BeginAsync(ended);
        await Sagas.ScheduleNewOrchestrationInstanceAsync(
            nameof(OrderSaga), null,
            new StartOrchestrationOptions($"order-{ended}", system.Clock.GetUtcNow().AddYears(1)), default);
        await Sagas.TerminateInstanceAsync($"order-{ended}", "on purpose", default);
        await BeginAsync(vanished);
        await LookAsync();
        Assert.Equal("running", (await system.StoryAsync(died)).Text("status"));

        system.Clock.Advance(Silence);
        var (found, metrics) = await LookAsync();

        Assert.True(found.Broken >= 3);
        Assert.True(metrics["sagas.stuck"] >= 3);
        (Guid, string)[] faults = [(died, "Failed"), (ended, "Terminated"), (vanished, "no orchestration")];
        foreach (var (order, fault) in faults)
        {
            var story = await system.StoryAsync(order);
            Assert.Equal("broken", story.Text("status"));
            Assert.Contains(fault, story.Text("fault"), StringComparison.Ordinal);
        }

        // No event ever asked for these; somebody sets it right by hand and says so.
        Assert.Equal("saga-never-asked-for", await DecideAsync(died, "retry"));
        Assert.Equal("saga-broken", await DecideAsync(died, "skip"));
        Assert.Null(await DecideAsync(died, "resolve"));
        Assert.NotNull((await system.StoryAsync(died)).Text("endedAt"));
        Assert.Equal("saga-not-parked", await DecideAsync(died, "resolve"));
    }

    [Fact]
    public async Task A_chapter_that_comes_after_all_outlives_the_mark()
    {
        var order = Guid.NewGuid();
        var story = await BeginAsync(order);
        system.Clock.Advance(Silence);
        await LookAsync();
        Assert.Equal("broken", (await system.StoryAsync(order)).Text("status"));

        var stories = system.System.Host.Services.GetRequiredService<SagaStories>();
        var told = story with { Revision = 1, Status = SagaStatus.Completed, EndedAt = story.StartedAt, Due = null };
        await stories.TellSagaStory(told, default);

        Assert.Equal("completed", (await system.StoryAsync(order)).Text("status"));
        Assert.False(await stories.BreakAsync(story, "too late", default));
    }

    [Fact]
    public async Task What_is_long_over_is_removed_and_its_story_stays_and_is_not_begun_again()
    {
        var (done, parked) = (Guid.NewGuid(), Guid.NewGuid());
        system.Strikes.Order(parked, [new(nameof(PaymentSteps.CapturePayment), Mishap.Refused, 1)]);
        await system.PlaceAsync(done, 7);
        await system.PlaceAsync(parked, 7);
        await system.SettleAsync([done, parked]);
        system.Clock.Advance(TimeSpan.FromDays(29));
        await Watch.PurgeAsync(Sagas, default);
        Assert.NotNull(await Sagas.GetInstanceAsync($"order-{done}", default));

        system.Clock.Advance(TimeSpan.FromDays(2));
        Assert.True(await Watch.PurgeAsync(Sagas, default) >= 1);

        Assert.Null(await Sagas.GetInstanceAsync($"order-{done}", default));
        Assert.NotNull(await Sagas.GetInstanceAsync($"order-{parked}", default));
        var story = await system.StoryAsync(done);
        Assert.Equal(("completed", 8), (story.Text("status"), story.Body.GetProperty("steps").GetArrayLength()));
        await LookAsync();
        Assert.Equal("completed", (await system.StoryAsync(done)).Text("status"));

        // The feed may bring the order once more, however late.
        var stories = system.System.Host.Services.GetRequiredService<SagaStories>();
        Assert.False(await stories.OpenAsync(Story(done), default));
        await system.DecideAsync(parked, "retry", "capture payment", 1);
        await system.SettleAsync([parked]);
    }

    async Task<SagaStory> BeginAsync(Guid order)
    {
        var story = Story(order);
        await system.System.Host.Services.GetRequiredService<SagaStories>().OpenAsync(story, default);
        return story;
    }

    SagaStory Story(Guid order) => SagaStories.Begin(
        new Origin(new(order), "test", "test"), nameof(OrderSaga), SagaStories.Version, system.Clock.GetUtcNow());

    async Task<List<string>> StuckAsync() =>
        [.. (await system.Admin.GetAsync("/api/operations/sagas?state=stuck&limit=100", default))
            .Body.GetProperty("sagas").EnumerateArray().Select(saga => saga.GetProperty("saga").GetString()!)];

    async Task<string?> DecideAsync(Guid order, string action) => (await system.Admin.PostAsync(
        $"/api/operations/sagas/order-{order}/decision",
        new { action, by = "operator@example.com", why = "looked after it" }, null, default)).Text("code");

    async Task<(SagaFindings Found, ConcurrentDictionary<string, int> Metrics)> LookAsync()
    {
        var metrics = new ConcurrentDictionary<string, int>();
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, it) =>
        {
            if (instrument.Meter.Name == SagaWatch.MeterName) it.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<int>((instrument, value, _, _) => metrics[instrument.Name] = value);
        listener.Start();
        return (await Watch.LookAsync(Sagas, default), metrics);
    }
}
