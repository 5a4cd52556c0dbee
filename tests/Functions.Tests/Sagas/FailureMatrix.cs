using Functions.Sagas;
using Runtime.Local;
using static System.StringComparison;

namespace Functions.Tests.Sagas;

/// <summary>
/// Every step of the order saga going wrong in every way, crossed with every way its undoing can go. Nobody lists the
/// steps: they are what sagas are seen to call, so a new step is in the matrix from its first day.
/// </summary>
public sealed class FailureMatrix(FaultySystem system) : IClassFixture<FaultySystem>
{
    /// <summary>More than any step is tried before its saga gives up or parks.</summary>
    const int Always = 1_000;

    [Fact]
    public async Task Every_step_that_faults_once_before_or_after_its_effect_happens_once()
    {
        var steps = await CalledAsync();
        Assert.Equal(6, steps.Count);
        var cases = steps.SelectMany(Strikes.Once)
            .Select(strike => Case($"{strike.Activity} {strike.Mishap} once", [strike])).ToList();

        var stories = await RunAsync(cases);

        await BalancedAsync(cases);
        Assert.All(stories, story => Assert.Equal("completed", story.Value.Text("status")));
    }

    [Fact]
    public async Task Every_step_given_up_before_the_pivot_times_every_undo_in_every_way_balances()
    {
        var steps = await CalledAsync();
        var cases = new List<SagaCase>();
        foreach (var step in steps.TakeWhile(step => step != nameof(PaymentSteps.CapturePayment)))
        {
            foreach (var mishap in (Mishap[])[Mishap.Refused, Mishap.FaultsBeforeEffect, Mishap.FaultsAfterEffect])
            {
                Strike given = new(step, mishap, Always);
                var undos = (await CalledAsync(given)).Except(steps).ToList();
                cases.Add(Case($"{step} {mishap}", [given]));
                cases.AddRange(undos.SelectMany(undo => Ways(undo).Select(way =>
                    Case($"{step} {mishap}; {undo} {way.Strike.Mishap} × {way.Strike.Times} {way.Decision}",
                        [given, way.Strike], way.Decision))));
            }
        }

        Assert.InRange(cases.Count, 200, 1_000);
        var stories = await RunAsync(cases);

        await BalancedAsync(cases);
        foreach (var @case in cases)
        {
            var story = stories[@case.Saga];
            var tooLate = @case.Strikes[0] is
                { Activity: nameof(OrderSteps.ConfirmOrder), Mishap: Mishap.FaultsAfterEffect };
            Assert.Equal((@case.Name, tooLate ? "completed" : "compensated"), (@case.Name, story.Text("status")));
            if (!tooLate) UndoneNewestFirst(@case, story);
        }
    }

    [Fact]
    public async Task Every_step_behind_the_pivot_goes_forward_and_parks_when_it_can_not()
    {
        var steps = await CalledAsync();
        var cases = steps.SkipWhile(step => step != nameof(PaymentSteps.CapturePayment))
            .SelectMany(step => Ways(step).Select(way => Case(
                $"{step} {way.Strike.Mishap} × {way.Strike.Times} {way.Decision}", [way.Strike], way.Decision)))
            .ToList();

        var stories = await RunAsync(cases);

        await BalancedAsync(cases);
        Assert.All(stories, story => Assert.Equal("completed", story.Value.Text("status")));
    }

    [Fact]
    public async Task A_saga_that_breaks_in_any_step_or_undo_runs_again_and_balances()
    {
        var steps = await CalledAsync();
        var cases = steps.SelectMany(Strikes.Breaks).Select(b => Case($"{b}", [b])).ToList();
        foreach (var mishap in (Mishap[])[Mishap.Refused, Mishap.FaultsBeforeEffect])
        {
            Strike given = new(nameof(OrderSteps.ConfirmOrder), mishap, Always);
            foreach (var undo in (await CalledAsync(given)).Except(steps))
            {
                cases.AddRange(Strikes.Breaks(undo).Select(b => Case($"{given}, {b}", [given, b])));

                // Beside an undo that stands parked as well: the decision about it would reach nobody.
                Strike parks = new(nameof(PaymentSteps.VoidPayment), Mishap.FaultsBeforeEffect,
                    StepPolicy.Behind.AttemptsMax);
                if (undo == nameof(StockSteps.ReleaseStock))
                    cases.AddRange(Strikes.Breaks(undo).Select(b => Case($"{given}, {parks}, {b}", [given, parks, b])));
            }
        }

        // Given up for reasons that are gone when it runs again: it must not go forward over what is taken back.
        foreach (var given in steps.TakeWhile(step => step != nameof(PaymentSteps.CapturePayment)))
        {
            Strike once = new(given, Mishap.FaultsAfterEffect, 2 * StepPolicy.Before.AttemptsMax);
            cases.AddRange(((string[])[nameof(StockSteps.ReleaseStock), nameof(OrderSteps.CancelOrder)])
                .SelectMany(Strikes.Breaks).Select(b => Case($"{once}, {b}", [once, b])));
        }

        Assert.InRange(cases.Count, 30, 60);
        var stories = await RunAsync(cases);

        await BalancedAsync(cases);
        Assert.All(stories.Values, story => Assert.Contains(
            story.Text("status"), (string[])["completed", "compensated"]));

        // All but the one that finds its pivot to have happened, and never comes to what would break it.
        Assert.Equal(
            cases.Where(@case => @case.Strikes is
                [{ Activity: nameof(OrderSteps.ConfirmOrder), Mishap: Mishap.FaultsAfterEffect }, _])
                .Select(@case => @case.Name),
            cases.Where(@case => !stories[@case.Saga].Body.GetProperty("decisions").EnumerateArray()
                .Any(decision => decision.TryGetProperty("fault", out var fault)
                    && fault.GetString()!.StartsWith("The orchestration is Failed", Ordinal)))
                .Select(@case => @case.Name));
    }

