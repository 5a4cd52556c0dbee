using System.Text.RegularExpressions;

namespace Tidy.Tests;

/// <summary>A type or folder whose name says nothing has no subject of its own; the root is not a desk.</summary>
public sealed partial class Names
{
    static readonly HashSet<string> Forbidden = new(
        [
            "Helper", "Helpers", "Util", "Utils", "Utility", "Utilities", "Common", "Manager", "Managers", "Processor",
            "Processors", "Base", "Impl", "Data", "Info", "Dto", "Dtos",
        ],
        StringComparer.OrdinalIgnoreCase);

    static readonly HashSet<string> Root =
    [
        ".ci", ".devcontainer", ".editorconfig", ".git", ".gitattributes", ".github", ".gitignore", "azure.yaml",
        "BannedSymbols.txt", "benchmarks", "CHANGELOG.md", "CODE_OF_CONDUCT.md", "compose.yaml", "CONTRIBUTING.md",
        "Directory.Build.props", "Directory.Build.targets", "Directory.Packages.props", "docs", "functions",
        "global.json", "host.json", "infra", "LICENSE", "local.settings.sample.json", "nuget.config", "README.md",
        "runtime", "SECURITY.md", "Serverless.sln", "src", "tests",
    ];

    [Fact]
    public void Types_are_named_for_what_they_are() => Findings.None(
        "Type names hold none of " + string.Join(", ", Forbidden), Repository.CSharp.SelectMany(VagueTypes));

    [Fact]
    public void Folders_are_named_for_what_they_hold() => Findings.None(
        "Folder names hold none of " + string.Join(", ", Forbidden), Repository.Folders.SelectMany(VagueFolder));

    [Fact]
    public void The_root_holds_what_the_design_names() => Findings.None(
        "The root holds nothing else", Strays(
            Repository.Root.EnumerateFileSystemInfos().Select(entry => entry.Name),
            Repository.Files.Single(file => file.Path == ".gitignore").Lines));

    [Theory]
    [InlineData("class OrderHelper;", "OrderHelper")]
    [InlineData("public sealed record CustomerDTO(int X);", "CustomerDTO")]
    [InlineData("readonly record struct EventInfo(int X);", "EventInfo")]
    [InlineData("interface IStoreManager;", "IStoreManager")]
    [InlineData("enum BaseKind { }", "BaseKind")]
    [InlineData("namespace Azure;\nclass EventProcessor;", null)]
    [InlineData("namespace Microsoft.Azure.Functions.Worker\n{\nclass FunctionData;\n}", null)]
    [InlineData("namespace Runtime.Azure;\nclass EventProcessor;", "EventProcessor")]
    [InlineData("class Database;\nclass Metadata;\nclass Commonwealth;\n// class Helper\n", null)]
    public void A_vague_type_is_noticed(string code, string? name)
    {
        var line = code.ReplaceLineEndings("\n").Split('\n').Length;
        Assert.Equal(name is null ? [] : [$"a.cs:{line}: {name}"], VagueTypes(new("a.cs", code)));
    }

    [Theory]
    [InlineData("src/Commerce/Helpers", true)]
    [InlineData("infra/common", true)]
    [InlineData("src/Order.Utils", true)]
    [InlineData("infra/data-base", true)]
    [InlineData("src/Database", false)]
    [InlineData("src/common/Orders", false)]
    public void A_vague_folder_is_noticed(string folder, bool vague) =>
        Assert.Equal(vague ? [$"{folder}:1: vague folder name"] : [], VagueFolder(folder));

    [Fact]
    public void A_stray_in_the_root_is_noticed() => Assert.Equal(
        ["PLAN.md:1: not named by the design", "notes:1: not named by the design"],
        Strays(["src", "bin", "me.user", ".local", "PLAN.md", "notes"], ["bin/", "*.user", ".local/", "# notes", ""]));

    static IEnumerable<string> VagueTypes(SourceFile file)
    {
        var code = CSharpText.CodeOf(file.Text);

        // What stands in an SDK's namespace has the name the SDK gave it.
        if (SdkNamespace().IsMatch(code)) return [];
        return Declaration().Matches(code)
            .Where(match => IsVague(match.Groups["name"].Value))
            .Select(match => file.At(code.AsSpan(0, match.Index).Count('\n') + 1, match.Groups["name"].Value));
    }

    static IEnumerable<string> VagueFolder(string folder) =>
        IsVague(folder[(folder.LastIndexOf('/') + 1)..]) ? [$"{folder}:1: vague folder name"] : [];

    static bool IsVague(string name) => Word().Matches(name).Any(word => Forbidden.Contains(word.Value));

    static IEnumerable<string> Strays(IEnumerable<string> entries, IReadOnlyList<string> ignored) => entries
        .Where(entry => !Root.Contains(entry) && !ignored.Any(pattern => IsIgnored(entry, pattern.Trim())))
        .Select(entry => $"{entry}:1: not named by the design");

    static bool IsIgnored(string entry, string pattern) => pattern.StartsWith('*')
        ? entry.EndsWith(pattern[1..], StringComparison.Ordinal)
        : entry == pattern.TrimEnd('/');

    [GeneratedRegex(@"\bnamespace\s+(Microsoft|Azure)\b")]
    private static partial Regex SdkNamespace();

    [GeneratedRegex(@"\b(class|struct|interface|enum|record|delegate\s+[\w<>\[\],.? ]+?)\s+(?<name>[A-Z]\w*)")]
    private static partial Regex Declaration();

    // "CustomerDTO" is Customer and DTO, "IStoreManager" is I, Store and Manager, "data-base" is data and base.
    [GeneratedRegex(@"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")]
    private static partial Regex Word();
}
