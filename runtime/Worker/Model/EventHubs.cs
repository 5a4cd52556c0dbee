using Microsoft.Azure.Functions.Worker.Extensions.Abstractions;

namespace Microsoft.Azure.Functions.Worker;

/// <summary>Starts the function with the events of a hub, partition by partition and in each in order.</summary>
/// <remarks>A consumer group goes on behind a batch once the function, with its retries, has ended with it.</remarks>
public sealed class EventHubTriggerAttribute(string eventHubName) : TriggerBindingAttribute
{
    public string EventHubName { get; } = eventHubName ?? throw new ArgumentNullException(nameof(eventHubName));

    /// <summary>"$Default" when absent. Each group sees every event.</summary>
    public string? ConsumerGroup { get; set; }

    /// <summary>The setting that holds the namespace's connection.</summary>
    public string? Connection { get; set; }

    /// <summary>False hands over single events instead of arrays.</summary>
    public bool IsBatched { get; set; } = true;
}

/// <summary>Sends what the function returns to an event hub.</summary>
public sealed class EventHubOutputAttribute(string eventHubName) : OutputBindingAttribute
{
    public string EventHubName { get; } = eventHubName ?? throw new ArgumentNullException(nameof(eventHubName));

    /// <inheritdoc cref="EventHubTriggerAttribute.Connection"/>
    public string? Connection { get; set; }
}
