using Microsoft.Data.Sqlite;

namespace Runtime.Messaging.Storage;

/// <summary>The statements, prepared once: they are the hot path of every durable broker.</summary>
sealed class SqliteStatements(SqliteConnection connection)
{
    public SqliteCommand Begin { get; } = Prepare(connection, "BEGIN IMMEDIATE", 0);

    public SqliteCommand Commit { get; } = Prepare(connection, "COMMIT", 0);

    public SqliteCommand Rollback { get; } = Prepare(connection, "ROLLBACK", 0);

    public SqliteCommand AddMessage { get; } = Prepare(
        connection, "INSERT INTO messages VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)", 11);

    public SqliteCommand ChangeMessage { get; } = Prepare(
        connection,
        """
        UPDATE messages SET entity = ?2, sequence = ?3, standing = ?4, deliveries = ?5, enqueued_at = ?6,
          expires_at = ?7, payload = coalesce(?8, payload) WHERE id = ?1
        """,
        8);

    public SqliteCommand DeliverMessage { get; } = Prepare(
        connection, "UPDATE messages SET deliveries = ?2 WHERE id = ?1", 2);

    public SqliteCommand RemoveMessage { get; } = Prepare(connection, "DELETE FROM messages WHERE id = ?1", 1);

    public SqliteCommand RememberId { get; } = Prepare(
        connection, "INSERT OR REPLACE INTO remembered_ids VALUES(?1, ?2, ?3)", 3);

    public SqliteCommand ForgetId { get; } = Prepare(
        connection, "DELETE FROM remembered_ids WHERE entity = ?1 AND message_id = ?2", 2);

    public SqliteCommand SetSessionState { get; } = Prepare(
        connection, "INSERT OR REPLACE INTO session_states VALUES(?1, ?2, ?3)", 3);

    public SqliteCommand ClearSessionState { get; } = Prepare(
        connection, "DELETE FROM session_states WHERE entity = ?1 AND session = ?2", 2);

    public SqliteCommand SetNextSequence { get; } = Prepare(
        connection, "UPDATE entities SET next_sequence = ?2 WHERE id = ?1", 2);

    public SqliteCommand SetHead { get; } = Prepare(
        connection,
        "UPDATE partitions SET next_sequence = ?2, next_offset = ?3, last_enqueued_at = ?4 WHERE id = ?1", 4);

    public SqliteCommand AddEvent { get; } = Prepare(connection, "INSERT INTO events VALUES(?1, ?2, ?3, ?4, ?5)", 5);

    public SqliteCommand TrimEvents { get; } = Prepare(connection, "DELETE FROM events WHERE id >= ?1 AND id < ?2", 2);

    public SqliteCommand SetCheckpoint { get; } = Prepare(
        connection, "INSERT OR REPLACE INTO checkpoints VALUES(?1, ?2, ?3, ?4)", 4);

    public SqliteCommand ReadPayload { get; } = Prepare(connection, "SELECT payload FROM messages WHERE id = ?1", 1);

    public SqliteCommand ReadEvents { get; } = Prepare(
        connection,
        "SELECT id, offset, enqueued_at, key, payload FROM events WHERE id >= ?1 AND id < ?2 ORDER BY id LIMIT ?3", 3);

    public SqliteCommand FindOffset { get; } = Prepare(
        connection,
        "SELECT id FROM events WHERE id >= ?1 AND id < ?2 AND offset >= ?3 ORDER BY id LIMIT 1", 3);

    public SqliteCommand FindTime { get; } = Prepare(
        connection,
        "SELECT id FROM events WHERE id >= ?1 AND id < ?2 AND enqueued_at >= ?3 ORDER BY id LIMIT 1", 3);

    public static void Run(SqliteCommand statement, params ReadOnlySpan<object?> values)
    {
        Bind(statement, values);
        statement.ExecuteNonQuery();
    }

    public static void Bind(SqliteCommand statement, params ReadOnlySpan<object?> values)
    {
        for (var i = 0; i < values.Length; i++)
        {
            statement.Parameters[i].Value = values[i] ?? DBNull.Value;
        }
    }

    static SqliteCommand Prepare(SqliteConnection connection, string sql, int parameters)
    {
        var command = connection.CreateCommand();
        command.CommandText = sql;
        for (var i = 1; i <= parameters; i++)
        {
            command.Parameters.Add(new SqliteParameter { ParameterName = $"?{i}", Value = DBNull.Value });
        }

        command.Prepare();
        return command;
    }
}
