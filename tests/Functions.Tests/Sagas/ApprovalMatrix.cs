using System.Collections.Concurrent;
using Functions.Sagas;
using Runtime.Local;

namespace Functions.Tests.Sagas;

/// <summary>
/// Orders that somebody has to agree to, with every word and with none, going wrong in every way: in asking, in
/// settling, in taking back, and in breaking at any step.
/// </summary>
public sealed class ApprovalMatrix : IClassFixture<FaultySystem>
{
    const int Always = 1_000;
    const int Times = 20;
    const string Approve = "approve";
    const string Reject = "reject";

    /// <summary>The deadline comes.</summary>
    const string Silence = "";

    readonly FaultySystem system;
    readonly ConcurrentDictionary<string, string> words = new();

    public ApprovalMatrix(FaultySystem system)
    {
        this.system = system;

        // The deadline comes at once when nothing else is left to be done; the word is stored before the wait begins.
        system.Clock.AutoAdvance = TimeSpan.FromDays(100);
        system.Around = async (context, next) =>
        {
            await system.Strikes.Around(context, next);
            var saga = $"{context.BindingContext.BindingData.GetValueOrDefault("instanceId")}";
            if (context.FunctionDefinition.Name == nameof(OrderSteps.RequestApproval)
                && words.GetValueOrDefault(saga) is { Length: > 0 } word) await system.AnswerAsync(saga, word);
        };
    }

    [Fact]
    public async Task Whatever_goes_wrong_in_asking_the_order_is_confirmed_with_the_word_or_taken_back()
    {
        string[] steps = [nameof(OrderSteps.RequestApproval), nameof(OrderSteps.SettleApproval)];
        Mishap[] mishaps = [Mishap.Refused, Mishap.FaultsBeforeEffect, Mishap.FaultsAfterEffect];
        var cases = ((string[])[Approve, Reject, Silence]).SelectMany(word => steps.SelectMany(step =>
            Strikes.Once(step).Concat(mishaps.Select(mishap => new Strike(step, mishap, Always)))
                .Select(strike => Case(word, strike)))).ToList();

        await RunAsync(cases, @case => words[@case.Saga] == Approve && @case.Strikes[0].Times == 1);
    }

    [Fact]
    public async Task What_a_rejection_takes_back_is_undone_in_every_way()
    {
        var forward = await CalledAsync(Approve);
        var undos = (await CalledAsync(Reject)).Except(forward).ToList();
        Assert.Equal([nameof(StockSteps.ReleaseStock), nameof(OrderSteps.CancelOrder)], undos);
        var cases = undos.SelectMany(undo => Strikes.Ways(undo, 2 * StepPolicy.Behind.AttemptsMax)
            .Select(way => Case(Reject, way.Strike, way.Decision))).ToList();

        await RunAsync(cases, _ => false);
    }

    [Fact]
    public async Task A_saga_that_breaks_around_the_wait_runs_again_and_the_word_stands()
    {
        var cases = new List<SagaCase>();
        foreach (var word in (string[])[Approve, Reject, Silence])
            cases.AddRange((await CalledAsync(word)).SelectMany(Strikes.Breaks).Select(strike => Case(word, strike)));
        Assert.InRange(cases.Count, 30, 40);

        await RunAsync(cases, @case => words[@case.Saga] == Approve);
        foreach (var @case in cases)
        {
            var asked = (await system.Api.EventsAsync(@case.Saga, default))
                .Count(e => e.GetProperty("eventType").GetString() == "order-approval-requested");
            Assert.Equal((@case.Name, 1), (@case.Name, asked));
        }
    }

    SagaCase Case(string word, Strike strike, string? decision = null)
    {
        var @case = new SagaCase($"\"{word}\": {strike} {decision}", $"order-{Guid.NewGuid()}", [strike], decision);
        words[@case.Saga] = word;
        return @case;
    }

    async Task<IReadOnlyList<string>> CalledAsync(string word)
    {
        var seen = new SagaCase("seen", $"order-{Guid.NewGuid()}", []);
        words[seen.Saga] = word;
        await RunAsync([seen], _ => word == Approve);
        return [.. system.Strikes.CallsOf(seen.Saga).Distinct()];
    }

    async Task RunAsync(IReadOnlyList<SagaCase> cases, Func<SagaCase, bool> isConfirmed)
    {
        var numbers = cases.Index().ToDictionary(item => item.Item.Saga, item => item.Index);
        var stories = await new SagaCases(system, (@case, step) =>
            new ByHand(system).DoAsync(@case.Strikes[^1].Activity, @case.Id, step)).RunAsync(
            cases, @case => system.PlaceAsync(@case.Id, numbers[@case.Saga], Times));
        await OrderBooks.BalancedAsync(system, cases, Times);
        foreach (var @case in cases)
        {
            Assert.Equal(
                (@case.Name, isConfirmed(@case) ? "completed" : "compensated"),
                (@case.Name, stories[@case.Saga].Text("status")));
        }
    }
}
