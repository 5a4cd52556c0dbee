using Runtime.Messaging.Queues;

namespace Azure.Messaging.ServiceBus;

/// <summary>Sends messages to one queue or topic. An acknowledged send is stored, all of it.</summary>
public class ServiceBusSender : IAsyncDisposable
{
    readonly BusConnection? connection;
    bool closed;

    protected ServiceBusSender()
    {
        EntityPath = FullyQualifiedNamespace = Identifier = "";
    }

    protected ServiceBusSender(ServiceBusClient client, string queueOrTopicName)
        : this(client, queueOrTopicName, new ServiceBusSenderOptions())
    {
    }

    protected ServiceBusSender(ServiceBusClient client, string queueOrTopicName, ServiceBusSenderOptions options)
        : this((client ?? throw new ArgumentNullException(nameof(client))).Connection, queueOrTopicName, options)
    {
    }

    internal ServiceBusSender(BusConnection connection, string path, ServiceBusSenderOptions? options)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        this.connection = connection;
        EntityPath = path;
        FullyQualifiedNamespace = connection.FullyQualifiedNamespace;
        Identifier = options?.Identifier is { Length: > 0 } name ? name : $"{path}-{Guid.NewGuid()}";
    }

    public virtual string FullyQualifiedNamespace { get; }

    public virtual string EntityPath { get; }

    public virtual bool IsClosed => closed;

    public virtual string Identifier { get; }

    BusConnection Connection
    {
        get
        {
            ObjectDisposedException.ThrowIf(IsClosed || connection is { IsClosed: true }, this);
            return connection ?? throw new NotSupportedException("A mocked sender has no connection.");
        }
    }

    public virtual async Task SendMessageAsync(ServiceBusMessage message, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(message);
        await Connection.SendAsync(EntityPath, [Connection.Encode(message)], cancellationToken);
    }

    public virtual async Task SendMessagesAsync(
        IEnumerable<ServiceBusMessage> messages, CancellationToken cancellationToken = default) =>
        await SendAsync(Encode(messages), cancellationToken);

    public virtual async Task SendMessagesAsync(
        ServiceBusMessageBatch messageBatch, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(messageBatch);
        await SendAsync(messageBatch.Take(Connection), cancellationToken);
    }

    public virtual ValueTask<ServiceBusMessageBatch> CreateMessageBatchAsync(
        CancellationToken cancellationToken = default) =>
        CreateMessageBatchAsync(new CreateMessageBatchOptions(), cancellationToken);

    public virtual async ValueTask<ServiceBusMessageBatch> CreateMessageBatchAsync(
        CreateMessageBatchOptions options, CancellationToken cancellationToken = default)
    {
        var limit = Connection.Options.MessageBytesMax;
        var asked = options?.MaxSizeInBytes ?? limit;
        if (asked > limit)
        {
            throw new ArgumentOutOfRangeException(nameof(options), asked, $"A batch has at most {limit} bytes.");
        }

        // Like the SDK, which asks the service for its limit and so learns that the entity exists.
        await Connection.CallAsync(queues => queues.Target(EntityPath), cancellationToken);
        return new(Connection, asked);
    }

    /// <returns>The number by which the message can be cancelled while it waits.</returns>
    public virtual async Task<long> ScheduleMessageAsync(
        ServiceBusMessage message, DateTimeOffset scheduledEnqueueTime, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(message);
        return (await ScheduleMessagesAsync([message], scheduledEnqueueTime, cancellationToken))[0];
    }

    public virtual async Task<IReadOnlyList<long>> ScheduleMessagesAsync(
        IEnumerable<ServiceBusMessage> messages, DateTimeOffset scheduledEnqueueTime,
        CancellationToken cancellationToken = default)
    {
        var encoded = Encode(messages).ConvertAll(m => m with { DueAt = scheduledEnqueueTime.UtcTicks });
        return await SendAsync(encoded, cancellationToken);
    }

    public virtual Task CancelScheduledMessageAsync(
        long sequenceNumber, CancellationToken cancellationToken = default) =>
        CancelScheduledMessagesAsync([sequenceNumber], cancellationToken);

    /// <summary>Cancels all of them, or none when one is not waiting any more.</summary>
    public virtual Task CancelScheduledMessagesAsync(
        IEnumerable<long> sequenceNumbers, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(sequenceNumbers);
        var numbers = sequenceNumbers.ToList();
        return Connection.CallAsync(queues => queues.Target(EntityPath).Queue.Cancel(numbers), cancellationToken);
    }

    public virtual Task CloseAsync(CancellationToken cancellationToken = default)
    {
        closed = true;
        return Task.CompletedTask;
    }

    public virtual async ValueTask DisposeAsync()
    {
        await CloseAsync();
        GC.SuppressFinalize(this);
    }

    List<Incoming> Encode(IEnumerable<ServiceBusMessage> messages)
    {
        ArgumentNullException.ThrowIfNull(messages);
        return [.. messages.Select(Connection.Encode)];
    }

    async Task<long[]> SendAsync(List<Incoming> messages, CancellationToken cancellationToken)
    {
        if (messages.Count == 0)
        {
            return [];
        }

        var options = Connection.Options;
        var bytes = messages.Sum(message => (long)message.Payload.Length);
        if (bytes > options.MessageBytesMax || messages.Count > options.BatchMessagesMax)
        {
            throw new ServiceBusException(
                $"{messages.Count} messages with {bytes} bytes are too much for one send; " +
                $"{options.BatchMessagesMax} messages and {options.MessageBytesMax} bytes are allowed.",
                ServiceBusFailureReason.MessageSizeExceeded, EntityPath);
        }

        return await Connection.SendAsync(EntityPath, messages, cancellationToken);
    }
}
