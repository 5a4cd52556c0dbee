using System.Net;
using Microsoft.Azure.Functions.Worker.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Runtime.Worker.Tests;

public sealed class StoppingTests
{
    readonly Probe probe = new();

    [Fact]
    public async Task A_running_request_is_finished_and_no_other_is_taken()
    {
        await using var host = await StartAsync();
        using var client = host.Client();
        var request = client.GetStringAsync(new Uri("/api/slow/a", UriKind.Relative));
        await probe.Until(diary => diary.Contains("in a"));

        var stopping = host.StopAsync();
        using var late = new HttpClient { BaseAddress = host.Address };
        await Assert.ThrowsAsync<HttpRequestException>(async () =>
        {
            // The listener closes in its own time, but no request gets through once it has.
            while (true)
            {
                using var answer = await late.GetAsync(new Uri("/api/none", UriKind.Relative));
                Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
            }
        });
        Assert.False(stopping.IsCompleted);

        probe.Open("a");
        Assert.Equal("a", await request);
        await stopping;
    }

    [Fact]
    public async Task A_request_that_takes_too_long_is_cancelled_when_the_patience_ends()
    {
        await using var host = await StartAsync();
        using var client = host.Client();
        var request = client.GetAsync(new Uri("/api/Patient", UriKind.Relative));
        await probe.Until(diary => diary.Contains("waiting True"));

        using var patience = new CancellationTokenSource();
        var stopping = host.StopAsync(patience.Token);
        await patience.CancelAsync();

        await stopping;
        await probe.Until(diary => diary.Contains("cancelled"));
        await Assert.ThrowsAnyAsync<HttpRequestException>(() => request);
    }

    [Fact]
    public async Task What_started_before_a_failed_start_is_stopped()
    {
        await using var first = await StartAsync();
        var (late, clock) = (new Probe(), new ManualClock());
        var options = TestHost.Options(typeof(EagerFunctions)) with
        {
            Clock = clock,
            Listen = first.Address,
            Configure = builder => builder.Services.AddSingleton(late).AddSingleton<TimeProvider>(clock),
        };

        var failure = await Assert.ThrowsAnyAsync<IOException>(() => FunctionsHost.StartAsync(options));

        Assert.Contains("in use", failure.Message, StringComparison.Ordinal);
        clock.Advance(TimeSpan.FromHours(10));
        Assert.DoesNotContain(late.Diary, line => line != "00:00 True");
    }

    Task<FunctionsHost> StartAsync() => FunctionsHost.StartAsync(TestHost.Options(typeof(BoundedFunctions)) with
    {
        Configure = builder => builder.ConfigureFunctionsWebApplication().Services.AddSingleton(probe),
    });
}
