using Microsoft.DurableTask.Abstractions;
using Microsoft.Extensions.Logging;
using static Microsoft.DurableTask.Worker.DurableTaskWorkerOptions;

namespace Runtime.DurableTask;

/// <summary>
/// One step of one instance: tells its code the messages, and gathers all that changes into one commit. Nothing outside
/// the instance happens before that commit is durable (<see cref="Follow"/>), so a crash at any point leaves either all
/// of the step or none of it; what was none of it is told again.
/// </summary>
sealed partial class Turn
{
    readonly Instance _instance;
    readonly TaskHub _hub;
    readonly Commit _commit;
    readonly DateTime _now;
    readonly List<HistoryEntry> _entries = [];
    readonly List<Message> _posts = [];
    readonly List<HistoryEntry.ActivityCalled> _activities = [];
    readonly List<OpenTask> _timers = [];
    readonly List<InstanceRecord> _endings = [];
    string? _executionOfActivities;
    bool _begun;
    bool _newGeneration;
    int _told;

    internal Turn(Instance instance)
    {
        _instance = instance;
        _hub = instance.Hub;
        _commit = new Commit(instance.Id);
        Record = instance.Record;
        var now = _hub.Now;

        Kept = [.. instance.Held];

        // An instance's time never runs backwards, even if the clock does.
        _now = Record is { } record && record.UpdatedAt > now ? record.UpdatedAt : now;
    }

    internal InstanceRecord? Record { get; private set; }

    /// <summary>Messages to tell another time, in order.</summary>
    internal List<Message> Kept { get; private set; }

    /// <summary>Whether an instance's code may be run now, apart from messages that say otherwise.</summary>
    internal static bool MayRun(Instance instance, InstanceRecord record) =>
        record.Status != InstanceStatus.Suspended
        && (record.HasStarted || record.StartAt is not { } start || start <= instance.Hub.Now)
        && (instance.Hub.Options.VersionFailure == VersionFailureStrategy.Fail
            || VersionMismatch(instance.Hub, record) is null);

    /// <summary>Tells the held messages and then these.</summary>
    internal void Tell(IReadOnlyList<Message> messages)
    {
        List<Message> queue = [.. Kept, .. messages];
        Kept = [];
        for (var i = 0; i < queue.Count && !_newGeneration;)
        {
            i += Tell(queue, i);
            if (_newGeneration)
            {
                KeepForNextGeneration(queue, i);
            }
        }

        if (!_newGeneration && Record is { IsUnstarted: true } record && MayRun(_instance, record))
        {
            StartCode();
        }

        if (Kept.Count > 0 && Record is { IsOver: false } waiting && VersionMismatch(_hub, waiting) is { } mismatch)
        {
            _hub.Log.LogWarning("{Mismatch} It waits for a host that runs it.", mismatch);
        }
    }

    /// <summary>Makes the instance new: nothing of what it was before remains.</summary>
    internal void Begin(InstanceRecord record)
    {
        _instance.DropExecution();
        ForgetExecution();
        Record = record;
        _hub.Log.LogDebug("Instance {Instance} of {Orchestrator} is created", record.InstanceId, record.Name);
    }

    /// <summary>Ends the instance from outside.</summary>
    internal void Terminate(HistoryEntry.Terminated terminated)
    {
        var record = Record!;
        if (terminated.Recursive)
        {
            foreach (var child in OpenChildren())
            {
                Send(child, null, terminated);
            }
        }

        _entries.Add(terminated);
        _told++;
        End(new(InstanceStatus.Terminated, terminated.Output, null, null), new Failure(
            "OrchestrationTerminated",
            $"Orchestrator '{record.Name}' (instance '{record.InstanceId}') was terminated: {terminated.Output}"));
    }

    /// <summary>Removes the instance.</summary>
    internal void Purge()
    {
        _instance.DropExecution();
        ForgetExecution();
        _commit.Purge = true;
        Record = null;
        Kept.ForEach(Consume);
        Kept.Clear();
    }

    // Tells the next message, or as many as the code takes in a row; answers how many.
    int Tell(List<Message> queue, int next)
    {
        var message = queue[next];
        switch (message.Body)
        {
            case HistoryEntry.StartRequested start:
                Start(start.Instance);
                break;
            case HistoryEntry.RewindRequested rewind:
                RewindChild(rewind.Fresh);
                break;
            case var _ when Record is null || Record.IsOver || IsStale(message):
                break;
            case HistoryEntry.Terminated terminated:
                Terminate(terminated);
                break;
            case HistoryEntry.Strayed:
                End(new(InstanceStatus.Failed, null, Execution.StrayFailure(Record), null));
                break;
            case HistoryEntry.Suspended or HistoryEntry.Resumed:
                if (Switch(message.Body))
                {
                    queue.InsertRange(next + 1, Kept);
                    Kept.Clear();
                }

                break;
            case var _ when !MayRun(_instance, Record):
                Kept.Add(message);
                return 1;
            default:
                return TellCode(queue, next);
        }

        Consume(message);
        return 1;
    }

    // A child that its parent calls. Its id may be taken, which only the instance itself can know.
    void Start(InstanceRecord fresh)
    {
        if (Record is { IsOver: false } running)
        {
            var parent = fresh.Parent!;
            Send(parent.InstanceId, parent.ExecutionId, new HistoryEntry.ChildFailed(parent.Task, new Failure(
                typeof(global::DurableTask.Core.Exceptions.OrchestrationAlreadyExistsException).FullName!,
                $"Instance '{running.InstanceId}' of orchestrator '{running.Name}' is still {running.Status}; "
                + "a child needs an id of its own.")));
            return;
        }

        Begin(fresh with { CreatedAt = _now, UpdatedAt = _now });
    }

