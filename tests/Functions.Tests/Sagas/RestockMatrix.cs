using Commerce.Restocking;
using EventSourcing;
using Functions.Sagas;
using Microsoft.Extensions.DependencyInjection;

namespace Functions.Tests.Sagas;

/// <summary>
/// The second saga, on other contexts, with every step of it going wrong in every way: one supplier delivers what was
/// ordered and it is counted once, or none does.
/// </summary>
[Collection(nameof(FaultySystem))]
public sealed class RestockMatrix(FaultySystem system)
{
    const int Always = 1_000;
    const int Quantity = 200;

    string Product => system.Products[^1];

    [Fact]
    public async Task Goods_come_from_the_cheapest_supplier_that_has_them()
    {
        foreach (var (quantity, supplier, passed) in new[] { (50, "north", 0), (300, "south", 1), (1_500, "west", 2) })
        {
            var seen = await RunAsync([Case("seen", [])], quantity);
            var restock = await system.Api.GetAsync($"/api/restocks/{seen.Single().Id}", default);
            Assert.Equal(("received", supplier), (restock.Text("status"), restock.Text("supplier")));
            Assert.Equal(passed, restock.Body.GetProperty("passedOver").GetArrayLength());
            await BalancedAsync(seen, quantity);
        }
    }

    [Fact]
    public async Task When_nobody_has_them_the_restock_is_given_up()
    {
        var @case = Case("too many", []);
        var stories = await RunnerAsync([@case], 5_000);

        Assert.Equal("compensated", stories[@case.Saga].Text("status"));
        var restock = await system.Api.GetAsync($"/api/restocks/{@case.Id}", default);
        Assert.Equal(("abandoned", "out-of-stock"), (restock.Text("status"), restock.Text("abandonedCode")));
        Assert.Equal(3, restock.Body.GetProperty("passedOver").GetArrayLength());
        Assert.Empty(system.Suppliers.Deliveries(new(@case.Id)));
        var listed = await system.Admin.GetAsync("/api/operations/sagas?type=RestockSaga&limit=100", default);
        Assert.Contains(
            @case.Saga, listed.Body.GetProperty("sagas").EnumerateArray().Select(
                s => s.GetProperty("saga").GetString()));
    }

    [Fact]
    public async Task Every_step_of_a_restock_going_wrong_in_every_way_balances()
    {
        // So many that the cheapest declines: its order is undone before the next one is asked.
        var seen = Case("seen", []);
        await RunnerAsync([seen], Quantity);
        var steps = system.Strikes.CallsOf(seen.Saga).Distinct().ToList();
        Assert.Equal(5, steps.Count);

        var cases = steps.SelectMany(Strikes.Once).Select(strike => Case($"{strike}", [strike])).ToList();
        foreach (var step in (string[])[nameof(RestockSteps.CollectOffers), nameof(RestockSteps.OrderFromSupplier)])
            cases.AddRange(((Mishap[])[Mishap.Refused, Mishap.FaultsBeforeEffect, Mishap.FaultsAfterEffect])
                .SelectMany(mishap => new[] { StepPolicy.Before.AttemptsMax, Always }
                    .Select(times => Case($"{step} {mishap} × {times}", [new(step, mishap, times)]))));
        foreach (var step in steps.Except([nameof(RestockSteps.CollectOffers), nameof(RestockSteps.OrderFromSupplier)])
            .Append(nameof(RestockSteps.AbandonRestock)))
        {
            Strike[] given = step == nameof(RestockSteps.AbandonRestock)
                ? [new(nameof(RestockSteps.OrderFromSupplier), Mishap.Refused, Always)]
                : [];
            cases.AddRange(Strikes.Ways(step, StepPolicy.Behind.AttemptsMax).Select(way => Case(
                $"{step} {way.Strike.Mishap} × {way.Strike.Times} {way.Decision}", [.. given, way.Strike],
                    way.Decision)));
        }

        cases.AddRange(steps.SelectMany(Strikes.Breaks).Select(strike => Case($"{strike}", [strike])));
        cases.AddRange(Strikes.Breaks(nameof(RestockSteps.AbandonRestock)).Select(strike => Case(
            $"{strike}", [new(nameof(RestockSteps.OrderFromSupplier), Mishap.Refused, Always), strike])));
        Assert.InRange(cases.Count, 60, 110);
        var stories = await RunnerAsync(cases, Quantity);
        Assert.All(stories.Values, story =>
            Assert.Contains(story.Text("status"), (string[])["completed", "compensated"]));
        await BalancedAsync(cases, Quantity);
    }

