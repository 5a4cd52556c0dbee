using System.Text.Json;
using System.Text.Json.Nodes;
using EventSourcing;
using Functions.EventStore;
using Functions.Operations;
using Functions.Sagas;
using Microsoft.Azure.Cosmos;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.DependencyInjection;
using Runtime.Local;

namespace Functions.Tests.Sagas;

/// <summary>Every order gets its saga, however its start is lost, and none gets it twice.</summary>
[Collection(nameof(FaultySystem))]
public sealed class SagaStartTests(FaultySystem system)
{
    DurableTaskClient Sagas => system.System.Host.Durable.Client;

    [Fact]
    public async Task A_start_that_the_feed_has_lost_is_found_by_the_reconciliation()
    {
        var order = Guid.NewGuid();
        await PlaceUnheardAsync(order);
        Assert.Equal(404, (int)(await system.StoryAsync(order)).Status);

        system.Clock.Advance(TimeSpan.FromMinutes(5));
        await Get<SagaStartWatch>().ReconcileAsync(Sagas, default);
        await system.SettleAsync([order]);

        Assert.Equal("completed", (await system.StoryAsync(order)).Text("status"));
    }

    [Theory, InlineData(false), InlineData(true)]
    public async Task A_story_without_a_saga_is_a_start_that_was_lost_half_way(bool isTakenForBroken)
    {
        var order = Guid.NewGuid();
        await PlaceUnheardAsync(order);
        var placed = (await EventsAsync(order))[0];
        var story = SagaStories.Begin(
            new(new(order), placed.CorrelationId, placed.EventId.ToString("D")), nameof(OrderSaga), SagaStories.Version,
            placed.Timestamp);
        Assert.True(await Get<SagaStories>().OpenAsync(story, default));
        system.Clock.Advance(TimeSpan.FromHours(2));
        if (isTakenForBroken)
        {
            await Get<SagaWatch>().LookAsync(Sagas, default);
            Assert.Equal("broken", (await system.StoryAsync(order)).Text("status"));
        }

        await Get<SagaStartWatch>().ReconcileAsync(Sagas, default);
        await system.SettleAsync([order]);

        Assert.Equal("completed", (await system.StoryAsync(order)).Text("status"));
    }

    [Fact]
    public async Task An_order_whose_events_come_from_a_backup_is_not_carried_out_again()
    {
        var (confirmed, cancelled) = (Guid.NewGuid(), Guid.NewGuid());
        await system.PlaceAsync(confirmed, 8);
        await system.SettleAsync([confirmed]);
        system.Strikes.Order(cancelled, [new(nameof(StockSteps.ReserveStock), Mishap.Refused, 1)]);
        await system.PlaceAsync(cancelled, 8);
        await system.SettleAsync([cancelled]);
        var before = await EventsAsync(confirmed);
        foreach (var order in new[] { confirmed, cancelled }) await ForgetAsync(order);

        system.Clock.Advance(TimeSpan.FromHours(2));
        foreach (var order in new[] { confirmed, cancelled })
            await Get<StartSagas>().TakeAsync(Sagas, await EventsAsync(order), default);
        await system.SettleAsync([confirmed]);

        var story = await system.StoryAsync(confirmed);
        Assert.Equal("completed", story.Text("status"));
        Assert.Equal("capture payment", story.Body.GetProperty("steps")[0].GetProperty("step").GetString());
        Assert.Equal(before.Count, (await EventsAsync(confirmed)).Count);
        Assert.Equal(404, (int)(await system.StoryAsync(cancelled)).Status);
    }

    [Fact]
    public async Task An_event_nobody_can_read_is_parked_and_holds_up_no_other_order()
    {
        var (order, poison) = (Guid.NewGuid(), Guid.NewGuid());
        await system.PlaceAsync(order, 9);
        var events = await EventsAsync(order);
        await system.SettleAsync([order]);
        await ForgetAsync(order);
        var unreadable = events[0] with
        {
            StreamId = $"order-{poison}",
            EventData = JsonSerializer.SerializeToElement("no order"),
        };

        await Get<StartSagas>().TakeAsync(Sagas, [unreadable, .. events], default);
        await system.SettleAsync([order]);

        var parked = await system.Admin.GetAsync(
            $"/api/operations/parked?stream=order-{poison}", default);
        Assert.Equal(1, parked.Body.GetProperty("parked").GetArrayLength());
    }

