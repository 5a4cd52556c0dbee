using Azure.Core;
using Runtime.Messaging;
using Runtime.Messaging.Queues;

namespace Azure.Messaging.ServiceBus;

/// <summary>The way to a namespace's queues and topics. Here it leads to a broker in this process.</summary>
/// <remarks>A constructor finds the <see cref="MessageBroker"/> that is open under the host name it is given, on first
/// use; credentials are not looked at. <see cref="MessageBroker.CreateServiceBusClient"/> needs no name.</remarks>
public class ServiceBusClient : IAsyncDisposable
{
    readonly BusConnection? connection;

    public ServiceBusClient(string connectionString) : this(connectionString, new ServiceBusClientOptions())
    {
    }

    public ServiceBusClient(string connectionString, ServiceBusClientOptions options) : this(
        ServiceBusConnectionStringProperties.Parse(connectionString).RequireNamespace(), broker: null, options)
    {
    }

    public ServiceBusClient(string fullyQualifiedNamespace, TokenCredential credential)
        : this(fullyQualifiedNamespace, credential, new ServiceBusClientOptions())
    {
    }

    public ServiceBusClient(string fullyQualifiedNamespace, TokenCredential credential, ServiceBusClientOptions options)
        : this(Host(fullyQualifiedNamespace, credential), broker: null, options)
    {
    }

    public ServiceBusClient(
        string fullyQualifiedNamespace, AzureNamedKeyCredential credential, ServiceBusClientOptions? options = default)
        : this(Host(fullyQualifiedNamespace, credential), broker: null, options)
    {
    }

    public ServiceBusClient(
        string fullyQualifiedNamespace, AzureSasCredential credential, ServiceBusClientOptions? options = default)
        : this(Host(fullyQualifiedNamespace, credential), broker: null, options)
    {
    }

    protected ServiceBusClient()
    {
        FullyQualifiedNamespace = "";
        Identifier = "";
    }

    internal ServiceBusClient(string host, MessageBroker? broker, ServiceBusClientOptions? options)
    {
        FullyQualifiedNamespace = host;
        Identifier = options?.Identifier is { Length: > 0 } name ? name : $"{host}-{Guid.NewGuid()}";
        TransportType = options?.TransportType ?? default;
        connection = new(host, broker, options?.RetryOptions ?? new());
    }

    public virtual string FullyQualifiedNamespace { get; }

    public virtual bool IsClosed => connection?.IsClosed ?? false;

    public ServiceBusTransportType TransportType { get; }

    public virtual string Identifier { get; }

    internal BusConnection Connection
    {
        get
        {
            ObjectDisposedException.ThrowIf(IsClosed, this);
            return connection ?? throw new NotSupportedException("A mocked client has no connection.");
        }
    }

    public virtual ServiceBusSender CreateSender(string queueOrTopicName) => new(Connection, queueOrTopicName, null);

    public virtual ServiceBusSender CreateSender(string queueOrTopicName, ServiceBusSenderOptions options) =>
        new(Connection, queueOrTopicName, options);

    public virtual ServiceBusReceiver CreateReceiver(string queueName) => new(Connection, queueName, null, grant: null);

    public virtual ServiceBusReceiver CreateReceiver(string queueName, ServiceBusReceiverOptions options) =>
        new(Connection, queueName, options, grant: null);

    public virtual ServiceBusReceiver CreateReceiver(string topicName, string subscriptionName) =>
        new(Connection, EntityPath.Subscription(topicName, subscriptionName), null, grant: null);

    public virtual ServiceBusReceiver CreateReceiver(
        string topicName, string subscriptionName, ServiceBusReceiverOptions options) =>
        new(Connection, EntityPath.Subscription(topicName, subscriptionName), options, grant: null);

    /// <summary>Takes the session that has waited longest; none within the timeout is a ServiceTimeout.</summary>
    public virtual Task<ServiceBusSessionReceiver> AcceptNextSessionAsync(
        string queueName, ServiceBusSessionReceiverOptions? options = default,
            CancellationToken cancellationToken = default) =>
        ServiceBusSessionReceiver.AcceptAsync(Connection, queueName, null, options, cancellationToken);

    public virtual Task<ServiceBusSessionReceiver> AcceptNextSessionAsync(
        string topicName, string subscriptionName, ServiceBusSessionReceiverOptions? options = default,
        CancellationToken cancellationToken = default) => ServiceBusSessionReceiver.AcceptAsync(
        Connection, EntityPath.Subscription(topicName, subscriptionName), null, options, cancellationToken);

    public virtual Task<ServiceBusSessionReceiver> AcceptSessionAsync(
        string queueName, string sessionId, ServiceBusSessionReceiverOptions? options = default,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(sessionId);
        return ServiceBusSessionReceiver.AcceptAsync(Connection, queueName, sessionId, options, cancellationToken);
    }

    public virtual Task<ServiceBusSessionReceiver> AcceptSessionAsync(
        string topicName, string subscriptionName, string sessionId,
            ServiceBusSessionReceiverOptions? options = default,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(sessionId);
        return ServiceBusSessionReceiver.AcceptAsync(
            Connection, EntityPath.Subscription(topicName, subscriptionName), sessionId, options, cancellationToken);
    }

    public virtual ServiceBusProcessor CreateProcessor(string queueName) => new(Connection, queueName, null);

    public virtual ServiceBusProcessor CreateProcessor(string queueName, ServiceBusProcessorOptions options) =>
        new(Connection, queueName, options);

    public virtual ServiceBusProcessor CreateProcessor(string topicName, string subscriptionName) =>
        new(Connection, EntityPath.Subscription(topicName, subscriptionName), null);

    public virtual ServiceBusProcessor CreateProcessor(
        string topicName, string subscriptionName, ServiceBusProcessorOptions options) =>
        new(Connection, EntityPath.Subscription(topicName, subscriptionName), options);

    public virtual ServiceBusSessionProcessor CreateSessionProcessor(
        string queueName, ServiceBusSessionProcessorOptions? options = default) => new(Connection, queueName, options);

    public virtual ServiceBusSessionProcessor CreateSessionProcessor(
        string topicName, string subscriptionName, ServiceBusSessionProcessorOptions? options = default) =>
        new(Connection, EntityPath.Subscription(topicName, subscriptionName), options);

    /// <summary>Closes the client; what it has made can do nothing more. The broker stays open.</summary>
    public virtual ValueTask DisposeAsync()
    {
        if (connection is not null)
        {
            connection.IsClosed = true;
        }

        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }

    static string Host(string fullyQualifiedNamespace, object credential)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(fullyQualifiedNamespace);
        ArgumentNullException.ThrowIfNull(credential);
        return Uri.CheckHostName(fullyQualifiedNamespace) != UriHostNameType.Unknown
            ? fullyQualifiedNamespace
            : throw new ArgumentException(
                $"'{fullyQualifiedNamespace}' is not a host name.", nameof(fullyQualifiedNamespace));
    }
}
