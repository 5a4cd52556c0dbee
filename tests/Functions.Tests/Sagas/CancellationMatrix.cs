using System.Collections.Concurrent;
using Functions.Sagas;
using Runtime.Local;

namespace Functions.Tests.Sagas;

/// <summary>
/// The customer wants out at every point of an order: before and after each step that one is seen to call, and with
/// every undo of it parked once.
/// </summary>
[Collection(nameof(FaultySystem))]
public sealed class CancellationMatrix(FaultySystem system)
{
    /// <summary>So much that somebody has to agree to it: such an order has every step there is.</summary>
    const int Times = 20;

    readonly ConcurrentDictionary<string, (string Activity, bool After)> wishes = new();
    readonly ConcurrentDictionary<string, string?> became = new();

    [Fact]
    public async Task A_wish_to_cancel_takes_back_what_was_done_or_becomes_a_return()
    {
        system.Around = async (context, next) =>
        {
            var saga = $"{context.BindingContext.BindingData.GetValueOrDefault("instanceId")}";
            var activity = context.FunctionDefinition.Name;
            await WishAsync(saga, (activity, false));
            await system.Strikes.Around(context, next);
            if (activity == nameof(OrderSteps.RequestApproval)) await system.AnswerAsync(saga, "approve");
            await WishAsync(saga, (activity, true));
        };
        try
        {
            var seen = Case("seen", []);
            await RunAsync([seen]);
            var steps = system.Strikes.CallsOf(seen.Saga).Distinct().ToList();
            Assert.Equal(8, steps.Count);

            var plain = steps.SelectMany(step => new[] { (step, false), (step, true) })
                .Select(point => WithWish(Case($"{point}", []), point)).ToList();
            await CheckAsync(plain, await RunAsync(plain));

            var parking = plain.Where(c => became[c.Saga] == "cancellation").SelectMany(c => system.Strikes
                .CallsOf(c.Saga).Distinct().Except(steps).Select(undo => (Of: c, Undo: undo)))
                .Select(one => WithWish(
                    Case($"{one.Of.Name}, {one.Undo} parks", [
                        new(one.Undo, Mishap.FaultsBeforeEffect, 2 * StepPolicy.Behind.AttemptsMax)]),
                    PointOf(one.Of)))
                .ToList();
            Assert.InRange(parking.Count, 20, 50);
            await CheckAsync(parking, await RunAsync(parking));
        }
        finally
        {
            system.Around = system.Strikes.Around;
        }
    }

    static SagaCase Case(string name, IReadOnlyList<Strike> strikes) =>
        new(name, $"order-{Guid.NewGuid()}", strikes);

    readonly Dictionary<string, (string, bool)> points = [];

    SagaCase WithWish(SagaCase @case, (string Activity, bool After) point)
    {
        points[@case.Saga] = wishes[@case.Saga] = point;
        return @case;
    }

    (string, bool) PointOf(SagaCase @case) => points[@case.Saga];

    async Task WishAsync(string saga, (string, bool) here)
    {
        if (!wishes.TryGetValue(saga, out var point) || point != here || !wishes.TryRemove(saga, out _)) return;
        var answer = await system.Api.PostAsync(
            $"/api/orders/{saga["order-".Length..]}/cancellation", new { reason = "changed my mind" }, null, default);
        became[saga] = answer.Text("becomes");
    }

    Task<IReadOnlyDictionary<string, ApiAnswer>> RunAsync(IReadOnlyList<SagaCase> cases)
    {
        var numbers = cases.Index().ToDictionary(item => item.Item.Saga, item => item.Index);
        return new SagaCases(system, (_, _) => throw new InvalidOperationException("Nothing is resolved here."))
            .RunAsync(cases, @case => system.PlaceAsync(@case.Id, numbers[@case.Saga], Times));
    }

    async Task CheckAsync(IReadOnlyList<SagaCase> cases, IReadOnlyDictionary<string, ApiAnswer> stories)
    {
        await system.SettleAsync(cases.Where(c => became[c.Saga] == "return").Select(c => $"return-{c.Id}"));
        var books = system.Books();
        var wrong = (await books.OpenAsync(system.Products, default)).Select(v => $"{v}").ToList();
        foreach (var (number, @case) in cases.Index())
        {
            var (activity, after) = PointOf(@case);
            var sold = activity is nameof(PaymentSteps.CapturePayment) or nameof(StockSteps.CommitStock)
                || (activity == nameof(OrderSteps.ConfirmOrder) && after);
            Assert.Equal(
                (@case.Name, sold ? "return" : "cancellation", sold ? "completed" : "compensated"),
                (@case.Name, became[@case.Saga], stories[@case.Saga].Text("status")));
            var lines = system.LinesOf(number, Times);
            wrong.AddRange(sold
                ? (await ReturnBooks.CheckAsync(system, @case.Id, lines)).Select(v => $"{@case.Name}: {v.What}")
                : (await books.CheckAsync(@case.Id, lines, default)).Select(v => $"{@case.Name}: {v}"));
        }

        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
    }
}