    [Fact]
    public async Task A_change_nobody_can_read_is_parked_and_starts_its_saga_once_it_is_mended_and_redriven()
    {
        var (model, order) = (Guid.NewGuid(), Guid.NewGuid());
        await system.PlaceAsync(model, 10);
        await system.SettleAsync([model]);
        var placed = (await EventsAsync(model))[0] with
        {
            StreamId = $"order-{order}", EventId = Guid.NewGuid(), CommandId = $"{order}", CommandKey = $"{order}/0",
        };
        var torn = JsonSerializer.SerializeToNode(placed, StoredJson.Options)!.AsObject();
        torn["sequence"] = "one";

        await PutAsync(placed.StreamId, torn);
        await RunningSystem.EventuallyAsync(() => ParkedAsync(order), parked => parked.Contains(StartSagas.Name));
        Assert.DoesNotContain("availability", await ParkedAsync(order));
        await RedriveAsync();
        Assert.Contains(StartSagas.Name, await ParkedAsync(order));

        // The mended document comes by the feed, too; here only the redrive is to find it.
        var lost = new TaskCompletionSource();
        system.Around = (context, next) =>
        {
            if (context.FunctionDefinition.Name != nameof(StartSagas.StartPlacedOrders))
                return system.Strikes.Around(context, next);
            lost.TrySetResult();
            return Task.CompletedTask;
        };
        await PutAsync(placed.StreamId, JsonSerializer.SerializeToNode(placed, StoredJson.Options)!.AsObject());
        await lost.Task;
        system.Around = system.Strikes.Around;
        await RedriveAsync();
        await system.SettleAsync([order]);

        Assert.Equal("completed", (await system.StoryAsync(order)).Text("status"));
        Assert.DoesNotContain(StartSagas.Name, await ParkedAsync(order));
    }

    [Fact]
    public async Task A_change_nobody_can_read_that_the_feed_has_lost_is_parked_by_the_reconciliation()
    {
        var order = Guid.NewGuid();
        system.Around = (context, next) => context.FunctionDefinition.Name == nameof(StartSagas.StartPlacedOrders)
            ? Task.CompletedTask
            : system.Strikes.Around(context, next);
        await PutAsync($"order-{order}", new()
        {
            ["id"] = StoredEvent.IdOf(1), ["streamId"] = $"order-{order}", ["eventType"] = "order-placed",
        });
        await RunningSystem.EventuallyAsync(() => ParkedAsync(order), parked => parked.Contains("order-list"));
        Assert.DoesNotContain(StartSagas.Name, await ParkedAsync(order));
        system.Around = system.Strikes.Around;

        await Get<SagaStartWatch>().ReconcileAsync(Sagas, default);

        Assert.Contains(StartSagas.Name, await ParkedAsync(order));
        await Get<Database>().GetContainer(Store.Events)
            .DeleteItemStreamAsync(StoredEvent.IdOf(1), new($"order-{order}"));
    }

    /// <summary>Writes past the store, as no code of this app does.</summary>
    async Task PutAsync(string stream, JsonObject document)
    {
        using var content = new MemoryStream(JsonSerializer.SerializeToUtf8Bytes(document));
        using var response = await Get<Database>().GetContainer(Store.Events).UpsertItemStreamAsync(
            content, new(stream));
        response.EnsureSuccessStatusCode();
    }

    async Task RedriveAsync()
    {
        var answer = await system.Admin.PostAsync("/api/operations/saga-starts/redrive", new { }, null, default);
        Assert.True(answer.IsSuccess, $"{answer.Status} {answer.Body}");
    }

    /// <summary>Where the order's stream stands still.</summary>
    async Task<IReadOnlyList<string>> ParkedAsync(Guid order) =>
    [
        .. (await system.Admin.GetAsync($"/api/operations/parked?stream=order-{order}&limit=100", default))
            .Body.GetProperty("parked").EnumerateArray().Select(p => p.GetProperty("projection").GetString()!),
    ];

    /// <summary>The feed brings the order to everybody but to who starts its saga.</summary>
    async Task PlaceUnheardAsync(Guid order)
    {
        var lost = new TaskCompletionSource();
        system.Around = (context, next) =>
        {
            if (context.FunctionDefinition.Name != nameof(StartSagas.StartPlacedOrders))
                return system.Strikes.Around(context, next);
            lost.TrySetResult();
            return Task.CompletedTask;
        };
        await system.PlaceAsync(order, 7);
        await lost.Task;
        system.Around = system.Strikes.Around;
    }

    async Task<IReadOnlyList<StoredEvent>> EventsAsync(Guid order)
    {
        Assert.True(StreamId.TryParse($"order-{order}", out var stream));
        return await system.System.Host.Services.GetRequiredService<IEventStore>()
            .ReadAsync(stream, StreamRange.All, default).ToListAsync();
    }

    /// <summary>As in an environment that has the events and nothing else.</summary>
    async Task ForgetAsync(Guid order)
    {
        var saga = $"order-{order}";
        await Sagas.PurgeInstanceAsync(saga);
        await Get<Database>().GetContainer(SagaStories.Container).DeleteItemAsync<object>(saga, new(saga));
    }

    T Get<T>()
        where T : class => ActivatorUtilities.GetServiceOrCreateInstance<T>(system.System.Host.Services);
}
