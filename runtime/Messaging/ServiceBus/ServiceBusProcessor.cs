using Runtime.Messaging.Queues;

namespace Azure.Messaging.ServiceBus;

/// <summary>Hands the messages of a queue or subscription to a handler, as many at a time as it is told.</summary>
public class ServiceBusProcessor : IAsyncDisposable
{
    readonly BusConnection? connection;
    readonly ServiceBusProcessorOptions options;
    readonly PumpRun run = new();
    Func<ProcessMessageEventArgs, Task>? processMessage;
    Func<ProcessErrorEventArgs, Task>? processError;

    protected ServiceBusProcessor()
    {
        options = new();
        EntityPath = FullyQualifiedNamespace = Identifier = "";
    }

    protected ServiceBusProcessor(ServiceBusClient client, string queueName, ServiceBusProcessorOptions options)
        : this((client ?? throw new ArgumentNullException(nameof(client))).Connection, queueName, options)
    {
    }

    protected ServiceBusProcessor(
        ServiceBusClient client, string topicName, string subscriptionName, ServiceBusProcessorOptions options)
        : this(client, Runtime.Messaging.Queues.EntityPath.Subscription(topicName, subscriptionName), options)
    {
    }

    internal ServiceBusProcessor(BusConnection connection, string path, ServiceBusProcessorOptions? options)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        this.connection = connection;
        this.options = options ?? new();
        EntityPath = this.options.SubQueue == SubQueue.DeadLetter
            ? Runtime.Messaging.Queues.EntityPath.DeadLetters(path)
            : path;
        FullyQualifiedNamespace = connection.FullyQualifiedNamespace;
        Identifier = this.options.Identifier is { Length: > 0 } name ? name : $"{EntityPath}-{Guid.NewGuid()}";
        MaxConcurrentCalls = this.options.MaxConcurrentCalls;
        PrefetchCount = this.options.PrefetchCount;
        Path = path;
    }

    /// <summary>The one handler of messages.</summary>
    public event Func<ProcessMessageEventArgs, Task> ProcessMessageAsync
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

    public virtual string FullyQualifiedNamespace { get; }

    public virtual string EntityPath { get; }

    public virtual string Identifier { get; }

    public virtual ServiceBusReceiveMode ReceiveMode => options.ReceiveMode;

    public virtual int PrefetchCount { get; }

    public virtual bool IsProcessing => run.IsRunning;

    public virtual int MaxConcurrentCalls { get; }

    public virtual bool AutoCompleteMessages => options.AutoCompleteMessages;

    public virtual TimeSpan MaxAutoLockRenewalDuration => options.MaxAutoLockRenewalDuration;

    public virtual bool IsClosed { get; private set; }

    string Path { get; } = "";

    public virtual Task StartProcessingAsync(CancellationToken cancellationToken = default)
    {
        ObjectDisposedException.ThrowIf(IsClosed || connection is { IsClosed: true }, this);
        cancellationToken.ThrowIfCancellationRequested();
        PumpRun.Require(processMessage, nameof(ProcessMessageAsync));
        PumpRun.Require(processError, nameof(ProcessErrorAsync));
        run.Start(MaxConcurrentCalls, (_, stopping) => HandleMessagesAsync(stopping));
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

    protected virtual Task OnProcessMessageAsync(ProcessMessageEventArgs args) => processMessage!(args);

    protected virtual Task OnProcessErrorAsync(ProcessErrorEventArgs args) => processError!(args);

    async Task HandleMessagesAsync(CancellationToken stopping)
    {
        var receiver = new ServiceBusReceiver(
            connection!, Path,
            new() { ReceiveMode = options.ReceiveMode, SubQueue = options.SubQueue, PrefetchCount = PrefetchCount },
                null);
        Task Raise(Exception e, ServiceBusErrorSource source) => PumpRun.RaiseAsync(() => OnProcessErrorAsync(
            new(e, source, FullyQualifiedNamespace, EntityPath, Identifier, stopping)));

        while (!stopping.IsCancellationRequested)
        {
            try
            {
                if (await receiver.ReceiveMessageAsync(cancellationToken: stopping) is { } message)
                {
                    await HandleAsync(receiver, message, Raise, stopping);
                }
            }
            catch (ServiceBusException e)
            {
                await Raise(e, ServiceBusErrorSource.Receive);
                await PumpRun.PauseAsync(connection!.Clock, stopping);
            }
        }
    }

    async Task HandleAsync(
        ServiceBusReceiver receiver, ServiceBusReceivedMessage message,
        Func<Exception, ServiceBusErrorSource, Task> raise, CancellationToken stopping)
    {
        var renews = ReceiveMode == ServiceBusReceiveMode.PeekLock && MaxAutoLockRenewalDuration != TimeSpan.Zero;
        using var handled = new CancellationTokenSource();
        var renewal = renews
            ? MessageHandling.RenewAsync(
                connection!.Clock, MaxAutoLockRenewalDuration, () => message.LockedUntil,
                () => receiver.RenewMessageLockAsync(message), raise, handled.Token)
            : Task.CompletedTask;
        await MessageHandling.HandleAsync(
            receiver, message, AutoCompleteMessages,
            () => OnProcessMessageAsync(new(message, receiver, Identifier, stopping)), raise);
        await handled.CancelAsync();
        await renewal;
    }
}
