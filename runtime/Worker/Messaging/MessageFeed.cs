using Azure.Messaging.ServiceBus;
using Microsoft.Extensions.Logging;
using Runtime.DurableTask;

namespace Runtime.Worker;

/// <summary>What every way of handing messages to a function shares: where from, how many, and the call.</summary>
sealed class MessageFeed(
    TriggeredFunction function, MessageEntity entity, bool hasSessions, bool completes, ServiceBusSettings settings,
    ILogger logger) : IDisposable
{
    readonly CancellationTokenSource aborting = new();

    public MessageEntity Entity => entity;

    public bool HasSessions => hasSessions;

    public bool Completes => completes;

    public ServiceBusSettings Settings => settings;

    public string Description => entity.Path + (hasSessions ? " (sessions)" : "");

    /// <summary>Runs the function once; it throws what the function threw.</summary>
    /// <remarks>Without the stopping token: what was begun is finished unless the host has no more patience.</remarks>
    public async Task InvokeAsync(
        ServiceBusReceivedMessage[] messages, ServiceBusReceiver receiver, Action release, TimeProvider clock)
    {
        // The messages are locked by time, so time must not leap over the function that has them.
        using var busy = (clock as VirtualClock)?.Hold();
        var arrival = new Arrival(messages)
        {
            Actions = new(receiver),
            Session = receiver is ServiceBusSessionReceiver session ? new(session, release) : null,
        };
        await function.InvokeAsync(
            new(arrival) { TraceParent = arrival.TraceParent, BindingData = BindingData(messages) }, aborting.Token);
    }

    /// <summary>Calls the function off when the host does not wait any longer.</summary>
    /// <remarks>
    /// Only after nothing new is handed out any more: what was called off would come again at once, and be called off,
    /// until its deliveries are used up and it lies with the dead letters.
    /// </remarks>
    public async Task StopAsync(Func<Task> stop, CancellationToken cancellation)
    {
        var stopping = stop();
        await using var _ = cancellation.UnsafeRegister(static o => ((CancellationTokenSource)o!).Cancel(), aborting);
        await stopping;
    }

    public void Note(Exception exception, ServiceBusErrorSource source)
    {
        // What the function itself threw is in its own log already.
        if (source is not ServiceBusErrorSource.ProcessMessageCallback)
        {
            logger.LogWarning(
                exception, "'{Function}' stumbled over {Entity} at {Source}", function.Name, entity.Path, source);
        }
    }

    public void Dispose() => aborting.Dispose();

    static Dictionary<string, object?>? BindingData(ServiceBusReceivedMessage[] messages) =>
        messages is not [var message] ? null : new()
        {
            ["MessageId"] = message.MessageId,
            ["SequenceNumber"] = message.SequenceNumber,
            ["DeliveryCount"] = message.DeliveryCount,
            ["EnqueuedTimeUtc"] = message.EnqueuedTime.UtcDateTime,
            ["ExpiresAtUtc"] = message.ExpiresAt.UtcDateTime,
            ["ContentType"] = message.ContentType,
            ["CorrelationId"] = message.CorrelationId,
            ["SessionId"] = message.SessionId,
            ["Subject"] = message.Subject,
            ["ReplyTo"] = message.ReplyTo,
            ["To"] = message.To,
            ["LockToken"] = message.LockToken,
        };
}
