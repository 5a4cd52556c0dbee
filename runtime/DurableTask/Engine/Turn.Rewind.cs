namespace Runtime.DurableTask;

// Rewinding puts a failed instance back to just before the failure that ended it, and makes the failed call again.
sealed partial class Turn
{
    /// <summary>Answers why it cannot be done, or null if it is.</summary>
    internal string? Rewind()
    {
        var record = Record!;
        var turns = _hub.Store.ReadHistory(record.InstanceId);
        var ended = turns.SelectMany(turn => turn.Entries).OfType<HistoryEntry.Ended>().LastOrDefault();
        if (ended?.FailedTask is not { } failed)
        {
            return $"Instance '{record.InstanceId}' was not ended by a failed activity or child, so there is no call "
                + "to make again. Restart it instead.";
        }

        var cut = turns.TakeWhile(turn => !turn.Entries.Any(entry => IsFailureOf(failed, entry))).Count();
        if (!_hub.Registry.TryGetOrchestrator(record.Name, record.Version, out var factory))
        {
            return $"There is no orchestrator named '{record.Name}' in this host.";
        }

        var execution = new Execution(record, factory(_hub.Services), _hub);
        for (var number = 0; number < cut; number++)
        {
            if (execution.Replay(turns[number], number) is { } divergence)
            {
                return divergence;
            }
        }

        _instance.Execution = execution;
        _commit.CutHistoryAt = cut;
        Record = record with
        {
            Status = InstanceStatus.Running,
            Output = null,
            Failure = null,
            CompletedAt = null,
            CustomStatus = execution.CustomStatus,
            Unread = execution.UnreadCount,
            Turns = cut,
            Entries = turns.Take(cut).Sum(turn => turn.Entries.Count),
            UpdatedAt = _now,
        };
        CallAgain(execution, failed, [.. turns.Skip(cut).SelectMany(turn => turn.Entries)]);
        return null;
    }

    static bool IsFailureOf(int task, HistoryEntry entry) =>
        entry is HistoryEntry.ActivityFailed or HistoryEntry.ChildFailed && ((HistoryEntry.Answer)entry).Task == task;

    // What came in after the cut is told again, except the failure; what was open and has no answer is done again.
    void CallAgain(Execution execution, int failed, List<HistoryEntry> later)
    {
        var record = Record!;
        _executionOfActivities = record.ExecutionId;
        var answers = later.OfType<HistoryEntry.Answer>().Where(a => a.Task != failed && execution.IsOpen(a.Task));
        var answered = answers.Select(answer => answer.Task).ToHashSet();
        Kept =
        [
            .. later.OfType<HistoryEntry.EventRaised>()
                .Select(raised => new Message(raised.Sequence, record.InstanceId, null, raised)),
            .. answers.Select(answer => new Message(
                _hub.Store.NextSequence(), record.InstanceId, record.ExecutionId, answer)),
        ];
        _commit.Outgoing.AddRange(Kept);
        foreach (var deed in execution.OpenDeeds.Where(deed => !answered.Contains(deed.Task)))
        {
            switch (deed)
            {
                case HistoryEntry.ActivityCalled call:
                    _activities.Add(call);
                    _commit.Opened.Add(new(record.InstanceId, record.ExecutionId, call.Task, null));
                    break;
                case HistoryEntry.TimerSet timer:
                    _timers.Add(new(record.InstanceId, record.ExecutionId, timer.Task, timer.FireAt));
                    _commit.Opened.Add(_timers[^1]);
                    break;
                case HistoryEntry.ChildCalled call:
                    Send(call.InstanceId, null, new HistoryEntry.RewindRequested(Fresh(call, record)));
                    break;
                default:
                    break;
            }
        }
    }

    // A child that has failed is rewound as well; one that cannot be is called afresh.
    void RewindChild(InstanceRecord fresh)
    {
        if (Record is not { Status: InstanceStatus.Failed } || Rewind() is not null)
        {
            Start(fresh);
        }
    }
}
