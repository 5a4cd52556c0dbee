using DurableTask.Core.Exceptions;
using DurableTask.Core.History;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;

namespace Runtime.DurableTask;

/// <summary>
/// The client of the engine in the same process. What it answers is committed: schedules, events, terminations and
/// suspensions are in the store before their task completes, and only committed states are read.
/// </summary>
sealed partial class EngineClient(TaskHub hub) : DurableTaskClient("Default")
{
    DataConverter Converter => hub.Options.DataConverter;

    // The engine owns all there is to dispose of.
    public override ValueTask DisposeAsync() => ValueTask.CompletedTask;

    public override async Task<string> ScheduleNewOrchestrationInstanceAsync(
        TaskName orchestratorName,
        object? input = null,
        StartOrchestrationOptions? options = null,
        CancellationToken cancellation = default)
    {
        var now = hub.Now;
        var record = new InstanceRecord
        {
            InstanceId = options?.InstanceId is { } id ? hub.Limits.InstanceId(id) : hub.NewId().ToString("N"),
            ExecutionId = hub.NewId().ToString("N"),
            Name = hub.Limits.Name(orchestratorName.Name, "orchestratorName"),
            Version = options?.Version is { } version ? hub.Limits.Version(version) : hub.Options.DefaultVersion,
            Input = hub.Limits.Payload(Converter.Serialize(input), "input of the orchestrator"),
            Tags = hub.Limits.Tags(options?.Tags),
            StartAt = options?.StartAt is { } start && start.UtcDateTime > now ? start.UtcDateTime : null,
            CreatedAt = now,
            UpdatedAt = now,
        };
        var refused = Refused(options?.DedupeStatuses);
        await RunAsync(record.InstanceId, turn => Create(turn, record, refused), cancellation);
        return record.InstanceId;
    }

    public override async Task RaiseEventAsync(
        string instanceId, string eventName, object? eventPayload = null, CancellationToken cancellation = default)
    {
        hub.Limits.InstanceId(instanceId);
        hub.Limits.Name(eventName, nameof(eventName));
        var payload = hub.Limits.Payload(Converter.Serialize(eventPayload), $"payload of event '{eventName}'");
        RefuseWhenStopped();
        if (hub.UnreadOf(instanceId) >= hub.Options.UnreadEventsMax)
        {
            throw new InvalidOperationException(
                $"Instance '{instanceId}' has {hub.Options.UnreadEventsMax} events that it has not read "
                + $"({nameof(DurableEngineOptions.UnreadEventsMax)}).");
        }

        await SendAsync(instanceId, number => new HistoryEntry.EventRaised(eventName, payload, number), cancellation);
    }

    public override Task TerminateInstanceAsync(
        string instanceId, TerminateInstanceOptions? options = null, CancellationToken cancellation = default)
    {
        var output = hub.Limits.Payload(Converter.Serialize(options?.Output), "output");
        return SendAsync(
            instanceId, _ => new HistoryEntry.Terminated(output, options?.Recursive ?? false), cancellation);
    }

    public override Task SuspendInstanceAsync(
        string instanceId, string? reason = null, CancellationToken cancellation = default)
    {
        hub.Limits.Payload(reason, "reason");
        return SendAsync(instanceId, _ => new HistoryEntry.Suspended(reason), cancellation);
    }

    public override Task ResumeInstanceAsync(
        string instanceId, string? reason = null, CancellationToken cancellation = default)
    {
        hub.Limits.Payload(reason, "reason");
        return SendAsync(instanceId, _ => new HistoryEntry.Resumed(reason), cancellation);
    }

    public override Task<OrchestrationMetadata> WaitForInstanceStartAsync(
        string instanceId, bool getInputsAndOutputs = false, CancellationToken cancellation = default) =>
        WaitAsync(instanceId, getInputsAndOutputs, r => r.Status != InstanceStatus.Pending, cancellation);

    public override Task<OrchestrationMetadata> WaitForInstanceCompletionAsync(
        string instanceId, bool getInputsAndOutputs = false, CancellationToken cancellation = default) =>
        WaitAsync(instanceId, getInputsAndOutputs, record => record.IsOver, cancellation);

    public override Task<OrchestrationMetadata?> GetInstancesAsync(
        string instanceId, bool getInputsAndOutputs = false, CancellationToken cancellation = default)
    {
        cancellation.ThrowIfCancellationRequested();
        RefuseWhenStopped();
        var record = hub.Store.Find(hub.Limits.InstanceId(instanceId));
        return Task.FromResult(record?.ToMetadata(getInputsAndOutputs, Converter));
    }

    public override async Task<PurgeResult> PurgeInstanceAsync(
        string instanceId, PurgeInstanceOptions? options = null, CancellationToken cancellation = default)
    {
        hub.Limits.InstanceId(instanceId);
        var count = await PurgeAsync(instanceId, options?.Recursive ?? false, mayRun: false, cancellation);
        return new PurgeResult(count, isComplete: true);
    }

    public override async Task<string> RestartAsync(
        string instanceId, bool restartWithNewInstanceId = false, CancellationToken cancellation = default)
    {
        RefuseWhenStopped();
        var found = hub.Store.Find(hub.Limits.InstanceId(instanceId)) ?? throw Unknown(instanceId);
        if (!restartWithNewInstanceId)
        {
            await RunAsync(instanceId, turn => Restart(turn, instanceId), cancellation);
            return instanceId;
        }

        var fresh = Fresh(found, hub.NewId().ToString("N"));
        await RunAsync(fresh.InstanceId, turn => Create(turn, fresh, null), cancellation);
        return fresh.InstanceId;
    }

