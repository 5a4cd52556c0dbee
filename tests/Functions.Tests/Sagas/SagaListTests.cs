using Functions.Sagas;
using Runtime.Local;

namespace Functions.Tests.Sagas;

/// <summary>The classes that share one system whose activities fail as ordered.</summary>
[CollectionDefinition(nameof(FaultySystem))]
public sealed class FaultySystemCollection : ICollectionFixture<FaultySystem>;

/// <summary>What an operator sees of the sagas and decides about many of them at once.</summary>
[Collection(nameof(FaultySystem))]
public sealed class SagaListTests(FaultySystem system)
{
    static readonly Strike NoShipment = new(nameof(ShipmentSteps.BookShipment), Mishap.Refused, 1_000);

    [Fact]
    public async Task Sagas_are_listed_by_state_step_kind_version_and_age_page_by_page()
    {
        var parked = await ParkedAsync(nameof(StockSteps.ReleaseStock), number: 1);
        var step = $"undo reserve {system.LinesOf(1)[1].Product}";

        Assert.Contains($"order-{parked}", await SagasAsync("state=parked"));
        Assert.Equal([$"order-{parked}"], await SagasAsync($"state=parked&step={Uri.EscapeDataString(step)}"));
        Assert.Contains($"order-{parked}", await SagasAsync("type=OrderSaga&version=2"));
        Assert.DoesNotContain($"order-{parked}", await SagasAsync("version=1"));
        Assert.DoesNotContain($"order-{parked}", await SagasAsync("type=ReturnSaga"));
        Assert.DoesNotContain($"order-{parked}", await SagasAsync("state=completed"));
        Assert.DoesNotContain($"order-{parked}", await SagasAsync("state=parked&olderThan=31536000"));

        var (paged, next) = (new List<string>(), (string?)null);
        do
        {
            var page = await ListAsync($"limit=1&state=parked{(next is null ? "" : "&continuation=" + next)}");
            paged.AddRange(page.Body.GetProperty("sagas").EnumerateArray().Select(
                saga => saga.GetProperty("saga").GetString()!));
            next = page.Text("continuation") is { } text ? Uri.EscapeDataString(text) : null;
        }
        while (next is not null);
        Assert.Equal(paged.Distinct().Count(), paged.Count);
        Assert.Equal((await SagasAsync("state=parked&limit=100")).Order(), paged.Order());
        await system.DecideAsync(parked, "skip", step, 1);
    }

    [Theory]
    [InlineData("state=asleep", "invalid-state")]
    [InlineData("olderThan=soon", "invalid-age")]
    [InlineData("limit=1000", "invalid-limit")]
    [InlineData("continuation=x", "invalid-continuation")]
    public async Task A_list_nobody_can_mean_is_refused(string query, string code)
    {
        var answer = await ListAsync(query);
        Assert.Equal((400, code), ((int)answer.Status, answer.Text("code")));
        Assert.Equal(401, (int)(await system.Api.GetAsync($"/api/operations/sagas?{query}", default)).Status);
    }

    [Fact]
    public async Task The_detail_tells_every_step_its_attempts_in_vain_and_how_it_was_taken_back()
    {
        var order = Guid.NewGuid();
        system.Strikes.Order(order, [
            new(nameof(PaymentSteps.AuthorizePayment), Mishap.FaultsBeforeEffect, 2), NoShipment,
            new(nameof(PaymentSteps.VoidPayment), Mishap.FaultsBeforeEffect, 1)]);
        await system.PlaceAsync(order, 2);
        await system.SettleAsync([order]);

        var detail = await system.Admin.GetAsync($"/api/operations/sagas/order-{order}", default);

        Assert.Equal("compensated", detail.Text("saga.status"));
        var steps = detail.Body.GetProperty("steps").EnumerateArray().Select(step => new
        {
            Story = step.GetProperty("story"),
            Undo = step.GetProperty("compensation").EnumerateArray().ToList(),
        }).ToList();
        Assert.Equal(5, steps.Count);
        var authorize = steps.Single(step => step.Story.GetProperty("step").GetString() == "authorize payment");
        Assert.Equal("done", authorize.Story.GetProperty("outcome").GetString());
        Assert.Equal(3, authorize.Story.GetProperty("attempts").GetInt32());
        Assert.Equal(2, authorize.Story.GetProperty("failed").GetArrayLength());
        var duration = TimeSpan.Parse(authorize.Story.GetProperty("duration").GetString()!, null);
        Assert.True(duration >= TimeSpan.FromSeconds(3), $"{duration}");
        Assert.Equal(2, Assert.Single(authorize.Undo).GetProperty("attempts").GetInt32());
        Assert.All(
            steps.Where(step => step.Story.GetProperty("kind").GetString() == "compensable"),
            step => Assert.Equal("done", Assert.Single(step.Undo).GetProperty("outcome").GetString()));
        Assert.Equal(404, (int)(await system.Admin.GetAsync(
            $"/api/operations/sagas/order-{Guid.NewGuid()}", default)).Status);
    }

