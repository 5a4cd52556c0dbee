using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Runtime.Cosmos.Charges;
using Runtime.Cosmos.Storage;

namespace Runtime.Cosmos.Query.Execution;

/// <summary>The rows of a page as JSON, and where the next page starts if there is one.</summary>
sealed record Page(ReadOnlyMemory<byte> RowsText, int Rows, Position? Next, double Charge)
{
    public byte[] Body(string rid)
    {
        var opening = Encoding.UTF8.GetBytes($"{{\"_rid\":\"{rid}\",\"Documents\":[");
        var closing = Encoding.UTF8.GetBytes($"],\"_count\":{Rows.ToString(CultureInfo.InvariantCulture)}}}");
        return [.. opening, .. RowsText.Span, .. closing];
    }
}

/// <summary>Collects rows until a page has enough of them, by count or by size.</summary>
sealed class PageWriter(int rowsMax) : IDisposable
{
    readonly ArrayBufferWriter<byte> output = new();
    Utf8JsonWriter? writer;

    public int Rows { get; private set; }

    public int Bytes => output.WrittenCount;

    public bool IsFull => Rows >= rowsMax || output.WrittenCount >= CosmosLimits.PageBytesMax;

    public void Add(Value row, Candidate? candidate)
    {
        if (Rows++ > 0)
        {
            output.Write(","u8);
        }

        // A row that is the item itself is answered in the very bytes that are stored.
        if (candidate is { } whole && row.Element is { } element && element.Equals(whole.Document.Element))
        {
            output.Write(whole.Item.Body);
            return;
        }

        writer ??= JsonText.Writer(output);
        row.WriteTo(writer);
        writer.Flush();
        writer.Reset();
    }

    public Page Finish(Position? next, double charge) => new(output.WrittenMemory, Rows, next, charge);

    public void Dispose() => writer?.Dispose();
}

/// <summary>Counts what a page did, for its charge.</summary>
sealed class Tally(IndexFilter filter)
{
    long loadedBytes;
    int loaded;

    public void Add(Item item, bool isLoaded)
    {
        if (isLoaded)
        {
            loaded++;
            loadedBytes += item.Body.Length;
        }
    }

    public double Charge(PageWriter page) => RequestUnits.Query(filter.Lookups, loaded, loadedBytes, page.Bytes);
}
