using Microsoft.Extensions.Logging;

namespace Runtime.DurableTask;

// What a step leads to: stored with it, done after it.
sealed partial class Turn
{
    /// <summary>The step as a commit, or null if nothing has changed.</summary>
    internal Commit? Finish()
    {
        StoreHeldAnswers();
        if (Record is { } record && _entries.Count > 0)
        {
            _commit.Turn = new HistoryTurn(_now, [.. _entries]);
            Record = record with
            {
                Turns = record.Turns + 1,
                Entries = record.Entries + _entries.Count,
                UpdatedAt = _now,
            };
        }

        var changed = !ReferenceEquals(Record, _instance.Record);
        _commit.Record = changed || _commit.Closed.Count > 0 ? Record : null;
        return changed || _commit.Consumed.Count > 0 || _commit.Outgoing.Count > 0 ? _commit : null;
    }

    /// <summary>Lets the world know, once the commit is durable; what a crash cuts off, the next start does.</summary>
    internal void Follow()
    {
        if (_commit.ForgetExecution || Record is null || Record.IsOver)
        {
            _hub.Timers.CancelAll(_instance.Id);
        }
        else
        {
            _commit.Closed.ForEach(task => _hub.Timers.Cancel(_instance.Id, task));
        }

        _timers.ForEach(_hub.Timers.Set);
        if (Record is { IsUnstarted: true, StartAt: { } start } waiting && start > _hub.Now)
        {
            _hub.Timers.Set(new OpenTask(waiting.InstanceId, waiting.ExecutionId, TaskHub.StartTimer, start));
        }

        _activities.ForEach(call => _hub.Activities.Add(_instance.Id, _executionOfActivities!, call));
        _posts.ForEach(_hub.Post);
        _endings.ForEach(ending => _hub.Watchers.Tell(_instance.Id, ending));
        if (Record is not { IsOver: true })
        {
            _hub.Watchers.Tell(_instance.Id, Record);
        }

        if (_told > 0)
        {
            _hub.CountTurn(_told);
        }
    }

    void Consume(Message message)
    {
        if (message.IsStored)
        {
            _commit.Consumed.Add(message.Sequence);
        }
    }

    void Send(string instanceId, string? executionId, HistoryEntry body)
    {
        var message = new Message(_hub.Store.NextSequence(), instanceId, executionId, body);
        _commit.Outgoing.Add(message);
        _posts.Add(message);
    }

    void SendEvent(HistoryEntry.EventSent sent)
    {
        var sequence = _hub.Store.NextSequence();
        var message = new Message(
            sequence, sent.InstanceId, null, new HistoryEntry.EventRaised(sent.Name, sent.Payload, sequence));
        _commit.Outgoing.Add(message);
        _posts.Add(message);
    }

    // An instance that has failed from outside does nothing more, apart from the events it had already sent.
    void Do(List<HistoryEntry.Deed> deeds, Execution execution)
    {
        var record = Record!;
        var failing = execution.Ended?.Status == InstanceStatus.Failed;
        var continuing = execution.Next is not null;
        _executionOfActivities = record.ExecutionId;
        foreach (var deed in deeds)
        {
            switch (deed)
            {
                case HistoryEntry.EventSent sent:
                    SendEvent(sent);
                    break;
                case HistoryEntry.ChildCalled call when !failing:
                    Send(call.InstanceId, null, new HistoryEntry.StartRequested(Fresh(call, record)));
                    break;
                case HistoryEntry.ActivityCalled call when !failing:
                    _activities.Add(call);
                    Open(new(record.InstanceId, record.ExecutionId, call.Task, null), continuing);
                    break;
                case HistoryEntry.TimerSet timer when !failing && !continuing && execution.IsOpen(timer.Task):
                    var task = new OpenTask(record.InstanceId, record.ExecutionId, timer.Task, timer.FireAt);
                    _timers.Add(task);
                    Open(task, continuing);
                    break;
                default:
                    break;
            }
        }
    }

    // A generation that is over cannot wait for anything: its last activities run, but only while this process lives.
    void Open(OpenTask task, bool continuing)
    {
        if (!continuing)
        {
            _commit.Opened.Add(task);
        }
    }

