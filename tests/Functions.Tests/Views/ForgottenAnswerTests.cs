using System.Net;
using EventSourcing;
using Runtime.Local;

namespace Functions.Tests.Views;

/// <summary>Nobody is told to keep an answer that names somebody who is forgotten.</summary>
[Collection(nameof(RunningSystem))]
public sealed class ForgottenAnswerTests(RunningSystem system)
{
    [Fact]
    public async Task A_condition_on_an_answer_from_before_is_not_met_once_the_person_is_forgotten()
    {
        var (customer, product) = (Guid.NewGuid(), await system.ProductAsync(stock: 5));
        Assert.True((await system.Api.PutAsync(
            $"/api/customers/{customer}",
            new
            {
                name = "Ada Kim", email = "ada@example.com", address = Catalogue.Address(),
                creditLimit = new { minorUnits = 0, currency = "EUR" },
            },
            default)).IsSuccess);
        var order = await system.PlaceAsync(new
        {
            customerId = customer,
            lines = new[] { new { productId = product, quantity = 1 } },
            shipTo = Catalogue.Address(),
            payment = new { card = "4242 4242 4242 4242" },
        });
        await system.SettledAsync(order);
        string[] paths =
        [
            $"/api/customers/{customer}", $"/api/customers/{customer}/overview", $"/api/customers/{customer}/summary",
            $"/api/orders/{order}", $"/api/orders/{order}?sequence=1", $"/api/orders/{order}/delivery",
            $"/api/orders/{order}/history", $"/api/streams/order-{order}",
        ];
        var known = new Dictionary<string, string>();
        foreach (var path in paths)
        {
            // Until nothing moves any more: then it is the forgetting alone that changes the version.
            known[path] = (await RunningSystem.EventuallyAsync(
                async () =>
                {
                    var first = await AskAsync(path, null);
                    return (First: first, Again: await AskAsync(path, first.ETag));
                },
                both => both.Again.Status == HttpStatusCode.NotModified)).First.ETag!;
        }

        Assert.True((await system.Api.SendAsync(
            new(HttpMethod.Delete, $"/api/customers/{customer}"), default)).IsSuccess);

        foreach (var path in paths)
        {
            var (status, etag, body) = await AskAsync(path, known[path]);
            Assert.Equal((path, HttpStatusCode.OK), (path, status));
            Assert.NotEqual(known[path], etag);
            Assert.Contains(PersonalSeal.Erased, body, StringComparison.Ordinal);
            Assert.DoesNotContain("Ada Kim", body, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_command_takes_the_version_of_an_answer_as_it_was_given()
    {
        var product = await system.ProductAsync(stock: 1);
        var (_, etag, _) = await RunningSystem.EventuallyAsync(
            () => AskAsync($"/api/products/{product}", null), answer => answer.Status == HttpStatusCode.OK);
        foreach (var (version, expected) in new[]
        {
            (etag!.Replace("\"1~", "\"7~", StringComparison.Ordinal), HttpStatusCode.PreconditionFailed),
            (etag, HttpStatusCode.OK),
        })
        {
            using var put = new HttpRequestMessage(HttpMethod.Put, $"/api/products/{product}")
            {
                Content = System.Net.Http.Json.JsonContent.Create(new
                {
                    name = "Other", category = "things", price = new { minorUnits = 1, currency = "EUR" },
                }),
            };
            put.Headers.TryAddWithoutValidation("If-Match", version);
            using var answer = await system.Http.SendAsync(put);
            Assert.Equal((version, expected), (version, answer.StatusCode));
        }
    }

    async Task<(HttpStatusCode Status, string? ETag, string Body)> AskAsync(string path, string? known)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        if (known is not null) request.Headers.TryAddWithoutValidation("If-None-Match", known);
        using var answer = await system.AdminHttp.SendAsync(request);
        return (answer.StatusCode, answer.Headers.ETag?.ToString(), await answer.Content.ReadAsStringAsync());
    }
}
