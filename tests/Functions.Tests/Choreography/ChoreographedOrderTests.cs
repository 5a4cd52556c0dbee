using Commerce;
using Commerce.Ordering;
using Commerce.Payments;
using Commerce.Shipping;
using Functions.Choreography;
using Microsoft.Extensions.DependencyInjection;
using Runtime.Local;

namespace Functions.Tests.Choreography;

/// <summary>The same order, carried out by events alone, whichever way it ends.</summary>
[Collection(nameof(RunningSystem))]
public sealed class ChoreographedOrderTests(RunningSystem system)
{
    [Fact]
    public async Task An_order_that_can_be_fulfilled_is_confirmed_paid_and_its_goods_leave()
    {
        var customer = await Wanted.CustomerAsync(system.Api, 100_00);
        var (first, second) = (
            await system.ProductAsync(stock: 5, price: 10_00), await system.ProductAsync(stock: 3, price: 7_00));
        var order = await PlaceAsync(Wanted.Good, Catalogue.Address(), customer, (first, 2), (second, 1));

        await EndsAsync($"customer-{customer}", "customer-credit-released");
        await EndsAsync($"allocation-{order}", "allocation-committed");

        Assert.Equal(["order-placed", "order-confirmed"], await system.EventTypesAsync($"order-{order}"));
        Assert.Equal(["payment-authorized", "payment-captured"], await system.EventTypesAsync($"payment-{order}"));
        Assert.Equal(["shipment-booked"], await system.EventTypesAsync($"shipment-{order}"));
        Assert.Equal(
            ["allocation-reserved", "allocation-committed"], await system.EventTypesAsync($"allocation-{order}"));
        Assert.Equal(
            ["stock-received", "stock-reserved", "stock-committed"], await system.EventTypesAsync($"stock-{first}"));
        Assert.Equal(
            ["customer-registered", "customer-credit-reserved", "customer-credit-released"],
            await system.EventTypesAsync($"customer-{customer}"));
        Assert.Equal(27_00, system.Gateway.Ledger(PaymentId.Of(new(order))).Captured);
        await StatusAsync(order, "confirmed");

        // Nobody leads it: there is no saga of it, running or ended.
        Assert.Equal(404, (int)(await system.Api.GetAsync($"/api/sagas/order-{order}", default)).Status);
    }

    [Fact]
    public async Task A_confirmed_order_that_is_cancelled_comes_back_by_a_saga_though_none_carried_it_out()
    {
        var customer = await Wanted.CustomerAsync(system.Api, 100_00);
        var product = await system.ProductAsync(stock: 5, price: 10_00);
        var order = await PlaceAsync(Wanted.Good, Catalogue.Address(), customer, (product, 2));
        await EndsAsync($"order-{order}", "order-confirmed");

        // Its goods and its money may still be on their way: the return waits for them.
        var answer = await system.Api.PostAsync(
            $"/api/orders/{order}/cancellation", new { reason = "changed my mind" }, null, default);
        Assert.Equal(
            (202, "return", $"/api/sagas/return-{order}"),
            ((int)answer.Status, answer.Text("becomes"), answer.Text("saga")));
        var saga = await RunningSystem.EventuallyAsync(
            () => system.Api.GetAsync($"/api/sagas/return-{order}", default), s => s.Text("endedAt") is not null);

        Assert.Equal("completed", saga.Text("status"));
        await EndsAsync($"customer-{customer}", "customer-credit-released");
        Assert.Equal(
            ["order-placed", "order-confirmed", "order-return-requested", "order-returned"],
            await system.EventTypesAsync($"order-{order}"));
        Assert.Equal(
            ["payment-authorized", "payment-captured", "payment-refunded"],
            await system.EventTypesAsync($"payment-{order}"));
        Assert.Equal(["shipment-booked", "shipment-cancelled"], await system.EventTypesAsync($"shipment-{order}"));
        Assert.Equal(
            ["allocation-reserved", "allocation-committed"], await system.EventTypesAsync($"allocation-{order}"));
        Assert.Equal(
            ["stock-received", "stock-reserved", "stock-committed", "stock-received"],
            await system.EventTypesAsync($"stock-{product}"));
        var ledger = system.Gateway.Ledger(PaymentId.Of(new(order)));
        Assert.Equal((20_00, 20_00), (ledger.Captured, ledger.Refunded));
        Assert.Equal(404, (int)(await system.Api.GetAsync($"/api/sagas/order-{order}", default)).Status);
    }

