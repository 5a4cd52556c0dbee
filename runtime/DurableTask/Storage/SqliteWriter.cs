using Microsoft.Data.Sqlite;

namespace Runtime.DurableTask;

/// <summary>
/// Writes commits, as many in one transaction as have come together while the last one was written. Whoever finds
/// nobody writing does it for all that are waiting, so a lone commit costs no change of threads.
/// </summary>
sealed class SqliteWriter(SqliteConnection connection) : IAsyncDisposable
{
    readonly Lock _gate = new();
    readonly Statement _begin = new(connection, "BEGIN IMMEDIATE");
    readonly Statement _commit = new(connection, "COMMIT");
    readonly Statement _rollback = new(connection, "ROLLBACK");
    readonly Statement _forgetHistory = new(connection, "DELETE FROM history WHERE instance_id = $1");
    readonly Statement _cutHistory = new(connection, "DELETE FROM history WHERE instance_id = $1 AND turn >= $2");
    readonly Statement _forgetTasks = new(connection, "DELETE FROM tasks WHERE instance_id = $1");
    readonly Statement _purge = new(connection, "DELETE FROM instances WHERE instance_id = $1");
    readonly Statement _turn = new(connection, "INSERT INTO history VALUES ($1, $2, $3, $4)");
    readonly Statement _open = new(connection, "INSERT OR REPLACE INTO tasks VALUES ($1, $2, $3)");
    readonly Statement _close = new(connection, "DELETE FROM tasks WHERE instance_id = $1 AND task = $2");
    readonly Statement _consume = new(connection, "DELETE FROM inbox WHERE sequence = $1");
    readonly Statement _post = new(connection, "INSERT OR REPLACE INTO inbox VALUES ($1, $2, $3, $4)");
    readonly Statement _replace = new(connection, $"""
        INSERT OR REPLACE INTO instances ({SqliteSchema.Columns}, parent_id)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)
        """);
    readonly Statement _update = new(connection, """
        UPDATE instances SET status = $2, updated_at = $3, completed_at = $4, output = $5, custom_status = $6,
            failure = $7, turns = $8, entries = $9, unread = $10, has_started = $11
        WHERE instance_id = $1
        """);

    readonly TaskCompletionSource _finished = new(TaskCreationOptions.RunContinuationsAsynchronously);
    List<Pending> _waiting = [];
    bool _writing;
    bool _closed;

    /// <summary>Writes what is waiting and takes no more.</summary>
    public async ValueTask DisposeAsync()
    {
        bool wait;
        lock (_gate)
        {
            _closed = true;
            wait = _writing;
        }

        if (wait)
        {
            await _finished.Task;
        }

        foreach (var statement in new[]
        {
            _begin, _commit, _rollback, _forgetHistory, _cutHistory, _forgetTasks, _purge, _turn, _open, _close,
            _consume, _post, _replace, _update,
        })
        {
            statement.Dispose();
        }
    }

    internal Task CommitAsync(Commit commit)
    {
        // Serialised here, by everybody for himself, to keep the transaction short.
        var pending = new Pending(commit);
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_closed, this);
            _waiting.Add(pending);
            if (_writing)
            {
                return pending.Done.Task;
            }

