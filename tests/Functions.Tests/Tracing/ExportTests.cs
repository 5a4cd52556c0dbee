using System.Diagnostics.Metrics;
using System.Reflection;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
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

    [Fact]
    public async Task What_any_meter_measures_arrives()
    {
        await using var receiver = await OtlpReceiver.StartAsync();
        using (var export = new TelemetryExport(
            Settings((TelemetryExport.Endpoint, receiver.Address), ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf")),
            NullLogger<TelemetryExport>.Instance))
        {
            await export.StartAsync(CancellationToken.None);
            foreach (var meter in Meters()) meter.CreateGauge<int>($"probe.of.{meter.Name}").Record(1);
            await export.StopAsync(CancellationToken.None);
        }

        Assert.NotEmpty(Meters());
        Assert.All(Meters(), meter => Assert.Contains($"probe.of.{meter.Name}", receiver.Metrics));
    }

    /// <summary>Every meter that the deployed code has.</summary>
    static IReadOnlyList<Meter> Meters() =>
    [
        .. new[] { typeof(Program).Assembly, typeof(EventSourcing.Telemetry).Assembly }
            .SelectMany(assembly => assembly.GetTypes().Where(type => !type.ContainsGenericParameters))
            .SelectMany(type => type.GetFields(BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic))
            .Where(field => field.FieldType == typeof(Meter))
            .Select(field => (Meter)field.GetValue(null)!),
    ];

    static IConfiguration Settings(params (string Name, string? Value)[] settings) => new ConfigurationBuilder()
        .AddInMemoryCollection(settings.ToDictionary(s => s.Name, s => s.Value)).Build();

    [Theory]
    [InlineData(null, null, 0)]
    [InlineData("", "", 0)]
    [InlineData("http://127.0.0.1:4318", null, 1)]
    [InlineData(null, "InstrumentationKey=00000000-0000-0000-0000-000000000000", 1)]
    public void Without_a_receiver_nothing_is_started(string? endpoint, string? insights, int started)
    {
        var services = new ServiceCollection();
        services.AddTelemetryExport(
            Settings((TelemetryExport.Endpoint, endpoint), (TelemetryExport.Insights, insights)));
        Assert.Equal(started, services.Count);
    }
}
