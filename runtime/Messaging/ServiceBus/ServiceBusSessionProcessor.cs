using Runtime.Messaging.Queues;

namespace Azure.Messaging.ServiceBus;

/// <summary>Hands the messages of sessions to a handler: sessions side by side, each in order.</summary>
public class ServiceBusSessionProcessor : IAsyncDisposable
{
    readonly BusConnection? connection;
    readonly ServiceBusSessionProcessorOptions options;
    readonly PumpRun run = new();
    Func<ProcessSessionMessageEventArgs, Task>? processMessage;
    Func<ProcessErrorEventArgs, Task>? processError;
    Func<ProcessSessionEventArgs, Task>? sessionInitializing;
    Func<ProcessSessionEventArgs, Task>? sessionClosing;
    int nextNamed;

    protected ServiceBusSessionProcessor()
    {
        options = new();
        EntityPath = FullyQualifiedNamespace = Identifier = "";
    }

    protected ServiceBusSessionProcessor(
        ServiceBusClient client, string queueName, ServiceBusSessionProcessorOptions options)
        : this((client ?? throw new ArgumentNullException(nameof(client))).Connection, queueName, options)
    {
    }

    protected ServiceBusSessionProcessor(
        ServiceBusClient client, string topicName, string subscriptionName, ServiceBusSessionProcessorOptions options)
        : this(client, Runtime.Messaging.Queues.EntityPath.Subscription(topicName, subscriptionName), options)
    {
    }

