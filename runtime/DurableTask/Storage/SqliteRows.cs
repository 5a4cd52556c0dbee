using System.Text.Json;
using Microsoft.Data.Sqlite;

namespace Runtime.DurableTask;

/// <summary>Records and entries as rows.</summary>
static class SqliteRows
{
    internal static byte[] Write(IReadOnlyList<HistoryEntry> entries) =>
        JsonSerializer.SerializeToUtf8Bytes(entries, StoredJson.Compact.IReadOnlyListHistoryEntry);

    internal static byte[] Write(HistoryEntry body) =>
        JsonSerializer.SerializeToUtf8Bytes(body, StoredJson.Compact.HistoryEntry);

    internal static string? Write(Failure? failure) =>
        failure is null ? null : JsonSerializer.Serialize(failure, StoredJson.Compact.Failure);

    internal static string? Write(ParentLink? parent) =>
        parent is null ? null : JsonSerializer.Serialize(parent, StoredJson.Compact.ParentLink);

    internal static string? Write(IReadOnlyDictionary<string, string>? tags) =>
        tags is null ? null : JsonSerializer.Serialize(tags, StoredJson.Compact.IReadOnlyDictionaryStringString);

    // In the order of SqliteSchema.Columns.
    internal static InstanceRecord ReadRecord(SqliteDataReader row) => new()
    {
        InstanceId = row.GetString(0),
        ExecutionId = row.GetString(1),
        Name = row.GetString(2),
        Version = row.GetString(3),
        Input = Text(row, 4),
        Tags = Text(row, 5) is { } tags
            ? JsonSerializer.Deserialize(tags, StoredJson.Compact.IReadOnlyDictionaryStringString)
            : null,
        Parent = Text(row, 6) is { } parent ? JsonSerializer.Deserialize(parent, StoredJson.Compact.ParentLink) : null,
        CreatedAt = Time(row, 7)!.Value,
        StartAt = Time(row, 8),
        Status = (InstanceStatus)row.GetInt32(9),
        UpdatedAt = Time(row, 10)!.Value,
        CompletedAt = Time(row, 11),
        Output = Text(row, 12),
        CustomStatus = Text(row, 13),
        Failure = Text(row, 14) is { } failure ? JsonSerializer.Deserialize(failure, StoredJson.Compact.Failure) : null,
        Turns = row.GetInt32(15),
        Entries = row.GetInt32(16),
        Unread = row.GetInt32(17),
        HasStarted = row.GetBoolean(18),
    };

    internal static HistoryTurn ReadTurn(SqliteDataReader row) => new(
        Time(row, 0)!.Value,
        JsonSerializer.Deserialize(row.GetFieldValue<byte[]>(1), StoredJson.Compact.IReadOnlyListHistoryEntry)!);

    internal static Message ReadMessage(SqliteDataReader row) => new(
        row.GetInt64(0),
        row.GetString(1),
        Text(row, 2),
        JsonSerializer.Deserialize(row.GetFieldValue<byte[]>(3), StoredJson.Compact.HistoryEntry)!);

    internal static OpenTask ReadTask(SqliteDataReader row) =>
        new(row.GetString(0), row.GetString(1), row.GetInt32(2), Time(row, 3));

    static string? Text(SqliteDataReader row, int column) => row.IsDBNull(column) ? null : row.GetString(column);

    static DateTime? Time(SqliteDataReader row, int column) =>
        row.IsDBNull(column) ? null : new DateTime(row.GetInt64(column), DateTimeKind.Utc);
}