    InstanceRecord Fresh(HistoryEntry.ChildCalled call, InstanceRecord parent) => new()
    {
        InstanceId = call.InstanceId,
        ExecutionId = _hub.NewId().ToString("N"),
        Name = call.Name,
        Version = call.Version,
        Input = call.Input,
        Tags = call.Tags?.AsReadOnly(),
        Parent = new ParentLink(parent.InstanceId, parent.ExecutionId, call.Task, parent.Name),
    };

    void End(HistoryEntry.Ended ended, Failure? toParent = null)
    {
        var record = Record!;
        _entries.Add(ended);
        _commit.CloseAll = true;
        _commit.Opened.Clear();
        _activities.Clear();
        _timers.Clear();
        _posts.RemoveAll(post => post.Body is HistoryEntry.StartRequested && _commit.Outgoing.Remove(post));
        _instance.DropExecution();
        _begun = false;
        Record = record with
        {
            Status = ended.Status,
            Output = ended.Output,
            Failure = ended.Failure,
            CompletedAt = _now,
            UpdatedAt = _now,
        };
        _endings.Add(Record);
        Kept.ForEach(Consume);
        Kept.Clear();
        _hub.Log.LogDebug("Instance {Instance} is {Status}", record.InstanceId, ended.Status);
        if (record.Parent is { } parent)
        {
            HistoryEntry answer = (toParent ?? ended.Failure) is { } failure
                ? new HistoryEntry.ChildFailed(parent.Task, failure)
                : new HistoryEntry.ChildCompleted(parent.Task, ended.Output);
            Send(parent.InstanceId, parent.ExecutionId, answer);
        }
    }

    void ContinueAsNew(Generation next)
    {
        var record = Record!;
        _instance.DropExecution();
        ForgetExecution();
        _newGeneration = true;
        Record = record with
        {
            ExecutionId = _hub.NewId().ToString("N"),
            Input = next.Input,
            Version = next.Version ?? record.Version,
            Status = InstanceStatus.Running,
            CustomStatus = null,
            HasStarted = false,
            StartAt = null,
            Turns = 0,
            Entries = 0,
            Unread = 0,
            UpdatedAt = _now,
        };

        // Stored again under the numbers they came with, which are older than those of all other mail.
        Kept = [.. next.Unread.Select(raised => new Message(raised.Sequence, record.InstanceId, null, raised))];
        _commit.Outgoing.AddRange(Kept);
    }

    void KeepForNextGeneration(List<Message> queue, int from)
    {
        foreach (var message in queue.Skip(from))
        {
            if (IsStale(message))
            {
                Consume(message);
            }
            else
            {
                Kept.Add(message);
            }
        }
    }

    void ForgetExecution()
    {
        _begun = false;
        _commit.ForgetExecution = true;
        _commit.Opened.Clear();
        _commit.Closed.Clear();
        _entries.Clear();
        _timers.Clear();
    }

    // What is held must not depend on this process: a result that came in is stored, and its task is done.
    void StoreHeldAnswers()
    {
        for (var i = 0; i < Kept.Count; i++)
        {
            if (!Kept[i].IsStored)
            {
                Kept[i] = Kept[i] with { Sequence = _hub.Store.NextSequence() };
                _commit.Outgoing.Add(Kept[i]);
                if (Kept[i].Body is HistoryEntry.Answer answer)
                {
                    _commit.Closed.Add(answer.Task);
                }
            }
        }
    }

    // Children of this generation that have not answered, and those of earlier ones that still run.
    HashSet<string> OpenChildren()
    {
        var turns = _hub.Store.ReadHistory(_instance.Id).SelectMany(turn => turn.Entries).Concat(_entries).ToList();
        var answered = turns.OfType<HistoryEntry.Answer>().Select(answer => answer.Task).ToHashSet();
        return
        [
            .. turns.OfType<HistoryEntry.ChildCalled>()
                .Where(call => !answered.Contains(call.Task))
                .Select(call => call.InstanceId),
            .. _hub.Store.ReadChildren(_instance.Id).Where(child => !child.IsOver).Select(child => child.InstanceId),
        ];
    }
}
