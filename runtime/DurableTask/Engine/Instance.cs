namespace Runtime.DurableTask;

/// <summary>Something a client wants done by an instance's owner, between turns.</summary>
abstract class InstanceCommand
{
    internal abstract Task RunAsync(Instance instance);
}

/// <inheritdoc cref="InstanceCommand"/>
/// <param name="decide">Changes the instance through a turn, or throws to refuse.</param>
sealed class InstanceCommand<T>(Func<Turn, T> decide) : InstanceCommand
{
    readonly TaskCompletionSource<T> _done = new(TaskCreationOptions.RunContinuationsAsynchronously);

    internal Task<T> Done => _done.Task;

    internal override async Task RunAsync(Instance instance)
    {
        var turn = new Turn(instance);
        T answer;
        try
        {
            answer = decide(turn);
        }
        catch (Exception refusal)
        {
            _done.TrySetException(refusal);
            return;
        }

        await instance.CommitAsync(turn);
        _done.TrySetResult(answer);
    }
}

/// <summary>
/// An instance in memory: its mail, and the one place where its state changes. Whoever runs it is its only owner until
/// the mail is empty, so nothing below the mail needs a lock.
/// </summary>
sealed class Instance(string id, TaskHub hub)
{
    internal static readonly object LookAgain = new();

    readonly Lock _gate = new();
    List<object> _mail = [];
    List<object> _spare = [];
    bool _scheduled;
    bool _retired;

    internal string Id => id;

    internal TaskHub Hub => hub;

    /// <summary>Owned by the hub's list of live instances.</summary>
    internal LinkedListNode<Instance>? LiveNode { get; set; }

    /// <summary>Events nobody has read, held ones included.</summary>
    internal int Unread { get; private set; }

    // The state below belongs to whoever runs the instance.
    internal bool IsLoaded { get; set; }

    internal InstanceRecord? Record { get; set; }

    internal Execution? Execution { get; set; }

    /// <summary>Messages that cannot be told yet: the instance is suspended or its time has not come.</summary>
    internal List<Message> Held { get; set; } = [];

    internal bool TryPost(object mail)
    {
        lock (_gate)
        {
            if (_retired)
            {
                return false;
            }

            _mail.Add(mail);
            if (_scheduled)
            {
                return true;
            }

            _scheduled = true;
        }

        hub.Enter();
        hub.Schedule(this);
        return true;
    }

    /// <summary>Deals with the mail that is there now; what comes meanwhile waits behind other instances.</summary>
    internal async Task RunAsync()
    {
        var mail = TakeMail();
        await DealWithAsync(mail);
        Unread = Held.Count + (Record?.Unread ?? 0);
        if (Execution is not null && !hub.KeepLive(this))
        {
            DropExecution();
        }

        PutDown(mail);
    }

    /// <summary>Lets go of the running code, unless somebody is at it: the next turn replays the history.</summary>
    internal void Evict()
    {
        lock (_gate)
        {
            if (_scheduled)
            {
                return;
            }

            Execution = null;
            _retired = Held.Count == 0;
        }

        if (_retired)
        {
            hub.Retire(this);
        }
    }

    internal void DropExecution()
    {
        Execution = null;
        hub.Forget(this);
    }

    /// <summary>Commits and then does what follows from it.</summary>
    internal async Task CommitAsync(Turn turn)
    {
        if (turn.Finish() is { } commit)
        {
            await hub.CommitAsync(commit);
            turn.Follow();
        }

        Record = turn.Record;
        Held = turn.Kept;
    }

    async Task DealWithAsync(List<object> mail)
    {
        if (!IsLoaded)
        {
            Record = hub.Store.Find(id);
            IsLoaded = true;
        }

        var messages = new List<Message>();
        foreach (var item in mail)
        {
            if (item is Message message)
            {
                messages.Add(message);
            }
            else if (item is InstanceCommand command)
            {
                await TellAsync(messages);
                await command.RunAsync(this);
            }
        }

        await TellAsync(messages);
    }

    async Task TellAsync(List<Message> messages)
    {
        var turn = new Turn(this);
        turn.Tell(messages);
        messages.Clear();
        await CommitAsync(turn);
    }

    List<object> TakeMail()
    {
        lock (_gate)
        {
            var mail = _mail;
            _mail = _spare;
            return mail;
        }
    }

    void PutDown(List<object> mail)
    {
        mail.Clear();
        bool again;
        lock (_gate)
        {
            _spare = mail;

            // A generation that has just begun starts in a turn of its own, and with it what is held for it.
            again = _mail.Count > 0
                || (Record is { IsOver: false } record
                    && (record.IsUnstarted || Held.Count > 0)
                    && Turn.MayRun(this, record));
            if (!again)
            {
                _scheduled = false;
                _retired = Execution is null && Held.Count == 0;
            }
        }

        if (again)
        {
            hub.Schedule(this);
            return;
        }

        if (_retired)
        {
            hub.Retire(this);
        }

        hub.Exit();
    }
}