    [Fact]
    public async Task A_supplier_that_answers_too_late_delivers_nothing_that_was_not_ordered()
    {
        var seen = Case("seen", []);
        await RunnerAsync([seen], Quantity);
        var cases = system.Strikes.CallsOf(seen.Saga).Distinct()
            .SelectMany(step => new[] { 1, StepPolicy.Before.AttemptsMax, StepPolicy.Behind.AttemptsMax }
                .Select(times => Case($"{step} hangs × {times}", [new(step, Mishap.HangsThenHappens, times)])))
            .ToList();
        await RunnerAsync(cases, Quantity, () => system.Clock.Advance(TimeSpan.FromSeconds(16)));
        system.Clock.Advance(Strikes.Hang * 2);
        await system.System.Host.Durable.WhenIdleAsync();
        await BalancedAsync(cases, Quantity);
    }

    [Theory]
    [InlineData("""{ "productId": "no-such-product", "quantity": 1 }""", 404, "unknown-product")]
    [InlineData("""{ "productId": "matrix-product-0", "quantity": 0 }""", 400, "invalid-quantity")]
    [InlineData("""{ "productId": "matrix-product-0" }""", 400, "field-required")]
    public async Task A_restock_nobody_can_order_is_refused(string body, int status, string code)
    {
        using var json = System.Text.Json.JsonDocument.Parse(body);
        var answer = await system.Api.PutAsync($"/api/restocks/{Guid.NewGuid()}", json.RootElement, default);
        Assert.Equal((status, code), ((int)answer.Status, answer.Text("code")));
        Assert.Equal(404, (int)(await system.Api.GetAsync($"/api/restocks/{Guid.NewGuid()}", default)).Status);
    }

    static SagaCase Case(string name, IReadOnlyList<Strike> strikes, string? decision = null) =>
        new(name, $"restock-{Guid.NewGuid()}", strikes, decision);

    async Task<IReadOnlyList<SagaCase>> RunAsync(IReadOnlyList<SagaCase> cases, int quantity)
    {
        var stories = await RunnerAsync(cases, quantity);
        Assert.All(stories.Values, story => Assert.Equal("completed", story.Text("status")));
        return cases;
    }

    Task<IReadOnlyDictionary<string, Runtime.Local.ApiAnswer>> RunnerAsync(
        IReadOnlyList<SagaCase> cases, int quantity, Action? between = null) =>
        new SagaCases(system, (@case, step) => ByHandAsync(@case, step, quantity)).RunAsync(cases, async @case =>
        {
            var answer = await system.Api.PutAsync(
                $"/api/restocks/{@case.Id}", new { productId = Product, quantity }, default);
            Assert.True(answer.IsSuccess, $"{answer.Status} {answer.Body}");
        }, between);

    async Task BalancedAsync(IReadOnlyList<SagaCase> cases, int quantity)
    {
        var wrong = new List<string>();
        foreach (var @case in cases)
        {
            var leftOut = @case.Decision == "skip" ? @case.Strikes[^1].Activity : null;
            wrong.AddRange((await RestockBooks.CheckAsync(system, Product, @case.Id, quantity))
                .Where(violation => violation.Step != leftOut)
                .Select(violation => $"{@case.Name}: {violation.What}"));
        }

        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
    }

    async Task ByHandAsync(SagaCase @case, string parked, int quantity)
    {
        var steps = ActivatorUtilities.CreateInstance<RestockSteps>(system.System.Host.Services);
        var order = new RestockOrder(new(new(@case.Id), "by-hand", "by-hand"), new(Product), quantity);
        string[] ranks = ["the cheapest", "the second cheapest", "the third cheapest"];
        var refusal = await (@case.Strikes[^1].Activity switch
        {
            nameof(RestockSteps.CancelSupplierOrder) => steps.CancelSupplierOrder(
                new(order, Array.FindIndex(ranks, rank => parked.EndsWith($"from {rank}", StringComparison.Ordinal))),
                default),
            nameof(RestockSteps.BookGoods) => steps.BookGoods(order, default),
            nameof(RestockSteps.CompleteRestock) => steps.CompleteRestock(order, default),
            nameof(RestockSteps.AbandonRestock) => steps.AbandonRestock(
                new(order, new Refusal("made-up", "Refused on purpose.")), default),
            var other => throw new InvalidOperationException($"Nobody knows how to do {other} by hand."),
        });
        Assert.Null(refusal);
    }
}
