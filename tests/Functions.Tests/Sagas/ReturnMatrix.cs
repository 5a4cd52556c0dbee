using Commerce;
using Commerce.Ordering;
using Functions.Sagas;
using Microsoft.Extensions.DependencyInjection;

namespace Functions.Tests.Sagas;

/// <summary>
/// Every step of a return going wrong in every way, with every answer of an operator. What the customer paid comes
/// back once and the goods are counted once, whatever happens.
/// </summary>
[Collection(nameof(FaultySystem))]
public sealed class ReturnMatrix(FaultySystem system)
{
    [Fact]
    public async Task Every_step_of_a_return_goes_forward_and_parks_when_it_can_not()
    {
        var runner = new SagaCases(system, ByHandAsync);
        var seen = Case("seen", []);
        await BalancedAsync(await RunAsync(runner, [seen]));
        var steps = system.Strikes.CallsOf(seen.Saga).Distinct().ToList();
        Assert.Equal(5, steps.Count);

        // Waiting is its own patience and changes nothing: once given up is enough.
        Strike never = new(nameof(ReturnSteps.AwaitSale), Mishap.FaultsBeforeEffect, 1_000);
        var cases = steps
            .SelectMany(step => step == never.Activity
                ? [.. Strikes.Once(step).Select(strike => (strike, (string?)null)), (never, "skip")]
                : Strikes.Ways(step, 2 * StepPolicy.Behind.AttemptsMax))
            .Select(way => Case(
                $"{way.Item1.Activity} {way.Item1.Mishap} × {way.Item1.Times} {way.Item2}", [way.Item1], way.Item2))
            .ToList();
        Assert.InRange(cases.Count, 40, 80);
        await BalancedAsync(await RunAsync(runner, cases));
    }

    static SagaCase Case(string name, IReadOnlyList<Strike> strikes, string? decision = null) =>
        new(name, $"return-{Guid.NewGuid()}", strikes, decision);

    async Task<IReadOnlyList<SagaCase>> RunAsync(SagaCases runner, IReadOnlyList<SagaCase> cases)
    {
        foreach (var (number, @case) in cases.Index()) await system.PlaceAsync(@case.Id, number);
        await system.SettleAsync(cases.Select(@case => @case.Id));

        var stories = await runner.RunAsync(cases, async @case =>
        {
            var answer = await system.Api.PostAsync(
                $"/api/orders/{@case.Id}/cancellation", new { reason = "It is broken" }, null, default);
            Assert.Equal((202, "return"), ((int)answer.Status, answer.Text("becomes")));
        });
        Assert.All(stories, story => Assert.Equal("completed", story.Value.Text("status")));
        return cases;
    }

    async Task BalancedAsync(IReadOnlyList<SagaCase> cases)
    {
        var wrong = new List<string>();
        foreach (var (number, @case) in cases.Index())
        {
            // What an operator chose to leave undone stays open, and nothing else does.
            var leftOut = @case.Decision == "skip" && @case.Strikes[0].Mishap != Mishap.FaultsAfterEffect
                ? @case.Strikes[0].Activity
                : null;
            void Demand(bool holds, string step, string what)
            {
                if (!holds && leftOut != step) wrong.Add($"{@case.Name}: {what}");
            }

            var money = system.Gateway.Ledger(new(@case.Id));
            Demand(money.Refunded == money.Captured, nameof(ReturnSteps.RefundPayment), $"{money}");
            Demand(
                system.Carrier.Ledger(new(@case.Id)) is { Booked: 1, Cancelled: 1 },
                nameof(ReturnSteps.RecallParcel), "the parcel left");
            Demand(
                (await TypesAsync($"order-{@case.Id}")) is [.., "order-return-requested", "order-returned"],
                nameof(ReturnSteps.CompleteReturn), "the order is not returned");
            foreach (var (product, quantity) in system.LinesOf(number))
            {
                var back = (await system.Api.EventsAsync($"stock-{product}", default))
                    .Select(e => e.GetProperty("eventData"))
                    .Where(data => data.TryGetProperty("receipt", out var receipt)
                        && receipt.GetString() == @case.Saga)
                    .Sum(data => data.GetProperty("quantity").GetInt32());
                Demand(back == quantity, nameof(ReturnSteps.RestockReturned), $"{back} of {quantity} {product} back");
            }
        }

        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
    }

    async Task ByHandAsync(SagaCase @case, string parked)
    {
        var services = system.System.Host.Services;
        var steps = ActivatorUtilities.CreateInstance<ReturnSteps>(services);
        var orders = services.GetRequiredService<EventSourcing.CommandHandler<Order, OrderCommand, OrderEvent>>();
        var id = new OrderId(@case.Id);
        var placed = (await orders.LoadAsync(Order.Stream(id), EventSourcing.StreamRange.All, default)).State.Content!;
        var origin = new Origin(id, "by-hand", "by-hand") { Saga = @case.Saga };
        var refusal = await (@case.Strikes[0].Activity switch
        {
            nameof(ReturnSteps.AwaitSale) => Task.FromResult<EventSourcing.Refusal?>(null),
            nameof(ReturnSteps.RecallParcel) => steps.RecallParcel(origin, default),
            nameof(ReturnSteps.RefundPayment) => steps.RefundPayment(new(origin, placed.Total), default),
            nameof(ReturnSteps.RestockReturned) => steps.RestockReturned(
                placed.Lines.Where(line => parked.EndsWith($" {line.Product}", StringComparison.Ordinal))
                    .Select(line => new StockStep(origin, line.Product, line.Quantity)).Single(),
                default),
            nameof(ReturnSteps.CompleteReturn) => steps.CompleteReturn(origin, default),
            var other => throw new InvalidOperationException($"Nobody knows how to do {other} by hand."),
        });
        Assert.Null(refusal);
    }

    async Task<List<string>> TypesAsync(string stream) =>
        [.. (await system.Api.EventsAsync(stream, default)).Select(e => e.GetProperty("eventType").GetString()!)];
}
