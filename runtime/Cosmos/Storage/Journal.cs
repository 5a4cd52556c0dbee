using Microsoft.Data.Sqlite;
using Runtime.Cosmos.ChangeFeed;

namespace Runtime.Cosmos.Storage;

/// <summary>The SQLite file behind a store: loaded whole at the start, then only written.</summary>
/// <remarks>
/// Write-ahead log with synchronous NORMAL: a commit is handed to the operating system before it is answered, so a
/// killed process loses nothing; the log is flushed to the platters at checkpoints, so a power cut may lose the newest
/// commits (never half of one, never the file). FULL flushes every commit; it costs about a third of the throughput on
/// a fast disk and far more on a slow one, which is why it is a choice (<see cref="CosmosServerOptions.PowerSafe"/>).
/// </remarks>
sealed class Journal : IDisposable
{
    const int FormatVersion = 1;

    // 16 MB of log before it is moved into the database: fewer flushes for a little longer recovery.
    const int CheckpointPages = 4_000;

    // The row id is the container's number above the item's, so that new items are appended at the tree's end.
    const int ItemBits = 40;

    readonly SqliteConnection connection;
    readonly SqliteCommand putItem;
    readonly SqliteCommand dropItem;
    readonly SqliteCommand putHistory;
    readonly SqliteCommand putCounters;

    Journal(SqliteConnection connection)
    {
        this.connection = connection;
        putItem = Prepare("INSERT OR REPLACE INTO items VALUES ($key, $lsn, $ordinal, $ts, $etag, $body)");
        dropItem = Prepare("DELETE FROM items WHERE key = $key");
        putHistory = Prepare("INSERT OR REPLACE INTO history VALUES ($container, $lsn, $ordinal, $ts, $pk, $text)");
        putCounters = Prepare("UPDATE containers SET lsn = $lsn, lastNumber = $last WHERE number = $number");
    }

