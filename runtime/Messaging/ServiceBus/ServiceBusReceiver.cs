using System.Runtime.CompilerServices;
using Runtime.Messaging.Queues;

namespace Azure.Messaging.ServiceBus;

/// <summary>Takes messages from one queue or subscription and settles them.</summary>
public class ServiceBusReceiver : IAsyncDisposable
{
    const int DeadLetterTextCharsMax = 4096;
    readonly BusConnection? connection;
    long lastPeeked;
    bool closed;

    protected ServiceBusReceiver()
    {
        EntityPath = FullyQualifiedNamespace = Identifier = "";
    }

    protected ServiceBusReceiver(ServiceBusClient client, string queueName, ServiceBusReceiverOptions options)
        : this((client ?? throw new ArgumentNullException(nameof(client))).Connection, queueName, options, grant: null)
    {
    }

    protected ServiceBusReceiver(
        ServiceBusClient client, string topicName, string subscriptionName, ServiceBusReceiverOptions options)
        : this(client, Runtime.Messaging.Queues.EntityPath.Subscription(topicName, subscriptionName), options)
    {
    }

    internal ServiceBusReceiver(
        BusConnection connection, string path, ServiceBusReceiverOptions? options, SessionGrant? grant)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        this.connection = connection;
        EntityPath = options?.SubQueue switch
        {
            SubQueue.DeadLetter => Runtime.Messaging.Queues.EntityPath.DeadLetters(path),
            SubQueue.TransferDeadLetter => throw new NotSupportedException(
                "There is no transfer dead-letter queue here: nothing is forwarded."),
            _ => path,
        };
        FullyQualifiedNamespace = connection.FullyQualifiedNamespace;
        Identifier = options?.Identifier is { Length: > 0 } name ? name : $"{EntityPath}-{Guid.NewGuid()}";
        ReceiveMode = options?.ReceiveMode ?? default;
        PrefetchCount = options?.PrefetchCount ?? 0;
        Grant = grant;
    }

    public virtual string FullyQualifiedNamespace { get; }

    public virtual string EntityPath { get; }

    public virtual ServiceBusReceiveMode ReceiveMode { get; }

    public virtual int PrefetchCount { get; }

    public virtual string Identifier { get; }

    public virtual bool IsClosed => closed;

    internal SessionGrant? Grant { get; set; }

    /// <summary>Null once the client is closed: then nothing can be given back, and closing is no error.</summary>
    BusConnection? OpenConnection => connection is { IsClosed: false } ? connection : null;

    internal BusConnection Connection
    {
        get
        {
            ObjectDisposedException.ThrowIf(IsClosed || connection is { IsClosed: true }, this);
            return connection ?? throw new NotSupportedException("A mocked receiver has no connection.");
        }
    }

    /// <summary>Waits for the first message, then returns what there is; empty when none came in time.</summary>
    public virtual Task<IReadOnlyList<ServiceBusReceivedMessage>> ReceiveMessagesAsync(
        int maxMessages, TimeSpan? maxWaitTime = default, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maxMessages);
        if (maxWaitTime < TimeSpan.Zero || (maxWaitTime == TimeSpan.Zero && PrefetchCount == 0))
        {
            throw new ArgumentOutOfRangeException(
                nameof(maxWaitTime), maxWaitTime,
                    "The wait is positive; only a receiver that prefetches need not wait.");
        }

        return Connection.ReceiveAsync(
            EntityPath, maxMessages, ReceiveMode == ServiceBusReceiveMode.ReceiveAndDelete, Grant,
            maxWaitTime ?? Connection.TryTimeout, cancellationToken);
    }

    public virtual async IAsyncEnumerable<ServiceBusReceivedMessage> ReceiveMessagesAsync(
        [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        while (true)
        {
            if (await ReceiveMessageAsync(cancellationToken: cancellationToken) is { } message)
            {
                yield return message;
            }
        }
    }

    public virtual async Task<ServiceBusReceivedMessage?> ReceiveMessageAsync(
        TimeSpan? maxWaitTime = default, CancellationToken cancellationToken = default) =>
        await ReceiveMessagesAsync(1, maxWaitTime, cancellationToken) is [var message, ..] ? message : null;

    /// <summary>
    /// Looks at a message without taking it; without a number it goes on behind the last one it showed.
    /// </summary>
    public virtual async Task<ServiceBusReceivedMessage?> PeekMessageAsync(
        long? fromSequenceNumber = default, CancellationToken cancellationToken = default) =>
        await PeekMessagesAsync(1, fromSequenceNumber, cancellationToken) is [var message, ..] ? message : null;

    public virtual async Task<IReadOnlyList<ServiceBusReceivedMessage>> PeekMessagesAsync(
        int maxMessages, long? fromSequenceNumber = default, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maxMessages);
        var from = fromSequenceNumber ?? lastPeeked + 1;
        var count = Math.Min(maxMessages, Connection.Options.ReceiveMessagesMax);
        var peeked = await Connection.CallAsync(
            queues => queues.Queue(EntityPath).Peek(from, count, Grant?.SessionId), cancellationToken);
        lastPeeked = peeked is [.., var last] ? last.Sequence : lastPeeked;
        return peeked.ConvertAll(delivery => ReceivedMessages.From(delivery with { LockToken = Guid.Empty }));
    }

    public virtual async Task<ServiceBusReceivedMessage> ReceiveDeferredMessageAsync(
        long sequenceNumber, CancellationToken cancellationToken = default) =>
        (await ReceiveDeferredMessagesAsync([sequenceNumber], cancellationToken))[0];

    /// <summary>Takes all of them, or none when one is not there.</summary>
    public virtual async Task<IReadOnlyList<ServiceBusReceivedMessage>> ReceiveDeferredMessagesAsync(
        IEnumerable<long> sequenceNumbers, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(sequenceNumbers);
        var numbers = sequenceNumbers.ToList();
        var andDelete = ReceiveMode == ServiceBusReceiveMode.ReceiveAndDelete;
        var taken = await Connection.CallAsync(
            queues => queues.Queue(EntityPath).ReceiveDeferred(numbers, andDelete, Grant), cancellationToken);
        return [.. taken.Select(ReceivedMessages.From)];
    }

    public virtual Task CompleteMessageAsync(
        ServiceBusReceivedMessage message, CancellationToken cancellationToken = default) => SettleAsync(
        message, (queue, m) => queue.Complete(m.SequenceNumber, m.LockTokenGuid, Grant), cancellationToken);

    public virtual Task AbandonMessageAsync(
        ServiceBusReceivedMessage message, IDictionary<string, object>? propertiesToModify = default,
        CancellationToken cancellationToken = default) => SettleAsync(
        message, (queue, m) => queue.Abandon(m.SequenceNumber, m.LockTokenGuid, Grant, propertiesToModify),
        cancellationToken);

    public virtual Task DeferMessageAsync(
        ServiceBusReceivedMessage message, IDictionary<string, object>? propertiesToModify = default,
        CancellationToken cancellationToken = default) => SettleAsync(
        message, (queue, m) => queue.Defer(m.SequenceNumber, m.LockTokenGuid, Grant, propertiesToModify),
        cancellationToken);

    public virtual Task DeadLetterMessageAsync(
        ServiceBusReceivedMessage message, IDictionary<string, object>? propertiesToModify = default,
        CancellationToken cancellationToken = default) =>
        DeadLetterAsync(message, null, null, propertiesToModify, cancellationToken);

    public virtual Task DeadLetterMessageAsync(
        ServiceBusReceivedMessage message, string deadLetterReason, string? deadLetterErrorDescription = default,
        CancellationToken cancellationToken = default) =>
        DeadLetterAsync(message, deadLetterReason, deadLetterErrorDescription, null, cancellationToken);

    public virtual Task DeadLetterMessageAsync(
        ServiceBusReceivedMessage message, IDictionary<string, object> propertiesToModify, string deadLetterReason,
        string? deadLetterErrorDescription = default, CancellationToken cancellationToken = default) =>
        DeadLetterAsync(message, deadLetterReason, deadLetterErrorDescription, propertiesToModify, cancellationToken);

    /// <summary>Lets the lock begin anew and notes its end on the message.</summary>
    public virtual async Task RenewMessageLockAsync(
        ServiceBusReceivedMessage message, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(message);
        RequirePeekLock();
        if (Grant is not null)
        {
            throw new InvalidOperationException("Message locks of a session are renewed with the session's lock.");
        }

        var until = await Connection.CallAsync(
            queues => queues.Queue(EntityPath).RenewLock(message.SequenceNumber, message.LockTokenGuid),
                cancellationToken);
        message.LockedUntil = new DateTimeOffset(until, TimeSpan.Zero);
    }

    /// <summary>Closes the receiver. Message locks stay until they end; a session is let go at once.</summary>
    public virtual async Task CloseAsync(CancellationToken cancellationToken = default)
    {
        var open = IsClosed ? null : OpenConnection;
        closed = true;
        if (open is not null && Grant is { } grant)
        {
            await open.CallAsync(queues => queues.Queue(EntityPath).ReleaseSession(grant), cancellationToken);
        }
    }

    public virtual async ValueTask DisposeAsync()
    {
        await CloseAsync();
        GC.SuppressFinalize(this);
    }

    Task DeadLetterAsync(
        ServiceBusReceivedMessage message, string? reason, string? description, IDictionary<string, object>? properties,
        CancellationToken cancellationToken)
    {
        if (reason?.Length > DeadLetterTextCharsMax || description?.Length > DeadLetterTextCharsMax)
        {
            throw new ArgumentOutOfRangeException(
                nameof(message),
                    $"The reason and its description have at most {DeadLetterTextCharsMax} characters each.");
        }

        return SettleAsync(
            message,
            (queue, m) => queue.DeadLetter(
                m.SequenceNumber, m.LockTokenGuid, Grant, new(reason, description), properties),
            cancellationToken);
    }

    async Task SettleAsync(
        ServiceBusReceivedMessage message, Action<MessageQueue, ServiceBusReceivedMessage> settlement,
        CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(message);
        RequirePeekLock();
        await Connection.CallAsync(queues => settlement(queues.Queue(EntityPath), message), cancellationToken);
        message.IsSettled = true;
    }

    void RequirePeekLock()
    {
        if (ReceiveMode != ServiceBusReceiveMode.PeekLock)
        {
            throw new InvalidOperationException("The operation is only supported in 'PeekLock' receive mode.");
        }
    }
}
