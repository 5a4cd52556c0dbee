using System.Net.Http.Json;
using Commerce.Payments;
using Runtime.Local;

namespace Functions.Tests.Sagas;

/// <summary>
/// Sagas have no isolation of their own: what others could see or overwrite in between is kept from them by name.
/// </summary>
[Collection(nameof(RunningSystem))]
public sealed class AnomalyTests(RunningSystem system)
{
    const int Large = 60_000_00;

    [Fact]
    public async Task Lost_update__orders_that_race_for_the_last_piece_sell_it_once()
    {
        // Every reservation is decided on the stock as it is when it is stored, and decided again when it has changed.
        var product = await system.ProductAsync(stock: 1);
        var orders = await Task.WhenAll(Enumerable.Range(0, 12).Select(_ => system.PlaceAsync(Order(product, 1))));

        var sagas = await Task.WhenAll(orders.Select(system.SettledAsync));

        Assert.Single(sagas, saga => saga.Text("status") == "completed");
        Assert.Equal(11, sagas.Count(saga => saga.Text("refusal.code") == "insufficient-stock"));
        Assert.Single(await system.EventTypesAsync($"stock-{product}"), type => type == "stock-reserved");
    }

    [Fact]
    public async Task Lost_update__who_decides_on_an_older_version_is_refused()
    {
        var product = await system.ProductAsync(stock: 1);
        async Task<ApiAnswer> PutAsync(int price) => await system.Api.SendAsync(
            new(HttpMethod.Put, $"/api/products/{product}")
            {
                Content = JsonContent.Create(
                    new { name = "Thing", category = "things", price = new { minorUnits = price, currency = "EUR" } }),
                Headers = { { "If-Match", "\"1\"" } },
            },
            default);

        Assert.Equal(200, (int)(await PutAsync(11_00)).Status);
        var stale = await PutAsync(12_00);
        Assert.Equal((412, "stale-version"), ((int)stale.Status, stale.Text("code")));
    }

    [Fact]
    public async Task Dirty_read__a_sale_that_may_still_be_taken_back_is_in_nobodys_figures()
    {
        // The pivot is what figures wait for; until then goods held count as gone, never as sold.
        var product = await system.ProductAsync(stock: 5, price: Large);
        var order = await WaitingAsync(product, 2);
        var (figures, stock) = (await FiguresAsync(product), await StockAsync(product, held: 2));
        Assert.Equal(("0", "0"), (figures.Text("sold"), figures.Text("piecesSold")));
        Assert.Equal(("3", "5"), (stock.Text("available"), stock.Text("onHand")));

        await AnswerAsync(order, "reject");
        await system.SettledAsync(order);

        stock = await StockAsync(product, held: 0);
        Assert.Equal(("5", "5"), (stock.Text("available"), stock.Text("onHand")));
        Assert.Equal("0", (await FiguresAsync(product)).Text("sold"));
    }

    [Fact]
    public async Task Fuzzy_read__a_price_that_changes_while_the_order_runs_is_not_what_it_pays()
    {
        // The order carries the price it was placed at; no step reads the catalog again.
        var product = await system.ProductAsync(stock: 5, price: Large);
        var order = await WaitingAsync(product, 2);
        await system.Api.PutAsync(
            $"/api/products/{product}",
            new { name = "Thing", category = "things", price = new { minorUnits = 2 * Large, currency = "EUR" } },
            default);

        await AnswerAsync(order, "approve");
        Assert.Equal("completed", (await system.SettledAsync(order)).Text("status"));

        Assert.Equal(2 * Large, system.Gateway.Ledger(PaymentId.Of(new(order))).Captured);
        var view = await RunningSystem.EventuallyAsync(
            () => system.Api.GetAsync($"/api/orders/{order}", default), view => view.Text("status") == "confirmed");
        Assert.Equal($"{2 * Large}", view.Text("total.minorUnits"));
    }

    [Fact]
    public async Task Goods_an_order_in_flight_holds_are_not_sold_to_another()
    {
        var product = await system.ProductAsync(stock: 3, price: Large);
        var first = await WaitingAsync(product, 2);

        var second = await system.PlaceAsync(Order(product, 2));
        var refused = await system.SettledAsync(second);
        await AnswerAsync(first, "approve");

        Assert.Equal(("compensated", "insufficient-stock"), (refused.Text("status"), refused.Text("refusal.code")));
        Assert.Equal("completed", (await system.SettledAsync(first)).Text("status"));
    }

    [Fact]
    public async Task An_order_in_flight_refuses_what_conflicts_with_it_and_says_why()
    {
        var product = await system.ProductAsync(stock: 5, price: Large);
        var order = await WaitingAsync(product, 2);

        var other = await system.Api.PutAsync($"/api/orders/{order}", Order(product, 1), default);
        Assert.Equal((409, "order-exists-with-other-content"), ((int)other.Status, other.Text("code")));
        await system.Api.PostAsync($"/api/orders/{order}/cancellation", new { reason = "why" }, null, default);
        var late = await AnswerAsync(order, "approve");
        Assert.Contains(late.Text("code"), (string[])["cancellation-requested", "order-cancelled"]);
        await system.SettledAsync(order);
        late = await AnswerAsync(order, "approve");
        Assert.Equal(
            (409, true), ((int)late.Status, late.Text("code") is "cancellation-requested" or "order-cancelled"));
    }

    async Task<Guid> WaitingAsync(string product, int quantity)
    {
        var order = await system.PlaceAsync(Order(product, quantity));
        await RunningSystem.EventuallyAsync(
            () => system.Api.GetAsync($"/api/sagas/order-{order}", default),
            saga => saga.Text("standsAt") == """["approval"]""");
        return order;
    }

    static object Order(string product, int quantity) =>
        Catalogue.Order("4242 4242 4242 4242", Catalogue.Address(), (product, quantity));

    Task<ApiAnswer> AnswerAsync(Guid order, string decision) => system.Api.PostAsync(
        $"/api/orders/{order}/approval", new { decision, reason = "because" }, null, default);

    Task<ApiAnswer> FiguresAsync(string product) => RunningSystem.EventuallyAsync(
        () => system.Api.GetAsync($"/api/products/{product}/statistics", default),
        figures => figures.Text("orders") == "1");

    Task<ApiAnswer> StockAsync(string product, int held) => RunningSystem.EventuallyAsync(
        () => system.Api.GetAsync($"/api/products/{product}/stock", default),
        stock => stock.Text("held") == $"{held}");
}
