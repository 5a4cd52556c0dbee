using System.Net;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace Runtime.Worker.Tests;

public sealed class BoundedFunctions(Probe probe)
{
    [Function("Slow")]
    public async Task<IResult> Slow(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "slow/{door}")] HttpRequest request, string door)
    {
        probe.Write($"in {door}");
        await probe.Opened(door);
        return TypedResults.Text(door);
    }

    [Function("Count")]
    public async Task<IResult> Count([HttpTrigger(AuthorizationLevel.Anonymous, "post")] HttpRequest request)
    {
        using var body = new StreamReader(request.Body);
        return TypedResults.Text($"{(await body.ReadToEndAsync()).Length}");
    }

    [Function("Patient")]
    public async Task Patient(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get")] HttpRequest request, FunctionContext context,
        CancellationToken cancellation)
    {
        probe.Write($"waiting {cancellation == context.CancellationToken}");
        try
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellation);
        }
        finally
        {
            probe.Write("cancelled");
        }
    }
}

public sealed class BoundsTests
{
    readonly Probe probe = new();

    [Fact]
    public async Task Requests_beyond_the_bound_queue_and_beyond_the_queue_are_refused()
    {
        await using var host = await FunctionsHost.StartAsync(Options().WithHostJson("""
            { "version": "2.0", "extensions": { "http": { "maxConcurrentRequests": 1, "maxOutstandingRequests": 2 } } }
            """));
        using var client = host.Client();

        var running = client.GetAsync(Relative("/api/slow/a"));
        await probe.Until(diary => diary.Contains("in a"));
        var others = new[] { "b", "c", "d" }.Select(door => client.GetAsync(Relative($"/api/slow/{door}"))).ToHashSet();

        // One of the three finds the one place in the queue, whichever comes first; the others are turned away at once.
        for (var refused = 0; refused < 2; refused++)
        {
            var answered = await Task.WhenAny(others);
            others.Remove(answered);
            using var answer = await answered;
            Assert.Equal(HttpStatusCode.TooManyRequests, answer.StatusCode);
            Assert.Equal("application/problem+json", answer.Content.Headers.ContentType!.MediaType);
            Assert.Equal(TimeSpan.FromSeconds(1), answer.Headers.RetryAfter!.Delta);
        }

        Assert.Equal(["in a"], probe.Diary);
        foreach (var door in new[] { "a", "b", "c", "d" })
        {
            probe.Open(door);
        }

        Assert.Equal(HttpStatusCode.OK, (await running).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await others.Single()).StatusCode);
        Assert.Equal(2, probe.Diary.Count);
    }

    [Fact]
    public async Task A_body_at_the_limit_passes_and_one_above_is_refused_told_or_not()
    {
        await using var host = await FunctionsHost.StartAsync(
            Options().With(("FUNCTIONS_REQUEST_BODY_SIZE_LIMIT", "100")));
        using var client = host.Client();

        using var at = await client.PostAsync(Relative("/api/Count"), new ByteArrayContent(new byte[100]));
        using var above = await client.PostAsync(Relative("/api/Count"), new ByteArrayContent(new byte[101]));
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/Count")
        {
            Content = new StreamContent(new MemoryStream(new byte[101])),
        };
        request.Headers.TransferEncodingChunked = true;
        using var chunked = await client.SendAsync(request);

        Assert.Equal("100", await at.Content.ReadAsStringAsync());
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, above.StatusCode);
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, chunked.StatusCode);
        Assert.Equal("body-too-large", JsonDocument.Parse(await chunked.Content.ReadAsStringAsync())
            .RootElement.GetProperty("code").GetString());
    }

    [Fact]
    public async Task A_caller_that_hangs_up_cancels_the_function()
    {
        await using var host = await FunctionsHost.StartAsync(Options());
        using var client = host.Client();
        using var leaving = new CancellationTokenSource();

        var request = client.GetAsync(Relative("/api/Patient"), leaving.Token);
        await probe.Until(diary => diary.Contains("waiting True"));
        await leaving.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => request);
        await probe.Until(diary => diary.Contains("cancelled"));
    }

    [Fact]
    public async Task A_function_that_runs_too_long_is_cancelled_and_fails()
    {
        var clock = new ManualClock();
        await using var host = await FunctionsHost.StartAsync((Options() with { TimeoutClock = clock })
            .WithHostJson("""{ "version": "2.0", "functionTimeout": "00:00:30" }"""));
        using var client = host.Client();

        var request = client.GetAsync(Relative("/api/Patient"));
        await probe.Until(diary => diary.Contains("waiting True"));
        clock.Advance(TimeSpan.FromSeconds(29));
        Assert.Equal(["waiting True"], probe.Diary);
        clock.Advance(TimeSpan.FromSeconds(1));

        using var answer = await request;
        Assert.Equal(HttpStatusCode.InternalServerError, answer.StatusCode);
        Assert.Contains("ran out of time", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("http://0.0.0.0:0")]
    [InlineData("http://192.168.0.1:0")]
    [InlineData("https://127.0.0.1:0")]
    public async Task Only_the_loopback_interface_is_served(string listen)
    {
        var message = await TestHost.RefusalAsync(Options() with { Listen = new(listen) });

        Assert.Contains("loopback interface only", message, StringComparison.Ordinal);
    }

    static Uri Relative(string address) => new(address, UriKind.Relative);

    FunctionsHostOptions Options() => TestHost.Options(typeof(BoundedFunctions)) with
    {
        Configure = builder => builder.ConfigureFunctionsWebApplication().Services.AddSingleton(probe),
    };
}
