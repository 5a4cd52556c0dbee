namespace Benchmarks;

/// <summary>One run of an area: how thorough it is, what it has measured so far, and when to stop.</summary>
sealed class Run(bool isQuick, CancellationToken stop)
{
    /// <summary>A smoke test: everything is run, nothing is worth quoting.</summary>
    public bool IsQuick { get; } = isQuick;

    public CancellationToken Stop { get; } = stop;

    public List<Table> Tables { get; } = [];

    /// <summary>How long to repeat something: so long, or a moment in a quick run.</summary>
    public TimeSpan For(double seconds) => TimeSpan.FromSeconds(IsQuick ? seconds / 20 : seconds);

    public Table Add(string title, params string[] columns)
    {
        var table = new Table(title, columns);
        Tables.Add(table);
        return table;
    }

    /// <summary>Progress, on the error stream: the other one is for the result alone.</summary>
    public static void Say(string what) => Console.Error.WriteLine($"  {what} …");
}

/// <summary>A title, columns, and rows of texts and numbers; the first columns say what was measured.</summary>
sealed record Table(string Title, IReadOnlyList<string> Columns)
{
    public List<IReadOnlyList<object>> Rows { get; } = [];

    /// <summary>One sentence on how to read the numbers.</summary>
    public string? Note { get; set; }

    public void Row(params object[] cells)
    {
        if (cells.Length != Columns.Count)
            throw new ArgumentException($"\"{Title}\" has {Columns.Count} columns, the row {cells.Length} cells.");
        Rows.Add(cells);
    }
}
