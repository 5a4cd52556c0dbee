using static Runtime.Local.ApiAnswer;

namespace Runtime.Local;

/// <summary>A sample catalogue to try things with, written through the API like everything else.</summary>
public static class Catalogue
{
    public static readonly Guid Customer = Guid.Parse("c0000000-0000-4000-8000-000000000001");

    static readonly (string Id, string Name, string Category, int Price, int Stock)[] Products =
    [
        ("blue-mug", "Blue mug", "kitchen", 12_50, 100),
        ("red-teapot", "Red teapot", "kitchen", 34_00, 50),
        ("oak-table", "Oak table", "furniture", 499_00, 10),
        ("rare-vase", "Rare vase", "decoration", 950_00, 1),
    ];

    /// <summary>
    /// Writes the catalogue unless it is there; every request may be repeated after a crash in between.
    /// </summary>
    public static async Task<bool> SeedAsync(Api api, CancellationToken cancellation)
    {
        if ((await api.EventsAsync($"customer-{Customer}", cancellation)).Count > 0) return false;
        foreach (var product in Products)
        {
            Demand(await api.PutAsync(
                $"/api/products/{product.Id}",
                new { product.Name, product.Category, price = new { minorUnits = product.Price, currency = "EUR" } },
                cancellation));
            Demand(await api.PostAsync(
                $"/api/products/{product.Id}/stock", new { quantity = product.Stock }, "opening-stock", cancellation));
        }

        // The customer comes last: it marks the catalogue complete.
        Demand(await api.PutAsync(
            $"/api/customers/{Customer}",
            new
            {
                name = "Sample Customer",
                email = "customer@example.com",
                address = Address(),
                creditLimit = new { minorUnits = 5_000_00, currency = "EUR" },
            },
            cancellation));
        return true;
    }

    /// <summary>The body of an order for the sample customer.</summary>
    public static object Order(string card, object shipTo, params (string Product, int Quantity)[] lines) => new
    {
        customerId = Customer,
        lines = lines.Select(line => new { productId = line.Product, quantity = line.Quantity }),
        shipTo,
        payment = new { card },
    };

    public static object Address(string postalCode = "10115", string country = "DE") => new
    {
        recipient = "Sample Customer",
        street = "Main Street 1",
        city = "Berlin",
        postalCode,
        country,
    };
}
