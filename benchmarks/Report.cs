using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Benchmarks;

/// <summary>One area's numbers, for people as Markdown and for machines as JSON.</summary>
sealed record Report(Area Area, Machine Machine, DateTimeOffset At, IReadOnlyList<Table> Tables)
{
    static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    public string ToJson() => JsonSerializer.Serialize(
        new
        {
            area = Area.Name,
            at = At,
            Machine,
            tables = Tables.Select(table => new { table.Title, table.Columns, table.Rows, table.Note }),
        },
        Options);

    /// <summary>A section of its own, which begins with its heading.</summary>
    public string ToMarkdown()
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"## {Area.Name}\n\n");
        text.Append(CultureInfo.InvariantCulture, $"`{Area.Name}`, {At:yyyy-MM-dd}: {Machine}.\n");
        foreach (var table in Tables)
        {
            text.Append(CultureInfo.InvariantCulture, $"\n### {table.Title}\n\n");
            Line(text, table.Columns);
            Line(text, table.Columns.Select((_, i) => IsNumber(table, i) ? "--:" : "---"));
            foreach (var row in table.Rows) Line(text, row.Select(Text));
            if (table.Note is not null) text.Append(CultureInfo.InvariantCulture, $"\n{table.Note}\n");
        }

        return text.ToString();
    }

    static void Line(StringBuilder text, IEnumerable<string> cells) =>
        text.Append("| ").AppendJoin(" | ", cells).Append(" |\n");

    static bool IsNumber(Table table, int column) =>
        table.Rows.Count > 0 && table.Rows.All(row => row[column] is not string);

    static string Text(object cell) => cell switch
    {
        string text => text,
        TimeSpan time => Text(time.TotalMilliseconds) + " ms",
        double number when Math.Abs(number) < 10 => number.ToString("0.00", CultureInfo.InvariantCulture),
        double number when Math.Abs(number) < 100 => number.ToString("0.0", CultureInfo.InvariantCulture),
        IFormattable number => number.ToString("#,0", CultureInfo.InvariantCulture),
        _ => throw new ArgumentException($"A cell is a text, a number or a time, not {cell.GetType()}."),
    };
}
