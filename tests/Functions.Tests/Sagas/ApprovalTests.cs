using System.Net.Http.Json;
using Runtime.Local;

namespace Functions.Tests.Sagas;

/// <summary>Large orders wait for somebody's word; what that word does, and what it can not do any more.</summary>
[Collection(nameof(RunningSystem))]
public sealed class ApprovalTests(RunningSystem system)
{
    const int Large = 60_000_00;

    static readonly TimeSpan Deadline = TimeSpan.FromHours(72);

    [Fact]
    public async Task A_large_order_goes_on_once_somebody_has_approved_it()
    {
        var (order, product) = await WaitingAsync();
        var waiting = await system.Api.GetAsync($"/api/sagas/order-{order}", default);
        Assert.Equal("running", waiting.Text("status"));
        Assert.Empty(await system.EventTypesAsync($"payment-{order}"));

        var answer = await AnswerAsync(order, "approve", "boss@example.com");

        Assert.Equal(202, (int)answer.Status);
        Assert.Equal("completed", (await system.SettledAsync(order)).Text("status"));
        Assert.Equal(
            ["order-placed", "order-approval-requested", "order-approved", "order-confirmed"],
            await system.EventTypesAsync($"order-{order}"));
        Assert.Equal(
            ["stock-received", "stock-reserved", "stock-committed"], await system.EventTypesAsync($"stock-{product}"));
        var view = await system.Api.GetAsync($"/api/orders/{order}", default, $"order-{order}@4");
        Assert.Equal("approved", view.Text("approval.state"));
        Assert.Equal("boss@example.com", view.Text("approval.answeredBy"));
    }

    [Fact]
    public async Task A_large_order_that_somebody_rejects_is_compensated()
    {
        var (order, product) = await WaitingAsync();

        await AnswerAsync(order, "reject", "boss@example.com");

        var saga = await system.SettledAsync(order);
        Assert.Equal(("compensated", "order-rejected"), (saga.Text("status"), saga.Text("refusal.code")));
        Assert.Equal(
            ["order-placed", "order-approval-requested", "order-rejected", "order-cancelled"],
            await system.EventTypesAsync($"order-{order}"));
        Assert.Equal(
            ["stock-received", "stock-reserved", "stock-released"], await system.EventTypesAsync($"stock-{product}"));
        Assert.Empty(await system.EventTypesAsync($"payment-{order}"));
    }

    [Fact]
    public async Task The_deadline_compensates_and_no_answer_comes_after_it()
    {
        var (order, product) = await WaitingAsync();

        await system.Clock.AdvanceAsync(Deadline, default);

        var saga = await system.SettledAsync(order);
        Assert.Equal(("compensated", "approval-expired"), (saga.Text("status"), saga.Text("refusal.code")));
        var late = await AnswerAsync(order, "approve", "boss@example.com");
        Assert.Equal((409, "approval-expired"), ((int)late.Status, late.Text("code")));
        Assert.Equal(
            ["order-placed", "order-approval-requested", "order-approval-expired", "order-cancelled"],
            await system.EventTypesAsync($"order-{order}"));
        Assert.Equal(
            ["stock-received", "stock-reserved", "stock-released"], await system.EventTypesAsync($"stock-{product}"));
    }

    [Fact]
    public async Task Early_repeated_and_contradicting_answers_are_harmless()
    {
        var small = await system.PlaceAsync(Order(await system.ProductAsync(stock: 1)));
        var early = await AnswerAsync(small, "approve", "boss@example.com");
        Assert.Equal((409, "approval-not-requested"), ((int)early.Status, early.Text("code")));
        Assert.Equal("completed", (await system.SettledAsync(small)).Text("status"));

        var (order, _) = await WaitingAsync();
        var answers = await Task.WhenAll(
            Enumerable.Range(0, 5).Select(_ => AnswerAsync(order, "approve", "boss@example.com")));
        var other = await AnswerAsync(order, "reject", "other@example.com");

        Assert.All(answers, answer => Assert.Equal(202, (int)answer.Status));
        Assert.Equal((409, "order-already-approved"), ((int)other.Status, other.Text("code")));
        Assert.Equal("completed", (await system.SettledAsync(order)).Text("status"));
        Assert.Single(await system.EventTypesAsync($"order-{order}"), type => type == "order-approved");
    }

    [Fact]
    public async Task A_wish_to_cancel_ends_the_wait_at_once()
    {
        var (order, _) = await WaitingAsync();

        var cancelled = await system.Api.PostAsync(
            $"/api/orders/{order}/cancellation", new { reason = "takes too long" }, null, default);

        Assert.Equal(202, (int)cancelled.Status);
        var saga = await system.SettledAsync(order);
        Assert.Equal(("compensated", "cancellation-requested"), (saga.Text("status"), saga.Text("refusal.code")));
    }

    [Fact]
    public async Task An_answer_that_races_the_deadline_is_either_taken_or_refused()
    {
        var waiting = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => WaitingAsync()));

        // Some come in time, some too late. The clock lets every saga come to rest before it goes on: one that leapt
        // over steps in flight would let all their attempts run out of time, and take an approved order back for that.
        var answers = Task.WhenAll(waiting.Select(one => AnswerAsync(one.Order, "approve", "boss@example.com")));
        await system.Clock.AdvanceAsync(Deadline, default);
        foreach (var (one, answer) in waiting.Zip(await answers))
        {
            var saga = await system.SettledAsync(one.Order);
            var taken = (int)answer.Status == 202;
            Assert.Equal(
                (taken ? "completed" : "compensated", taken ? null : "approval-expired", answer.Text("code")),
                (saga.Text("status"), saga.Text("refusal.code"), answer.Text("code")));
            Assert.Equal(
                taken ? "order-approved" : "order-approval-expired",
                (await system.EventTypesAsync($"order-{one.Order}"))[2]);
        }
    }

    [Theory]
    [InlineData("""{ "decision": "maybe" }""", 400, "invalid-decision")]
    [InlineData("""{ "decision": "reject" }""", 400, "field-required")]
    [InlineData("""{ "decision": "approve" }""", 404, "unknown-order")]
    public async Task An_answer_nobody_can_use_is_refused(string body, int status, string code)
    {
        using var json = System.Text.Json.JsonDocument.Parse(body);
        var answer = await system.Api.PostAsync(
            $"/api/orders/{Guid.NewGuid()}/approval", json.RootElement, null, default);
        Assert.Equal((status, code), ((int)answer.Status, answer.Text("code")));
    }

    async Task<(Guid Order, string Product)> WaitingAsync()
    {
        var product = await system.ProductAsync(stock: 5, price: Large);
        var order = await system.PlaceAsync(Order(product, quantity: 2));
        await RunningSystem.EventuallyAsync(
            () => system.Api.GetAsync($"/api/sagas/order-{order}", default),
            saga => saga.Text("standsAt") == """["approval"]""");
        return (order, product);
    }

    static object Order(string product, int quantity = 1) =>
        Catalogue.Order("4242 4242 4242 4242", Catalogue.Address(), (product, quantity));

    Task<ApiAnswer> AnswerAsync(Guid order, string decision, string by) => system.Api.SendAsync(
        new(HttpMethod.Post, $"/api/orders/{order}/approval")
        {
            Content = JsonContent.Create(new { decision, reason = "because" }),
            Headers = { { "X-MS-CLIENT-PRINCIPAL-NAME", by } },
        },
        default);
}
