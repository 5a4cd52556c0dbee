using System.ComponentModel;
using DurableTask.Core.History;
using Microsoft.DurableTask.Internal;

namespace Microsoft.DurableTask.Client
{
    /// <summary>Starts, signals, watches and removes orchestrations from outside.</summary>
    public abstract class DurableTaskClient(string name) : IOrchestrationSubmitter, IAsyncDisposable
    {
        public string Name { get; } = name;

        public virtual Task<string> ScheduleNewOrchestrationInstanceAsync(
            TaskName orchestratorName, CancellationToken cancellation) =>
            ScheduleNewOrchestrationInstanceAsync(orchestratorName, null, null, cancellation);

        public virtual Task<string> ScheduleNewOrchestrationInstanceAsync(
            TaskName orchestratorName, object? input, CancellationToken cancellation) =>
            ScheduleNewOrchestrationInstanceAsync(orchestratorName, input, null, cancellation);

        public virtual Task<string> ScheduleNewOrchestrationInstanceAsync(
            TaskName orchestratorName, StartOrchestrationOptions options, CancellationToken cancellation = default) =>
            ScheduleNewOrchestrationInstanceAsync(orchestratorName, null, options, cancellation);

        /// <summary>Once it has returned the instance exists and will run, whatever happens to this process.</summary>
        public abstract Task<string> ScheduleNewOrchestrationInstanceAsync(
            TaskName orchestratorName,
            object? input = null,
            StartOrchestrationOptions? options = null,
            CancellationToken cancellation = default);

        public virtual Task RaiseEventAsync(string instanceId, string eventName, CancellationToken cancellation) =>
            RaiseEventAsync(instanceId, eventName, null, cancellation);

        /// <summary>An event for an instance that is unknown or finished is discarded.</summary>
        public abstract Task RaiseEventAsync(
            string instanceId,
            string eventName,
            object? eventPayload = null,
            CancellationToken cancellation = default);

        public virtual Task<OrchestrationMetadata> WaitForInstanceStartAsync(
            string instanceId, CancellationToken cancellation) =>
            WaitForInstanceStartAsync(instanceId, false, cancellation);

        /// <summary>Answers null for an unknown instance.</summary>
        public abstract Task<OrchestrationMetadata> WaitForInstanceStartAsync(
            string instanceId, bool getInputsAndOutputs = false, CancellationToken cancellation = default);

        public virtual Task<OrchestrationMetadata> WaitForInstanceCompletionAsync(
            string instanceId, CancellationToken cancellation) =>
            WaitForInstanceCompletionAsync(instanceId, false, cancellation);

        /// <summary>Answers null for an unknown instance.</summary>
        public abstract Task<OrchestrationMetadata> WaitForInstanceCompletionAsync(
            string instanceId, bool getInputsAndOutputs = false, CancellationToken cancellation = default);

        public virtual Task TerminateInstanceAsync(string instanceId, CancellationToken cancellation) =>
            TerminateInstanceAsync(instanceId, null, cancellation);

        public virtual Task TerminateInstanceAsync(
            string instanceId, object? output, CancellationToken cancellation = default) =>
            TerminateInstanceAsync(
                instanceId, output is null ? null : new TerminateInstanceOptions(output), cancellation);

        public virtual Task TerminateInstanceAsync(
            string instanceId, TerminateInstanceOptions? options = null, CancellationToken cancellation = default) =>
            throw Unsupported("terminating instances");

        public virtual Task SuspendInstanceAsync(string instanceId, CancellationToken cancellation) =>
            SuspendInstanceAsync(instanceId, null, cancellation);

        public abstract Task SuspendInstanceAsync(
            string instanceId, string? reason = null, CancellationToken cancellation = default);

        public virtual Task ResumeInstanceAsync(string instanceId, CancellationToken cancellation) =>
            ResumeInstanceAsync(instanceId, null, cancellation);

        public abstract Task ResumeInstanceAsync(
            string instanceId, string? reason = null, CancellationToken cancellation = default);

        public virtual Task<OrchestrationMetadata?> GetInstanceAsync(
            string instanceId, CancellationToken cancellation) =>
            GetInstanceAsync(instanceId, false, cancellation);

        public virtual Task<OrchestrationMetadata?> GetInstanceAsync(
            string instanceId, bool getInputsAndOutputs = false, CancellationToken cancellation = default) =>
            GetInstancesAsync(instanceId, getInputsAndOutputs, cancellation);

