using Functions.Sagas;

namespace Functions.Tests.Sagas;

/// <summary>Asking for an approval and settling it going wrong in every way, with an answer and without one.</summary>
[Collection(nameof(FaultySystem))]
public sealed class ApprovalMatrix(FaultySystem system)
{
    sealed record Case(Strike Strike, bool Word)
    {
        public Guid Order { get; } = Guid.NewGuid();
    }

    const int Always = 1_000;
    const int Times = 20;

    [Fact]
    public async Task Whatever_goes_wrong_in_asking_the_order_is_confirmed_with_the_word_or_taken_back()
    {
        string[] steps = [nameof(OrderSteps.RequestApproval), nameof(OrderSteps.SettleApproval)];
        Mishap[] mishaps = [Mishap.Refused, Mishap.FaultsBeforeEffect, Mishap.FaultsAfterEffect];
        var cases = steps
            .SelectMany(step => Strikes.Once(step).Concat(mishaps.Select(mishap => new Strike(step, mishap, Always))))
            .SelectMany(strike => new[] { new Case(strike, Word: true), new Case(strike, Word: false) })
            .ToList();
        foreach (var (number, @case) in cases.Index())
        {
            system.Strikes.Order(@case.Order, [@case.Strike]);
            await system.PlaceAsync(@case.Order, number, Times);
        }

        var given = new Dictionary<Guid, bool>();
        foreach (var @case in cases)
        {
            await RunningSystem.EventuallyAsync(
                () => system.StoryAsync(@case.Order),
                story => story.Text("standsAt") == """["approval"]""" || story.Text("endedAt") is not null);
            if (!@case.Word) continue;
            var answer = await system.Api.PostAsync(
                $"/api/orders/{@case.Order}/approval", new { decision = "approve" }, null, default);
            given[@case.Order] = (int)answer.Status == 202;
        }

        // The words arrive before the time is over.
        await RunningSystem.EventuallyAsync(
            async () => await Task.WhenAll(cases.Where(c => c.Word).Select(c => system.StoryAsync(c.Order))),
            stories => stories.All(story => story.Text("endedAt") is not null));
        system.Clock.Advance(TimeSpan.FromHours(72));
        await system.SettleAsync(cases.Select(@case => @case.Order));

        var books = system.Books();
        Assert.Empty(await books.OpenAsync(system.Products, default));
        foreach (var (number, @case) in cases.Index())
        {
            Assert.Empty(await books.CheckAsync(@case.Order, system.LinesOf(number, Times), default));
            var confirmed = @case.Word && given[@case.Order] && @case.Strike.Times == 1;
            Assert.Equal(
                (@case.Strike, confirmed ? "order-confirmed" : "order-cancelled"),
                (@case.Strike, books.Ends[@case.Order]));
        }
    }
}
