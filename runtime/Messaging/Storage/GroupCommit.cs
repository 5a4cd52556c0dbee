namespace Runtime.Messaging.Storage;

/// <summary>Makes changes durable in groups: whatever gathers while one transaction is written goes into the
/// next.</summary> <remarks>The state in memory runs ahead of the file, but no answer does: everybody who could have
/// seen a change waits for its batch, and batches are written in order. So a reader never acts on what a crash could
/// take back. When the file fails, memory and file no longer agree; then nothing is accepted any more until the broker
/// is opened again. Every member except <see cref="CloseAsync"/> is called under the gate.</remarks>
sealed class GroupCommit(SqliteStore? store, Lock gate)
{
    Batch open = new();
    Batch? writing;

    /// <summary>Why nothing can be written any more.</summary>
    public Exception? Failure { get; private set; }

    public bool IsDurable => store is not null;

    /// <summary>Completes when everything added so far is durable.</summary>
    public Task Committed => !open.IsEmpty ? open.Done.Task : writing?.Done.Task ?? Task.CompletedTask;

    public void Add(Change change)
    {
        if (store is not null)
        {
            open.Changes.Add(change);
        }
    }

    public void Reached(int entity, long nextSequence)
    {
        if (store is not null)
        {
            open.NextSequences[entity] = nextSequence;
        }
    }

    public void Reached(int partition, PartitionHead head)
    {
        if (store is not null)
        {
            open.Heads[partition] = head;
        }
    }

    /// <summary>Calls back under the gate once everything added so far is durable, or could not be made so.</summary>
    public void Afterwards(Action<Exception?> action)
    {
        if (Committed.IsCompletedSuccessfully)
        {
            action(null);
        }
        else
        {
            open.Afterwards.Add(action);
        }
    }

    /// <summary>Starts writing what has gathered, unless that is under way.</summary>
    public void Begin()
    {
        if (!open.IsEmpty && writing is null)
        {
            ThreadPool.UnsafeQueueUserWorkItem(Write, TakeOpen(), preferLocal: false);
        }
    }

    /// <summary>Writes out what is left and closes the file.</summary>
    public async Task CloseAsync()
    {
        Task last;
        lock (gate)
        {
            Begin();
            last = Committed;
        }

        await last.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        store?.Dispose();
    }

    Batch TakeOpen()
    {
        writing = open;
        open = new();
        return writing;
    }

    void Write(Batch batch)
    {
        for (Batch? next = batch; next is not null;)
        {
            var written = next;
            var failure = TryWrite(written);
            lock (gate)
            {
                Failure ??= failure;
                Settle(written, failure);
                writing = null;
                if (failure is not null)
                {
                    Settle(TakeOpen(), failure);
                    writing = null;
                }

                next = open.IsEmpty ? null : TakeOpen();
            }
        }
    }

    IOException? TryWrite(Batch batch)
    {
        try
        {
            store!.Write(batch);
            return null;
        }
        catch (Exception e)
        {
            // Whatever it was, the file has not got the batch; the callers get the reason.
            return new IOException("The broker could not write its file.", e);
        }
    }

    static void Settle(Batch batch, Exception? failure)
    {
        foreach (var action in batch.Afterwards)
        {
            action(failure);
        }

        if (failure is null)
        {
            batch.Done.SetResult();
            return;
        }

        batch.Done.SetException(failure);

        // A batch nobody waits for must not end the process by an unobserved exception: Failure holds the reason.
        _ = batch.Done.Task.Exception;
    }
}