        [EditorBrowsable(EditorBrowsableState.Never)]
        public virtual Task<OrchestrationMetadata?> GetInstancesAsync(
            string instanceId, CancellationToken cancellation) =>
            GetInstancesAsync(instanceId, false, cancellation);

        [EditorBrowsable(EditorBrowsableState.Never)]
        public abstract Task<OrchestrationMetadata?> GetInstancesAsync(
            string instanceId, bool getInputsAndOutputs = false, CancellationToken cancellation = default);

        public abstract AsyncPageable<OrchestrationMetadata> GetAllInstancesAsync(OrchestrationQuery? filter = null);

        public virtual Task<PurgeResult> PurgeInstanceAsync(string instanceId, CancellationToken cancellation) =>
            PurgeInstanceAsync(instanceId, null, cancellation);

        public virtual Task<PurgeResult> PurgeInstanceAsync(
            string instanceId, PurgeInstanceOptions? options = null, CancellationToken cancellation = default) =>
            throw Unsupported("purging instances");

        public virtual Task<PurgeResult> PurgeAllInstancesAsync(
            PurgeInstancesFilter filter, CancellationToken cancellation) =>
            PurgeAllInstancesAsync(filter, null, cancellation);

        public virtual Task<PurgeResult> PurgeAllInstancesAsync(
            PurgeInstancesFilter filter,
            PurgeInstanceOptions? options = null,
            CancellationToken cancellation = default) =>
            throw Unsupported("purging instances");

        public virtual Task<string> RestartAsync(
            string instanceId, bool restartWithNewInstanceId = false, CancellationToken cancellation = default) =>
            throw Unsupported("restarting instances");

        public virtual Task RewindInstanceAsync(
            string instanceId, string reason, CancellationToken cancellation = default) =>
            throw Unsupported("rewinding instances");

        public virtual Task<IList<HistoryEvent>> GetOrchestrationHistoryAsync(
            string instanceId, CancellationToken cancellation = default) =>
            throw Unsupported("reading histories");

        public virtual Task<Page<string>> ListInstanceIdsAsync(
            IEnumerable<OrchestrationRuntimeStatus>? runtimeStatus = null,
            DateTimeOffset? completedTimeFrom = null,
            DateTimeOffset? completedTimeTo = null,
            int pageSize = OrchestrationQuery.DefaultPageSize,
            string? lastInstanceKey = null,
            CancellationToken cancellation = default) =>
            throw Unsupported("listing instance ids by completion time");

        public abstract ValueTask DisposeAsync();

        NotSupportedException Unsupported(string what) => new($"{GetType()} does not support {what}.");
    }

    /// <summary>Purges by filter without building one.</summary>
    public static class DurableTaskClientExtensions
    {
        public static Task<PurgeResult> PurgeInstancesAsync(
            this DurableTaskClient client,
            DateTimeOffset? createdFrom,
            DateTimeOffset? createdTo,
            CancellationToken cancellation = default) =>
            client.PurgeInstancesAsync(createdFrom, createdTo, null, null, cancellation);

        public static Task<PurgeResult> PurgeInstancesAsync(
            this DurableTaskClient client,
            DateTimeOffset? createdFrom,
            DateTimeOffset? createdTo,
            PurgeInstanceOptions? options,
            CancellationToken cancellation = default) =>
            client.PurgeInstancesAsync(createdFrom, createdTo, null, options, cancellation);

        public static Task<PurgeResult> PurgeInstancesAsync(
            this DurableTaskClient client,
            DateTimeOffset? createdFrom,
            DateTimeOffset? createdTo,
            IEnumerable<OrchestrationRuntimeStatus>? statuses,
            CancellationToken cancellation = default) =>
            client.PurgeInstancesAsync(createdFrom, createdTo, statuses, null, cancellation);

        public static Task<PurgeResult> PurgeInstancesAsync(
            this DurableTaskClient client,
            DateTimeOffset? createdFrom,
            DateTimeOffset? createdTo,
            IEnumerable<OrchestrationRuntimeStatus>? statuses,
            PurgeInstanceOptions? options,
            CancellationToken cancellation = default)
        {
            ArgumentNullException.ThrowIfNull(client);
            return client.PurgeAllInstancesAsync(new(createdFrom, createdTo, statuses), options, cancellation);
        }
    }
}

namespace Microsoft.DurableTask.Internal
{
    /// <summary>Whatever can start an orchestration.</summary>
    public interface IOrchestrationSubmitter
    {
        Task<string> ScheduleNewOrchestrationInstanceAsync(
            TaskName orchestratorName,
            object? input = null,
            StartOrchestrationOptions? options = null,
            CancellationToken cancellation = default);
    }
}