    public static Journal Open(string file, bool powerSafe)
    {
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder
        {
            DataSource = file,
            Pooling = false,
        }.ToString());
        try
        {
            connection.Open();
            Execute(connection, $"""
                PRAGMA journal_mode = WAL;
                PRAGMA wal_autocheckpoint = {CheckpointPages};
                PRAGMA synchronous = {(powerSafe ? "FULL" : "NORMAL")};
                PRAGMA locking_mode = EXCLUSIVE;
                CREATE TABLE IF NOT EXISTS format (version INTEGER NOT NULL);
                CREATE TABLE IF NOT EXISTS databases
                    (number INTEGER PRIMARY KEY, name TEXT NOT NULL, created INTEGER NOT NULL);
                CREATE TABLE IF NOT EXISTS containers
                    (number INTEGER PRIMARY KEY, database INTEGER NOT NULL, definition BLOB NOT NULL,
                     created INTEGER NOT NULL, lsn INTEGER NOT NULL, lastNumber INTEGER NOT NULL);
                CREATE TABLE IF NOT EXISTS items
                    (key INTEGER PRIMARY KEY, lsn INTEGER NOT NULL, ordinal INTEGER NOT NULL, ts INTEGER NOT NULL,
                     etag TEXT NOT NULL, body BLOB NOT NULL);
                CREATE TABLE IF NOT EXISTS history
                    (container INTEGER NOT NULL, lsn INTEGER NOT NULL, ordinal INTEGER NOT NULL, ts INTEGER NOT NULL,
                     pk TEXT NOT NULL, text BLOB NOT NULL, PRIMARY KEY (container, lsn, ordinal)) WITHOUT ROWID;
                CREATE TABLE IF NOT EXISTS numbers (last INTEGER NOT NULL);
                INSERT INTO format SELECT {FormatVersion} WHERE NOT EXISTS (SELECT * FROM format);
                INSERT INTO numbers SELECT 0 WHERE NOT EXISTS (SELECT * FROM numbers);
                """);
            var version = Scalar(connection, "SELECT version FROM format");
            return version == FormatVersion
                ? new Journal(connection)
                : throw new InvalidOperationException(
                    $"The file '{file}' has format {version}; this server reads format {FormatVersion}.");
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    public void Commit(IReadOnlyList<StoredChange> changes)
    {
        if (changes.Count == 0)
        {
            return;
        }

        using var transaction = connection.BeginTransaction(deferred: false);
        foreach (var change in changes)
        {
            switch (change)
            {
                case ItemsChange items:
                    Write(items, transaction);
                    break;
                case DatabaseChange database:
                    Write(database);
                    break;
                case ContainerChange container:
                    Write(container);
                    break;
            }
        }

        transaction.Commit();
    }

    public Catalog Load(long now)
    {
        var catalog = new Catalog { LastNumber = (int)Scalar(connection, "SELECT last FROM numbers") };
        var numbered = new Dictionary<long, Database>();
        using (var rows = Query("SELECT number, name, created FROM databases"))
        {
            while (rows.Read())
            {
                var database = new Database(rows.GetInt32(0), rows.GetString(1), rows.GetInt64(2));
                numbered.Add(database.Number, database);
            }
        }

        using (var rows = Query("SELECT number, database, definition, created, lsn, lastNumber FROM containers"))
        {
            while (rows.Read())
            {
                var definition = ContainerDefinition.Parse(rows.GetFieldValue<byte[]>(2));
                var container = new Container(rows.GetInt32(0), rows.GetInt32(1), definition, rows.GetInt64(3));
                container.Load(ContainerState.Load(LoadItems(container), rows.GetInt64(4), rows.GetInt64(5)) with
                {
                    History = SortedTree<HistoryEntry>.FromSorted(HistoryEntry.Order, LoadHistory(container, now)),
                });
                var database = numbered[container.Database];
                numbered[container.Database] = database with
                {
                    Containers = database.Containers.SetItem(definition.Id, container),
                };
            }
        }

        return numbered.Values.Aggregate(catalog, (whole, database) => whole.With(database));
    }

    public void Dispose()
    {
        putItem.Dispose();
        dropItem.Dispose();
        putHistory.Dispose();
        putCounters.Dispose();
        connection.Dispose();
    }

    List<Item> LoadItems(Container container)
    {
        var items = new List<Item>();
        using var rows = Query(
            $"SELECT key, lsn, ordinal, ts, etag, body FROM items " +
            $"WHERE key BETWEEN {Key(container, 0)} AND {Key(container, (1L << ItemBits) - 1)}");
        while (rows.Read())
        {
            var body = rows.GetFieldValue<byte[]>(5);
            var draft = Draft.Reread(body, container.Definition);
            items.Add(new Item
            {
                Partition = container.PartitionOf(draft.Key),
                Id = draft.Id,
                Number = rows.GetInt64(0) & ((1L << ItemBits) - 1),
                Lsn = rows.GetInt64(1),
                Ordinal = rows.GetInt32(2),
                Timestamp = rows.GetInt64(3),
                ExpiresAt = container.Definition.Expiry(rows.GetInt64(3), draft.TimeToLive),
                ETag = rows.GetString(4),
                Body = body,
                UniqueKeys = draft.UniqueKeys,
            });
        }

        return items;
    }

    /// <summary>What is older than the container says is deleted rather than loaded.</summary>
    List<HistoryEntry> LoadHistory(Container container, long now)
    {
        var begin = now - (long)(container.Definition.HistoryRetention ?? TimeSpan.Zero).TotalSeconds;
        Execute(connection, "DELETE FROM history WHERE container = $a AND ts < $b", container.Number, begin);
        var entries = new List<HistoryEntry>();
        using var rows = Query(
            "SELECT lsn, ordinal, ts, pk, text FROM history " +
            $"WHERE container = {container.Number} ORDER BY lsn, ordinal");
        while (rows.Read())
        {
            entries.Add(new HistoryEntry(
                container.PartitionOf(new PartitionKey(rows.GetString(3))), rows.GetInt64(0), rows.GetInt32(1),
                rows.GetInt64(2), rows.GetFieldValue<byte[]>(4)));
        }

        return entries;
    }

    void Write(ItemsChange change, SqliteTransaction transaction)
    {
        foreach (var entry in change.History)
        {
            Bind(putHistory, transaction, change.Container.Number, entry.Lsn, entry.Ordinal, entry.Timestamp,
                entry.Partition.Key.Canonical, entry.Text);
        }

        foreach (var item in change.Items)
        {
            if (item.After is { } stored)
            {
                Bind(putItem, transaction, Key(change.Container, stored.Number), stored.Lsn, stored.Ordinal,
                    stored.Timestamp, stored.ETag, stored.Body);
            }
            else
            {
                Bind(dropItem, transaction, Key(change.Container, item.Before!.Number));
            }
        }

        Bind(putCounters, transaction, change.Items[0].Lsn, change.LastNumber, change.Container.Number);
    }

    void Write(DatabaseChange change)
    {
        var number = change.Database.Number;
        if (change.IsDropped)
        {
            Execute(connection, "DELETE FROM databases WHERE number = $a", number);
            return;
        }

        Execute(connection, "UPDATE numbers SET last = max(last, $a)", number);
        Execute(connection, "INSERT INTO databases VALUES ($a, $b, $c)",
            number, change.Database.Id, change.Database.Created);
    }

    void Write(ContainerChange change)
    {
        var number = change.Container.Number;
        if (change.IsDropped)
        {
            Execute(connection, "DELETE FROM containers WHERE number = $a", number);
            Execute(connection, "DELETE FROM items WHERE key BETWEEN $a AND $b",
                Key(change.Container, 0), Key(change.Container, (1L << ItemBits) - 1));
            Execute(connection, "DELETE FROM history WHERE container = $a", number);
            return;
        }

        Execute(connection, "UPDATE numbers SET last = max(last, $a)", number);
        Execute(connection, """
            INSERT INTO containers VALUES ($a, $b, $c, $d, 0, 0)
            ON CONFLICT (number) DO UPDATE SET definition = excluded.definition
            """, number, change.Container.Database, change.Definition.Text, change.Container.Created);
    }

    static long Key(Container container, long number) => ((long)container.Number << ItemBits) | number;

    SqliteCommand Prepare(string text)
    {
        var command = connection.CreateCommand();
        command.CommandText = text;
        for (var at = text.IndexOf('$'); at >= 0; at = text.IndexOf('$', at + 1))
        {
            var end = at + 1;
            while (end < text.Length && char.IsLetter(text[end]))
            {
                end++;
            }

            command.Parameters.Add(new SqliteParameter { ParameterName = text[at..end] });
        }

        return command;
    }

    static void Bind(SqliteCommand command, SqliteTransaction transaction, params ReadOnlySpan<object> values)
    {
        for (var i = 0; i < values.Length; i++)
        {
            command.Parameters[i].Value = values[i];
        }

        command.Transaction = transaction;
        command.ExecuteNonQuery();
    }

    static void Execute(SqliteConnection connection, string text, params object[] values)
    {
        using var command = connection.CreateCommand();
        command.CommandText = text;
        for (var i = 0; i < values.Length; i++)
        {
            command.Parameters.AddWithValue($"${(char)('a' + i)}", values[i]);
        }

        command.ExecuteNonQuery();
    }

    static long Scalar(SqliteConnection connection, string text)
    {
        using var command = connection.CreateCommand();
        command.CommandText = text;
        return (long)command.ExecuteScalar()!;
    }

    SqliteDataReader Query(string text)
    {
        var command = connection.CreateCommand();
        command.CommandText = text;
        return command.ExecuteReader();
    }
}
