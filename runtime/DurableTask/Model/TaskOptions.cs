using System.Collections.Immutable;

namespace Microsoft.DurableTask;

/// <summary>How one activity or child is called: retries, version, tags.</summary>
public record TaskOptions
{
    public TaskOptions(TaskRetryOptions? retry) : this(retry, null)
    {
    }

    public TaskOptions(TaskRetryOptions? retry = null, IDictionary<string, string>? tags = null)
    {
        Retry = retry;
        Tags = tags;
    }

    public TaskOptions(TaskOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        Retry = options.Retry;
        Tags = options.Tags;
        Version = options.Version;
    }

    public TaskRetryOptions? Retry { get; init; }

    public IDictionary<string, string>? Tags { get; init; }

    /// <summary>Null inherits: an activity from its orchestration, a child from the host's default version.</summary>
    public TaskVersion? Version { get; init; }

    public static TaskOptions FromRetryPolicy(RetryPolicy policy) => new(policy);

    public static TaskOptions FromRetryHandler(AsyncRetryHandler handler) => new(handler);

    public static TaskOptions FromRetryHandler(RetryHandler handler) => new(handler);

    public SubOrchestrationOptions WithInstanceId(string instanceId) => new(this, instanceId);
}

/// <summary>How one child orchestration is called; without an id it gets one that is the same on replay.</summary>
public record SubOrchestrationOptions : TaskOptions
{
    public SubOrchestrationOptions(TaskRetryOptions? retry = null, string? instanceId = null) : base(retry) =>
        InstanceId = instanceId;

    public SubOrchestrationOptions(TaskOptions options, string? instanceId = null) : base(options) =>
        InstanceId = instanceId ?? (options as SubOrchestrationOptions)?.InstanceId;

    public SubOrchestrationOptions(SubOrchestrationOptions options) : base(options) => InstanceId = options.InstanceId;

    public string? InstanceId { get; init; }

    public new TaskVersion? Version
    {
        get => base.Version;
        init => base.Version = value;
    }
}

/// <summary>How a new instance is started from outside.</summary>
public record StartOrchestrationOptions
{
    // The parameters are named as in the SDK, for callers that name them.
    public StartOrchestrationOptions(string? InstanceId = null, DateTimeOffset? StartAt = null)
    {
        this.InstanceId = InstanceId;
        this.StartAt = StartAt;
    }

    public StartOrchestrationOptions(StartOrchestrationOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        InstanceId = options.InstanceId;
        StartAt = options.StartAt;
        Tags = options.Tags;
        Version = options.Version;
        DedupeStatuses = options.DedupeStatuses;
    }

    public string? InstanceId { get; init; }

    public DateTimeOffset? StartAt { get; init; }

    public IReadOnlyDictionary<string, string> Tags { get; init; } = ImmutableDictionary<string, string>.Empty;

    public TaskVersion? Version { get; init; }

    /// <summary>Statuses of an existing instance of the same id that refuse the new one; null leaves it to the host,
    /// which refuses over an unfinished one.</summary>
    public IReadOnlyList<string>? DedupeStatuses { get; init; }
}

/// <summary>What the next generation of an orchestration starts with.</summary>
public class ContinueAsNewOptions
{
    public object? NewInput { get; set; }

    public bool PreserveUnprocessedEvents { get; set; } = true;

    public string? NewVersion { get; set; }
}
