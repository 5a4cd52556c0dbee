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
                : Strikes.Ways(
                    step, StepPolicy.Behind.AttemptsMax * (step == nameof(ReturnSteps.RestockReturned) ? 2 : 1)))
            .Select(way => Case(
                $"{way.Item1.Activity} {way.Item1.Mishap} × {way.Item1.Times} {way.Item2}", [way.Item1], way.Item2))
            .ToList();
        cases.AddRange(steps.SelectMany(Strikes.Breaks).Select(strike => Case($"{strike}", [strike])));
        Assert.InRange(cases.Count, 50, 90);
        await BalancedAsync(await RunAsync(runner, cases));
    }

    [Fact]
    public async Task A_step_of_a_return_that_answers_too_late_changes_nothing_any_more()
    {
        var runner = new SagaCases(system, ByHandAsync);
        var seen = Case("seen", []);
        await RunAsync(runner, [seen]);
        var cases = system.Strikes.CallsOf(seen.Saga).Distinct()
            .SelectMany(step => new[] { 1, StepPolicy.Behind.AttemptsMax }.Select(times => Case(
                $"{step} hangs × {times}", [new(step, Mishap.HangsThenHappens, times)])))
            .ToList();
        await RunAsync(runner, cases, () => system.Clock.Advance(TimeSpan.FromSeconds(16)));
        system.Clock.Advance(Strikes.Hang * 2);
        await system.System.Host.Durable.WhenIdleAsync();
        await BalancedAsync(cases);
    }

    static SagaCase Case(string name, IReadOnlyList<Strike> strikes, string? decision = null) =>
        new(name, $"return-{Guid.NewGuid()}", strikes, decision);

    async Task<IReadOnlyList<SagaCase>> RunAsync(
        SagaCases runner, IReadOnlyList<SagaCase> cases, Action? between = null)
    {
        foreach (var (number, @case) in cases.Index()) await system.PlaceAsync(@case.Id, number);
        await system.SettleAsync(cases.Select(@case => @case.Id));

        var stories = await runner.RunAsync(cases, async @case =>
        {
            var answer = await system.Api.PostAsync(
                $"/api/orders/{@case.Id}/cancellation", new { reason = "It is broken" }, null, default);
            Assert.Equal((202, "return"), ((int)answer.Status, answer.Text("becomes")));
        }, between);
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
            wrong.AddRange((await ReturnBooks.CheckAsync(system, @case.Id, system.LinesOf(number)))
                .Where(violation => violation.Step != leftOut)
                .Select(violation => $"{@case.Name}: {violation.What}"));
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
}
