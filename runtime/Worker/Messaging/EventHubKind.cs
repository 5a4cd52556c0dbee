using Azure.Messaging.EventHubs;
using Azure.Messaging.EventHubs.Consumer;
using Azure.Messaging.EventHubs.Producer;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Extensions.Abstractions;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Runtime.Messaging;

namespace Runtime.Worker;

/// <summary>[EventHubTrigger] and [EventHubOutput] on a broker in this process.</summary>
/// <remarks>Every connection leads to the one broker, which keeps the checkpoints too.</remarks>
public sealed class EventHubKind(MessageBroker broker) : ITriggerKind, IOutputKind
{
    const string DefaultGroup = "$Default";

    readonly Dictionary<(string Hub, string Group), string> readers = [];

    Type ITriggerKind.Attribute => typeof(EventHubTriggerAttribute);

    Type IOutputKind.Attribute => typeof(EventHubOutputAttribute);

    public bool HonoursRetry => true;

    public string? HostJsonSection => "eventHubs";

    public ITriggerSource Attach(TriggeredFunction function, TriggerServices host)
    {
        ArgumentNullException.ThrowIfNull(function);
        ArgumentNullException.ThrowIfNull(host);
        var trigger = (EventHubTriggerAttribute)function.Trigger;
        var settings = EventHubSettings.Read(host.HostJson);
        var name = host.Settings.Expand(trigger.EventHubName);
        var hub = broker.Topology.Hubs.FirstOrDefault(h => h.Name.Equals(name, StringComparison.OrdinalIgnoreCase))
            ?? throw function.Refusal($"there is no event hub '{name}' in the topology.");
        var group = trigger.ConsumerGroup is { } text ? host.Settings.Expand(text) : DefaultGroup;
        if (group != DefaultGroup && !hub.ConsumerGroups.Contains(group))
        {
            throw function.Refusal($"event hub '{name}' has no consumer group '{group}' in the topology.");
        }

        // Two functions of one group would each see some of the partitions and miss the others.
        if (!readers.TryAdd((name, group), function.Name))
        {
            throw function.Refusal(
                $"function '{readers[(name, group)]}' reads event hub '{name}' in the consumer group '{group}' " +
                "already; give it a group of its own.");
        }

        Arrival.Bind(function, trigger.IsBatched, typeof(EventData), ServiceBusKind.Serializer(host));
        return new EventSource(
            function, broker, new(name, group, Begin(settings.InitialOffsetOptions), trigger.IsBatched), settings,
            host.Services.GetRequiredService<ILoggerFactory>().CreateLogger("Host.Triggers.EventHubs"));
    }

    public OutputSender Attach(OutputBindingAttribute output, TriggeredFunction function, TriggerServices host)
    {
        ArgumentNullException.ThrowIfNull(output);
        ArgumentNullException.ThrowIfNull(function);
        ArgumentNullException.ThrowIfNull(host);
        var name = host.Settings.Expand(((EventHubOutputAttribute)output).EventHubName);
        if (!broker.Topology.Hubs.Any(hub => hub.Name.Equals(name, StringComparison.OrdinalIgnoreCase)))
        {
            throw function.Refusal($"there is no event hub '{name}' in the topology.");
        }

        OutgoingContent.Check(function, output);
        var serializer = ServiceBusKind.Serializer(host);
        var producer = broker.CreateEventHubProducer(name);
        return (value, context) => SendAsync(
            producer,
            OutgoingContent.Of(value, serializer, context.CancellationToken)
                .Select(content => new EventData(content.Body) { ContentType = content.ContentType }),
            context.CancellationToken);
    }

    static Task SendAsync(
        EventHubProducerClient producer, IEnumerable<EventData> events, CancellationToken cancellation) =>
        producer.SendAsync(events, cancellation);

    static EventPosition Begin(EventHubSettings.InitialOffset initial) =>
        (initial.Type.ToUpperInvariant(), initial.EnqueuedTimeUtc) switch
        {
            ("FROMSTART", _) => EventPosition.Earliest,
            ("FROMEND", _) => EventPosition.Latest,
            ("FROMENQUEUEDTIME", { } time) => EventPosition.FromEnqueuedTime(time),
            _ => throw new FunctionsRefusedException(
                $"host.json: extensions.eventHubs.initialOffsetOptions.type is '{initial.Type}'; fromStart, fromEnd, " +
                "or fromEnqueuedTime with enqueuedTimeUtc is needed."),
        };
}
