using Azure.Identity;
using Azure.Monitor.OpenTelemetry.Exporter;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;

namespace Functions;

// The composition of one more client, and of nothing else: it stands in the build for Azure alone.
sealed partial class TelemetryExport
{
    /// <summary>
    /// As this app's identity, which AZURE_CLIENT_ID names: Application Insights is deployed without keys.
    /// </summary>
    static partial void AddInsights(
        TracerProviderBuilder tracing, MeterProviderBuilder metering, string connection, ref bool isKnown)
    {
        var credential = new DefaultAzureCredential();
        tracing.AddAzureMonitorTraceExporter(options => options.ConnectionString = connection, credential);
        metering.AddAzureMonitorMetricExporter(options => options.ConnectionString = connection, credential);
        isKnown = true;
    }
}