    [Fact]
    public async Task The_first_version_undoes_in_every_way_as_well()
    {
        var steps = await CalledAsync();
        var cases = new List<SagaCase>();
        foreach (var mishap in (Mishap[])[Mishap.Refused, Mishap.FaultsBeforeEffect])
        {
            Strike given = new(nameof(OrderSteps.ConfirmOrder), mishap, Always);
            var undos = (await CalledAsync(given)).Except(steps).ToList();
            cases.AddRange(undos
                .Where(undo => mishap == Mishap.Refused || undo == nameof(OrderSteps.RuleOutConfirmation))
                .SelectMany(undo => Ways(undo).Select(way => Case(
                    $"{given}; {way.Strike} {way.Decision}", [given, way.Strike], way.Decision))));
        }

        cases.AddRange(steps.SelectMany(Strikes.Once).Select(once => Case($"{once}", [once])));
        Assert.InRange(cases.Count, 50, 90);
        var stories = await RunAsync(cases, firstVersion: true);

        await BalancedAsync(cases);
        foreach (var @case in cases)
        {
            var story = stories[@case.Saga];
            Assert.Equal(
                (@case.Name, "1", @case.Strikes.Count == 1 ? "completed" : "compensated"),
                (@case.Name, story.Text("version"), story.Text("status")));
            if (@case.Strikes.Count > 1) UndoneNewestFirst(@case, story);
        }
    }

    [Fact]
    public async Task A_step_that_answers_after_everybody_stopped_waiting_changes_nothing_any_more()
    {
        var steps = await CalledAsync();
        Strike refused = new(nameof(OrderSteps.ConfirmOrder), Mishap.Refused, Always);
        var undos = (await CalledAsync(refused)).Except(steps);
        var patience = StepPolicy.Before.AttemptsMax;
        var cases = steps.Select(step => new Strike[] { new(step, Mishap.HangsThenHappens, 1) })
            .Concat(steps.Select(step => new Strike[] { new(step, Mishap.HangsThenHappens, patience) }))
            .Concat(undos.SelectMany(undo => new Strike[][]
            {
                [refused, new(undo, Mishap.HangsThenHappens, 1)],
                [refused, new(undo, Mishap.HangsThenHappens, StepPolicy.Behind.AttemptsMax)],
            }))
            .Select(strikes => Case($"{strikes[^1].Activity} hangs × {strikes[^1].Times}", strikes))
            .ToList();

        await RunAsync(cases, () => system.Clock.Advance(TimeSpan.FromSeconds(16)));

        // Whoever still hangs wakes up and has its late effect, or is refused it, before the books are drawn up.
        system.Clock.Advance(Strikes.Hang * 2);
        await system.System.Host.Durable.WhenIdleAsync();
        await BalancedAsync(cases);
    }

    /// <summary>What may not be given up: heals by itself, or parks and an operator decides.</summary>
    static IEnumerable<(Strike Strike, string? Decision)> Ways(string step)
    {
        foreach (var strike in Strikes.Once(step)) yield return (strike, null);

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

    static SagaCase Case(string name, IReadOnlyList<Strike> strikes, string? decision = null) =>
        new(name, $"order-{Guid.NewGuid()}", strikes, decision);

    /// <summary>The activities that one order calls with these strikes, in the order of their first calls.</summary>
    async Task<IReadOnlyList<string>> CalledAsync(params Strike[] strikes)
    {
        var seen = Case("seen", strikes);
        await RunAsync([seen]);
        return [.. system.Strikes.CallsOf(seen.Saga).Distinct()];
    }

    Task<IReadOnlyDictionary<string, ApiAnswer>> RunAsync(
        List<SagaCase> cases, Action? between = null, bool firstVersion = false)
    {
        var numbers = cases.Index().ToDictionary(item => item.Item, item => item.Index);
        var begun = 0;
        return new SagaCases(system, (@case, step) =>
            new ByHand(system).DoAsync(@case.Strikes[^1].Activity, @case.Id, step)).RunAsync(
            cases,
            async @case =>
            {
                var number = numbers[@case];
                if (firstVersion)
                    await FirstVersion.StartAsync(system, @case.Id, number, system.Clock.GetUtcNow().AddDays(1));
                await system.PlaceAsync(@case.Id, number);
                if (firstVersion && Interlocked.Increment(ref begun) == cases.Count)
                    await system.Clock.AdvanceAsync(TimeSpan.FromDays(2), default);
            },
            between);
    }

    Task BalancedAsync(List<SagaCase> cases) => OrderBooks.BalancedAsync(system, cases);

    static void UndoneNewestFirst(SagaCase @case, ApiAnswer story)
    {
        var steps = story.Body.GetProperty("steps").EnumerateArray()
            .Select(step => (Name: step.GetProperty("step").GetString()!, Kind: step.GetProperty("kind").GetString()))
            .ToList();
        var begun = steps.Where(step => step.Kind == "compensable").Select(step => $"undo {step.Name}").Reverse();
        var undone = steps.Where(step => step.Name.StartsWith("undo ", Ordinal))
            .Select(step => step.Name).Distinct();
        Assert.Equal((@case.Name, string.Join(", ", begun)), (@case.Name, string.Join(", ", undone)));
    }
}