    [Theory]
    [InlineData("4000 0000 0000 0002", "DE", "card-declined", "payment-declined", "")]
    [InlineData(Wanted.Good, "AQ", "address-not-served", "payment-authorized payment-voided", "shipment-refused")]
    public async Task A_refusal_runs_back_through_everybody_who_had_said_yes(
        string card, string country, string code, string payment, string shipment)
    {
        var customer = await Wanted.CustomerAsync(system.Api, 100_00);
        var product = await system.ProductAsync(stock: 5);
        var order = await PlaceAsync(card, Catalogue.Address(country: country), customer, (product, 2));

        await EndsAsync($"order-{order}", "order-cancelled");

        // Closed before they are given back, the goods may come last.
        await EndsAsync($"stock-{product}", "stock-released");
        Assert.Equal(payment, string.Join(' ', await system.EventTypesAsync($"payment-{order}")));
        Assert.Equal(shipment, string.Join(' ', await system.EventTypesAsync($"shipment-{order}")));
        Assert.Equal(
            ["allocation-reserved", "allocation-released"], await system.EventTypesAsync($"allocation-{order}"));
        Assert.Equal(
            ["stock-received", "stock-reserved", "stock-released"], await system.EventTypesAsync($"stock-{product}"));
        Assert.Equal("customer-credit-released", (await system.EventTypesAsync($"customer-{customer}"))[^1]);
        var ledger = system.Gateway.Ledger(PaymentId.Of(new(order)));
        Assert.Equal((0, ledger.Authorized), (ledger.Captured, ledger.Voided));
        Assert.Equal(0, Parcels(order));
        Assert.Equal(code, (await StatusAsync(order, "cancelled")).Text("cancelledCode"));
    }

    [Fact]
    public async Task A_line_out_of_stock_gives_the_other_lines_and_the_credit_back()
    {
        var customer = await Wanted.CustomerAsync(system.Api, 100_00);
        var (first, second) = (await system.ProductAsync(stock: 5), await system.ProductAsync(stock: 1));
        var order = await PlaceAsync(Wanted.Good, Catalogue.Address(), customer, (first, 2), (second, 2));

        await EndsAsync($"order-{order}", "order-cancelled");

        await EndsAsync($"stock-{first}", "stock-released");
        Assert.Equal(["allocation-refused"], await system.EventTypesAsync($"allocation-{order}"));
        Assert.Equal(
            ["stock-received", "stock-reserved", "stock-released"], await system.EventTypesAsync($"stock-{first}"));
        Assert.Equal("customer-credit-released", (await system.EventTypesAsync($"customer-{customer}"))[^1]);
        Assert.Empty(await system.EventTypesAsync($"payment-{order}"));
        Assert.Equal("insufficient-stock", (await StatusAsync(order, "cancelled")).Text("cancelledCode"));
    }

    [Fact]
    public async Task An_order_beyond_the_customers_credit_touches_nothing_else()
    {
        var customer = await Wanted.CustomerAsync(system.Api, 19_99);
        var product = await system.ProductAsync(stock: 5, price: 10_00);
        var order = await PlaceAsync(Wanted.Good, Catalogue.Address(), customer, (product, 2));

        await EndsAsync($"order-{order}", "order-cancelled");

        Assert.Equal(
            ["customer-registered", "customer-credit-refused"], await system.EventTypesAsync($"customer-{customer}"));
        Assert.Equal(["stock-received"], await system.EventTypesAsync($"stock-{product}"));
        Assert.Empty(await system.EventTypesAsync($"allocation-{order}"));
        Assert.Equal("insufficient-credit", (await StatusAsync(order, "cancelled")).Text("cancelledCode"));
    }

