using System.Collections.Concurrent;
using Microsoft.Data.Sqlite;

namespace Runtime.DurableTask;

/// <summary>Keeps everything in one SQLite file, which belongs to one process at a time.</summary>
/// <param name="file">Where it is; its directory is made.</param>
/// <param name="survivesPowerLoss">Or only the death of this process.</param>
sealed class SqliteStore(string file, bool survivesPowerLoss) : IInstanceStore
{
    // Each start draws its message numbers from a range of its own, above all ranges before.
    const int SequenceBits = 32;

    // 16 MB of log before it is moved into the database: fewer flushes for a little longer recovery.
    const int CheckpointPages = 4_000;

    readonly string _file = Path.GetFullPath(file);
    readonly ConcurrentBag<SqliteConnection> _readers = [];
    FileStream? _lock;
    SqliteConnection? _connection;
    SqliteWriter? _writer;
    long _sequence;
    volatile bool _disposed;

    public Unfinished Open()
    {
        Directory.CreateDirectory(Path.GetDirectoryName(_file)!);
        _lock = Lock();
        _connection = Connect(SqliteOpenMode.ReadWriteCreate);

        // With a write-ahead log readers and the writer do not wait for each other. A flush costs milliseconds, once
        // for each group of commits.
        SqliteSchema.Execute(_connection, $"""
            PRAGMA journal_mode = WAL;
            PRAGMA wal_autocheckpoint = {CheckpointPages};
            PRAGMA synchronous = {(survivesPowerLoss ? "FULL" : "NORMAL")};
            """);
        SqliteSchema.Prepare(_connection, _file);
        var session = SqliteSchema.Scalar(
            _connection, "INSERT INTO sessions SELECT coalesce(max(id), 0) + 1 FROM sessions RETURNING id");
        _sequence = session << SequenceBits;
        _writer = new SqliteWriter(_connection);
        return new(
            Read(
                $"SELECT {SqliteSchema.Columns} FROM instances WHERE has_started = 0 AND status IN (0, 6, 7)",
                SqliteRows.ReadRecord),
            Read(
                "SELECT sequence, instance_id, execution_id, body FROM inbox ORDER BY sequence",
                SqliteRows.ReadMessage),
            Read(
                """
                SELECT tasks.instance_id, execution_id, task, fire_at FROM tasks JOIN instances USING (instance_id)
                ORDER BY tasks.instance_id, task
                """,
                SqliteRows.ReadTask));
    }

    public long NextSequence() => Interlocked.Increment(ref _sequence);

    public InstanceRecord? Find(string instanceId) => Read(
        $"SELECT {SqliteSchema.Columns} FROM instances WHERE instance_id = $1", SqliteRows.ReadRecord, instanceId)
        .FirstOrDefault();

    public IReadOnlyList<HistoryTurn> ReadHistory(string instanceId) => Read(
        "SELECT at, entries FROM history WHERE instance_id = $1 ORDER BY turn", SqliteRows.ReadTurn, instanceId);

    public IReadOnlyList<InstanceRecord> ReadChildren(string parentInstanceId) => Read(
        $"SELECT {SqliteSchema.Columns} FROM instances WHERE parent_id = $1 ORDER BY instance_id",
        SqliteRows.ReadRecord,
        parentInstanceId);

    public IReadOnlyList<InstanceRecord> List(ListFilter filter)
    {
        var statuses = filter.Statuses is { } wanted
            ? $"AND status IN ({string.Join(", ", wanted.Select(status => (int)status))})"
            : "";
        return Read(
            $"""
            SELECT {SqliteSchema.Columns} FROM instances
            WHERE instance_id > $1 AND instance_id >= $2 AND instance_id < $2 || char(0x10FFFF)
                AND substr(instance_id, 1, length($2)) = $2
                AND ($3 IS NULL OR created_at >= $3) AND ($4 IS NULL OR created_at <= $4)
                AND ($5 IS NULL OR completed_at >= $5) AND ($6 IS NULL OR completed_at <= $6) {statuses}
            ORDER BY instance_id LIMIT $7
            """,
            SqliteRows.ReadRecord,
            filter.After,
            filter.Prefix,
            filter.CreatedFrom?.Ticks,
            filter.CreatedTo?.Ticks,
            filter.CompletedFrom?.Ticks,
            filter.CompletedTo?.Ticks,
            filter.Max);
    }

    public Task CommitAsync(Commit commit) => _writer!.CommitAsync(commit);

    public async ValueTask DisposeAsync()
    {
        _disposed = true;
        CloseReaders();
        if (_writer is not null)
        {
            await _writer.DisposeAsync();
        }

        if (_connection is not null)
        {
            await _connection.DisposeAsync();
        }

        if (_lock is not null)
        {
            await _lock.DisposeAsync();
        }
    }

    // Two engines on one file would each act on what the other had not told it.
    FileStream Lock()
    {
        try
        {
            return new FileStream(_file + ".lock", FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException exception)
        {
            throw new InvalidOperationException($"'{_file}' is in use by another process.", exception);
        }
    }

    SqliteConnection Connect(SqliteOpenMode mode)
    {
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder
        {
            DataSource = _file,
            Mode = mode,
            Pooling = false,
        }.ToString());
        connection.Open();
        return connection;
    }

    List<T> Read<T>(string sql, Func<SqliteDataReader, T> read, params ReadOnlySpan<object?> values)
    {
        if (!_readers.TryTake(out var connection))
        {
            connection = Connect(SqliteOpenMode.ReadWrite);
        }

        List<T> rows;
        try
        {
            rows = Read(connection, sql, read, values);
        }
        catch
        {
            connection.Dispose();
            throw;
        }

        // Whoever comes last, this or the disposal, closes it.
        _readers.Add(connection);
        if (_disposed)
        {
            CloseReaders();
        }

        return rows;
    }

    // All that stands on the connection is let go before somebody else gets it.
    static List<T> Read<T>(
        SqliteConnection connection, string sql, Func<SqliteDataReader, T> read, ReadOnlySpan<object?> values)
    {
        using var command = connection.CreateCommand();
#pragma warning disable CA2100 // Only constants and numbers are put into the text; all else is a parameter.
        command.CommandText = sql;
#pragma warning restore CA2100
        for (var i = 0; i < values.Length; i++)
        {
            command.Parameters.AddWithValue($"${i + 1}", values[i] ?? DBNull.Value);
        }

        var rows = new List<T>();
        using var reader = command.ExecuteReader();
        while (reader.Read())
        {
            rows.Add(read(reader));
        }

        return rows;
    }

    void CloseReaders()
    {
        while (_readers.TryTake(out var reader))
        {
            reader.Dispose();
        }
    }
}
