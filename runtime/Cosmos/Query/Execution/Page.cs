using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Runtime.Cosmos.Charges;
using Runtime.Cosmos.Query.Syntax;
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

    /// <summary>A row that is the item itself is answered in the very bytes that are stored.</summary>
    public void Add(Item item)
    {
        Separate();
        output.Write(item.Body);
    }

    public void Add(Value row)
    {
        Separate();
        writer ??= JsonText.Writer(output);
        row.WriteTo(writer);
        writer.Flush();
        writer.Reset();
    }

    void Separate() => output.Write(Rows++ > 0 ? ","u8 : default);

    public Page Finish(Position? next, double charge) => new(output.WrittenMemory, Rows, next, charge);

    public void Dispose() => writer?.Dispose();
}

/// <summary>Counts what a page did, for its charge.</summary>
/// <remarks>
/// An aggregate over indexed values alone never loads a document. A query that must see everything sees it for its
/// first page; that a later page of this server looks again is not the client's to pay for.
/// </remarks>
sealed class Tally(IndexFilter filter, SelectQuery query, bool isCounting, ContainerDefinition definition)
{
    readonly bool isIndexOnly = filter.IsWhole && query is { IsGrouped: true, From.Count: 0, GroupBy.Count: 0 } &&
        query.Aggregates.TrueForAll(aggregate => aggregate.Argument is Constant ||
            (aggregate.Argument is PathExpression path && IndexFilter.IsIndexed(path, definition)));

    QueryWork work = new() { Lookups = filter.Lookups + query.OrderBy.Count };

    public void Add(Item item, bool isLoaded)
    {
        if (!isCounting || !isLoaded)
        {
            return;
        }

        work = isIndexOnly
            ? work with { Entries = work.Entries + 1 }
            : work with { Documents = work.Documents + 1, BytesLoaded = work.BytesLoaded + item.Body.Length };
    }

    public double Charge(PageWriter page) => RequestUnits.Query(work with { BytesWritten = page.Bytes });
}
