using System.Text.Json;
using Microsoft.DurableTask;

namespace Runtime.DurableTask;

/// <summary>How today's code fares against a recorded history.</summary>
public sealed record ReplayReport(string InstanceId, string Orchestrator, int Turns, string? Divergence)
{
    public bool Matches => Divergence is null;
}

static class HistoryReplay
{
    internal static ReplayReport Run(
        string history, DurableTaskRegistry registry, IServiceProvider? services, DurableEngineOptions options)
    {
        ArgumentNullException.ThrowIfNull(registry);
        var exported = Read(history);
        var record = exported.Instance;
        var report = new ReplayReport(record.InstanceId, record.Name, exported.Turns.Count, null);
        if (!registry.TryGetOrchestrator(record.Name, record.Version, out var factory))
        {
            return report with
            {
                Divergence = $"There is no orchestrator named '{record.Name}' for version '{record.Version}'.",
            };
        }

        var execution = new Execution(record, factory(services ?? NoServices.Instance), new Host(options));
        for (var number = 0; number < exported.Turns.Count; number++)
        {
            if (execution.Replay(exported.Turns[number], number) is { } divergence)
            {
                return report with { Divergence = divergence };
            }
        }

        return report;
    }

    static ExportedHistory Read(string history)
    {
        ArgumentException.ThrowIfNullOrEmpty(history);
        ExportedHistory? exported;
        try
        {
            exported = JsonSerializer.Deserialize(history, StoredJson.Compact.ExportedHistory);
        }
        catch (JsonException exception)
        {
            throw new ArgumentException("This is not an exported history.", nameof(history), exception);
        }

        return exported is { Format: ExportedHistory.CurrentFormat, Instance: not null, Turns: not null }
            ? exported
            : throw new ArgumentException(
                $"This is not an exported history of format {ExportedHistory.CurrentFormat}.", nameof(history));
    }

    // Code that strays from its context diverges from the history all the same; there is nobody to tell.
    sealed class Host(DurableEngineOptions options) : IExecutionHost
    {
        public DurableEngineOptions Options => options;

        public Limits Limits { get; } = new(options);

        public void ReportStray(string instanceId, string executionId)
        {
        }
    }

    sealed class NoServices : IServiceProvider
    {
        internal static readonly NoServices Instance = new();

        public object? GetService(Type serviceType) => null;
    }
}
