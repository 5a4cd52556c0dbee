using System.Collections.Immutable;
using System.Text;

namespace Microsoft.DurableTask.Client;

/// <summary>Where an instance stands.</summary>
public enum OrchestrationRuntimeStatus
{
    Running = 0,
    Completed = 1,

    [Obsolete("Exists for compatibility only; an instance that continues as new is Running.")]
    ContinuedAsNew = 2,
    Failed = 3,

    [Obsolete("Exists for compatibility only; nothing sets it.")]
    Canceled = 4,
    Terminated = 5,
    Pending = 6,
    Suspended = 7,
}

/// <summary>The state of one instance at the moment it was read.</summary>
public sealed class OrchestrationMetadata(string name, string instanceId)
{
    const int PayloadCharsShown = 50;

    public string Name { get; } = name;

    public string InstanceId { get; } = instanceId;

    /// <summary>Present when inputs and outputs were asked for.</summary>
    public DataConverter? DataConverter { get; init; }

    public OrchestrationRuntimeStatus RuntimeStatus { get; init; }

    public DateTimeOffset CreatedAt { get; init; }

    public DateTimeOffset LastUpdatedAt { get; init; }

    public string? SerializedInput { get; init; }

    public string? SerializedOutput { get; init; }

    public string? SerializedCustomStatus { get; init; }

    public IReadOnlyDictionary<string, string> Tags { get; init; } = ImmutableDictionary<string, string>.Empty;

    public TaskFailureDetails? FailureDetails { get; init; }

    public bool IsRunning => RuntimeStatus == OrchestrationRuntimeStatus.Running;

    public bool IsCompleted => RuntimeStatus is OrchestrationRuntimeStatus.Completed
        or OrchestrationRuntimeStatus.Failed or OrchestrationRuntimeStatus.Terminated;

    public T? ReadInputAs<T>() => Converter(nameof(ReadInputAs)).Deserialize<T>(SerializedInput);

    public T? ReadOutputAs<T>() => Converter(nameof(ReadOutputAs)).Deserialize<T>(SerializedOutput);

    public T? ReadCustomStatusAs<T>() => Converter(nameof(ReadCustomStatusAs)).Deserialize<T>(SerializedCustomStatus);

    public override string ToString()
    {
        var text = new StringBuilder(
            $"[Name: '{Name}', ID: '{InstanceId}', RuntimeStatus: {RuntimeStatus}, CreatedAt: {CreatedAt:s}, "
            + $"LastUpdatedAt: {LastUpdatedAt:s}");
        Show(text, "Input", SerializedInput);
        Show(text, "Output", SerializedOutput);
        Show(text, "FailureDetails", FailureDetails?.ToString());
        return text.Append(']').ToString();
    }

    static void Show(StringBuilder text, string label, string? payload)
    {
        if (payload is not null)
        {
            text.Append(", ").Append(label).Append(": '")
                .Append(payload.AsSpan(0, Math.Min(payload.Length, PayloadCharsShown)))
                .Append(payload.Length > PayloadCharsShown ? "...'" : "'");
        }
    }

    DataConverter Converter(string method) => DataConverter ?? throw new InvalidOperationException(
        $"{method} needs metadata that was read with getInputsAndOutputs (or FetchInputsAndOutputs in a query).");
}
