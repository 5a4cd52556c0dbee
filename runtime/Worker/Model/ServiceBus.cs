using Azure.Messaging.ServiceBus;
using Microsoft.Azure.Functions.Worker.Extensions.Abstractions;

namespace Microsoft.Azure.Functions.Worker;

/// <summary>Starts the function with messages of a queue or of a topic's subscription.</summary>
/// <remarks>A message is taken from its queue when the function has succeeded, and given back when it threw.</remarks>
public sealed class ServiceBusTriggerAttribute : TriggerBindingAttribute
{
    public ServiceBusTriggerAttribute(string queueName)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(queueName);
        QueueName = queueName;
    }

    public ServiceBusTriggerAttribute(string topicName, string subscriptionName)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(topicName);
        ArgumentException.ThrowIfNullOrWhiteSpace(subscriptionName);
        (TopicName, SubscriptionName) = (topicName, subscriptionName);
    }

    public string? QueueName { get; }

    public string? TopicName { get; }

    public string? SubscriptionName { get; }

    /// <summary>The setting that holds the namespace's connection; "AzureWebJobsServiceBus" when absent.</summary>
    public string? Connection { get; set; }

    /// <summary>Hands over the messages of one session at a time, in their order.</summary>
    public bool IsSessionsEnabled { get; set; }

    /// <summary>Hands over arrays of messages instead of single ones.</summary>
    public bool IsBatched { get; set; }

    /// <summary>False leaves it to the function to settle what it was given.</summary>
    public bool AutoCompleteMessages { get; set; } = true;
}

/// <summary>Sends what the function returns to a queue or topic.</summary>
public sealed class ServiceBusOutputAttribute(
    string queueOrTopicName, ServiceBusEntityType entityType = ServiceBusEntityType.Queue) : OutputBindingAttribute
{
    public string QueueOrTopicName { get; } =
        queueOrTopicName ?? throw new ArgumentNullException(nameof(queueOrTopicName));

    public ServiceBusEntityType EntityType { get; set; } = entityType;

    /// <inheritdoc cref="ServiceBusTriggerAttribute.Connection"/>
    public string? Connection { get; set; }
}

/// <summary>Where an output goes.</summary>
public enum ServiceBusEntityType
{
    Queue = 0,
    Topic = 1,
}

/// <summary>Settles the messages a function was given.</summary>
public class ServiceBusMessageActions
{
    readonly ServiceBusReceiver? receiver;

    protected ServiceBusMessageActions() { }

    internal ServiceBusMessageActions(ServiceBusReceiver receiver) => this.receiver = receiver;

    ServiceBusReceiver Receiver =>
        receiver ?? throw new NotSupportedException("Mocked actions have no connection.");

    public virtual Task CompleteMessageAsync(
        ServiceBusReceivedMessage message, CancellationToken cancellationToken = default) =>
        Receiver.CompleteMessageAsync(message, cancellationToken);

    /// <summary>Gives the message back; its next delivery counts one more.</summary>
    public virtual Task AbandonMessageAsync(
        ServiceBusReceivedMessage message, IDictionary<string, object>? propertiesToModify = default,
        CancellationToken cancellationToken = default) =>
        Receiver.AbandonMessageAsync(message, propertiesToModify, cancellationToken);

    public virtual Task DeadLetterMessageAsync(
        ServiceBusReceivedMessage message, Dictionary<string, object>? propertiesToModify = default,
        string? deadLetterReason = default, string? deadLetterErrorDescription = default,
        CancellationToken cancellationToken = default) => deadLetterReason is null
        ? Receiver.DeadLetterMessageAsync(message, propertiesToModify, cancellationToken)
        : Receiver.DeadLetterMessageAsync(
            message, propertiesToModify ?? [], deadLetterReason, deadLetterErrorDescription, cancellationToken);

    public virtual Task DeferMessageAsync(
        ServiceBusReceivedMessage message, IDictionary<string, object>? propertiesToModify = default,
        CancellationToken cancellationToken = default) =>
        Receiver.DeferMessageAsync(message, propertiesToModify, cancellationToken);

    public virtual Task RenewMessageLockAsync(
        ServiceBusReceivedMessage message, CancellationToken cancellationToken = default) =>
        Receiver.RenewMessageLockAsync(message, cancellationToken);
}

/// <summary>Reads and changes the session whose messages a function was given.</summary>
public class ServiceBusSessionMessageActions
{
    readonly ServiceBusSessionReceiver? receiver;
    readonly Action? release;

    protected ServiceBusSessionMessageActions() { }

    internal ServiceBusSessionMessageActions(ServiceBusSessionReceiver receiver, Action release) =>
        (this.receiver, this.release, SessionLockedUntil) = (receiver, release, receiver.SessionLockedUntil);

    public virtual DateTimeOffset SessionLockedUntil { get; protected set; }

    ServiceBusSessionReceiver Receiver =>
        receiver ?? throw new NotSupportedException("Mocked actions have no connection.");

    public virtual async Task<BinaryData> GetSessionStateAsync(CancellationToken cancellationToken = default) =>
        await Receiver.GetSessionStateAsync(cancellationToken) ?? new BinaryData(Array.Empty<byte>());

    public virtual Task SetSessionStateAsync(BinaryData sessionState, CancellationToken cancellationToken = default) =>
        Receiver.SetSessionStateAsync(sessionState, cancellationToken);

    /// <summary>Lets the session go once this invocation has ended.</summary>
    public virtual Task ReleaseSession(CancellationToken cancellationToken = default)
    {
        _ = Receiver;
        release!();
        return Task.CompletedTask;
    }

    public virtual async Task RenewSessionLockAsync(CancellationToken cancellationToken = default)
    {
        await Receiver.RenewSessionLockAsync(cancellationToken);
        SessionLockedUntil = Receiver.SessionLockedUntil;
    }
}
