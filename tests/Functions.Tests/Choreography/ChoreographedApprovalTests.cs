using System.Net.Http.Json;
using Commerce.Ordering;
using Commerce.Payments;
using Functions.Choreography;
using Microsoft.Extensions.DependencyInjection;
using Runtime.Local;

namespace Functions.Tests.Choreography;

/// <summary>A large order waits for somebody's word, whichever way it is carried out.</summary>
[Collection(nameof(RunningSystem))]
public sealed class ChoreographedApprovalTests(RunningSystem system)
{
    const int Large = 60_000_00;

    static readonly TimeSpan Deadline = TimeSpan.FromHours(72);

    OverdueOrders Watcher => system.System.Host.Services.GetRequiredService<OverdueOrders>();

    [Fact]
    public async Task A_large_order_holds_its_goods_and_goes_on_once_somebody_has_approved_it()
    {
        var (order, product, customer) = await WaitingAsync();
        Assert.Equal(["stock-received", "stock-reserved"], await system.EventTypesAsync($"stock-{product}"));
        Assert.Empty(await system.EventTypesAsync($"payment-{order}"));

        // It waits for people, not for a context: nobody stops it for that.
        system.Clock.Advance(Order.PendingMax * 2);
        await SeenAsync(order, 2);
        await Watcher.CancelAsync(default);
        var answers = await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => AnswerAsync(order, "approve")));
        Assert.All(answers, answer => Assert.Equal(202, (int)answer.Status));

        // And once somebody has spoken it has all its time again.
        await Watcher.CancelAsync(default);
        await EndsAsync($"customer-{customer}", "customer-credit-released");
        Assert.Equal(
            ["order-placed", "order-approval-requested", "order-approved", "order-confirmed"],
            await system.EventTypesAsync($"order-{order}"));
        Assert.Equal(2L * Large, system.Gateway.Ledger(PaymentId.Of(new(order))).Captured);
        var other = await AnswerAsync(order, "reject");
        Assert.Equal((409, "order-already-approved"), ((int)other.Status, other.Text("code")));
    }

    [Fact]
    public async Task A_large_order_that_somebody_rejects_is_taken_back_by_everybody()
    {
        var (order, product, customer) = await WaitingAsync();

        Assert.Equal(202, (int)(await AnswerAsync(order, "reject")).Status);

        await TakenBackAsync(order, product, customer, "order-rejected", "order-rejected");
    }

    [Fact]
    public async Task The_watcher_ends_the_time_and_no_answer_comes_after_it()
    {
        var (order, product, customer) = await WaitingAsync();
        await SeenAsync(order, 2);

        system.Clock.Advance(Deadline + TimeSpan.FromSeconds(1));
        await Watcher.CancelAsync(default);
        var late = await AnswerAsync(order, "approve");

        Assert.Equal((409, "approval-expired"), ((int)late.Status, late.Text("code")));
        await TakenBackAsync(order, product, customer, "order-approval-expired", "approval-expired");
    }

    [Fact]
    public async Task A_wish_to_cancel_ends_the_wait_at_once()
    {
        var (order, product, customer) = await WaitingAsync();

        var wish = await system.Api.PostAsync(
            $"/api/orders/{order}/cancellation", new { reason = "takes too long" }, null, default);

        Assert.Equal(202, (int)wish.Status);
        await TakenBackAsync(order, product, customer, "order-cancellation-requested", "cancellation-requested");
    }

    [Fact]
    public async Task An_order_of_an_ordinary_size_is_never_asked_about()
    {
        var (order, _, customer) = await PlacedAsync(quantity: 1);
        var early = await AnswerAsync(order, "approve");
        Assert.Equal((409, "approval-not-requested"), ((int)early.Status, early.Text("code")));
        await EndsAsync($"customer-{customer}", "customer-credit-released");
        Assert.Equal(["order-placed", "order-confirmed"], await system.EventTypesAsync($"order-{order}"));
    }

    async Task TakenBackAsync(Guid order, string product, Guid customer, string answer, string code)
    {
        await EndsAsync($"order-{order}", "order-cancelled");
        await EndsAsync($"stock-{product}", "stock-released");
        Assert.Equal(
            ["order-placed", "order-approval-requested", answer, "order-cancelled"],
            await system.EventTypesAsync($"order-{order}"));
        Assert.Equal(
            ["stock-received", "stock-reserved", "stock-released"], await system.EventTypesAsync($"stock-{product}"));
        Assert.Equal(["payment-voided"], await system.EventTypesAsync($"payment-{order}"));
        Assert.Equal(["shipment-cancelled"], await system.EventTypesAsync($"shipment-{order}"));
        Assert.Equal("customer-credit-released", (await system.EventTypesAsync($"customer-{customer}"))[^1]);
        var view = await system.Api.GetAsync($"/api/orders/{order}", default, $"order-{order}@4");
        Assert.Equal(code, view.Text("cancelledCode"));
    }

    async Task<(Guid Order, string Product, Guid Customer)> WaitingAsync()
    {
        var placed = await PlacedAsync(quantity: 2);
        await EndsAsync($"order-{placed.Order}", "order-approval-requested");
        return placed;
    }

    async Task<(Guid Order, string Product, Guid Customer)> PlacedAsync(int quantity)
    {
        var (order, product) = (Guid.NewGuid(), await system.ProductAsync(stock: 5, price: Large));
        var customer = await Wanted.CustomerAsync(system.Api, 1_000_000_00);
        await Wanted.PlaceAsync(
            system.Http, order, Wanted.Order(Wanted.Good, Catalogue.Address(), customer, (product, quantity)));
        return (order, product, customer);
    }

    /// <summary>Until the list that the watcher asks has seen so much of the order.</summary>
    Task<ApiAnswer> SeenAsync(Guid order, int sequence) => RunningSystem.EventuallyAsync(
        () => system.Api.GetAsync("/api/orders?status=pending&limit=1", default, $"order-{order}@{sequence}"),
        list => list.Status == System.Net.HttpStatusCode.OK);

    async Task EndsAsync(string stream, string last) => await RunningSystem.EventuallyAsync(
        () => system.EventTypesAsync(stream), types => types.Count > 0 && types[^1] == last);

    Task<ApiAnswer> AnswerAsync(Guid order, string decision) => system.Api.SendAsync(
        new(HttpMethod.Post, $"/api/orders/{order}/approval")
        {
            Content = JsonContent.Create(new { decision, reason = "because" }),
            Headers = { { "X-MS-CLIENT-PRINCIPAL-NAME", "boss@example.com" } },
        },
        default);
}
