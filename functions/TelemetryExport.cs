using Functions.Choreography;
using Functions.Operations;
using Functions.Projections;
using Functions.Storage;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Functions;

/// <summary>
/// Sends traces and metrics to the receivers the settings name: by OTLP, to Application Insights, or both; where they
/// name none, nothing is started and no span is made.
/// </summary>
/// <remarks>
/// Every other <c>OTEL_</c> setting (protocol, headers, intervals, service name) is read by the SDK itself, from the
/// same settings.
/// </remarks>
sealed partial class TelemetryExport(IConfiguration settings, ILogger<TelemetryExport> log)
    : IHostedService, IDisposable
{
    public const string Endpoint = "OTEL_EXPORTER_OTLP_ENDPOINT";

    /// <summary>The host reads it too, and sends what it knows of each call; our metrics it knows nothing of.</summary>
    public const string Insights = "APPLICATIONINSIGHTS_CONNECTION_STRING";

    const string ServiceName = "orders";

    /// <summary>A meter that is not here is measured for nobody, and no alert on it can ever go off.</summary>
    public static readonly IReadOnlyList<string> Meters =
    [
        EventSourcing.Telemetry.Name, Reconciliation.MeterName, SagaWatch.MeterName,
        OwedAnswersWatch.MeterName, Archives.MeterName,
    ];

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
        var tracing = Sdk.CreateTracerProviderBuilder()
            .ConfigureServices(services => services.AddSingleton(settings))
            .ConfigureResource(Named)
            .AddSource(Sources);
        var metering = Sdk.CreateMeterProviderBuilder()
            .ConfigureServices(services => services.AddSingleton(settings))
            .ConfigureResource(Named)
            .AddMeter([.. Meters]);
        if (settings[Endpoint] is { Length: > 0 })
        {
            tracing.AddOtlpExporter();
            metering.AddOtlpExporter();
        }

        if (settings[Insights] is { Length: > 0 } connection)
        {
            var isKnown = false;
            AddInsights(tracing, metering, connection, ref isKnown);
            if (!isKnown) log.LogWarning("Only the build for Azure sends to Application Insights: {Setting}", Insights);
        }

        traces = tracing.Build();
        metrics = metering.Build();
        return Task.CompletedTask;
    }

    /// <summary>In TelemetryExport.Insights.cs, which only the build for Azure has the package for.</summary>
    static partial void AddInsights(
        TracerProviderBuilder tracing, MeterProviderBuilder metering, string connection, ref bool isKnown);

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
        if (settings[TelemetryExport.Endpoint] is { Length: > 0 }
            || settings[TelemetryExport.Insights] is { Length: > 0 })
        {
            services.AddHostedService(provider => new TelemetryExport(
                settings, provider.GetRequiredService<ILogger<TelemetryExport>>()));
        }
    }
}
