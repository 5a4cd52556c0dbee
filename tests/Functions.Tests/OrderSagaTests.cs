using Commerce;
using Commerce.Payments;
using Commerce.Shipping;
using Runtime.Local;

namespace Functions.Tests;

/// <summary>One order from HTTP to its views, whichever way it ends.</summary>
[Collection(nameof(RunningSystem))]
public sealed class OrderSagaTests(RunningSystem system)
{
    const string Good = "4242 4242 4242 4242";

    [Fact]
    public async Task An_order_that_can_be_fulfilled_is_confirmed_paid_and_its_goods_leave()
    {
        var (first, second) = (
            await system.ProductAsync(stock: 5, price: 10_00), await system.ProductAsync(stock: 3, price: 7_00));
        var order = await system.PlaceAsync(Catalogue.Order(Good, Catalogue.Address(), (first, 2), (second, 1)));

        var saga = await system.SettledAsync(order);

        Assert.Equal("completed", saga.Text("status"));
        Assert.Equal(["order-placed", "order-confirmed"], await system.EventTypesAsync($"order-{order}"));
        Assert.Equal(["payment-authorized", "payment-captured"], await system.EventTypesAsync($"payment-{order}"));
        Assert.Equal(["shipment-booked"], await system.EventTypesAsync($"shipment-{order}"));
        Assert.Equal(
            ["stock-received", "stock-reserved", "stock-committed"], await system.EventTypesAsync($"stock-{first}"));
        Assert.Equal(
            ["stock-received", "stock-reserved", "stock-committed"], await system.EventTypesAsync($"stock-{second}"));
        Assert.Equal(27_00, system.Gateway.Ledger(PaymentId.Of(new(order))).Captured);

        var view = await RunningSystem.EventuallyAsync(
            () => system.Api.GetAsync($"/api/orders/{order}", default), view => view.Text("status") == "confirmed");
        Assert.Equal("2700", view.Text("total.minorUnits"));
        var stock = await RunningSystem.EventuallyAsync(
            () => system.Api.GetAsync($"/api/products/{first}/stock", default), stock => stock.Text("onHand") == "3");
        Assert.Equal("3", stock.Text("available"));
    }

    [Theory]
    [InlineData("4000 0000 0000 0002", "10115", "DE", "card-declined", "payment-declined")]
    [InlineData("4000 0000 0000 9995", "10115", "DE", "insufficient-funds", "payment-declined")]
    [InlineData("4000 0000 0000 0119", "10115", "DE", "step-failed", "payment-voided")]
    [InlineData("4242 4242 4242 4242", "00000", "DE", "step-failed", "payment-authorized payment-voided")]
    [InlineData("4242 4242 4242 4242", "10115", "AQ", "address-not-served", "payment-authorized payment-voided")]
    public async Task An_order_that_can_not_be_fulfilled_leaves_nothing_but_its_cancellation(
        string card, string postalCode, string country, string code, string payment)
    {
        var product = await system.ProductAsync(stock: 5);
        var order = await system.PlaceAsync(
            Catalogue.Order(card, Catalogue.Address(postalCode, country), (product, 2)));

        var saga = await system.SettledAsync(order);

        Assert.Equal("compensated", saga.Text("status"));
        Assert.Equal(code, saga.Text("refusal.code"));
        Assert.Equal(["order-placed", "order-cancelled"], await system.EventTypesAsync($"order-{order}"));
        Assert.Equal(payment, string.Join(' ', await system.EventTypesAsync($"payment-{order}")));
        Assert.Equal(
            ["stock-received", "stock-reserved", "stock-released"], await system.EventTypesAsync($"stock-{product}"));
        var ledger = system.Gateway.Ledger(PaymentId.Of(new(order)));
        Assert.Equal((0, ledger.Authorized), (ledger.Captured, ledger.Voided));
        Assert.Equal(0, Parcels(order));
        var view = await RunningSystem.EventuallyAsync(
            () => system.Api.GetAsync($"/api/orders/{order}", default), view => view.Text("status") == "cancelled");
        Assert.Equal(code, view.Text("cancelledCode"));
    }

