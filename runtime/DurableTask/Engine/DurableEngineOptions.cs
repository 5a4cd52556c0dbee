using Microsoft.DurableTask;
using Microsoft.DurableTask.Converters;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using static Microsoft.DurableTask.Worker.DurableTaskWorkerOptions;

namespace Runtime.DurableTask;

/// <summary>Where an engine keeps its state, whose time it follows, and every bound it puts on its users.</summary>
public sealed record DurableEngineOptions
{
    /// <summary>The SQLite file that holds all state; null keeps it in memory while the engine lives.</summary>
    public string? File { get; init; }

    /// <summary>
    /// Flushes the disk at every group of commits, so that even a power cut loses nothing acknowledged; a killed
    /// process loses nothing either way.
    /// </summary>
    public bool SurvivesPowerLoss { get; init; }

    public TimeProvider Clock { get; init; } = TimeProvider.System;

    public ILoggerFactory LoggerFactory { get; init; } = NullLoggerFactory.Instance;

    public DataConverter DataConverter { get; init; } = JsonDataConverter.Default;

    /// <summary>Where fresh ids come from; null draws them from the system, a seed makes a run repeatable.</summary>
    public Random? Random { get; init; }

    /// <summary>The version of new instances and of this host's code, as `defaultVersion` in host.json.</summary>
    public string DefaultVersion { get; init; } = "";

    /// <summary>Which instances this host runs, compared with <see cref="DefaultVersion"/>.</summary>
    public VersionMatchStrategy VersionMatch { get; init; } = VersionMatchStrategy.None;

    /// <summary>What happens to instances that do not match.</summary>
    public VersionFailureStrategy VersionFailure { get; init; } = VersionFailureStrategy.Reject;

    /// <summary>Orchestrator turns at the same time.</summary>
    public int OrchestrationsMax { get; init; } = 32;

    /// <summary>Activities at the same time.</summary>
    public int ActivitiesMax { get; init; } = 32;

    /// <summary>Instances whose running code is kept in memory between turns; the others are replayed.</summary>
    public int LiveInstancesMax { get; init; } = 1_000;

    /// <summary>Length of one input, result, output or event payload.</summary>
    public int PayloadCharsMax { get; init; } = 1_048_576;

    /// <summary>Length of a custom status; 16 KB of UTF-16, as on Azure.</summary>
    public int CustomStatusCharsMax { get; init; } = 8_192;

    /// <summary>Events in the history of one execution; a longer story has to continue as new.</summary>
    public int HistoryEventsMax { get; init; } = 100_000;

    /// <summary>Events an instance may hold that it has not read yet.</summary>
    public int UnreadEventsMax { get; init; } = 10_000;

    public int InstanceIdCharsMax { get; init; } = 100;

    /// <summary>Length of the name of a task, event or tag, and of a version.</summary>
    public int NameCharsMax { get; init; } = 256;

    public int TagsMax { get; init; } = 64;

    /// <summary>Instances in one page of a list.</summary>
    public int PageInstancesMax { get; init; } = 1_000;

    internal void RefuseNonsense()
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(OrchestrationsMax, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(ActivitiesMax, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(LiveInstancesMax, 0);
        ArgumentOutOfRangeException.ThrowIfLessThan(PayloadCharsMax, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(CustomStatusCharsMax, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(HistoryEventsMax, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(UnreadEventsMax, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(InstanceIdCharsMax, 32);
        ArgumentOutOfRangeException.ThrowIfLessThan(NameCharsMax, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(TagsMax, 0);
        ArgumentOutOfRangeException.ThrowIfLessThan(PageInstancesMax, 1);
    }
}