    public override Task RewindInstanceAsync(
        string instanceId, string reason, CancellationToken cancellation = default) =>
        RunAsync(hub.Limits.InstanceId(instanceId), turn => Rewind(turn, instanceId), cancellation);

    public override Task<IList<HistoryEvent>> GetOrchestrationHistoryAsync(
        string instanceId, CancellationToken cancellation = default)
    {
        cancellation.ThrowIfCancellationRequested();
        RefuseWhenStopped();
        var record = hub.Store.Find(hub.Limits.InstanceId(instanceId)) ?? throw Unknown(instanceId);
        return Task.FromResult(PublicHistory.Of(record, hub.Store.ReadHistory(instanceId)));
    }

    internal static ArgumentException Unknown(string instanceId) => new($"There is no instance '{instanceId}'.");

    internal void RefuseWhenStopped()
    {
        if (hub.Fault is { } fault)
        {
            throw new InvalidOperationException(fault.Message, fault);
        }

        if (!hub.IsRunning)
        {
            throw new InvalidOperationException("The engine has not been started.");
        }
    }

    bool Create(Turn turn, InstanceRecord fresh, HashSet<InstanceStatus>? refused)
    {
        if (turn.Record is { } existing)
        {
            if (refused?.Contains(existing.Status) ?? !existing.IsOver)
            {
                throw new OrchestrationAlreadyExistsException(
                    $"Instance '{existing.InstanceId}' of orchestrator '{existing.Name}' already exists and is "
                    + $"{existing.Status}.");
            }

            if (!existing.IsOver)
            {
                var output = Converter.Serialize("A new instance of the same id takes its place.");
                turn.Terminate(new HistoryEntry.Terminated(output, Recursive: false));
            }
        }

        turn.Begin(fresh);
        return true;
    }

    bool Restart(Turn turn, string instanceId)
    {
        var existing = turn.Record ?? throw Unknown(instanceId);
        if (!existing.IsOver)
        {
            throw new InvalidOperationException(
                $"Instance '{instanceId}' is still {existing.Status}; terminate it before restarting it.");
        }

        turn.Begin(Fresh(existing, instanceId));
        return true;
    }

    static bool Rewind(Turn turn, string instanceId)
    {
        var existing = turn.Record ?? throw Unknown(instanceId);
        var refusal = existing.Status == InstanceStatus.Failed
            ? turn.Rewind()
            : $"Instance '{instanceId}' is {existing.Status}; only a failed one can be rewound.";
        return refusal is null ? true : throw new InvalidOperationException(refusal);
    }

    InstanceRecord Fresh(InstanceRecord former, string instanceId) => new()
    {
        InstanceId = instanceId,
        ExecutionId = hub.NewId().ToString("N"),
        Name = former.Name,
        Version = former.Version,
        Input = former.Input,
        Tags = former.Tags,
        CreatedAt = hub.Now,
        UpdatedAt = hub.Now,
    };

    // A message is stored before it is posted, so what has been acknowledged reaches its instance even after a crash.
    async Task SendAsync(string instanceId, Func<long, HistoryEntry> make, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        RefuseWhenStopped();
        hub.Limits.InstanceId(instanceId);
        hub.Enter();
        try
        {
            var sequence = hub.Store.NextSequence();
            var message = new Message(sequence, instanceId, null, make(sequence));
            await hub.CommitAsync(new Commit(instanceId) { Outgoing = { message } });
            hub.Post(message);
        }
        finally
        {
            hub.Exit();
        }
    }

    async Task<T> RunAsync<T>(string instanceId, Func<Turn, T> decide, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        RefuseWhenStopped();
        var command = new InstanceCommand<T>(decide);
        hub.Post(instanceId, command);
        await Task.WhenAny(command.Done, hub.Stopped).WaitAsync(cancellation);
        if (!command.Done.IsCompleted)
        {
            RefuseWhenStopped();
        }

        return await command.Done;
    }

    async Task<OrchestrationMetadata> WaitAsync(
        string instanceId, bool payloads, Func<InstanceRecord, bool> until, CancellationToken cancellation)
    {
        RefuseWhenStopped();
        hub.Limits.InstanceId(instanceId);
        var record = await hub.Watchers.WaitAsync(instanceId, until, () => hub.Store.Find(instanceId), cancellation);

        // The signature says that there is always an answer, the documentation that an unknown instance answers null.
        return record?.ToMetadata(payloads, Converter)!;
    }

    static HashSet<InstanceStatus>? Refused(IReadOnlyList<string>? names)
    {
        if (names is null)
        {
            return null;
        }

        var statuses = names.Select(name => Enum.TryParse<InstanceStatus>(name, ignoreCase: true, out var status)
            && Enum.IsDefined(status)
            && !int.TryParse(name, out _)
                ? status
                : throw new ArgumentException($"'{name}' is not a status that can be deduplicated.")).ToHashSet();
        InstanceStatus[] unfinished = [InstanceStatus.Pending, InstanceStatus.Running, InstanceStatus.Suspended];
        return statuses.Contains(InstanceStatus.Terminated) && !unfinished.All(statuses.Contains)
            ? throw new ArgumentException(
                "An unfinished instance would be terminated to make room, but 'Terminated' is to be refused as well: "
                + "add Pending, Running and Suspended.")
            : statuses;
    }
}
