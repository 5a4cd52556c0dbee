using Azure.Messaging.ServiceBus;
using Runtime.Messaging;

namespace Runtime.Worker;

/// <summary>Hands messages to a function one by one, several at a time: the SDK's own processors do the work.</summary>
sealed class MessageSource(MessageFeed feed, MessageBroker broker) : ITriggerSource, IDisposable
{
    readonly ServiceBusClient client = broker.CreateServiceBusClient();
    Func<CancellationToken, Task>? stop;

    public string Description => feed.Description;

    public async Task StartAsync(CancellationToken cancellation)
    {
        if (feed.HasSessions)
        {
            var sessions = Sessions();
            sessions.ProcessMessageAsync += args => feed.InvokeAsync(
                [args.Message], args.Receiver, args.ReleaseSession, broker.Clock);
            sessions.ProcessErrorAsync += NoteAsync;
            stop = sessions.StopProcessingAsync;
            await sessions.StartProcessingAsync(cancellation);
        }
        else
        {
            var messages = Messages();
            messages.ProcessMessageAsync += args => feed.InvokeAsync(
                [args.Message], args.Receiver, static () => { }, broker.Clock);
            messages.ProcessErrorAsync += NoteAsync;
            stop = messages.StopProcessingAsync;
            await messages.StartProcessingAsync(cancellation);
        }
    }

    // The processor is told without the token: it would leave its handlers alone with their messages. The token calls
    // the functions off instead.
    public Task StopAsync(CancellationToken cancellation) =>
        feed.StopAsync(() => stop?.Invoke(CancellationToken.None) ?? Task.CompletedTask, cancellation);

    public void Dispose() => feed.Dispose();

    ServiceBusSessionProcessor Sessions()
    {
        var options = new ServiceBusSessionProcessorOptions
        {
            AutoCompleteMessages = feed.Completes,
            MaxAutoLockRenewalDuration = feed.Settings.MaxAutoLockRenewalDuration,
            MaxConcurrentSessions = feed.Settings.MaxConcurrentSessions,
            MaxConcurrentCallsPerSession = feed.Settings.MaxConcurrentCallsPerSession,
            SessionIdleTimeout = feed.Settings.SessionIdleTimeout,
            PrefetchCount = feed.Settings.PrefetchCount,
        };
        return feed.Entity.Subscription is { } subscription
            ? client.CreateSessionProcessor(feed.Entity.Name, subscription, options)
            : client.CreateSessionProcessor(feed.Entity.Name, options);
    }

    ServiceBusProcessor Messages()
    {
        var options = new ServiceBusProcessorOptions
        {
            AutoCompleteMessages = feed.Completes,
            MaxAutoLockRenewalDuration = feed.Settings.MaxAutoLockRenewalDuration,
            MaxConcurrentCalls = feed.Settings.MaxConcurrentCalls,
            PrefetchCount = feed.Settings.PrefetchCount,
        };
        return feed.Entity.Subscription is { } subscription
            ? client.CreateProcessor(feed.Entity.Name, subscription, options)
            : client.CreateProcessor(feed.Entity.Name, options);
    }

    Task NoteAsync(ProcessErrorEventArgs args)
    {
        feed.Note(args.Exception, args.ErrorSource);
        return Task.CompletedTask;
    }
}
