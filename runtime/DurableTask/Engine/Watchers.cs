namespace Runtime.DurableTask;

/// <summary>Those who wait for an instance to start or to end.</summary>
sealed class Watchers
{
    readonly Lock _gate = new();
    readonly Dictionary<string, List<Watcher>> _watchers = new(StringComparer.Ordinal);

    /// <summary>Completes with the first state that is waited for, or null if there is no such instance.</summary>
    internal async Task<InstanceRecord?> WaitAsync(
        string instanceId,
        Func<InstanceRecord, bool> until,
        Func<InstanceRecord?> read,
        CancellationToken cancellation)
    {
        var watcher = new Watcher(until);
        lock (_gate)
        {
            if (!_watchers.TryGetValue(instanceId, out var list))
            {
                _watchers.Add(instanceId, list = []);
            }

            list.Add(watcher);
        }

        try
        {
            // Read after registering: a change in between is seen by one or the other.
            var now = read();
            return now is null || until(now) ? now : await watcher.Seen.Task.WaitAsync(cancellation);
        }
        finally
        {
            Remove(instanceId, watcher);
        }
    }

    internal void Tell(string instanceId, InstanceRecord? record)
    {
        lock (_gate)
        {
            if (_watchers.TryGetValue(instanceId, out var list))
            {
                foreach (var watcher in list)
                {
                    if (record is null || watcher.Until(record))
                    {
                        watcher.Seen.TrySetResult(record);
                    }
                }
            }
        }
    }

    internal void Fail(Exception fault)
    {
        lock (_gate)
        {
            foreach (var watcher in _watchers.Values.SelectMany(list => list))
            {
                watcher.Seen.TrySetException(fault);
            }
        }
    }

    void Remove(string instanceId, Watcher watcher)
    {
        lock (_gate)
        {
            if (_watchers.TryGetValue(instanceId, out var list) && list.Remove(watcher) && list.Count == 0)
            {
                _watchers.Remove(instanceId);
            }
        }
    }

    sealed class Watcher(Func<InstanceRecord, bool> until)
    {
        internal Func<InstanceRecord, bool> Until => until;

        internal TaskCompletionSource<InstanceRecord?> Seen { get; } =
            new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
