using System.Text.Json;
using Commerce.Catalog;
using Commerce.Customers;
using Commerce.Inventory;
using Commerce.Ordering;
using EventSourcing;
using Functions.EventStore;
using Functions.Projections;
using Microsoft.Azure.Cosmos;
using Microsoft.Extensions.DependencyInjection;
using Runtime.Local;

namespace Functions.Tests.Views;

/// <summary>After orders of every outcome, each view says what its streams say, folded from scratch.</summary>
[Collection(nameof(RunningSystem))]
public sealed class EveryViewTests(RunningSystem system)
{
    static readonly string[] Cards = ["4242 4242 4242 4242", "4000 0000 0000 0002"];

    [Fact]
    public async Task Every_view_equals_a_fold_of_its_streams()
    {
        var customer = Guid.NewGuid();
        Assert.True((await system.Api.PutAsync(
            $"/api/customers/{customer}",
            new { name = "Ada", email = "ada@example.com", creditLimit = new { minorUnits = 0, currency = "EUR" } },
            default)).IsSuccess);
        string[] products = [await system.ProductAsync(stock: 6), await system.ProductAsync(stock: 100, price: 3_00)];
        var orders = new List<Guid>();
        for (var i = 0; i < 6; i++)
        {
            orders.Add(await system.PlaceAsync(new
            {
                customerId = customer,
                lines = products.Select(productId => new { productId, quantity = 1 + (i % 3) }),
                shipTo = Catalogue.Address(),
                payment = new { card = Cards[i % 2] },
            }));
        }

        foreach (var order in orders) await system.SettledAsync(order);
        var streams = orders.Select(order => $"order-{order}").Append($"customer-{customer}")
            .Concat(products.SelectMany(product => new[] { $"product-{product}", $"stock-{product}" })).ToList();

        await AgreesAsync(streams, "order", Functions.Projections.Views.OrderDetails, Aggregates.Orders.Codec,
            OrderDetails.Project);
        await AgreesAsync(streams, "product", Functions.Projections.Views.Products, Aggregates.Products.Codec,
            ProductListing.Project);
        await AgreesAsync(streams, "stock", Functions.Projections.Views.Availability, Aggregates.Stocks.Codec,
            Availability.Project);
        await AgreesAsync(streams, "customer", Functions.Projections.Views.Customers, Aggregates.Customers.Codec,
            CustomerCard.Project);
        await StatisticsAgreeAsync(customer, products, orders);
    }

    async Task AgreesAsync<TView, TEvent>(
        List<string> streams, string category, View<TView> view, EventCodec<TEvent> codec,
        Func<TView?, Recorded<TEvent>, TView?> project)
        where TView : class
        where TEvent : notnull
    {
        foreach (var name in streams.Where(s => s.StartsWith(category + "-", StringComparison.Ordinal)))
        {
            Assert.True(StreamId.TryParse(name, out var stream));
            await RunningSystem.EventuallyAsync(
                async () =>
                {
                    TView? folded = null;
                    await foreach (var stored in Service<IEventStore>().ReadAsync(stream, StreamRange.All, default))
                        folded = project(folded, codec.Decode(stored));
                    var live = await Service<ViewGenerations>().LiveAsync(view, default);
                    var (shown, _) = await Service<Database>().GetContainer(view.Container)
                        .FindAsync<ViewDocument<TView>>(
                            live.Stored(ViewKey.Of(stream.Id)).Id, stream.Id, default);
                    return (Text(folded), Text(shown?.View));
                },
                both => both.Item1 == both.Item2);
        }
    }

    /// <summary>Counted here from the orders' ends, not from shares and differences.</summary>
    async Task StatisticsAgreeAsync(Guid customer, string[] products, List<Guid> orders)
    {
        var details = new List<OrderDetails>();
        foreach (var order in orders)
        {
            OrderDetails? folded = null;
            var stream = StreamId.Of("order", order);
            await foreach (var stored in Service<IEventStore>().ReadAsync(stream, StreamRange.All, default))
                folded = OrderDetails.Project(folded, Aggregates.Orders.Codec.Decode(stored));
            details.Add(folded!);
        }

        var sold = details.Where(o => o.ConfirmedAt is not null).ToList();
        Assert.NotEmpty(sold);
        Assert.NotEqual(sold.Count, details.Count);
        await CountsAsync($"/api/customers/{customer}/statistics", sold.Sum(o => o.Total.MinorUnits));
        foreach (var product in products)
        {
            await CountsAsync(
                $"/api/products/{product}/statistics",
                sold.SelectMany(o => o.Lines).Where(l => l.Product.Value == product)
                    .Sum(l => l.UnitPrice.MinorUnits * l.Quantity));
        }

        var day = details[0].PlacedAt.UtcDateTime.ToString("yyyy-MM-dd", null);
        var days = await system.Api.GetAsync($"/api/statistics/days?from={day}&to={day}", default);
        Assert.True(days.Body.GetProperty("days")[0].GetProperty("sales").GetProperty("orders").GetInt64() >= 1);

        async Task CountsAsync(string path, long revenue) => await RunningSystem.EventuallyAsync(
            () => system.Api.GetAsync(path, default),
            answer => answer.Text("orders") == $"{details.Count}" && answer.Text("sold") == $"{sold.Count}"
                && answer.Text("cancelled") == $"{details.Count(o => o.CancelledAt is not null)}"
                && answer.Text("revenue.EUR") == (revenue == 0 ? null : $"{revenue}"));
    }

    static string Text<T>(T value) => JsonSerializer.Serialize(value, StoredJson.Options);

    T Service<T>()
        where T : notnull => system.System.Host.Services.GetRequiredService<T>();
}