    [Fact]
    public async Task A_line_out_of_stock_gives_the_other_lines_back_and_asks_for_no_money()
    {
        var (first, second) = (await system.ProductAsync(stock: 5), await system.ProductAsync(stock: 1));
        var order = await system.PlaceAsync(Catalogue.Order(Good, Catalogue.Address(), (first, 2), (second, 2)));

        var saga = await system.SettledAsync(order);

        Assert.Equal("insufficient-stock", saga.Text("refusal.code"));
        Assert.Equal(
            ["stock-received", "stock-reserved", "stock-released"], await system.EventTypesAsync($"stock-{first}"));
        Assert.Empty(await system.EventTypesAsync($"payment-{order}"));
        Assert.Empty(await system.EventTypesAsync($"shipment-{order}"));
    }

    [Theory]
    [InlineData("4000 0000 0000 0127", "10115")]
    [InlineData("4000 0000 0000 0341", "10115")]
    [InlineData("4242 4242 4242 4242", "00001")]
    public async Task A_lost_answer_is_asked_for_again_and_happens_once(string card, string postalCode)
    {
        var product = await system.ProductAsync(stock: 5);
        var order = await system.PlaceAsync(Catalogue.Order(card, Catalogue.Address(postalCode), (product, 2)));

        var saga = await system.SettledAsync(order);

        Assert.Equal("completed", saga.Text("status"));
        Assert.Equal(["payment-authorized", "payment-captured"], await system.EventTypesAsync($"payment-{order}"));
        Assert.Equal(["shipment-booked"], await system.EventTypesAsync($"shipment-{order}"));
        Assert.Equal(1, Parcels(order));
    }

    [Fact]
    public async Task The_same_order_many_times_at_once_has_one_effect()
    {
        var product = await system.ProductAsync(stock: 50);
        var order = Guid.NewGuid();
        var body = Catalogue.Order(Good, Catalogue.Address(), (product, 2));

        var answers = await Task.WhenAll(Enumerable.Range(0, 10)
            .Select(_ => system.Api.PutAsync($"/api/orders/{order}", body, default)));
        await system.SettledAsync(order);

        Assert.All(answers, answer => Assert.Equal(202, (int)answer.Status));

        // A repeat says how far the order has come since, and its saga may have been quicker.
        Assert.All(answers, answer => Assert.Contains(
            answer.Text("consistencyToken"), new[] { $"order-{order}@1", $"order-{order}@2" }));
        Assert.Equal(["order-placed", "order-confirmed"], await system.EventTypesAsync($"order-{order}"));
        Assert.Equal(
            ["stock-received", "stock-reserved", "stock-committed"], await system.EventTypesAsync($"stock-{product}"));
    }

    [Fact]
    public async Task An_undo_that_keeps_failing_parks_the_saga_until_an_operator_decides()
    {
        var product = await system.ProductAsync(stock: 5);
        system.Gateway.TimeOut(PaymentCall.Void, times: 8);
        var order = await system.PlaceAsync(Catalogue.Order(Good, Catalogue.Address(country: "AQ"), (product, 1)));

        var parked = await system.SettledAsync(order);
        Assert.Equal("parked", parked.Text("status"));
        Assert.Equal(["order-placed"], await system.EventTypesAsync($"order-{order}"));
        var decision = new { action = "retry", by = "operator@example.com", why = "the gateway is back" };
        var path = $"/api/operations/sagas/order-{order}/decision";
        Assert.Equal(401, (int)(await system.Api.PostAsync(path, decision, null, default)).Status);
        Assert.Equal(202, (int)(await system.Admin.PostAsync(path, decision, null, default)).Status);

        var ended = await RunningSystem.EventuallyAsync(
            () => system.Api.GetAsync($"/api/sagas/order-{order}", default), saga => saga.Text("endedAt") is not null);
        Assert.Equal("compensated", ended.Text("status"));
        Assert.Equal("the gateway is back", ended.Body.GetProperty("decisions")[0].GetProperty("why").GetString());
        Assert.Equal(["payment-authorized", "payment-voided"], await system.EventTypesAsync($"payment-{order}"));
        Assert.Equal(
            ["stock-received", "stock-reserved", "stock-released"], await system.EventTypesAsync($"stock-{product}"));
    }

    int Parcels(Guid order)
    {
        var ledger = system.Carrier.Ledger(ShipmentId.Of(new OrderId(order)));
        return ledger.Booked - ledger.Cancelled;
    }
}
