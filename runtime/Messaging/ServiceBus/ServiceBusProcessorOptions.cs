namespace Azure.Messaging.ServiceBus;

/// <summary>How many messages a processor handles at a time and how it settles them.</summary>
public class ServiceBusProcessorOptions
{
    /// <inheritdoc cref="ServiceBusReceiverOptions.PrefetchCount"/>
    public int PrefetchCount
    {
        get;
        set => field = value >= 0 ? value : throw new ArgumentOutOfRangeException(nameof(value));
    }

    public ServiceBusReceiveMode ReceiveMode { get; set; }

    /// <summary>Completes a message when its handler returns without having settled it.</summary>
    public bool AutoCompleteMessages { get; set; } = true;

    /// <summary>For how long a handler keeps its lock; zero renews nothing.</summary>
    public TimeSpan MaxAutoLockRenewalDuration
    {
        get;
        set => field = value >= TimeSpan.Zero || value == Timeout.InfiniteTimeSpan
            ? value
            : throw new ArgumentOutOfRangeException(nameof(value));
    } = TimeSpan.FromMinutes(5);

    public int MaxConcurrentCalls
    {
        get;
        set => field = value > 0 ? value : throw new ArgumentOutOfRangeException(nameof(value));
    } = 1;

    public SubQueue SubQueue { get; set; }

    public string? Identifier { get; set; }
}

/// <summary>How many sessions a processor holds at a time, and for how long.</summary>
public class ServiceBusSessionProcessorOptions
{
    /// <inheritdoc cref="ServiceBusReceiverOptions.PrefetchCount"/>
    public int PrefetchCount
    {
        get;
        set => field = value >= 0 ? value : throw new ArgumentOutOfRangeException(nameof(value));
    }

    public ServiceBusReceiveMode ReceiveMode { get; set; }

    /// <inheritdoc cref="ServiceBusProcessorOptions.AutoCompleteMessages"/>
    public bool AutoCompleteMessages { get; set; } = true;

    /// <inheritdoc cref="ServiceBusProcessorOptions.MaxAutoLockRenewalDuration"/>
    public TimeSpan MaxAutoLockRenewalDuration
    {
        get;
        set => field = value >= TimeSpan.Zero || value == Timeout.InfiniteTimeSpan
            ? value
            : throw new ArgumentOutOfRangeException(nameof(value));
    } = TimeSpan.FromMinutes(5);

    /// <summary>How long a session is held that has no messages; null waits as long as a receive does.</summary>
    public TimeSpan? SessionIdleTimeout
    {
        get;
        set => field = value is null || value > TimeSpan.Zero ? value
            : throw new ArgumentOutOfRangeException(nameof(value));
    }

    public int MaxConcurrentSessions
    {
        get;
        set => field = value > 0 ? value : throw new ArgumentOutOfRangeException(nameof(value));
    } = 8;

    public int MaxConcurrentCallsPerSession
    {
        get;
        set => field = value > 0 ? value : throw new ArgumentOutOfRangeException(nameof(value));
    } = 1;

    /// <summary>The only sessions to be handled; empty handles any.</summary>
    public IList<string> SessionIds { get; } = new List<string>();

    public string? Identifier { get; set; }
}
