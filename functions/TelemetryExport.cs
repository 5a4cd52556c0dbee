using Functions.Choreography;
using Functions.Operations;
using Functions.Projections;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Functions;

/// <summary>
/// Sends traces and metrics by OTLP to the receiver the settings name; where they name none, nothing is started and no
/// span is made.
/// </summary>
/// <remarks>
/// Every other <c>OTEL_</c> setting (protocol, headers, intervals, service name) is read by the SDK itself, from the
/// same settings.
/// </remarks>
sealed class TelemetryExport(IConfiguration settings) : IHostedService, IDisposable
{
    public const string Endpoint = "OTEL_EXPORTER_OTLP_ENDPOINT";

    const string ServiceName = "orders";

    /// <summary>Ours, and those of the host and the Cosmos SDK around us, in either build.</summary>
    static readonly string[] Sources =
    [
        EventSourcing.Telemetry.Name, "Runtime.Worker", "Microsoft.Azure.Functions.Worker", "Microsoft.DurableTask",
        "Azure.Cosmos.Operation",
    ];

    TracerProvider? traces;
    MeterProvider? metrics;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        traces = Sdk.CreateTracerProviderBuilder()
            .ConfigureServices(services => services.AddSingleton(settings))
            .ConfigureResource(Named)
            .AddSource(Sources)
            .AddOtlpExporter()
            .Build();
        metrics = Sdk.CreateMeterProviderBuilder()
            .ConfigureServices(services => services.AddSingleton(settings))
            .ConfigureResource(Named)
            .AddMeter(
                EventSourcing.Telemetry.Name, Reconciliation.MeterName, SagaWatch.MeterName, OwedAnswersWatch.MeterName)
            .AddOtlpExporter()
            .Build();
        return Task.CompletedTask;
    }

    /// <summary>Sends what is still held back, and gives up after the SDK's own time limit.</summary>
    public Task StopAsync(CancellationToken cancellationToken)
    {
        Dispose();
        return Task.CompletedTask;
    }

    public void Dispose()
    {
        traces?.Dispose();
        metrics?.Dispose();
        (traces, metrics) = (null, null);
    }

    /// <summary>A name from OTEL_SERVICE_NAME comes after ours and wins.</summary>
    static void Named(ResourceBuilder resource) => resource.AddService(ServiceName).AddEnvironmentVariableDetector();
}

static class TelemetryExportRegistration
{
    public static void AddTelemetryExport(this IServiceCollection services, IConfiguration settings)
    {
        if (settings[TelemetryExport.Endpoint] is { Length: > 0 })
            services.AddHostedService(_ => new TelemetryExport(settings));
    }
}
