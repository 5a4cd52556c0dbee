using System.Collections.Concurrent;
using Functions.Sagas;
using Runtime.Local;

namespace Functions.Tests.Sagas;

/// <summary>
/// Every step of the order saga going wrong in every way, crossed with every way its undoing can go. Nobody lists the
/// steps: they are what sagas are seen to call, so a new step is in the matrix from its first day.
/// </summary>
public sealed class FailureMatrix(FaultySystem system) : IClassFixture<FaultySystem>
{
    /// <summary>More than any step is tried before its saga gives up or parks.</summary>
    const int Always = 1_000;

    /// <summary>One order with what goes wrong in it, and the operator's answer if it parks.</summary>
    sealed record Case(string Name, IReadOnlyList<Strike> Strikes, string? Decision = null)
    {
        public Guid Order { get; } = Guid.NewGuid();
    }

    [Fact]
    public async Task Every_step_that_faults_once_before_or_after_its_effect_happens_once()
    {
        var steps = await CalledAsync([]);
        Assert.Equal(6, steps.Count);
        var cases = steps.SelectMany(Once)
            .Select(strike => new Case($"{strike.Activity} {strike.Mishap} once", [strike])).ToList();

        var stories = await RunAsync(cases);

        await BalancedAsync(cases);
        Assert.All(stories, story => Assert.Equal("completed", story.Value.Text("status")));
    }

    [Fact]
    public async Task Every_step_given_up_before_the_pivot_times_every_undo_in_every_way_balances()
    {
        var steps = await CalledAsync([]);
        var cases = new List<Case>();
        foreach (var step in steps.TakeWhile(step => step != nameof(PaymentSteps.CapturePayment)))
        {
            foreach (var mishap in (Mishap[])[Mishap.Refused, Mishap.FaultsBeforeEffect, Mishap.FaultsAfterEffect])
            {
                Strike given = new(step, mishap, Always);
                var undos = (await CalledAsync([given])).Except(steps).ToList();
                cases.Add(new($"{step} {mishap}", [given]));
                cases.AddRange(undos.SelectMany(undo => Ways(undo).Select(way =>
                    new Case($"{step} {mishap}; {undo} {way.Strike.Mishap} × {way.Strike.Times} {way.Decision}",
                        [given, way.Strike], way.Decision))));
            }
        }

        Assert.InRange(cases.Count, 200, 1_000);
        var stories = await RunAsync(cases);

        await BalancedAsync(cases);
        foreach (var @case in cases)
        {
            var story = stories[@case.Order];
            var tooLate = @case.Strikes[0] is
                { Activity: nameof(OrderSteps.ConfirmOrder), Mishap: Mishap.FaultsAfterEffect };
            Assert.Equal((@case.Name, tooLate ? "completed" : "compensated"), (@case.Name, story.Text("status")));
            if (!tooLate) UndoneNewestFirst(@case, story);
        }
    }

    [Fact]
    public async Task Every_step_behind_the_pivot_goes_forward_and_parks_when_it_can_not()
    {
        var steps = await CalledAsync([]);
        var cases = steps.SkipWhile(step => step != nameof(PaymentSteps.CapturePayment))
            .SelectMany(step => Ways(step).Select(way => new Case(
                $"{step} {way.Strike.Mishap} × {way.Strike.Times} {way.Decision}", [way.Strike], way.Decision)))
            .ToList();

        var stories = await RunAsync(cases);

        await BalancedAsync(cases);
        Assert.All(stories, story => Assert.Equal("completed", story.Value.Text("status")));
    }

    [Fact]
    public async Task A_step_that_answers_after_everybody_stopped_waiting_changes_nothing_any_more()
    {
        var steps = await CalledAsync([]);
        Strike refused = new(nameof(OrderSteps.ConfirmOrder), Mishap.Refused, Always);
        var undos = (await CalledAsync([refused])).Except(steps);
        var patience = StepPolicy.Before.AttemptsMax;
        var cases = steps.Select(step => new Strike[] { new(step, Mishap.HangsThenHappens, 1) })
            .Concat(steps.Select(step => new Strike[] { new(step, Mishap.HangsThenHappens, patience) }))
            .Concat(undos.Select(undo => new[] { refused, new(undo, Mishap.HangsThenHappens, 1) }))
            .Select(strikes => new Case($"{strikes[^1].Activity} hangs × {strikes[^1].Times}", strikes))
            .ToList();

        await RunAsync(cases, () => system.Clock.Advance(TimeSpan.FromSeconds(16)));

        // Whoever still hangs wakes up and has its late effect, or is refused it, before the books are drawn up.
        system.Clock.Advance(Strikes.Hang * 2);
        await system.System.Host.Durable.WhenIdleAsync();
        await BalancedAsync(cases);
    }

    /// <summary>Once before, once after the effect: what a retry must heal.</summary>
    static IEnumerable<Strike> Once(string step) =>
        [new(step, Mishap.FaultsBeforeEffect, 1), new(step, Mishap.FaultsAfterEffect, 1)];