    // Answers whether held messages may be told now.
    bool Switch(HistoryEntry change)
    {
        var record = Record!;
        var suspend = change is HistoryEntry.Suspended;
        if (suspend == (record.Status == InstanceStatus.Suspended))
        {
            return false;
        }

        _entries.Add(change);
        _told++;
        var active = record.HasStarted ? InstanceStatus.Running : InstanceStatus.Pending;
        Record = record with { Status = suspend ? InstanceStatus.Suspended : active };
        return !suspend;
    }

    // Tells the code as many messages as stand in a row; answers how many that were.
    int TellCode(List<Message> queue, int from)
    {
        if (!LoadCode() || !StartCode())
        {
            return 0;
        }

        var row = queue.Skip(from)
            .TakeWhile(m => m.Body is HistoryEntry.Answer or HistoryEntry.EventRaised && !IsStale(m))
            .ToList();
        var taken = TellExecution(row.ConvertAll(message => message.Body));
        row[..taken].ForEach(Consume);
        AfterCode();
        return taken;
    }

    int TellExecution(List<HistoryEntry> entries)
    {
        var execution = _instance.Execution!;
        if (!_begun)
        {
            _begun = true;
            execution.BeginTurn(_now, replaying: false);
        }

        var before = _entries.Count;
        var taken = execution.Tell(entries, _entries);
        _told += _entries.Count - before;
        foreach (var answer in _entries.Skip(before).OfType<HistoryEntry.Answer>())
        {
            _commit.Closed.Add(answer.Task);
        }

        return taken;
    }

    // Answers whether there is running code to tell something.
    bool LoadCode()
    {
        var record = Record!;
        if (_instance.Execution is not null)
        {
            return true;
        }

        if (VersionMismatch(_hub, record) is { } mismatch)
        {
            End(new(InstanceStatus.Failed, null, new Failure(Failure.VersionMismatch, mismatch), null));
            return false;
        }

        if (!_hub.Registry.TryGetOrchestrator(record.Name, record.Version, out var factory))
        {
            var version = record.Version.Length > 0 ? $" of version '{record.Version}'" : "";
            End(new(InstanceStatus.Failed, null, new Failure(
                Failure.MissingOrchestrator, $"There is no orchestrator named '{record.Name}'{version}."), null));
            return false;
        }

        var execution = new Execution(record, factory(_hub.Services), _hub);
        _instance.Execution = execution;
        if (record.Turns > 0)
        {
            Replay(execution, record);
        }

        return true;
    }

    void Replay(Execution execution, InstanceRecord record)
    {
        _hub.CountReplay();
        var number = 0;
        foreach (var turn in _hub.Store.ReadHistory(record.InstanceId))
        {
            if (execution.Replay(turn, number++) is { } divergence)
            {
                _hub.Log.LogError("{Divergence}", divergence);
                execution.Doom(Execution.NonDeterministic(divergence));
                break;
            }
        }
    }

    // Answers whether the code goes on.
    bool StartCode()
    {
        if (!LoadCode())
        {
            return false;
        }

        if (!Record!.HasStarted)
        {
            Record = Record with { HasStarted = true, Status = InstanceStatus.Running };
            TellExecution([new HistoryEntry.Started()]);
            AfterCode();
        }

        if (_instance.Execution?.Ended is not null)
        {
            // Doomed while replaying.
            AfterCode();
        }

        return _instance.Execution is not null;
    }

    void AfterCode()
    {
        var execution = _instance.Execution!;
        var deeds = execution.TakeDeeds();
        _entries.AddRange(deeds);
        if (execution.Ended is null && Record!.Entries + _entries.Count >= _hub.Options.HistoryEventsMax)
        {
            execution.Doom(new Failure(
                typeof(InvalidOperationException).FullName!,
                $"The history of instance '{_instance.Id}' has reached {_hub.Options.HistoryEventsMax} entries "
                + $"({nameof(DurableEngineOptions.HistoryEventsMax)}). Use ContinueAsNew."));
        }

        Record = Record! with { CustomStatus = execution.CustomStatus, Unread = execution.UnreadCount };
        Do(deeds, execution);
        foreach (var task in execution.TakeCancelled())
        {
            _timers.RemoveAll(timer => timer.Task == task);
            _commit.Opened.RemoveAll(open => open.Task == task);
            _commit.Closed.Add(task);
        }

        if (execution.Next is { } next)
        {
            ContinueAsNew(next);
        }
        else if (execution.Ended is { } ended)
        {
            End(ended);
        }
    }

    bool IsStale(Message message) => message.ExecutionId is { } meant && meant != Record!.ExecutionId;

    static string? VersionMismatch(TaskHub hub, InstanceRecord record)
    {
        var (ours, theirs) = (hub.Options.DefaultVersion, record.Version);
        var order = TaskOrchestrationVersioningUtils.CompareVersions(theirs, ours);
        return hub.Options.VersionMatch switch
        {
            VersionMatchStrategy.Strict when order != 0 =>
                $"Instance '{record.InstanceId}' is of version '{theirs}'; this host runs '{ours}' only.",
            VersionMatchStrategy.CurrentOrOlder when order > 0 =>
                $"Instance '{record.InstanceId}' is of version '{theirs}', which is newer than this host's '{ours}'.",
            _ => null,
        };
    }
}
