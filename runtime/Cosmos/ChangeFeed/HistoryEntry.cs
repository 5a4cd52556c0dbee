using System.Buffers;
using System.Text.Json;
using Runtime.Cosmos.Query;
using Runtime.Cosmos.Storage;

namespace Runtime.Cosmos.ChangeFeed;

/// <summary>One change as the feed of all versions and deletes tells it, kept as the text it will be told in.</summary>
sealed record HistoryEntry(Partition Partition, long Lsn, int Ordinal, long Timestamp, byte[] Text)
{
    public static readonly IComparer<HistoryEntry> Order = Comparer<HistoryEntry>.Create((x, y) =>
    {
        var order = x.Lsn.CompareTo(y.Lsn);
        return order != 0 ? order : x.Ordinal.CompareTo(y.Ordinal);
    });

    public static HistoryEntry Of(ItemChange change)
    {
        var output = new ArrayBufferWriter<byte>();
        using (var writer = JsonText.Writer(output))
        {
            writer.WriteStartObject();
            Image(writer, "current", change.After);
            Image(writer, "previous", change.Before);
            writer.WriteStartObject("metadata");
            writer.WriteNumber("lsn", change.Lsn);
            writer.WriteNumber("crts", change.Timestamp);
            writer.WriteString("operationType", (change.Before, change.After) switch
            {
                (null, _) => "create",
                (_, null) => "delete",
                _ => "replace",
            });
            writer.WriteNumber("previousImageLSN", change.Before?.Lsn ?? 0);
            if (change.After is null)
            {
                Deleted(writer, change);
            }

            writer.WriteEndObject();
            writer.WriteEndObject();
        }

        var partition = (change.After ?? change.Before)!.Partition;
        return new HistoryEntry(partition, change.Lsn, change.Ordinal, change.Timestamp, output.WrittenSpan.ToArray());
    }

    static void Image(Utf8JsonWriter writer, string name, Item? item)
    {
        if (item is not null)
        {
            writer.WritePropertyName(name);
            writer.WriteRawValue(item.Body, skipInputValidation: true);
        }
    }

    // The item is gone, so the entry itself must say which one it was.
    static void Deleted(Utf8JsonWriter writer, ItemChange change)
    {
        var document = Documents.Read(change.Before!.Body);
        writer.WriteBoolean("timeToLiveExpired", change.IsExpiry);
        writer.WriteString("id", change.Before.Id);
        writer.WriteStartObject("partitionKey");
        foreach (var path in change.Container.Definition.PartitionKeyPaths)
        {
            var value = path.Segments.Aggregate(document, (holder, name) => holder.Property(name));
            if (!value.IsUndefined)
            {
                writer.WritePropertyName(path.Segments[^1]);
                value.WriteTo(writer);
            }
        }

        writer.WriteEndObject();
    }
}

/// <summary>The first change after a transaction.</summary>
readonly struct AfterChangeProbe(long lsn) : IProbe<HistoryEntry>
{
    public int Compare(HistoryEntry entry) => entry.Lsn > lsn ? -1 : 1;
}
