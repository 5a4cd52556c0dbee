using Commerce.Payments;
using Runtime.Local;

namespace Functions.Tests.Sagas;

/// <summary>The customer wants out at any moment: the order's stream decides what that turns into.</summary>
[Collection(nameof(RunningSystem))]
public sealed class CancellationTests(RunningSystem system)
{
    [Fact]
    public async Task Before_the_pivot_the_running_saga_takes_back_what_it_did()
    {
        // The carrier never answers this postal code, so the saga is still on its way.
        var product = await system.ProductAsync(stock: 5, price: 60_000_00);
        var order = await system.PlaceAsync(Order(product, quantity: 2));
        await RunningSystem.EventuallyAsync(
            () => system.Api.GetAsync($"/api/sagas/order-{order}", default),
            saga => saga.Text("standsAt") == """["approval"]""");

        var answer = await CancelAsync(order);

        Assert.Equal((202, "cancellation"), ((int)answer.Status, answer.Text("becomes")));
        Assert.Equal($"/api/sagas/order-{order}", answer.Text("saga"));
        Assert.Equal("compensated", (await system.SettledAsync(order)).Text("status"));
        Assert.Equal(
            ["stock-received", "stock-reserved", "stock-released"], await system.EventTypesAsync($"stock-{product}"));
        var again = await CancelAsync(order);
        Assert.Equal((202, "cancellation"), ((int)again.Status, again.Text("becomes")));
    }

    [Fact]
    public async Task Behind_the_pivot_it_becomes_a_return_with_a_saga_of_its_own()
    {
        var product = await system.ProductAsync(stock: 5);
        var order = await system.PlaceAsync(Order(product, quantity: 2));
        Assert.Equal("completed", (await system.SettledAsync(order)).Text("status"));

        var answers = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => CancelAsync(order)));

        Assert.All(answers, answer => Assert.Equal((202, "return"), ((int)answer.Status, answer.Text("becomes"))));
        Assert.Equal($"/api/sagas/return-{order}", answers[0].Text("saga"));
        var saga = await EndedAsync(order);
        Assert.Equal(("completed", "ReturnSaga"), (saga.Text("status"), saga.Text("type")));
        Assert.Equal(
            ["order-placed", "order-confirmed", "order-return-requested", "order-returned"],
            await system.EventTypesAsync($"order-{order}"));
        Assert.Equal(
            ["payment-authorized", "payment-captured", "payment-refunded"],
            await system.EventTypesAsync($"payment-{order}"));
        Assert.Equal(["shipment-booked", "shipment-cancelled"], await system.EventTypesAsync($"shipment-{order}"));
        Assert.Equal(
            ["stock-received", "stock-reserved", "stock-committed", "stock-received"],
            await system.EventTypesAsync($"stock-{product}"));
        Assert.Equal(20_00, system.Gateway.Ledger(PaymentId.Of(new(order))).Refunded);
        var view = await system.Api.GetAsync($"/api/orders/{order}", default, $"order-{order}@4");
        Assert.Equal(("returned", "changed my mind"), (view.Text("status"), view.Text("returnReason")));
    }

    [Fact]
    public async Task A_return_waits_for_the_sale_to_be_done()
    {
        var product = await system.ProductAsync(stock: 5);
        system.Gateway.TimeOut(PaymentCall.Capture, times: 8);
        var order = await system.PlaceAsync(Order(product));
        var parked = await system.SettledAsync(order);
        Assert.Equal("parked", parked.Text("status"));

        var answer = await CancelAsync(order);
        Assert.Equal("return", answer.Text("becomes"));
        await RunningSystem.EventuallyAsync(
            () => system.Api.GetAsync($"/api/sagas/return-{order}", default),
            saga => saga.Text("standsAt") == """["wait until the sale is done"]""");
        Assert.DoesNotContain("payment-refunded", await system.EventTypesAsync($"payment-{order}"));

        await system.Admin.PostAsync(
            $"/api/operations/sagas/order-{order}/decision",
            new { action = "retry", by = "operator@example.com", why = "the gateway is back" }, null, default);
        Assert.Equal("completed", (await EndedAsync(order)).Text("status"));
        Assert.Equal(
            ["payment-authorized", "payment-captured", "payment-refunded"],
            await system.EventTypesAsync($"payment-{order}"));
    }

    [Fact]
    public async Task A_cancellation_that_races_the_pivot_is_one_of_the_two_and_the_books_say_which()
    {
        var product = await system.ProductAsync(stock: 100);
        var orders = await Task.WhenAll(Enumerable.Range(0, 24).Select(_ => system.PlaceAsync(Order(product))));

        // Some come before their saga confirms, some behind it, some while it does.
        var answers = await Task.WhenAll(orders.Select(CancelAsync));

        foreach (var (order, answer) in orders.Zip(answers))
        {
            var saga = await system.SettledAsync(order);
            var ledger = system.Gateway.Ledger(PaymentId.Of(new(order)));
            if (answer.Text("becomes") == "cancellation")
            {
                Assert.Equal("compensated", saga.Text("status"));
                Assert.Equal(0, ledger.Captured);
                Assert.Empty(await system.EventTypesAsync($"return-{order}"));
            }
            else
            {
                Assert.Equal("completed", saga.Text("status"));
                Assert.Equal("completed", (await EndedAsync(order)).Text("status"));
                ledger = system.Gateway.Ledger(PaymentId.Of(new(order)));
                Assert.Equal(ledger.Captured, ledger.Refunded);
            }
        }

        var stock = await RunningSystem.EventuallyAsync(
            () => system.Api.GetAsync($"/api/products/{product}/stock", default), stock => stock.Text("held") == "0");
        Assert.Equal("100", await RunningSystem.EventuallyAsync(
            async () => (await system.Api.GetAsync($"/api/products/{product}/stock", default)).Text("available"),
            available => available == "100"));
        Assert.Equal("0", stock.Text("held"));
    }

    static object Order(string product, int quantity = 1) =>
        Catalogue.Order("4242 4242 4242 4242", Catalogue.Address(), (product, quantity));

    Task<ApiAnswer> CancelAsync(Guid order) => system.Api.PostAsync(
        $"/api/orders/{order}/cancellation", new { reason = "changed my mind" }, null, default);

    Task<ApiAnswer> EndedAsync(Guid order) => RunningSystem.EventuallyAsync(
        () => system.Api.GetAsync($"/api/sagas/return-{order}", default), saga => saga.Text("endedAt") is not null);
}
