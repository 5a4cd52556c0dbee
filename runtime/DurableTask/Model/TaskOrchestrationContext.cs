using Microsoft.DurableTask.Abstractions;
using Microsoft.Extensions.Logging;

namespace Microsoft.DurableTask
{
    /// <summary>
    /// All that orchestrator code may touch: everything it awaits, every time, id and log line comes from here, because
    /// the code is run again against its recorded history and must then do exactly the same.
    /// </summary>
    public abstract class TaskOrchestrationContext
    {
        static readonly Dictionary<string, object?> NoProperties = [];

        ReplaySafeLoggers? _replaySafe;

        public abstract TaskName Name { get; }

        public abstract string InstanceId { get; }

        public abstract ParentOrchestrationInstance? Parent { get; }

        /// <summary>The time of the current turn: it stands still while code runs, and on replay.</summary>
        public abstract DateTime CurrentUtcDateTime { get; }

        public abstract bool IsReplaying { get; }

        public virtual string Version => "";

        public virtual IReadOnlyDictionary<string, object?> Properties => NoProperties;

        public virtual ILoggerFactory ReplaySafeLoggerFactory => _replaySafe ??= new ReplaySafeLoggers(this);

        protected abstract ILoggerFactory LoggerFactory { get; }

        public abstract T? GetInput<T>();

        public virtual Task CallActivityAsync(TaskName name, object? input = null, TaskOptions? options = null) =>
            CallActivityAsync<object>(name, input, options);

        public virtual Task CallActivityAsync(TaskName name, TaskOptions options) =>
            CallActivityAsync(name, null, options);

        public virtual Task<TResult> CallActivityAsync<TResult>(TaskName name, TaskOptions options) =>
            CallActivityAsync<TResult>(name, null, options);

        public abstract Task<TResult> CallActivityAsync<TResult>(
            TaskName name, object? input = null, TaskOptions? options = null);

        public virtual Task CreateTimer(TimeSpan delay, CancellationToken cancellationToken) =>
            CreateTimer(CurrentUtcDateTime.Add(delay), cancellationToken);

        public abstract Task CreateTimer(DateTime fireAt, CancellationToken cancellationToken);

        public abstract Task<T> WaitForExternalEvent<T>(
            string eventName, CancellationToken cancellationToken = default);

        public Task<T> WaitForExternalEvent<T>(string eventName, TimeSpan timeout) =>
            WaitForExternalEvent<T>(eventName, timeout, CancellationToken.None);

        /// <summary>Throws <see cref="TaskCanceledException"/> when the time is up before the event came.</summary>
        public async Task<T> WaitForExternalEvent<T>(
            string eventName, TimeSpan timeout, CancellationToken cancellationToken)
        {
            using var timer = new CancellationTokenSource();
            using var wait = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            var late = CreateTimer(timeout, timer.Token);
            var arrival = WaitForExternalEvent<T>(eventName, wait.Token);

            // CancelAsync would leave the orchestration's thread.
            var loser = await Task.WhenAny(late, arrival) == arrival ? timer : wait;
            loser.Cancel();

            return await arrival;
        }

        public abstract void SendEvent(string instanceId, string eventName, object payload);

        public abstract void SetCustomStatus(object? customStatus);

        public abstract Task<TResult> CallSubOrchestratorAsync<TResult>(
            TaskName orchestratorName, object? input = null, TaskOptions? options = null);

        public virtual Task<TResult> CallSubOrchestratorAsync<TResult>(
            TaskName orchestratorName, TaskOptions options) =>
            CallSubOrchestratorAsync<TResult>(orchestratorName, null, options);

        public virtual Task CallSubOrchestratorAsync(TaskName orchestratorName, TaskOptions options) =>
            CallSubOrchestratorAsync(orchestratorName, null, options);

        public virtual Task CallSubOrchestratorAsync(
            TaskName orchestratorName, object? input = null, TaskOptions? options = null) =>
            CallSubOrchestratorAsync<object>(orchestratorName, input, options);

        public abstract void ContinueAsNew(object? newInput = null, bool preserveUnprocessedEvents = true);

        public virtual void ContinueAsNew(ContinueAsNewOptions options)
        {
            ArgumentNullException.ThrowIfNull(options);
            ContinueAsNew(options.NewInput, options.PreserveUnprocessedEvents);
        }

        public abstract Guid NewGuid();

        public virtual ILogger CreateReplaySafeLogger(string categoryName) =>
            ReplaySafeLoggers.Wrap(this, LoggerFactory.CreateLogger(categoryName));

        public virtual ILogger CreateReplaySafeLogger(Type type) =>
            ReplaySafeLoggers.Wrap(this, LoggerFactory.CreateLogger(type));

        public virtual ILogger CreateReplaySafeLogger<T>() =>
            ReplaySafeLoggers.Wrap(this, LoggerFactory.CreateLogger<T>());

        public virtual int CompareVersionTo(string version) =>
            TaskOrchestrationVersioningUtils.CompareVersions(Version, version);
    }

    sealed class ReplaySafeLoggers(TaskOrchestrationContext context) : ILoggerFactory
    {
        public ILogger CreateLogger(string categoryName) => context.CreateReplaySafeLogger(categoryName);

        public void AddProvider(ILoggerProvider provider) =>
            throw new NotSupportedException("Providers are added to the host's logger factory, not to this one.");

        public void Dispose()
        {
            // The factory behind belongs to the host.
        }

        // A context that passes on another's replay-safe factory hands out loggers that are already wrapped.
        internal static ILogger Wrap(TaskOrchestrationContext context, ILogger logger) =>
            logger is ReplaySafeLogger ? logger : new ReplaySafeLogger(context, logger);
    }

    sealed class ReplaySafeLogger(TaskOrchestrationContext context, ILogger inner) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => inner.BeginScope(state);

        public bool IsEnabled(LogLevel logLevel) => !context.IsReplaying && inner.IsEnabled(logLevel);

        public void Log<TState>(
            LogLevel logLevel,
            EventId eventId,
            TState state,
            Exception? exception,
            Func<TState, Exception?, string> formatter)
        {
            if (!context.IsReplaying)
            {
                inner.Log(logLevel, eventId, state, exception, formatter);
            }
        }
    }
}

namespace Microsoft.DurableTask.Abstractions
{
    /// <summary>Orders versions: none is before any, dotted numbers by number, all others as text.</summary>
    public static class TaskOrchestrationVersioningUtils
    {
        public static int CompareVersions(string sourceVersion, string otherVersion) =>
            (string.IsNullOrWhiteSpace(sourceVersion), string.IsNullOrWhiteSpace(otherVersion)) switch
            {
                (true, true) => 0,
                (true, false) => -1,
                (false, true) => 1,
                _ => Version.TryParse(sourceVersion, out var source) && Version.TryParse(otherVersion, out var other)
                    ? source.CompareTo(other)
                    : string.Compare(sourceVersion, otherVersion, StringComparison.OrdinalIgnoreCase),
            };
    }
}
