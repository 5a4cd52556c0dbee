using Azure.Core.Serialization;
using Azure.Messaging.ServiceBus;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Extensions.Abstractions;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Runtime.Messaging;

namespace Runtime.Worker;

/// <summary>[ServiceBusTrigger] and [ServiceBusOutput] on a broker in this process.</summary>
/// <remarks>Every connection leads to the one broker. The client's waits follow the broker's clock.</remarks>
public sealed class ServiceBusKind(MessageBroker broker) : ITriggerKind, IOutputKind
{
    Type ITriggerKind.Attribute => typeof(ServiceBusTriggerAttribute);

    Type IOutputKind.Attribute => typeof(ServiceBusOutputAttribute);

    // As on Azure, where the queue's own delivery count is the retry.
    public bool HonoursRetry => false;

    public string? HostJsonSection => "serviceBus";

    public ITriggerSource Attach(TriggeredFunction function, TriggerServices host)
    {
        ArgumentNullException.ThrowIfNull(function);
        ArgumentNullException.ThrowIfNull(host);
        var trigger = (ServiceBusTriggerAttribute)function.Trigger;
        var settings = ServiceBusSettings.Read(host.HostJson);
        var entity = Entity(function, trigger, host.Settings);
        Arrival.Bind(function, trigger.IsBatched, typeof(ServiceBusReceivedMessage), Serializer(host));
        BindActions(function, trigger.IsSessionsEnabled);
        var source = new MessageFeed(
            function, entity, trigger.IsSessionsEnabled, trigger.AutoCompleteMessages && settings.AutoCompleteMessages,
            settings, host.Services.GetRequiredService<ILoggerFactory>().CreateLogger("Host.Triggers.ServiceBus"));
        return trigger.IsBatched
            ? new MessageBatchSource(source, broker)
            : new MessageSource(source, broker);
    }

    public OutputSender Attach(OutputBindingAttribute output, TriggeredFunction function, TriggerServices host)
    {
        ArgumentNullException.ThrowIfNull(output);
        ArgumentNullException.ThrowIfNull(function);
        ArgumentNullException.ThrowIfNull(host);
        var name = host.Settings.Expand(((ServiceBusOutputAttribute)output).QueueOrTopicName);
        if (!broker.HasTarget(name))
        {
            throw function.Refusal($"there is no queue or topic '{name}' in the topology.");
        }

        OutgoingContent.Check(function, output);
        var serializer = Serializer(host);
        var sender = broker.CreateServiceBusClient().CreateSender(name);
        return (value, context) => sender.SendMessagesAsync(
            OutgoingContent.Of(value, serializer, context.CancellationToken)
                .Select(content => new ServiceBusMessage(content.Body) { ContentType = content.ContentType }),
            context.CancellationToken);
    }

    internal static ObjectSerializer Serializer(TriggerServices host) =>
        host.Services.GetRequiredService<IOptions<WorkerOptions>>().Value.Serializer!;

    MessageEntity Entity(TriggeredFunction function, ServiceBusTriggerAttribute trigger, AppSettings settings)
    {
        var entity = trigger.QueueName is { } queue
            ? new MessageEntity(settings.Expand(queue), null)
            : new MessageEntity(settings.Expand(trigger.TopicName!), settings.Expand(trigger.SubscriptionName!));
        return broker.RequiresSession(entity.Path) switch
        {
            null => throw function.Refusal($"there is no queue or subscription '{entity.Path}' in the topology."),
            true when !trigger.IsSessionsEnabled => throw function.Refusal(
                $"'{entity.Path}' has sessions; set IsSessionsEnabled."),
            false when trigger.IsSessionsEnabled => throw function.Refusal(
                $"'{entity.Path}' has no sessions; IsSessionsEnabled would never be given a message."),
            _ => entity,
        };
    }

    static void BindActions(TriggeredFunction function, bool sessions)
    {
        foreach (var parameter in function.Unbound.ToList())
        {
            if (parameter.ParameterType == typeof(ServiceBusMessageActions))
            {
                function.Bind(parameter, static (_, payload) => new(((Arrival)payload!).Actions));
            }
            else if (parameter.ParameterType == typeof(ServiceBusSessionMessageActions))
            {
                if (!sessions)
                {
                    throw function.Refusal("there is no session without IsSessionsEnabled.", parameter);
                }

                function.Bind(parameter, static (_, payload) => new(((Arrival)payload!).Session));
            }
        }
    }
}

/// <summary>A queue, or a subscription of a topic.</summary>
sealed record MessageEntity(string Name, string? Subscription)
{
    public string Path => Subscription is null ? Name : $"{Name}/Subscriptions/{Subscription}";
}
