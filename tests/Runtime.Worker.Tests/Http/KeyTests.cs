using System.Net;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;

namespace Runtime.Worker.Tests;

public static class KeyFunctions
{
    [Function("Open")]
    public static IResult Open([HttpTrigger(AuthorizationLevel.Anonymous)] HttpRequest request) => TypedResults.Ok();

    [Function("Closed")]
    public static IResult Closed([HttpTrigger("get")] HttpRequest request) => TypedResults.Ok();

    [Function("Other")]
    public static IResult Other([HttpTrigger(AuthorizationLevel.Function)] HttpRequest request) => TypedResults.Ok();

    [Function("Operators")]
    public static IResult Operators([HttpTrigger(AuthorizationLevel.Admin)] HttpRequest request) => TypedResults.Ok();
}

public static class UserFunctions
{
    [Function("ForUsers")]
    public static IResult ForUsers([HttpTrigger(AuthorizationLevel.User)] HttpRequest request) => TypedResults.Ok();

    [Function("ForSystems")]
    public static IResult ForSystems([HttpTrigger(AuthorizationLevel.System)] HttpRequest request) => TypedResults.Ok();
}

public sealed class KeyTests : IAsyncLifetime
{
    const string OwnKey = "the key of Closed alone";

    FunctionsHost host = null!;
    HttpClient client = null!;

    public async Task InitializeAsync()
    {
        host = await FunctionsHost.StartAsync(
            TestHost.Options(typeof(KeyFunctions)).With(("Local:FunctionKeys:Closed", OwnKey)));
        client = host.Client();
    }

    public async Task DisposeAsync()
    {
        client.Dispose();
        await host.DisposeAsync();
    }

    [Theory]
    [InlineData("Open", null, true)]
    [InlineData("Open", "wrong", true)]
    [InlineData("Closed", null, false)]
    [InlineData("Closed", "", false)]
    [InlineData("Closed", "wrong", false)]
    [InlineData("Closed", "THE-FUNCTION-KEY", false)]
    [InlineData("Closed", TestHost.FunctionKey, true)]
    [InlineData("Closed", TestHost.AdminKey, true)]
    [InlineData("Closed", OwnKey, true)]
    [InlineData("Other", OwnKey, false)]
    [InlineData("Other", TestHost.FunctionKey, true)]
    [InlineData("Operators", null, false)]
    [InlineData("Operators", TestHost.FunctionKey, false)]
    [InlineData("Operators", OwnKey, false)]
    [InlineData("Operators", TestHost.AdminKey, true)]
    public async Task Only_the_right_key_opens_a_function(string function, string? key, bool opens)
    {
        using var byHeader = await SendAsync($"/api/{function}", key);
        using var byQuery = await SendAsync(
            key is null ? $"/api/{function}" : $"/api/{function}?code={Uri.EscapeDataString(key)}", header: null);

        Assert.Equal(opens ? HttpStatusCode.OK : HttpStatusCode.Unauthorized, byHeader.StatusCode);
        Assert.Equal(byHeader.StatusCode, byQuery.StatusCode);
    }

    [Fact]
    public async Task A_wrong_header_is_not_rescued_by_a_right_query()
    {
        using var answer = await SendAsync($"/api/Closed?code={TestHost.FunctionKey}", "wrong");

        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
        Assert.Contains("missing-or-wrong-key", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Two_keys_at_once_are_none()
    {
        var twice = $"code={TestHost.FunctionKey}&code={TestHost.FunctionKey}";
        using var answer = await SendAsync($"/api/Closed?{twice}", header: null);
        using var endless = await SendAsync("/api/Closed", new string('k', 5_000));

        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, endless.StatusCode);
    }

    [Fact]
    public async Task A_function_that_no_key_could_open_refuses_to_start()
    {
        var message = await TestHost.RefusalAsync(
            TestHost.Options(typeof(KeyFunctions)) with { Settings = new Dictionary<string, string>() });

        Assert.Contains("'Closed'", message, StringComparison.Ordinal);
        Assert.Contains("'Operators'", message, StringComparison.Ordinal);
        Assert.Contains("Local:FunctionKeys:Closed", message, StringComparison.Ordinal);
        Assert.Contains("Local:AdminKey", message, StringComparison.Ordinal);
        Assert.DoesNotContain("'Open'", message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Levels_that_are_not_enforced_are_refused()
    {
        var message = await TestHost.RefusalAsync(TestHost.Options(typeof(UserFunctions)));

        Assert.Contains("level User is not offered", message, StringComparison.Ordinal);
        Assert.Contains("level System is not offered", message, StringComparison.Ordinal);
    }

    Task<HttpResponseMessage> SendAsync(string address, string? header)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, address);
        if (header is not null)
        {
            request.Headers.TryAddWithoutValidation("x-functions-key", header);
        }

        return client.SendAsync(request);
    }
}