    [Fact]
    public async Task What_stays_pending_beyond_its_bound_is_stopped_and_late_answers_change_nothing()
    {
        var customer = await Wanted.CustomerAsync(system.Api, 100_00);
        var product = await system.ProductAsync(stock: 5);
        var order = await PlaceAsync("4000 0000 0000 0119", Catalogue.Address(), customer, (product, 1));
        await EndsAsync($"allocation-{order}", "allocation-reserved");
        await StatusAsync(order, "pending");

        var watcher = system.System.Host.Services.GetRequiredService<OverdueOrders>();
        Assert.Equal(0, await StoppedAsync(watcher, order));
        system.Clock.Advance(Order.PendingMax);
        Assert.Equal(1, await StoppedAsync(watcher, order));
        Assert.Equal(0, await StoppedAsync(watcher, order));

        await EndsAsync($"order-{order}", "order-cancelled");
        Assert.Equal(["shipment-cancelled"], await system.EventTypesAsync($"shipment-{order}"));
        Assert.Equal(["payment-voided"], await system.EventTypesAsync($"payment-{order}"));
        Assert.Equal(
            ["allocation-reserved", "allocation-released"], await system.EventTypesAsync($"allocation-{order}"));
        var ledger = system.Gateway.Ledger(PaymentId.Of(new(order)));
        Assert.Equal((0, ledger.Authorized), (ledger.Captured, ledger.Voided));
        Assert.Equal("order-overdue", (await StatusAsync(order, "cancelled")).Text("cancelledCode"));
    }

    [Fact]
    public async Task A_cancellation_before_the_confirmation_runs_back_through_everybody()
    {
        var customer = await Wanted.CustomerAsync(system.Api, 100_00);
        var product = await system.ProductAsync(stock: 5);
        var order = await PlaceAsync(Wanted.Good, Catalogue.Address(), customer, (product, 1));
        var answer = await system.Api.PostAsync(
            $"/api/orders/{order}/cancellation", new { reason = "changed my mind" }, null, default);

        // Which of the two came first is the race; each order of events has one right answer: behind the confirmation
        // the wish is a return.
        Assert.True(answer.IsSuccess, $"{answer.Status} {answer.Body}");
        if ((await system.EventTypesAsync($"order-{order}")).Contains("order-return-requested")) return;
        await EndsAsync($"order-{order}", "order-cancelled");
        Assert.Equal("cancellation-requested", (await StatusAsync(order, "cancelled")).Text("cancelledCode"));
        Assert.Equal(0, Parcels(order));
    }

    [Fact]
    public async Task The_process_shows_who_did_what_because_of_what()
    {
        var customer = await Wanted.CustomerAsync(system.Api, 100_00);
        var product = await system.ProductAsync(stock: 5);
        var order = await PlaceAsync(Wanted.Good, Catalogue.Address(), customer, (product, 1));
        await EndsAsync($"customer-{customer}", "customer-credit-released");
        await EndsAsync($"allocation-{order}", "allocation-committed");

        var process = await system.Api.GetAsync($"/api/orders/{order}/process", default);

        Assert.Equal("choreography", process.Text("workflow"));
        Assert.Equal(
            [
                "ordering: order-placed <- ",
                "customers: customer-credit-reserved <- order-placed",
                "inventory: stock-reserved <- customer-credit-reserved",
                "inventory: allocation-reserved <- customer-credit-reserved",
                "payments: payment-authorized <- allocation-reserved",
                "shipping: shipment-booked <- payment-authorized",
                "ordering: order-confirmed <- shipment-booked",
                "inventory: allocation-committed <- order-confirmed",
                "inventory: stock-committed <- order-confirmed",
                "payments: payment-captured <- order-confirmed",
                "customers: customer-credit-released <- payment-captured",
            ],
            StepsOf(process).Order().OrderBy(PlaceIn));

        // Each step stands behind what caused it.
        var events = process.Body.GetProperty("steps").EnumerateArray()
            .Select(step => step.GetProperty("event").GetString()!).ToList();
        foreach (var step in process.Body.GetProperty("steps").EnumerateArray())
        {
            if (!step.TryGetProperty("because", out var because)
                || because.ValueKind == System.Text.Json.JsonValueKind.Null)
                continue;
            Assert.True(events.IndexOf(because.GetProperty("event").GetString()!)
                < events.IndexOf(step.GetProperty("event").GetString()!));
        }
    }

