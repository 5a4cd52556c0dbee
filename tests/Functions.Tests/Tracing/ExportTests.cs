using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Runtime.Local;
using Runtime.Worker;

namespace Functions.Tests.Tracing;

/// <summary>Traces and metrics leave by OTLP where a receiver is named, and nowhere else.</summary>
public sealed class ExportTests
{
    [Fact]
    public async Task Spans_and_metrics_arrive_at_the_receiver_that_the_settings_name()
    {
        await using var receiver = await OtlpReceiver.StartAsync();
        var settings = new Dictionary<string, string>(LocalSettings.Read(
            Path.Combine(AppContext.BaseDirectory, "local.settings.sample.json")))
        {
            [TelemetryExport.Endpoint] = receiver.Address,
            ["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf",
            ["OTEL_SERVICE_NAME"] = "orders-of-this-test",
        };
        await using (var system = await LocalSystem.StartAsync(new() { Settings = settings }, CancellationToken.None))
        {
            using var http = system.CreateHttpClient();
            var answer = await new Api(http).PutAsync(
                "/api/products/traced",
                new { name = "Thing", category = "things", price = new { minorUnits = 1_00, currency = "EUR" } },
                CancellationToken.None);
            Assert.True(answer.IsSuccess);
        }

        // Stopping sends what was still held back.
        Assert.Contains("command", receiver.Spans);
        Assert.Contains("PutProduct", receiver.Spans);
        Assert.Contains("events.appends", receiver.Metrics);
        Assert.Contains("events.command.charge", receiver.Metrics);
        Assert.Contains("orders-of-this-test", receiver.Resource);
    }

    [Theory]
    [InlineData(null, 0)]
    [InlineData("", 0)]
    [InlineData("http://127.0.0.1:4318", 1)]
    public void Without_a_receiver_nothing_is_started(string? endpoint, int started)
    {
        var services = new ServiceCollection();
        services.AddTelemetryExport(new ConfigurationBuilder().AddInMemoryCollection(
            new Dictionary<string, string?> { [TelemetryExport.Endpoint] = endpoint }).Build());
        Assert.Equal(started, services.Count);
    }
}