            _writing = true;
        }

        WriteWaiting();
        return pending.Done.Task;
    }

    void WriteWaiting()
    {
        List<Pending> group;
        lock (_gate)
        {
            group = _waiting;
            _waiting = [];
        }

        try
        {
            _begin.Run();
            group.ForEach(Write);
            _commit.Run();
            group.ForEach(pending => pending.Done.TrySetResult());
        }
        catch (Exception exception)
        {
            Undo();
            group.ForEach(pending => pending.Done.TrySetException(exception));
        }

        bool more;
        lock (_gate)
        {
            more = _writing = _waiting.Count > 0;
            if (_closed && !more)
            {
                _finished.TrySetResult();
            }
        }

        // The next group is somebody else's: whoever wrote this one has a turn to get on with.
        if (more)
        {
            ThreadPool.UnsafeQueueUserWorkItem(static writer => writer.WriteWaiting(), this, preferLocal: false);
        }
    }

    // A transaction that SQLite has already rolled back cannot be rolled back again.
    void Undo()
    {
        try
        {
            _rollback.Run();
        }
        catch (SqliteException)
        {
            // The error that led here is the one to report.
        }
    }

    void Write(Pending pending)
    {
        var commit = pending.Commit;
        var id = commit.InstanceId;
        if (commit.ForgetExecution)
        {
            _forgetHistory.Run(id);
            _forgetTasks.Run(id);
        }

        if (commit.CutHistoryAt is { } cut)
        {
            _cutHistory.Run(id, cut);
        }

        if (commit.Purge)
        {
            _purge.Run(id);
        }

        if (commit.Record is { } record)
        {
            Write(record, commit.ForgetExecution);
            if (commit.Turn is { } turn)
            {
                _turn.Run(id, record.Turns - 1, turn.At.Ticks, pending.Entries);
            }
        }

        if (commit.CloseAll)
        {
            _forgetTasks.Run(id);
        }

        commit.Closed.ForEach(task => _close.Run(id, task));
        commit.Opened.ForEach(task => _open.Run(id, task.Task, task.FireAt?.Ticks));
        commit.Consumed.ForEach(sequence => _consume.Run(sequence));
        for (var i = 0; i < commit.Outgoing.Count; i++)
        {
            var message = commit.Outgoing[i];
            _post.Run(message.Sequence, message.InstanceId, message.ExecutionId, pending.Bodies[i]);
        }
    }

    void Write(InstanceRecord record, bool asNew)
    {
        if (asNew)
        {
            _replace.Run(
                record.InstanceId,
                record.ExecutionId,
                record.Name,
                record.Version,
                record.Input,
                SqliteRows.Write(record.Tags),
                SqliteRows.Write(record.Parent),
                record.CreatedAt.Ticks,
                record.StartAt?.Ticks,
                (int)record.Status,
                record.UpdatedAt.Ticks,
                record.CompletedAt?.Ticks,
                record.Output,
                record.CustomStatus,
                SqliteRows.Write(record.Failure),
                record.Turns,
                record.Entries,
                record.Unread,
                record.HasStarted,
                record.Parent?.InstanceId);
        }
        else
        {
            _update.Run(
                record.InstanceId,
                (int)record.Status,
                record.UpdatedAt.Ticks,
                record.CompletedAt?.Ticks,
                record.Output,
                record.CustomStatus,
                SqliteRows.Write(record.Failure),
                record.Turns,
                record.Entries,
                record.Unread,
                record.HasStarted);
        }
    }

    sealed class Pending(Commit commit)
    {
        internal Commit Commit => commit;

        internal byte[]? Entries { get; } = commit.Turn is { } turn ? SqliteRows.Write(turn.Entries) : null;

        internal List<byte[]> Bodies { get; } = commit.Outgoing.ConvertAll(message => SqliteRows.Write(message.Body));

        internal TaskCompletionSource Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    /// <summary>A prepared statement with numbered parameters.</summary>
    sealed class Statement : IDisposable
    {
        readonly SqliteCommand _command;

        internal Statement(SqliteConnection connection, string sql)
        {
            _command = connection.CreateCommand();
#pragma warning disable CA2100 // All statements are constants of this file.
            _command.CommandText = sql;
#pragma warning restore CA2100
        }

        public void Dispose() => _command.Dispose();

        internal void Run(params ReadOnlySpan<object?> values)
        {
            for (var i = 0; i < values.Length; i++)
            {
                if (_command.Parameters.Count == i)
                {
                    _command.Parameters.Add(new SqliteParameter { ParameterName = $"${i + 1}" });
                }

                _command.Parameters[i].Value = values[i] ?? DBNull.Value;
            }

            _command.ExecuteNonQuery();
        }
    }
}
