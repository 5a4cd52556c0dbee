namespace Tidy.Tests;

/// <summary>One file of the repository, by its path from the root with forward slashes.</summary>
sealed record SourceFile(string Path, string Text)
{
    // Split as an editor counts: a last line break ends the last line, it does not begin another.
    public IReadOnlyList<string> Lines { get; } = [.. Text.ReplaceLineEndings("\n").TrimEnd('\n').Split('\n')];

    public bool IsCSharp => Path.EndsWith(".cs", StringComparison.Ordinal);

    public bool IsMarkdown => Path.EndsWith(".md", StringComparison.Ordinal);

    public bool IsProject => Path.EndsWith(".csproj", StringComparison.Ordinal);

    public bool IsCode => CodeEndings.Any(ending => Path.EndsWith(ending, StringComparison.Ordinal));

    public bool IsUnder(string folder) => Path.StartsWith(folder + "/", StringComparison.Ordinal);

    /// <summary>Says where something was found, in the form that editors open on a click.</summary>
    public string At(int line, string found) => $"{Path}:{line}: {found}";

    static readonly string[] CodeEndings =
        [".cs", ".csproj", ".props", ".targets", ".bicep", ".bicepparam", ".sh", ".yml", ".yaml"];
}

/// <summary>The working tree these tests were built from, without what tools leave behind.</summary>
static class Repository
{
    public static DirectoryInfo Root { get; } = FindRoot();

    static readonly HashSet<string> Skipped =
        ["bin", "obj", ".local", "node_modules", ".git", "TestResults", ".vs", ".idea", "BenchmarkDotNet.Artifacts"];

    static readonly HashSet<string> Endings =
    [
        ".cs", ".csproj", ".props", ".targets", ".bicep", ".bicepparam", ".sh", ".yml", ".yaml", ".md", ".editorconfig",
        ".gitignore",
    ];

    static readonly Lazy<IReadOnlyList<SourceFile>> Read = new(() =>
    [
        .. FilesUnder(Root.FullName)
            .Select(path => new SourceFile(Relative(path), File.ReadAllText(path)))
            .OrderBy(file => file.Path, StringComparer.Ordinal),
    ]);

    public static IReadOnlyList<SourceFile> Files => Read.Value;

    public static IEnumerable<SourceFile> CSharp => Files.Where(file => file.IsCSharp);

    /// <summary>Every folder's path from the root.</summary>
    public static IEnumerable<string> Folders => FoldersUnder(Root.FullName).Select(Relative);

    static IEnumerable<string> FilesUnder(string folder) => Directory.EnumerateFiles(folder)
        .Where(path => Endings.Contains(Path.GetExtension(path)))
        .Concat(Children(folder).SelectMany(FilesUnder));

    static IEnumerable<string> FoldersUnder(string folder) =>
        Children(folder).SelectMany(child => FoldersUnder(child).Prepend(child));

    static IEnumerable<string> Children(string folder) => Directory.EnumerateDirectories(folder)
        .Where(path => !Skipped.Contains(Path.GetFileName(path)) && !new DirectoryInfo(path).Attributes.HasFlag(
            FileAttributes.ReparsePoint));

    static string Relative(string path) => Path.GetRelativePath(Root.FullName, path).Replace('\\', '/');

    static DirectoryInfo FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (folder.EnumerateFiles("Serverless.sln").Any()) return folder;
        }

        throw new InvalidOperationException($"No Serverless.sln above {AppContext.BaseDirectory}.");
    }
}

/// <summary>Fails with every finding on a line of its own.</summary>
static class Findings
{
    public static void None(string rule, IEnumerable<string> findings)
    {
        var found = findings.ToList();
        Assert.True(found.Count == 0, $"{rule} ({found.Count})\n{string.Join('\n', found)}");
    }
}
