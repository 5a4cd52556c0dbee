using Microsoft.Data.Sqlite;

namespace Runtime.DurableTask;

/// <summary>
/// The tables of an engine's file. Times are ticks in UTC, entries and message bodies are JSON. What is stored outlives
/// this code: add columns with a new version, never change the meaning of one.
/// </summary>
static class SqliteSchema
{
    internal const int Version = 1;

    internal const string Columns = """
        instance_id, execution_id, name, version, input, tags, parent, created_at, start_at, status, updated_at,
        completed_at, output, custom_status, failure, turns, entries, unread, has_started
        """;

    const string Create = """
        CREATE TABLE instances (
            instance_id TEXT PRIMARY KEY, execution_id TEXT NOT NULL, name TEXT NOT NULL, version TEXT NOT NULL,
            input TEXT, tags TEXT, parent TEXT, created_at INTEGER NOT NULL, start_at INTEGER,
            status INTEGER NOT NULL, updated_at INTEGER NOT NULL, completed_at INTEGER, output TEXT,
            custom_status TEXT, failure TEXT, turns INTEGER NOT NULL, entries INTEGER NOT NULL,
            unread INTEGER NOT NULL, has_started INTEGER NOT NULL, parent_id TEXT) STRICT;
        CREATE INDEX children ON instances (parent_id) WHERE parent_id IS NOT NULL;
        CREATE INDEX unstarted ON instances (instance_id) WHERE has_started = 0;
        CREATE TABLE history (
            instance_id TEXT NOT NULL, turn INTEGER NOT NULL, at INTEGER NOT NULL, entries BLOB NOT NULL,
            PRIMARY KEY (instance_id, turn)) STRICT, WITHOUT ROWID;
        CREATE TABLE tasks (
            instance_id TEXT NOT NULL, task INTEGER NOT NULL, fire_at INTEGER,
            PRIMARY KEY (instance_id, task)) STRICT, WITHOUT ROWID;
        CREATE TABLE inbox (
            sequence INTEGER PRIMARY KEY, instance_id TEXT NOT NULL, execution_id TEXT, body BLOB NOT NULL) STRICT;
        CREATE TABLE sessions (id INTEGER PRIMARY KEY) STRICT;
        """;

    internal static void Prepare(SqliteConnection connection, string file)
    {
        switch (Scalar(connection, "PRAGMA user_version"))
        {
            case 0:
                using (var transaction = connection.BeginTransaction())
                {
                    Execute(connection, Create);
                    Execute(connection, $"PRAGMA user_version = {Version}");
                    transaction.Commit();
                }

                break;
            case Version:
                break;
            case var other:
                throw new InvalidOperationException(
                    $"'{file}' has format {other}; this engine reads {Version}. Use the version that wrote it.");
        }
    }

    internal static long Scalar(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        return (long)command.ExecuteScalar()!;
    }

    internal static void Execute(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }
}
