using Microsoft.Azure.Functions.Worker.Extensions.Abstractions;

namespace Microsoft.Azure.Functions.Worker;

/// <summary>Makes the function an orchestrator; it must be deterministic.</summary>
public sealed class OrchestrationTriggerAttribute : TriggerBindingAttribute
{
    /// <summary>The name that schedules it; the function's own when absent.</summary>
    public string? Orchestration { get; set; }
}

/// <summary>Makes the function an activity, run at least once for each call.</summary>
public sealed class ActivityTriggerAttribute : TriggerBindingAttribute
{
    /// <summary>The name that calls it; the function's own when absent.</summary>
    public string? Activity { get; set; }
}

/// <summary>Fills a <c>DurableTaskClient</c> parameter with a client of the task hub.</summary>
public sealed class DurableClientAttribute : InputBindingAttribute
{
    public string? TaskHub { get; set; }

    public string? ConnectionName { get; set; }
}
