using Microsoft.Data.Sqlite;
using Runtime.Messaging.Hubs;

namespace Runtime.Messaging.Storage;

/// <summary>What the file knows of a message; its bytes stay there until somebody asks.</summary>
readonly record struct MessageRow(
    long Id, int Entity, long Sequence, long EnqueuedSequence, Standing Standing, int Deliveries, long EnqueuedAt,
    long ExpiresAt, long DueAt, string? Session, int Size);

/// <summary>An event as it lies in a partition.</summary>
sealed record StoredEvent(long Sequence, long Offset, long EnqueuedAt, string? Key, byte[] Payload);

/// <content>Opening: what the last process left. Later: what memory does not hold.</content>
sealed partial class SqliteStore
{
    /// <summary>The id of an entity and where its numbering goes on; a new path gets the next id.</summary>
    public (int Id, long NextSequence) Entity(string path)
    {
        using var command = connection.CreateCommand();
        command.CommandText = """
            INSERT OR IGNORE INTO entities(path, next_sequence) VALUES(?1, 1);
            SELECT id, next_sequence FROM entities WHERE path = ?1;
            """;
        command.Parameters.AddWithValue("?1", path);
        using var reader = command.ExecuteReader();
        reader.Read();
        return (reader.GetInt32(0), reader.GetInt64(1));
    }

    /// <summary>The id and head of a partition; a new path gets the next id and begins now.</summary>
    public (int Id, long CreatedAt, PartitionHead Head) Partition(string path, long now)
    {
        using var command = connection.CreateCommand();
        command.CommandText = """
            INSERT OR IGNORE INTO partitions(path, created_at, next_sequence, next_offset, last_enqueued_at)
              VALUES(?1, ?2, 0, 0, 0);
            SELECT id, created_at, next_sequence, next_offset, last_enqueued_at FROM partitions WHERE path = ?1;
            """;
        command.Parameters.AddWithValue("?1", path);
        command.Parameters.AddWithValue("?2", now);
        using var reader = command.ExecuteReader();
        reader.Read();
        var id = reader.GetInt32(0);
        var trimmed = new PartitionHead(reader.GetInt64(2), reader.GetInt64(3), reader.GetInt64(4));
        return (id, reader.GetInt64(1), HeadBehindLastEvent(id) ?? trimmed);
    }

    public IEnumerable<(int Id, string Path)> Entities() => Rows(
        "SELECT id, path FROM entities", row => (row.GetInt32(0), row.GetString(1)));

    public IEnumerable<string> PartitionPaths() => Rows("SELECT path FROM partitions", row => row.GetString(0));

    /// <summary>All messages, in the order in which they arrived.</summary>
    public IEnumerable<MessageRow> Messages() => Rows(
        """
        SELECT id, entity, sequence, enqueued_sequence, standing, deliveries, enqueued_at, expires_at, due_at, session,
          length(payload) FROM messages ORDER BY id
        """,
        row => new MessageRow(
            row.GetInt64(0), row.GetInt32(1), row.GetInt64(2), row.GetInt64(3), (Standing)row.GetInt32(4),
            row.GetInt32(5), row.GetInt64(6), row.GetInt64(7), row.GetInt64(8), row.IsDBNull(9) ? null
                : row.GetString(9),
            row.GetInt32(10)));

    public IEnumerable<(int Entity, string MessageId, long Until)> RememberedIds() => Rows(
        "SELECT entity, message_id, until FROM remembered_ids ORDER BY until",
        row => (row.GetInt32(0), row.GetString(1), row.GetInt64(2)));

    public IEnumerable<(int Entity, string Session, byte[] State)> SessionStates() => Rows(
        "SELECT entity, session, state FROM session_states",
        row => (row.GetInt32(0), row.GetString(1), row.GetFieldValue<byte[]>(2)));

    public IEnumerable<(int Partition, string Group, long Sequence, long Offset)> Checkpoints() => Rows(
        "SELECT partition, consumer_group, sequence, offset FROM checkpoints",
        row => (row.GetInt32(0), row.GetString(1), row.GetInt64(2), row.GetInt64(3)));

    /// <summary>The sequence of the oldest event a partition still has, or null.</summary>
    public long? FirstEvent(int partition) => ReadEvents(partition, 0, 1) is [var first, ..] ? first.Sequence : null;

    public byte[] ReadPayload(long message)
    {
        lock (gate)
        {
            SqliteStatements.Bind(statements.ReadPayload, message);
            return (byte[]?)statements.ReadPayload.ExecuteScalar()
                ?? throw new InvalidDataException($"Message row {message} is missing from the file.");
        }
    }

    public List<StoredEvent> ReadEvents(int partition, long from, int countMax)
    {
        lock (gate)
        {
            SqliteStatements.Bind(statements.ReadEvents, EventId(partition, from), EventId(partition + 1, 0), countMax);
            using var reader = statements.ReadEvents.ExecuteReader();
            var events = new List<StoredEvent>();
            while (reader.Read())
            {
                events.Add(new(
                    reader.GetInt64(0) & ((1L << EventSequenceBits) - 1), reader.GetInt64(1), reader.GetInt64(2),
                    reader.IsDBNull(3) ? null : reader.GetString(3), reader.GetFieldValue<byte[]>(4)));
            }

            return events;
        }
    }

    /// <summary>The first event at or after an offset, or null.</summary>
    public long? FindOffset(int partition, long offset) => Find(statements.FindOffset, partition, offset);

    /// <summary>The first event taken in at or after an instant, or null.</summary>
    public long? FindTime(int partition, long ticks) => Find(statements.FindTime, partition, ticks);

    /// <summary>Null when the partition has no events; then its row says where it goes on.</summary>
    PartitionHead? HeadBehindLastEvent(int partition)
    {
        using var command = connection.CreateCommand();
        command.CommandText = """
            SELECT id, offset, enqueued_at,
                length(payload) FROM events WHERE id >= ?1 AND id < ?2 ORDER BY id DESC LIMIT 1
            """;
        command.Parameters.AddWithValue("?1", EventId(partition, 0));
        command.Parameters.AddWithValue("?2", EventId(partition + 1, 0));
        using var reader = command.ExecuteReader();
        return reader.Read()
            ? new(
                (reader.GetInt64(0) & ((1L << EventSequenceBits) - 1)) + 1,
                reader.GetInt64(1) + reader.GetInt64(3) + HubPartition.OffsetOverhead, reader.GetInt64(2))
            : null;
    }

    long? Find(SqliteCommand statement, int partition, long bound)
    {
        lock (gate)
        {
            SqliteStatements.Bind(statement, EventId(partition, 0), EventId(partition + 1, 0), bound);
            return (long?)statement.ExecuteScalar() & ((1L << EventSequenceBits) - 1);
        }
    }

    IEnumerable<T> Rows<T>(string sql, Func<SqliteDataReader, T> read)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        using var reader = command.ExecuteReader();
        while (reader.Read())
        {
            yield return read(reader);
        }
    }
}