    [Fact]
    public async Task The_process_of_an_orchestrated_order_is_shown_as_well()
    {
        var product = await system.ProductAsync(stock: 5);
        var order = await system.PlaceAsync(
            Catalogue.Order(Wanted.Good, Catalogue.Address(), (product, 1)));
        await system.SettledAsync(order);

        var process = await system.Api.GetAsync($"/api/orders/{order}/process", default);

        Assert.Equal("orchestration", process.Text("workflow"));
        Assert.Equal(
            [
                "inventory: stock-committed <- order-placed", "inventory: stock-reserved <- order-placed",
                "ordering: order-confirmed <- order-placed", "ordering: order-placed <- ",
                "payments: payment-authorized <- order-placed", "payments: payment-captured <- order-placed",
                "shipping: shipment-booked <- order-placed",
            ],
            StepsOf(process).Order());
        Assert.Equal(404, (int)(await system.Api.GetAsync($"/api/orders/{Guid.NewGuid()}/process", default)).Status);
    }

    [Fact]
    public async Task Schemas_are_there_for_everybody()
    {
        using var nobody = new HttpClient { BaseAddress = system.System.Address };
        var listing = await new Api(nobody).GetAsync("/api/schemas", default);
        Assert.Equal(29, listing.Body.GetProperty("schemas").GetArrayLength());
        var schema = await new Api(nobody).GetAsync("/api/schemas/order-placed.v1", default);
        Assert.Equal("urn:orders:schema:order-placed.v1", schema.Text("$id"));
        Assert.Equal(404, (int)(await new Api(nobody).GetAsync("/api/schemas/nothing.v1", default)).Status);
    }

    static readonly string[] Places =
    [
        "order-placed", "customer-credit-reserved", "stock-reserved", "allocation-reserved", "payment-authorized",
        "shipment-booked", "order-confirmed", "allocation-committed", "stock-committed", "payment-captured",
        "customer-credit-released",
    ];

    static int PlaceIn(string step) => Array.IndexOf(Places, step.Split(' ')[1]);

    static IEnumerable<string> StepsOf(ApiAnswer process) =>
        process.Body.GetProperty("steps").EnumerateArray().Select(step =>
            $"{step.GetProperty("context").GetString()}: {step.GetProperty("event").GetString()} <- "
            + (step.TryGetProperty("because", out var because)
                && because.ValueKind == System.Text.Json.JsonValueKind.Object
                ? because.GetProperty("event").GetString()
                : ""));

    async Task<Guid> PlaceAsync(
        string card, object shipTo, Guid customer, params (string Product, int Quantity)[] lines)
    {
        var order = Guid.NewGuid();
        await Wanted.PlaceAsync(system.Http, order, Wanted.Order(card, shipTo, customer, lines));
        return order;
    }

    async Task EndsAsync(string stream, string last) => await RunningSystem.EventuallyAsync(
        () => system.EventTypesAsync(stream), types => types.Count > 0 && types[^1] == last);

    Task<ApiAnswer> StatusAsync(Guid order, string status) => RunningSystem.EventuallyAsync(
        () => system.Api.GetAsync($"/api/orders/{order}", default), view => view.Text("status") == status);

    // Other tests' orders may be pending too; only this one's request counts.
    async Task<int> StoppedAsync(OverdueOrders watcher, Guid order)
    {
        var before = (await system.EventTypesAsync($"order-{order}")).Count(IsRequest);
        await watcher.CancelAsync(default);
        return (await system.EventTypesAsync($"order-{order}")).Count(IsRequest) - before;
    }

    static bool IsRequest(string type) => type == "order-cancellation-requested";

    int Parcels(Guid order)
    {
        var ledger = system.Carrier.Ledger(ShipmentId.Of(new OrderId(order)));
        return ledger.Booked - ledger.Cancelled;
    }
}
