using System.Net;
using Functions.Queries;
using Microsoft.Azure.Cosmos;
using Runtime.DurableTask;
using Runtime.Local;

namespace Functions.Tests.Views;

/// <summary>Deliveries with names of today, and customers' facts in two ways that agree.</summary>
[Collection(nameof(RunningSystem))]
public sealed class CustomerFactsTests(RunningSystem system)
{
    static readonly string[] Cards = ["4242 4242 4242 4242", "4000 0000 0000 0002"];

    readonly Guid customer = Guid.NewGuid();

    [Fact]
    public async Task A_delivery_shows_a_product_renamed_and_a_customer_who_moved()
    {
        var product = await system.ProductAsync(stock: 5);
        await CustomerAsync("Ada", null);
        var order = await OrderAsync(product, Cards[0]);
        await system.SettledAsync(order);
        await ShowsAsync(order, d => d.Text("status") == "booked" && d.Text("customer.name") == "Ada"
            && d.Body.GetProperty("lines")[0].GetProperty("name").GetString() == "Thing");

        await system.Api.PutAsync(
            $"/api/products/{product}",
            new { name = "Better thing", category = "things", price = new { minorUnits = 10_00, currency = "EUR" } },
            default);
        await CustomerAsync("Ada L.", Catalogue.Address(country: "FR"));

        await ShowsAsync(order, d => d.Text("customer.name") == "Ada L." && d.Text("customer.address.country") == "FR"
            && d.Text("shipTo.country") == "DE"
            && d.Body.GetProperty("lines")[0].GetProperty("name").GetString() == "Better thing");
        Assert.Equal(
            "unknown-order",
                (await system.Api.GetAsync($"/api/orders/{Guid.NewGuid()}/delivery", default)).Text("code"));
    }

    [Fact]
    public async Task The_overview_put_together_now_and_the_summary_put_together_before_tell_the_same()
    {
        var product = await system.ProductAsync(stock: 50);
        await CustomerAsync("Ada", Catalogue.Address());
        for (var i = 0; i < 4; i++) await system.SettledAsync(await OrderAsync(product, Cards[i % 2]));

        var summary = await RunningSystem.EventuallyAsync(
            () => FactsAsync("summary"), facts =>
                facts.Text("orders.orders") == "4" && facts.Text("orders.pending") == "0");
        var overview = await RunningSystem.EventuallyAsync(
            () => FactsAsync("overview"), facts => $"{facts.Body}" == $"{summary.Body}");
        Assert.Equal(("2", "2"), (overview.Text("orders.sold"), overview.Text("orders.cancelled")));
        Assert.Equal("2000", overview.Text("orders.revenue.EUR"));
        Assert.Equal(("Ada", "False"), (overview.Text("customer.name"), overview.Text("isPartial")));
    }

    [Fact]
    public async Task Nobody_knows_a_customer_there_is_not()
    {
        Assert.Equal("unknown-customer", (await FactsAsync("overview")).Text("code"));
        Assert.Equal("unknown-customer", (await FactsAsync("summary")).Text("code"));
    }

    [Fact]
    public async Task An_owner_who_is_late_costs_his_part_and_not_the_answer()
    {
        var clock = new VirtualClock(new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero));
        var asking = Part.AskAsync<string>(
            "orders", _ => new TaskCompletionSource<string?>().Task, TimeSpan.FromSeconds(2), clock, default);
        Assert.False(asking.IsCompleted);
        clock.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(new(null, "orders"), await asking);
    }

    [Fact]
    public async Task An_owner_who_fails_costs_his_part_and_one_who_breaks_costs_everything()
    {
        var wait = TimeSpan.FromSeconds(2);
        Assert.Equal(
            new("fine", null),
                await Part.AskAsync("a", _ => Task.FromResult<string?>("fine"), wait, system.Clock, default));
        Assert.Equal(
            new(null, "a"),
            await Part.AskAsync<string>(
                "a", _ => throw new CosmosException("busy", HttpStatusCode.ServiceUnavailable, 0, "", 0), wait,
                system.Clock, default));
        await Assert.ThrowsAsync<InvalidOperationException>(() => Part.AskAsync<string>(
            "a", _ => throw new InvalidOperationException("a bug"), wait, system.Clock, default));
    }

    Task<ApiAnswer> FactsAsync(string way) => system.Api.GetAsync($"/api/customers/{customer}/{way}", default);

    Task<ApiAnswer> ShowsAsync(Guid order, Predicate<ApiAnswer> isThere) => RunningSystem.EventuallyAsync(
        () => system.Api.GetAsync($"/api/orders/{order}/delivery", default), d => d.IsSuccess && isThere(d));

    async Task CustomerAsync(string name, object? address) => Assert.True((await system.Api.PutAsync(
        $"/api/customers/{customer}",
        new { name, email = "ada@example.com", address, creditLimit = new { minorUnits = 0, currency = "EUR" } },
        default)).IsSuccess);

    Task<Guid> OrderAsync(string product, string card) => system.PlaceAsync(new
    {
        customerId = customer,
        lines = new[] { new { productId = product, quantity = 1 } },
        shipTo = Catalogue.Address(),
        payment = new { card },
    });
}
