using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;

namespace Runtime.Worker.Tests;

public sealed class RoutingTests : IAsyncLifetime
{
    FunctionsHost host = null!;
    HttpClient client = null!;

    public async Task InitializeAsync()
    {
        host = await TestHost.StartAsync(typeof(RoutingFunctions));
        client = host.Client();
    }

    public async Task DisposeAsync()
    {
        client.Dispose();
        await host.DisposeAsync();
    }

    [Theory]
    [InlineData("/api/Plain", "GET")]
    [InlineData("/api/orders/00000000-0000-0000-0000-000000000001", "read 00000000000000000000000000000001")]
    [InlineData("/api/names/four", "four")]
    [InlineData("/api/typed/-42/true/2026-02-03T04:05:06Z/1.50", "-42 True 2026-02-03T04:05:06.0000000+00:00 1.50")]
    [InlineData("/api/optional", "7")]
    [InlineData("/api/optional/3", "3")]
    [InlineData("/api/files/a/b%20c", "a/b c")]
    [InlineData("/api/Valued", "value task")]
    [InlineData("/api/Two", "from a property")]
    public async Task A_request_reaches_its_function_with_its_route_values(string address, string answer) =>
        Assert.Equal(answer, await client.GetStringAsync(new Uri(address, UriKind.Relative)));

    [Theory]
    [InlineData("GET", "/api/none", 404, "no-such-route")]
    [InlineData("GET", "/Plain", 404, "no-such-route")]
    [InlineData("GET", "/api/orders/7", 404, "no-such-route")]
    [InlineData("GET", "/api/names/fives", 404, "no-such-route")]
    [InlineData("DELETE", "/api/orders/00000000-0000-0000-0000-000000000001", 405, "method-not-allowed")]
    [InlineData("GET", "/", 404, "no-such-route")]
    public async Task What_no_function_serves_is_a_problem(string method, string address, int status, string code)
    {
        using var answer = await client.SendAsync(new(new(method), address));

        Assert.Equal(status, (int)answer.StatusCode);
        Assert.Equal("application/problem+json", answer.Content.Headers.ContentType!.MediaType);
        Assert.Equal(code, (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("code").GetString());
    }

    [Fact]
    public async Task A_wrong_method_is_told_the_right_ones()
    {
        using var answer = await client.DeleteAsync(new Uri($"/api/orders/{Guid.Empty}", UriKind.Relative));

        Assert.Equal(["GET", "POST", "PUT"], answer.Content.Headers.Allow.Order());
    }

    [Theory]
    [InlineData("PUT")]
    [InlineData("POST")]
    public async Task Functions_share_a_route_by_method(string method)
    {
        using var answer = await client.SendAsync(new(new(method), $"/api/orders/{Guid.Empty}"));

        Assert.Equal($"put {Guid.Empty:N}", await answer.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task A_function_may_write_the_response_itself()
    {
        using var written = await client.GetAsync(new Uri("/api/Written", UriKind.Relative));
        using var silent = await client.GetAsync(new Uri("/api/Silent", UriKind.Relative));

        Assert.Equal((418, "by hand"), ((int)written.StatusCode, await written.Content.ReadAsStringAsync()));
        Assert.Equal((HttpStatusCode.NotFound, ""), (silent.StatusCode, await silent.Content.ReadAsStringAsync()));
    }

    [Fact]
    public async Task A_body_is_read_as_the_web_writes_json()
    {
        using var content = new StringContent(
            """{"product":"tea","QUANTITY":"3"}""", Encoding.UTF8, "application/json");
        using var answer = await client.PostAsync(new Uri("/api/Echo", UriKind.Relative), content);

        Assert.Equal("""{"product":"tea","quantity":3}""", await answer.Content.ReadAsStringAsync());
    }

    [Theory]
    [InlineData("{", "application/json")]
    [InlineData("", "application/json")]
    [InlineData("null", "application/json")]
    [InlineData("{}", "text/plain")]
    [InlineData("[]", "application/json; charset=martian")]
    public async Task A_body_that_cannot_be_read_fails_the_function_without_telling_why(string body, string type)
    {
        using var content = new StringContent(body);
        content.Headers.Remove("Content-Type");
        content.Headers.TryAddWithoutValidation("Content-Type", type);
        using var answer = await client.PostAsync(new Uri("/api/Echo", UriKind.Relative), content);

        var problem = await answer.Content.ReadFromJsonAsync<JsonElement>();
        Assert.Equal(HttpStatusCode.InternalServerError, answer.StatusCode);
        Assert.Equal("function-failed", problem.GetProperty("code").GetString());
        Assert.False(problem.TryGetProperty("detail", out _));
    }

    [Fact]
    public void The_listing_tells_where_every_function_is()
    {
        var put = host.Functions.Single(function => function.Name == "PutOrder");

        Assert.Equal($"PutOrder: [httpTrigger] PUT,POST {host.Address}api/orders/{{id:guid}}", put.ToString());
        Assert.Equal(host.Functions.OrderBy(f => f.Name, StringComparer.OrdinalIgnoreCase), host.Functions);
    }
}
