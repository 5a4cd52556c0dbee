using System.Net;
using EventSourcing;
using Functions.Http;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Cosmos;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.Logging.Abstractions;
using Moq;
using Runtime.Local;
using Runtime.Worker;

namespace Functions.Tests;

/// <summary>An answer that fails while it is written is answered like any other fault.</summary>
public sealed class AnswerTests
{
    [Theory]
    [InlineData("Cosmos", 503, "store-unavailable")]
    [InlineData("MasterKey", 503, "key-vault-unavailable")]
    [InlineData("Bug", 500, null)]
    public async Task A_fault_in_the_middle_of_an_answer_leaves_nothing_of_it(string fault, int status, string? code)
    {
        var settings = LocalSettings.Read(Path.Combine(AppContext.BaseDirectory, "local.settings.sample.json"));
        await using var system = await LocalSystem.StartAsync(
            new()
            {
                Settings = settings,
                Around = async (context, next) =>
                {
                    await next();
                    if (context.FunctionDefinition.Name == "GetHealth")
                        context.GetInvocationResult().Value = new Failing(fault);
                },
            },
            CancellationToken.None);
        using var http = system.CreateHttpClient();
        using var response = await http.GetAsync(new Uri("/api/health", UriKind.Relative));
        var answer = await new Api(http).GetAsync("/api/health", CancellationToken.None);

        Assert.Equal(status, (int)answer.Status);
        if (code is not null) Assert.Equal(code, answer.Text("code"));
        Assert.Null(response.Headers.ETag);
        Assert.Equal(code is not null, response.Headers.RetryAfter is not null);
    }

    [Fact]
    public async Task What_nobody_answers_does_not_look_like_success_to_the_host()
    {
        var http = new DefaultHttpContext();
        http.Response.Headers.ETag = "\"1\"";
        var context = new Mock<FunctionContext>();
        context.SetupGet(c => c.Items).Returns(new Dictionary<object, object> { ["HttpRequestContext"] = http });

        await Assert.ThrowsAsync<InvalidOperationException>(
            () => new ProblemMiddleware(NullLogger<ProblemMiddleware>.Instance)
                .Invoke(context.Object, _ => throw new InvalidOperationException("A bug.")));

        Assert.Equal(500, http.Response.StatusCode);
        Assert.Equal(0, http.Response.Headers.ETag.Count);
    }

    sealed class Failing(string fault) : IResult, IValueHttpResult
    {
        public object? Value => null;

        public Task ExecuteAsync(HttpContext httpContext)
        {
            httpContext.Response.Headers.ETag = "\"half\"";
            throw fault switch
            {
                "Cosmos" => new CosmosException("Gone.", HttpStatusCode.ServiceUnavailable, 0, "", 0),
                "MasterKey" => new MasterKeyUnavailableException("Gone.", new HttpRequestException()),
                _ => new InvalidOperationException("A bug."),
            };
        }
    }
}