    [Fact]
    public async Task One_decision_continues_every_saga_that_stands_at_a_step_and_no_other()
    {
        var meant = await Task.WhenAll(
            Enumerable.Range(0, 3).Select(_ => ParkedAsync(nameof(PaymentSteps.VoidPayment), number: 3)));
        var other = await ParkedAsync(nameof(StockSteps.ReleaseStock), number: 3);

        var answer = await DecideAsync(new { action = "retry", step = "undo authorize payment", limit = 2 });
        Assert.Equal(2, answer.Body.GetProperty("decided").GetArrayLength());
        Assert.Equal("True", answer.Text("more"));
        Assert.All(answer.Body.GetProperty("decided").EnumerateArray(), decided => Assert.Equal(
            "accepted", decided.GetProperty("outcome").GetString()));

        foreach (var order in meant)
        {
            await RunningSystem.EventuallyAsync(
                async () =>
                {
                    await DecideAsync(new { action = "retry", step = "undo authorize payment" });
                    return await system.StoryAsync(order);
                },
                story => story.Text("status") == "compensated");
        }

        Assert.Equal("parked", (await system.StoryAsync(other)).Text("status"));
        var unfiltered = await DecideAsync(new { action = "retry" });
        Assert.Equal((400, "filter-required"), ((int)unfiltered.Status, unfiltered.Text("code")));
        await DecideAsync(new { action = "skip", step = $"undo reserve {system.LinesOf(3)[1].Product}" });
        await RunningSystem.EventuallyAsync(
            () => system.StoryAsync(other), story => story.Text("status") == "compensated");
    }

    [Fact]
    public async Task A_parked_undo_lets_the_others_go_on_unless_they_are_needed()
    {
        var money = await ParkedAsync(nameof(PaymentSteps.VoidPayment), number: 4);
        var parcel = await ParkedAsync(nameof(ShipmentSteps.CancelShipment), number: 5);

        // Nobody needs the goods of an order whose money can not be given back yet; a parcel that may still leave does.
        Assert.Equal("stock-released", (await MovesAsync(money, 4)).Last());
        Assert.Equal("stock-reserved", (await MovesAsync(parcel, 5)).Last());
        Assert.Equal(["payment-authorized"], await TypesAsync($"payment-{parcel}"));
        Assert.Equal(["order-placed"], await TypesAsync($"order-{money}"));

        await DecideAsync(new { action = "retry", step = "undo authorize payment" });
        await DecideAsync(new { action = "retry", step = "undo book shipment" });
        await system.SettleAsync([money, parcel]);
        Assert.Equal("stock-released", (await MovesAsync(parcel, 5)).Last());
        Assert.Equal(["order-placed", "order-cancelled"], await TypesAsync($"order-{money}"));
    }

    /// <summary>
    /// An order whose shipment is refused and one of whose undos parks; of its goods, those reserved last.
    /// </summary>
    async Task<Guid> ParkedAsync(string undo, int number)
    {
        var order = Guid.NewGuid();
        system.Strikes.Order(order, [
            NoShipment, new(undo, Mishap.FaultsBeforeEffect, StepPolicy.Behind.AttemptsMax)]);
        await system.PlaceAsync(order, number);
        await system.SettleAsync([order]);
        await system.System.Host.Durable.WhenIdleAsync();
        await RunningSystem.EventuallyAsync(
            () => system.StoryAsync(order), story => story.Text("status") == "parked");
        return order;
    }

    Task<ApiAnswer> DecideAsync(object decision)
    {
        var body = System.Text.Json.JsonSerializer.SerializeToNode(decision)!.AsObject();
        (body["by"], body["why"]) = ("operator@example.com", "the gateway is back");
        return system.Admin.PostAsync("/api/operations/sagas/decisions", body, null, default);
    }

    Task<ApiAnswer> ListAsync(string query) => system.Admin.GetAsync($"/api/operations/sagas?{query}", default);

    async Task<List<string>> SagasAsync(string query) =>
        [.. (await ListAsync(query)).Body.GetProperty("sagas").EnumerateArray()
            .Select(saga => saga.GetProperty("saga").GetString()!)];

    async Task<List<string>> MovesAsync(Guid order, int number) =>
        [.. (await system.Api.EventsAsync($"stock-{system.LinesOf(number)[0].Product}", default))
            .Where(e => e.GetProperty("eventData").TryGetProperty("reservation", out var id) && id.GetGuid() == order)
            .Select(e => e.GetProperty("eventType").GetString()!)];

    async Task<List<string>> TypesAsync(string stream) =>
        [.. (await system.Api.EventsAsync(stream, default)).Select(e => e.GetProperty("eventType").GetString()!)];
}
