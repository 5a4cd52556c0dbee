using System.Globalization;
using Microsoft.Data.Sqlite;

namespace Runtime.Messaging.Storage;

/// <summary>The broker's file: everything that must outlive the process, in one SQLite database with a write-ahead
/// log.</summary> <remarks>A storage contract. <c>user_version</c> names the layout. A message's row id is the order of
/// arrival in the broker; an event's is its partition and sequence, so that a partition is read in one sweep. One
/// connection holds the file for itself and is used by one thread at a time.</remarks>
sealed partial class SqliteStore : IDisposable
{
    const int Layout = 1;
    const int EventSequenceBits = 40;

    /// <summary>
    /// 16 MB of log before it is moved into the database: fewer flushes for a little longer recovery.
    /// </summary>
    const int CheckpointPages = 4_000;

    /// <summary>Also the mark of our own files: "ordr".</summary>
    const int ApplicationId = 0x6F726472;

    const string Schema = """
        CREATE TABLE entities(id INTEGER PRIMARY KEY, path TEXT NOT NULL UNIQUE, next_sequence INTEGER NOT NULL);
        CREATE TABLE messages(
          id INTEGER PRIMARY KEY, entity INTEGER NOT NULL, sequence INTEGER NOT NULL,
          enqueued_sequence INTEGER NOT NULL, standing INTEGER NOT NULL, deliveries INTEGER NOT NULL,
          enqueued_at INTEGER NOT NULL, expires_at INTEGER NOT NULL, due_at INTEGER NOT NULL,
          session TEXT, payload BLOB NOT NULL);
        CREATE TABLE remembered_ids(
          entity INTEGER NOT NULL, message_id TEXT NOT NULL, until INTEGER NOT NULL,
          PRIMARY KEY(entity, message_id)) WITHOUT ROWID;
        CREATE TABLE session_states(
          entity INTEGER NOT NULL, session TEXT NOT NULL, state BLOB NOT NULL,
          PRIMARY KEY(entity, session)) WITHOUT ROWID;
        CREATE TABLE partitions(
          id INTEGER PRIMARY KEY, path TEXT NOT NULL UNIQUE, created_at INTEGER NOT NULL,
              next_sequence INTEGER NOT NULL,
          next_offset INTEGER NOT NULL, last_enqueued_at INTEGER NOT NULL);
        CREATE TABLE events(
          id INTEGER PRIMARY KEY, offset INTEGER NOT NULL, enqueued_at INTEGER NOT NULL,
          key TEXT, payload BLOB NOT NULL);
        CREATE TABLE checkpoints(
          partition INTEGER NOT NULL, consumer_group TEXT NOT NULL, sequence INTEGER NOT NULL,
          offset INTEGER NOT NULL, PRIMARY KEY(partition, consumer_group)) WITHOUT ROWID;
        """;

    readonly SqliteConnection connection;
    readonly SqliteStatements statements;
    readonly Lock gate = new();

