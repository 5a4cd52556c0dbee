using Runtime.Local;

namespace Functions.Tests.Choreography;

/// <summary>Orders to be carried out by events alone.</summary>
static class Wanted
{
    public const string Good = "4242 4242 4242 4242";

    public static object Order(
        string card, object shipTo, Guid? customer, params (string Product, int Quantity)[] lines) => new
        {
            customerId = customer ?? Catalogue.Customer,
            lines = lines.Select(line => new { productId = line.Product, quantity = line.Quantity }),
            shipTo,
            payment = new { card },
            workflow = "choreography",
        };

    /// <summary>Places an order whose every event carries the order's own name as its correlation.</summary>
    public static async Task PlaceAsync(HttpClient http, Guid order, object body)
    {
        using var request = new HttpRequestMessage(HttpMethod.Put, $"/api/orders/{order}")
        {
            Content = System.Net.Http.Json.JsonContent.Create(body),
        };
        request.Headers.Add("X-Correlation-Id", $"order-{order}");
        var answer = await new Api(http).SendAsync(request, default);
        Assert.True(answer.IsSuccess, $"{answer.Status} {answer.Body}");
    }

    public static async Task<Guid> CustomerAsync(Api api, int creditLimit)
    {
        var customer = Guid.NewGuid();
        var answer = await api.PutAsync(
            $"/api/customers/{customer}",
            new
            {
                name = "Sample Customer",
                email = "customer@example.com",
                creditLimit = new { minorUnits = creditLimit, currency = "EUR" },
            },
            default);
        Assert.True(answer.IsSuccess, $"{answer.Status} {answer.Body}");
        return customer;
    }
}
