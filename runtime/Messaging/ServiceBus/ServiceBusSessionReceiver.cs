using Runtime.Messaging.Queues;

namespace Azure.Messaging.ServiceBus;

/// <summary>Holds one session: nobody else gets its messages until it is closed or its lock ends.</summary>
public class ServiceBusSessionReceiver : ServiceBusReceiver
{
    protected ServiceBusSessionReceiver() => SessionId = "";

    ServiceBusSessionReceiver(
        BusConnection connection, string path, ServiceBusSessionReceiverOptions? options, SessionGrant grant)
        : base(
            connection, path,
            new()
            {
                ReceiveMode = options?.ReceiveMode ?? default,
                PrefetchCount = options?.PrefetchCount ?? 0,
                Identifier = options?.Identifier,
            },
            grant) =>
        SessionId = grant.SessionId;

    public virtual string SessionId { get; }

    public virtual DateTimeOffset SessionLockedUntil => new(Grant!.LockedUntil, TimeSpan.Zero);

    public virtual async Task<BinaryData?> GetSessionStateAsync(CancellationToken cancellationToken = default) =>
        await Connection.CallAsync(
            queues => queues.Queue(EntityPath).SessionState(Grant!), cancellationToken) is { } state
            ? BinaryData.FromBytes(state)
            : null;

    /// <summary>Keeps a state with the session, beyond all its messages; null forgets it.</summary>
    public virtual Task SetSessionStateAsync(BinaryData? sessionState, CancellationToken cancellationToken = default)
    {
        var state = sessionState?.ToArray();
        return Connection.CallAsync(
            queues => queues.Queue(EntityPath).SetSessionState(Grant!, state), cancellationToken);
    }

    public virtual async Task RenewSessionLockAsync(CancellationToken cancellationToken = default) =>
        Grant = await Connection.CallAsync(
            queues => queues.Queue(EntityPath).RenewSessionLock(Grant!), cancellationToken);

    internal static async Task<ServiceBusSessionReceiver> AcceptAsync(
        BusConnection connection, string path, string? sessionId, ServiceBusSessionReceiverOptions? options,
        CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        var grant = sessionId is null
            ? await connection.AcceptNextAsync(path, cancellationToken)
            : await connection.AcceptAsync(path, sessionId, cancellationToken);
        return new(connection, path, options, grant);
    }
}
