namespace Benchmarks;

/// <summary><c>RESULTS.md</c>: the last run of every area, each in a section of its own.</summary>
static class Results
{
    public static string File { get; } = Path.Combine(Folder(), "RESULTS.md");

    public static async Task SaveAsync(Report report, CancellationToken stop)
    {
        var text = await System.IO.File.ReadAllTextAsync(File, stop);
        await System.IO.File.WriteAllTextAsync(File, With(text, report.Area.Name, report.ToMarkdown()), stop);
    }

    /// <summary>The text with the area's section in place of its last one, or behind all others.</summary>
    public static string With(string text, string area, string section)
    {
        var lines = text.TrimEnd().Split('\n').ToList();
        var start = lines.IndexOf($"## {area}");
        if (start < 0) return text.TrimEnd() + "\n\n" + section;
        var end = lines.FindIndex(start + 1, line => line.StartsWith("## ", StringComparison.Ordinal));
        var behind = end < 0 ? "" : "\n" + string.Join('\n', lines[end..]) + "\n";
        return string.Join('\n', lines[..start]) + "\n" + section + behind;
    }

    static string Folder()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (folder.EnumerateFiles("Serverless.sln").Any()) return Path.Combine(folder.FullName, "benchmarks");
        }

        throw new InvalidOperationException($"No Serverless.sln above {AppContext.BaseDirectory}.");
    }
}