    /// <summary>Opens or makes the file and keeps every other process out of it.</summary>
    public SqliteStore(string file, bool survivesPowerLoss)
    {
        connection = new(new SqliteConnectionStringBuilder
        {
            DataSource = file, Mode = SqliteOpenMode.ReadWriteCreate, Pooling = false, DefaultTimeout = 1,
        }.ToString());
        try
        {
            connection.Open();
            Execute($"""
                PRAGMA locking_mode = EXCLUSIVE;
                PRAGMA journal_mode = WAL;
                PRAGMA wal_autocheckpoint = {CheckpointPages};
                PRAGMA synchronous = {(survivesPowerLoss ? "FULL" : "NORMAL")};
                """);
            Prepare(file);
            statements = new(connection);
        }
        catch (SqliteException e) when (e.SqliteErrorCode is 5 or 6)
        {
            connection.Dispose();
            throw new IOException($"The messaging file '{file}' is in use by another process.", e);
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>Writes a batch, all of it or none.</summary>
    public void Write(Batch batch)
    {
        lock (gate)
        {
            statements.Begin.ExecuteNonQuery();
            try
            {
                WriteRows(batch);
                statements.Commit.ExecuteNonQuery();
            }
            catch
            {
                statements.Rollback.ExecuteNonQuery();
                throw;
            }
        }
    }

    public void Dispose()
    {
        lock (gate)
        {
            connection.Dispose();
        }
    }

    static long EventId(int partition, long sequence) => ((long)partition << EventSequenceBits) | sequence;

    void WriteRows(Batch batch)
    {
        foreach (var change in batch.Changes)
        {
            Apply(change);
        }

        foreach (var (entity, next) in batch.NextSequences)
        {
            SqliteStatements.Run(statements.SetNextSequence, entity, next);
        }

        foreach (var (partition, head) in batch.Heads)
        {
            SqliteStatements.Run(
                statements.SetHead, partition, head.NextSequence, head.NextOffset, head.LastEnqueuedAt);
        }
    }

    void Apply(Change change)
    {
        switch (change)
        {
            case Change.MessageAdded m:
                SqliteStatements.Run(
                    statements.AddMessage, m.Id, m.Entity, m.Sequence, m.EnqueuedSequence, (int)m.Standing,
                        m.Deliveries,
                    m.EnqueuedAt, m.ExpiresAt, m.DueAt, m.Session, m.Payload);
                break;
            case Change.MessageChanged m:
                SqliteStatements.Run(
                    statements.ChangeMessage, m.Id, m.Entity, m.Sequence, (int)m.Standing, m.Deliveries, m.EnqueuedAt,
                        m.ExpiresAt,
                    m.Payload);
                break;
            case Change.MessageDelivered m: SqliteStatements.Run(statements.DeliverMessage, m.Id, m.Deliveries); break;
            case Change.MessageRemoved m: SqliteStatements.Run(statements.RemoveMessage, m.Id); break;
            case Change.IdRemembered m: SqliteStatements.Run(
                statements.RememberId, m.Entity, m.MessageId, m.Until); break;
            case Change.IdForgotten m: SqliteStatements.Run(statements.ForgetId, m.Entity, m.MessageId); break;
            case Change.SessionStateSet { State: { } state } m: SqliteStatements.Run(
                statements.SetSessionState, m.Entity, m.Session, state); break;
            case Change.SessionStateSet m: SqliteStatements.Run(
                statements.ClearSessionState, m.Entity, m.Session); break;
            case Change.EventAdded e:
                SqliteStatements.Run(
                    statements.AddEvent, EventId(e.Partition, e.Sequence), e.Offset, e.EnqueuedAt, e.Key, e.Payload);
                break;
            case Change.EventsTrimmed e:
                SqliteStatements.Run(statements.TrimEvents, EventId(e.Partition, 0), EventId(e.Partition, e.First));
                break;
            case Change.Checkpointed c: SqliteStatements.Run(
                statements.SetCheckpoint, c.Partition, c.Group, c.Sequence, c.Offset); break;
            default: throw new System.Diagnostics.UnreachableException();
        }
    }

    void Prepare(string file)
    {
        var layout = Number("PRAGMA user_version");
        if (layout == 0 && Number("SELECT count(*) FROM sqlite_schema") == 0)
        {
            Execute($"BEGIN; {Schema} PRAGMA application_id = {ApplicationId}; PRAGMA user_version = {Layout}; COMMIT;");
        }
        else if (layout != Layout || Number("PRAGMA application_id") != ApplicationId)
        {
            throw new IOException(
                $"'{file}' is not a messaging file of layout {Layout} (it says {layout}); delete it or use another one.");
        }

    }

    void Execute(string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    long Number(string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        return Convert.ToInt64(command.ExecuteScalar(), CultureInfo.InvariantCulture);
    }
}
