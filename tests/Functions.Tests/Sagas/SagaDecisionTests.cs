using Functions.Operations;
using Functions.Sagas;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.DependencyInjection;
using Runtime.Local;

namespace Functions.Tests.Sagas;

/// <summary>What an operator's word does to sagas that stand still, and what it can not do any more.</summary>
[Collection(nameof(FaultySystem))]
public sealed class SagaDecisionTests(FaultySystem system)
{
    static readonly TimeSpan Silence = TimeSpan.FromHours(3);

    static readonly Strike NoShipment = new(nameof(ShipmentSteps.BookShipment), Mishap.Refused, 1_000);

    DurableTaskClient Sagas => system.System.Host.Durable.Client;

    [Fact]
    public async Task A_decision_about_a_stop_that_is_over_decides_nothing_about_the_next()
    {
        var order = await ParkedAsync(
            NoShipment,
            new(nameof(PaymentSteps.VoidPayment), Mishap.FaultsBeforeEffect, 2 * StepPolicy.Behind.AttemptsMax));
        const string Step = "undo authorize payment";
        var first = new ParkedStep(Step, "", 0, default, Stop: 1);
        await system.DecideAsync(order, "retry", Step, first.Stop);
        await RunningSystem.EventuallyAsync(
            () => system.StoryAsync(order), story => story.Text("status") == "parked");

        // A second operator had looked before the first one decided.
        var late = new SagaDecision(SagaAction.Skip, "late@example.com", "came too late");
        await Sagas.RaiseEventAsync($"order-{order}", Saga.DecisionEvent(first), late, default);
        await system.System.Host.Durable.WhenIdleAsync();

        var parked = await system.StoryAsync(order);
        Assert.Equal("parked", parked.Text("status"));
        var stop = Assert.Single(parked.Body.GetProperty("parked").EnumerateArray());
        Assert.Equal(2, stop.GetProperty("stop").GetInt32());
        Assert.Equal(1, parked.Body.GetProperty("decisions").GetArrayLength());
        await system.DecideAsync(order, "retry", Step, 2);
        await system.SettleAsync([order]);
        Assert.Equal("compensated", (await system.StoryAsync(order)).Text("status"));
    }

    [Fact]
    public async Task Broken_sagas_run_again_many_at_once_and_what_broke_them_is_kept()
    {
        var orders = new[] { Guid.NewGuid(), Guid.NewGuid() };
        foreach (var order in orders)
        {
            system.Strikes.Order(order, [new(nameof(PaymentSteps.CapturePayment), Mishap.BreaksAfterEffect, 1)]);
            await system.PlaceAsync(order, 10);
        }

        await system.SettleAsync(orders);
        await system.Clock.AdvanceAsync(Silence, default);
        await ActivatorUtilities.CreateInstance<SagaWatch>(system.System.Host.Services).LookAsync(Sagas, default);
        Assert.Empty(orders.Select(order => $"order-{order}").Except(await BrokenAsync()));
        Assert.Equal((409, "saga-broken"), await DecideAsync(orders[0], "skip"));

        var answer = await system.Admin.PostAsync(
            "/api/operations/sagas/decisions",
            new { action = "retry", state = "broken", type = "OrderSaga", by = "operator@example.com", why = "mended" },
            null, default);
        Assert.Equal(
            ["accepted", "accepted"],
            answer.Body.GetProperty("decided").EnumerateArray()
                .Where(decided => orders.Any(o => $"order-{o}" == decided.GetProperty("saga").GetString()))
                .Select(decided => decided.GetProperty("outcome").GetString()!));
        await system.SettleAsync(orders);

        foreach (var order in orders)
        {
            var story = await RunningSystem.EventuallyAsync(
                () => system.StoryAsync(order), story => story.Text("endedAt") is not null);
            Assert.Equal(("completed", "1"), (story.Text("status"), story.Text("run")));
            var decision = Assert.Single(story.Body.GetProperty("decisions").EnumerateArray());
            Assert.Contains("Failed", decision.GetProperty("fault").GetString(), StringComparison.Ordinal);
            Assert.Equal("operator@example.com", decision.GetProperty("by").GetString());
            Assert.Equal(
                1, (await system.Api.EventsAsync($"payment-{order}", default))
                    .Count(e => e.GetProperty("eventType").GetString() == "payment-captured"));
        }

        Assert.Empty((await BrokenAsync()).Intersect(orders.Select(order => $"order-{order}")));
        var other = await system.Admin.PostAsync(
            "/api/operations/sagas/decisions",
            new { action = "retry", state = "running", type = "OrderSaga", by = "me", why = "because" }, null, default);
        Assert.Equal((400, "invalid-state"), ((int)other.Status, other.Text("code")));
    }

    [Fact]
    public async Task A_decision_that_nobody_would_hear_is_refused_and_the_saga_runs_again_on_the_next()
    {
        var order = await ParkedAsync(
            NoShipment,
            new(nameof(PaymentSteps.VoidPayment), Mishap.FaultsBeforeEffect, StepPolicy.Behind.AttemptsMax),
            new(nameof(StockSteps.ReleaseStock), Mishap.BreaksBeforeEffect, 1));
        Assert.True((await Sagas.GetInstanceAsync($"order-{order}", default))!.IsCompleted);

        Assert.Equal((409, "saga-broken"), await DecideAsync(order, "retry"));
        Assert.Equal("broken", (await system.StoryAsync(order)).Text("status"));
        Assert.Equal((202, null), await DecideAsync(order, "retry"));
        Assert.NotEqual((202, null), await DecideAsync(order, "retry"));
        await system.SettleAsync([order]);

        await RunningSystem.EventuallyAsync(
            () => system.StoryAsync(order), story => story.Text("status") == "compensated");
        var books = system.Books();
        await books.OpenAsync(system.Products, default);
        Assert.Empty(await books.CheckAsync(order, system.LinesOf(10), default));
    }

    async Task<Guid> ParkedAsync(params Strike[] strikes)
    {
        var order = Guid.NewGuid();
        system.Strikes.Order(order, strikes);
        await system.PlaceAsync(order, 10);
        await system.SettleAsync([order]);
        await system.System.Host.Durable.WhenIdleAsync();
        await RunningSystem.EventuallyAsync(
            () => system.StoryAsync(order), story => story.Text("status") == "parked");
        return order;
    }

    async Task<(int, string?)> DecideAsync(Guid order, string action)
    {
        var answer = await system.Admin.PostAsync(
            $"/api/operations/sagas/order-{order}/decision",
            new { action, by = "operator@example.com", why = "looked after it" }, null, default);
        return ((int)answer.Status, answer.Text("code"));
    }

    async Task<List<string>> BrokenAsync() =>
        [.. (await system.Admin.GetAsync("/api/operations/sagas?state=broken&limit=100", default))
            .Body.GetProperty("sagas").EnumerateArray().Select(saga => saga.GetProperty("saga").GetString()!)];
}
