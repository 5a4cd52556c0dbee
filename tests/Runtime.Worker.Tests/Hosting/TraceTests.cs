using System.Diagnostics;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;

namespace Runtime.Worker.Tests;

public static class TraceFunctions
{
    [Function("Trace")]
    public static IResult Trace(
        [HttpTrigger(AuthorizationLevel.Anonymous)] HttpRequest request, FunctionContext context) => TypedResults.Text(
        $"{context.TraceContext.TraceParent} {Activity.Current!.Id} {context.TraceContext.TraceState}");
}

public sealed class TraceTests
{
    const string Caller = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_invocation_joins_the_trace_of_its_caller(bool listenedTo)
    {
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => listenedTo && source.Name == "Runtime.Worker",
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
        };
        ActivitySource.AddActivityListener(listener);
        await using var host = await TestHost.StartAsync(typeof(TraceFunctions));
        using var client = new HttpClient(new SocketsHttpHandler { ActivityHeadersPropagator = null })
        {
            BaseAddress = host.Address,
        };
        client.DefaultRequestHeaders.Add("traceparent", Caller);
        client.DefaultRequestHeaders.Add("tracestate", "vendor=value");

        var (parent, current, state) = Parse(await client.GetStringAsync(new Uri("/api/Trace", UriKind.Relative)));

        Assert.Equal(parent, current);
        Assert.StartsWith("00-0af7651916cd43dd8448eb211c80319c-", parent, StringComparison.Ordinal);
        Assert.NotEqual(Caller, parent);
        Assert.Equal("vendor=value", state);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("00-zzz")]
    public async Task An_invocation_without_a_usable_caller_starts_a_trace(string? parentHeader)
    {
        await using var host = await TestHost.StartAsync(typeof(TraceFunctions));
        using var client = new HttpClient(new SocketsHttpHandler { ActivityHeadersPropagator = null })
        {
            BaseAddress = host.Address,
        };
        if (parentHeader is not null)
        {
            client.DefaultRequestHeaders.Add("traceparent", parentHeader);
        }

        var (parent, _, _) = Parse(await client.GetStringAsync(new Uri("/api/Trace", UriKind.Relative)));

        Assert.True(ActivityContext.TryParse(parent, null, out var context));
        Assert.NotEqual(default, context.TraceId);
    }

    static (string Parent, string Current, string State) Parse(string text) =>
        text.Split(' ') is [var parent, var current, var state]
            ? (parent, current, state)
            : throw new FormatException(text);
}