    internal ServiceBusSessionProcessor(
        BusConnection connection, string path, ServiceBusSessionProcessorOptions? options)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        this.connection = connection;
        this.options = options ?? new();
        EntityPath = path;
        FullyQualifiedNamespace = connection.FullyQualifiedNamespace;
        Identifier = this.options.Identifier is { Length: > 0 } name ? name : $"{path}-{Guid.NewGuid()}";
    }

    /// <summary>The one handler of messages.</summary>
    public event Func<ProcessSessionMessageEventArgs, Task> ProcessMessageAsync
    {
        add => PumpRun.Assign(ref processMessage, value, IsProcessing);
        remove => PumpRun.Unassign(ref processMessage, value, IsProcessing);
    }

    /// <summary>The one handler of errors; a processor goes on after them.</summary>
    public event Func<ProcessErrorEventArgs, Task> ProcessErrorAsync
    {
        add => PumpRun.Assign(ref processError, value, IsProcessing);
        remove => PumpRun.Unassign(ref processError, value, IsProcessing);
    }

    /// <summary>Called when a session has been accepted, before its first message.</summary>
    public event Func<ProcessSessionEventArgs, Task> SessionInitializingAsync
    {
        add => PumpRun.Assign(ref sessionInitializing, value, IsProcessing);
        remove => PumpRun.Unassign(ref sessionInitializing, value, IsProcessing);
    }

    /// <summary>Called before a session is let go.</summary>
    public event Func<ProcessSessionEventArgs, Task> SessionClosingAsync
    {
        add => PumpRun.Assign(ref sessionClosing, value, IsProcessing);
        remove => PumpRun.Unassign(ref sessionClosing, value, IsProcessing);
    }

    public virtual string FullyQualifiedNamespace { get; }

    public virtual string EntityPath { get; }

    public virtual string Identifier { get; }

    public virtual ServiceBusReceiveMode ReceiveMode => options.ReceiveMode;

    public virtual int PrefetchCount => options.PrefetchCount;

    public virtual bool IsProcessing => run.IsRunning;

    public virtual bool AutoCompleteMessages => options.AutoCompleteMessages;

    public virtual bool IsClosed { get; private set; }

    public virtual TimeSpan MaxAutoLockRenewalDuration => options.MaxAutoLockRenewalDuration;

    public virtual int MaxConcurrentSessions => options.MaxConcurrentSessions;

    public virtual int MaxConcurrentCallsPerSession => options.MaxConcurrentCallsPerSession;

    public virtual TimeSpan? SessionIdleTimeout => options.SessionIdleTimeout;

    public virtual Task StartProcessingAsync(CancellationToken cancellationToken = default)
    {
        ObjectDisposedException.ThrowIf(IsClosed || connection is { IsClosed: true }, this);
        cancellationToken.ThrowIfCancellationRequested();
        PumpRun.Require(processMessage, nameof(ProcessMessageAsync));
        PumpRun.Require(processError, nameof(ProcessErrorAsync));
        var named = options.SessionIds.Count;
        run.Start(
            named > 0 ? Math.Min(named, MaxConcurrentSessions) : MaxConcurrentSessions,
            (_, stopping) => HandleSessionsAsync(stopping));
        return Task.CompletedTask;
    }

    /// <summary>Takes nothing new and returns when the handlers that are running have finished.</summary>
    public virtual Task StopProcessingAsync(CancellationToken cancellationToken = default) =>
        run.StopAsync(cancellationToken);

    public virtual async Task CloseAsync(CancellationToken cancellationToken = default)
    {
        IsClosed = true;
        await run.StopAsync(cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        await CloseAsync();
        GC.SuppressFinalize(this);
    }

    protected virtual Task OnProcessSessionMessageAsync(ProcessSessionMessageEventArgs args) => processMessage!(args);

    protected virtual Task OnProcessErrorAsync(ProcessErrorEventArgs args) => processError!(args);

    protected virtual Task OnSessionInitializingAsync(ProcessSessionEventArgs args) =>
        sessionInitializing?.Invoke(args) ?? Task.CompletedTask;

    protected virtual Task OnSessionClosingAsync(ProcessSessionEventArgs args) =>
        sessionClosing?.Invoke(args) ?? Task.CompletedTask;

    async Task HandleSessionsAsync(CancellationToken stopping)
    {
        while (!stopping.IsCancellationRequested)
        {
            ServiceBusSessionReceiver receiver;
            try
            {
                receiver = await AcceptAsync(stopping);
            }
            catch (ServiceBusException e)
            {
                // That no session had messages for a while is the usual case.
                if (e.Reason != ServiceBusFailureReason.ServiceTimeout)
                {
                    await RaiseAsync(e, ServiceBusErrorSource.AcceptSession, stopping);
                    await PumpRun.PauseAsync(connection!.Clock, stopping);
                }

                continue;
            }

            await HandleSessionAsync(receiver, stopping);
        }
    }

    Task<ServiceBusSessionReceiver> AcceptAsync(CancellationToken stopping)
    {
        var ids = options.SessionIds;
        var id = ids.Count == 0 ? null : ids[(int)((uint)Interlocked.Increment(ref nextNamed) % (uint)ids.Count)];
        return ServiceBusSessionReceiver.AcceptAsync(
            connection!, EntityPath, id, new() { ReceiveMode = ReceiveMode, PrefetchCount = PrefetchCount }, stopping);
    }

    async Task HandleSessionAsync(ServiceBusSessionReceiver receiver, CancellationToken stopping)
    {
        Task Raise(Exception e, ServiceBusErrorSource source) => RaiseAsync(e, source, stopping);
        using var over = new CancellationTokenSource();
        var renewal = MaxAutoLockRenewalDuration == TimeSpan.Zero
            ? Task.CompletedTask
            : MessageHandling.RenewAsync(
                connection!.Clock, MaxAutoLockRenewalDuration, () => receiver.SessionLockedUntil,
                () => receiver.RenewSessionLockAsync(), Raise, over.Token);
        try
        {
            await OnSessionInitializingAsync(new(receiver, Identifier, stopping));
            using var release = CancellationTokenSource.CreateLinkedTokenSource(stopping);
            await Task.WhenAll(Enumerable.Range(0, MaxConcurrentCallsPerSession)
                .Select(_ => HandleMessagesAsync(receiver, Raise, release, stopping)));
        }
        catch (Exception e)
        {
            await Raise(e, ServiceBusErrorSource.ProcessMessageCallback);
        }

        await over.CancelAsync();
        await renewal;
        await LetGoAsync(receiver, stopping);
    }

    async Task HandleMessagesAsync(
        ServiceBusSessionReceiver receiver, Func<Exception, ServiceBusErrorSource, Task> raise,
        CancellationTokenSource release, CancellationToken stopping)
    {
        try
        {
            while (!release.IsCancellationRequested)
            {
                if (await receiver.ReceiveMessageAsync(SessionIdleTimeout, release.Token) is not { } message)
                {
                    return;
                }

                var args = new ProcessSessionMessageEventArgs(message, receiver, Identifier, stopping);
                await MessageHandling.HandleAsync(
                    receiver, message, AutoCompleteMessages, () => OnProcessSessionMessageAsync(args), raise);
                if (args.IsReleased)
                {
                    await release.CancelAsync();
                }
            }
        }
        catch (OperationCanceledException) when (release.IsCancellationRequested)
        {
            // Another call of the session, or the processor, has ended it.
        }
        catch (ServiceBusException e)
        {
            // A session whose lock is lost belongs to somebody else by now; a handler's loss was reported there.
            if (e.Reason != ServiceBusFailureReason.SessionLockLost)
            {
                await raise(e, ServiceBusErrorSource.Receive);
            }

            await release.CancelAsync();
        }
    }

    async Task LetGoAsync(ServiceBusSessionReceiver receiver, CancellationToken stopping)
    {
        try
        {
            await OnSessionClosingAsync(new(receiver, Identifier, stopping));
        }
        catch (Exception e)
        {
            await RaiseAsync(e, ServiceBusErrorSource.CloseSession, stopping);
        }

        try
        {
            await receiver.CloseAsync(CancellationToken.None);
        }
        catch (ServiceBusException e)
        {
            await RaiseAsync(e, ServiceBusErrorSource.CloseSession, stopping);
        }
    }

    Task RaiseAsync(Exception e, ServiceBusErrorSource source, CancellationToken stopping) => PumpRun.RaiseAsync(
        () => OnProcessErrorAsync(new(e, source, FullyQualifiedNamespace, EntityPath, Identifier, stopping)));
}
