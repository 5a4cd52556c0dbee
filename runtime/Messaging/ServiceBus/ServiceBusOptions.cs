namespace Azure.Messaging.ServiceBus;

/// <summary>
/// How a client reaches its namespace. In process there is no transport, so none of its settings exist here.
/// </summary>
public class ServiceBusClientOptions
{
    /// <summary><see cref="ServiceBusRetryOptions.TryTimeout"/> is how long a receive waits.</summary>
    public ServiceBusRetryOptions RetryOptions { get; set; } = new();

    public ServiceBusTransportType TransportType { get; set; }

    public string? Identifier { get; set; }
}

/// <summary>How long a call waits. Nothing between client and broker can fail here, so nothing is retried.</summary>
public class ServiceBusRetryOptions
{
    public ServiceBusRetryMode Mode { get; set; } = ServiceBusRetryMode.Exponential;

    public int MaxRetries
    {
        get;
        set => field = value is >= 0 and <= 100 ? value : throw new ArgumentOutOfRangeException(nameof(value));
    } = 3;

    public TimeSpan Delay { get; set; } = TimeSpan.FromSeconds(0.8);

    public TimeSpan MaxDelay { get; set; } = TimeSpan.FromMinutes(1);

    public TimeSpan TryTimeout
    {
        get;
        set => field = value > TimeSpan.Zero ? value : throw new ArgumentOutOfRangeException(nameof(value));
    } = TimeSpan.FromMinutes(1);
}

public enum ServiceBusRetryMode
{
    Fixed,
    Exponential,
}

public enum ServiceBusTransportType
{
    AmqpTcp,
    AmqpWebSockets,
}

public class ServiceBusSenderOptions
{
    public string? Identifier { get; set; }
}

/// <summary>How large a batch may grow.</summary>
public class CreateMessageBatchOptions
{
    public long? MaxSizeInBytes
    {
        get;
        set => field = value is null or > 0 ? value : throw new ArgumentOutOfRangeException(nameof(value));
    }
}

/// <summary>How a receiver takes messages.</summary>
public class ServiceBusReceiverOptions
{
    /// <summary>Accepted and without effect: there is no way to the broker whose time it could hide.</summary>
    public int PrefetchCount
    {
        get;
        set => field = value >= 0 ? value : throw new ArgumentOutOfRangeException(nameof(value));
    }

    public ServiceBusReceiveMode ReceiveMode { get; set; }

    public SubQueue SubQueue { get; set; }

    public string? Identifier { get; set; }
}

/// <inheritdoc cref="ServiceBusReceiverOptions"/>
public class ServiceBusSessionReceiverOptions
{
    /// <inheritdoc cref="ServiceBusReceiverOptions.PrefetchCount"/>
    public int PrefetchCount
    {
        get;
        set => field = value >= 0 ? value : throw new ArgumentOutOfRangeException(nameof(value));
    }

    public ServiceBusReceiveMode ReceiveMode { get; set; }

    public string? Identifier { get; set; }
}

public enum ServiceBusReceiveMode
{
    PeekLock,
    ReceiveAndDelete,
}

public enum SubQueue
{
    None = 0,
    DeadLetter = 1,
    TransferDeadLetter = 2,
}