    /// <summary>What may not be given up: heals by itself, or parks and an operator decides.</summary>
    static IEnumerable<(Strike Strike, string? Decision)> Ways(string step)
    {
        foreach (var strike in Once(step)) yield return (strike, null);

        // Enough for both lines of an order to park, and for a single step to park again after a retry.
        var patience = 2 * StepPolicy.Behind.AttemptsMax;
        string[] decisions = step == nameof(OrderSteps.RuleOutConfirmation)
            ? ["retry"]
            : ["retry", "skip", "resolve"];
        foreach (var decision in decisions)
        {
            // The rule-out refuses only when the confirmation has happened: that is its answer, not its failure.
            if (step != nameof(OrderSteps.RuleOutConfirmation))
                yield return (new(step, Mishap.Refused, 1), decision);
            yield return (new(step, Mishap.FaultsBeforeEffect, patience), decision);
            yield return (new(step, Mishap.FaultsAfterEffect, patience), decision);
        }
    }

    /// <summary>The activities that one order calls with these strikes, in the order of their first calls.</summary>
    async Task<IReadOnlyList<string>> CalledAsync(IReadOnlyList<Strike> strikes)
    {
        var seen = new Case("seen", strikes);
        await RunAsync([seen]);
        return [.. system.Strikes.CallsOf(seen.Order).Distinct()];
    }

    async Task<ConcurrentDictionary<Guid, ApiAnswer>> RunAsync(IReadOnlyList<Case> cases, Action? between = null)
    {
        var gently = new ParallelOptions { MaxDegreeOfParallelism = 8 };
        await Parallel.ForEachAsync(cases.Index(), gently, async (item, _) =>
        {
            system.Strikes.Order(item.Item.Order, item.Item.Strikes);
            await system.PlaceAsync(item.Item.Order, item.Index);
        });

        var stories = new ConcurrentDictionary<Guid, ApiAnswer>();
        for (IReadOnlyList<Case> open = cases; open.Count > 0;)
        {
            await system.SettleAsync(open.Select(@case => @case.Order), between);
            var parked = new ConcurrentBag<Case>();
            await Parallel.ForEachAsync(open, gently, async (@case, _) =>
            {
                var story = await RunningSystem.EventuallyAsync(() => system.StoryAsync(@case.Order), story =>
                    story.Text("status") is "parked" or "completed" or "compensated");
                stories[@case.Order] = story;
                if (story.Text("status") != "parked") return;
                await ContinueAsync(@case, story);
                parked.Add(@case);
            });
            open = [.. parked];
        }

        foreach (var @case in cases.Where(@case => @case.Decision is not null))
            Assert.True(
                stories[@case.Order].Body.GetProperty("decisions").GetArrayLength() > 0, $"{@case.Name} never parked.");
        return stories;
    }

    async Task ContinueAsync(Case @case, ApiAnswer story)
    {
        foreach (var stop in story.Body.GetProperty("parked").EnumerateArray())
        {
            var step = stop.GetProperty("step").GetString()!;
            if (@case.Decision == "resolve")
                await new ByHand(system).DoAsync(@case.Strikes[^1].Activity, @case.Order, step);
            await system.DecideAsync(@case.Order, @case.Decision ?? "retry", step, stop.GetProperty("stop").GetInt32());
        }
    }

    async Task BalancedAsync(IReadOnlyList<Case> cases)
    {
        var books = system.Books();
        var wrong = (await books.OpenAsync(system.Products, default)).Select(v => $"{v}").ToList();
        foreach (var (number, @case) in cases.Index())
        {
            foreach (var violation in await books.CheckAsync(@case.Order, system.LinesOf(number), default))
            {
                // What an operator chose to leave undone stays open, and nothing else does.
                if (@case.Decision == "skip" && violation.Book == BookOf(@case.Strikes[^1].Activity)) continue;
                wrong.Add($"{@case.Name}: {violation.Book}: {violation.What}");
            }
        }

        Assert.True(
            wrong.Count == 0,
            $"{wrong.Count} violations in {cases.Count} cases:\n{string.Join('\n', wrong.Take(30))}");
    }

    static Book BookOf(string activity) => activity switch
    {
        nameof(StockSteps.ReleaseStock) or nameof(StockSteps.CommitStock) => Book.Stock,
        nameof(PaymentSteps.VoidPayment) or nameof(PaymentSteps.CapturePayment) => Book.Payment,
        nameof(ShipmentSteps.CancelShipment) => Book.Shipment,
        nameof(OrderSteps.CancelOrder) => Book.Order,
        _ => throw new InvalidOperationException($"{activity} is in no book."),
    };

    static void UndoneNewestFirst(Case @case, ApiAnswer story)
    {
        var steps = story.Body.GetProperty("steps").EnumerateArray()
            .Select(step => (Name: step.GetProperty("step").GetString()!, Kind: step.GetProperty("kind").GetString()))
            .ToList();
        var begun = steps.Where(step => step.Kind == "compensable").Select(step => $"undo {step.Name}").Reverse();
        var undone = steps.Where(step => step.Name.StartsWith("undo ", StringComparison.Ordinal))
            .Select(step => step.Name).Distinct();
        Assert.Equal((@case.Name, string.Join(", ", begun)), (@case.Name, string.Join(", ", undone)));
    }
}
