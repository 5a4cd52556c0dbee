using System.Text.RegularExpressions;

namespace Tidy.Tests;

/// <summary>Who may know whom: the arrows of docs/ARCHITECTURE.md, in project references and in code.</summary>
public sealed partial class Layers
{
    static readonly string[] Contexts =
        ["Catalog", "Customers", "Inventory", "Ordering", "Payments", "Restocking", "Shipping"];

    // A project's folder, and the folders of the projects it may reference. Tests and benchmarks may know everything.
    static readonly Dictionary<string, string[]> Arrows = new()
    {
        ["src/EventSourcing"] = [],
        ["src/EventSourcing.Cosmos"] = ["src/EventSourcing"],
        ["src/Commerce"] = ["src/EventSourcing"],
        ["functions"] =
        [
            "src/Commerce", "src/EventSourcing", "src/EventSourcing.Cosmos", "runtime/Worker", "runtime/DurableTask",
            "runtime/Messaging",
        ],
        ["runtime/Local"] =
            ["functions", "runtime/Cosmos", "runtime/DurableTask", "runtime/Messaging", "runtime/Worker"],
        ["runtime/Cosmos"] = [],
        ["runtime/DurableTask"] = [],
        ["runtime/Messaging"] = ["runtime/DurableTask", "runtime/Worker"],
        ["runtime/Worker"] = ["runtime/DurableTask", "runtime/Messaging"],
    };

    // What the code under a folder must not name, and why.
    static readonly (string Folder, string Except, string Names, string Because)[] Walls =
    [
        ("src/EventSourcing", "", @"EventSourcing\.Cosmos|Commerce|Microsoft|Azure|Newtonsoft|Runtime",
            "the core has no packages and knows nobody"),
        ("src/EventSourcing.Cosmos", "", @"Commerce|Runtime", "a store knows no domain"),
        ("src/Commerce", "",
            @"EventSourcing\.Cosmos|Microsoft|Azure|Newtonsoft|Runtime|System\.(Text\.Json|Net|IO)",
            "the domain is pure"),
        ("functions", "functions/Program.cs", @"EventSourcing\.Cosmos", "only Program.cs composes"),
        ("functions", "", @"Runtime", "the Azure build has no runtime"),
        ("runtime", "runtime/Local/", @"Commerce|EventSourcing", "the runtime runs any function app"),
        ("runtime/Local", "", @"EventSourcing\.Cosmos", "the local host composes the app, not its store"),
    ];

    [Fact]
    public void Projects_reference_along_the_arrows() => Findings.None(
        "References follow the arrows", Repository.Files.Where(file => file.IsProject).SelectMany(WrongReferences));

    [Fact]
    public void Code_names_nothing_behind_a_wall() => Findings.None(
        "Layers know only what lies below", Repository.CSharp.SelectMany(WrongNames));

    [Fact]
    public void A_context_never_names_another() => Findings.None(
        "Only a saga knows two contexts", Repository.CSharp.SelectMany(WrongContexts));

    [Fact]
    public void Every_context_is_watched() => Assert.Equal(
        Contexts,
        Repository.Folders.Where(folder => folder.StartsWith("src/Commerce/", StringComparison.Ordinal))
            .Select(folder => folder["src/Commerce/".Length..])
            .Order(StringComparer.Ordinal));

    [Theory]
    [InlineData("src/Commerce/C.csproj", "<ProjectReference Include=\"../EventSourcing/E.csproj\" />", 0)]
    [InlineData("src/Commerce/C.csproj", "<ProjectReference Include=\"..\\EventSourcing.Cosmos\\E.csproj\" />", 1)]
    [InlineData("src/Commerce/C.csproj", "<PackageReference Include=\"Newtonsoft.Json\" />", 1)]
    [InlineData("src/EventSourcing/E.csproj", "<ProjectReference Include=\"../Commerce/Commerce.csproj\" />", 1)]
    [InlineData("runtime/Worker/W.csproj", "<ProjectReference Include=\"../../functions/Functions.csproj\" />", 1)]
    [InlineData("runtime/Local/L.csproj", "<ProjectReference Include=\"../../functions/Functions.csproj\" />", 0)]
    [InlineData("tests/A.Tests/A.csproj", "<ProjectReference Include=\"../../functions/Functions.csproj\" />", 0)]
    [InlineData("src/New/New.csproj", "<ProjectReference Include=\"../EventSourcing/E.csproj\" />", 1)]
    public void A_wrong_reference_is_noticed(string path, string text, int findings) =>
        Assert.Equal(findings, WrongReferences(new(path, text)).Count());

    [Theory]
    [InlineData("functions/Program.cs", "using EventSourcing.Cosmos;", 0)]
    [InlineData("functions/Commands/A.cs", "using EventSourcing.Cosmos;", 1)]
    [InlineData("functions/Commands/A.cs", "var store = new EventSourcing.Cosmos.Store();", 1)]
    [InlineData("functions/Commands/A.cs", "using EventSourcing;\nusing Microsoft.Azure.Cosmos;", 0)]
    [InlineData("functions/Program.cs", "using Runtime.Worker;", 1)]
    [InlineData("src/Commerce/Ordering/A.cs", "using System.Text.Json;", 1)]
    [InlineData("src/Commerce/Ordering/A.cs", "using Microsoft.Extensions.Logging;", 1)]
    [InlineData("src/EventSourcing/A.cs", "namespace EventSourcing;\nusing System.Text.Json;", 0)]
    [InlineData("src/EventSourcing/A.cs", "global::Commerce.Money total;", 1)]
    [InlineData("runtime/Worker/A.cs", "using Commerce.Ordering;", 1)]
    [InlineData("runtime/Worker/A.cs", "namespace Microsoft.Azure.Functions.Worker;", 0)]
    [InlineData("runtime/Local/A.cs", "using Functions;", 0)]
    public void A_wrong_name_is_noticed(string path, string text, int findings) =>
        Assert.Equal(findings, WrongNames(new(path, text)).Count());

    [Theory]
    [InlineData("src/Commerce/Ordering/A.cs", "using Commerce.Inventory;", 1)]
    [InlineData("src/Commerce/Ordering/A.cs", "var stock = Inventory.Stock.Decider;", 1)]
    [InlineData("src/Commerce/Ordering/A.cs", "using static Commerce.Ordering.OrderEvent;", 0)]
    [InlineData("src/Commerce/Ordering/A.cs", "// as Inventory.Stock does", 0)]
    [InlineData("src/Commerce/Money.cs", "using Commerce.Payments;", 1)]
    [InlineData("functions/Sagas/A.cs", "using Commerce.Payments;\nusing Commerce.Ordering;", 0)]
    public void A_context_named_by_another_is_noticed(string path, string text, int findings) =>
        Assert.Equal(findings, WrongContexts(new(path, text)).Count());

    static IEnumerable<string> WrongReferences(SourceFile project)
    {
        var folder = project.Path[..project.Path.LastIndexOf('/')];
        if (folder.StartsWith("tests/", StringComparison.Ordinal)
            || folder.StartsWith("benchmarks", StringComparison.Ordinal)) return [];
        if (!Arrows.TryGetValue(folder, out var allowed)) return [project.At(1, "a project without arrows")];
        var packages = folder is "src/EventSourcing" or "src/Commerce";
        return Reference().Matches(project.Text)
            .Where(match => !allowed.Contains(Target(folder, match.Groups[1].Value)))
            .Concat(Package().Matches(project.Text).Where(_ => packages))
            .Select(match => project.At(project.Text.AsSpan(0, match.Index).Count('\n') + 1, match.Groups[1].Value));
    }

    static string Target(string folder, string reference)
    {
        var path = Path.GetFullPath(Path.Combine("/", folder, reference.Replace('\\', '/')));
        return path[1..path.LastIndexOf('/')];
    }

    static IEnumerable<string> WrongNames(SourceFile file) =>
        from wall in Walls
        where file.IsUnder(wall.Folder)
        where wall.Except.Length == 0 || !file.Path.StartsWith(wall.Except, StringComparison.Ordinal)
        from found in Named(file, wall.Names)
        select $"{found}, but {wall.Because}";

    static IEnumerable<string> WrongContexts(SourceFile file)
    {
        if (!file.IsUnder("src/Commerce")) return [];
        var others = Contexts.Where(context => !file.IsUnder($"src/Commerce/{context}"));
        return Named(file, $"(Commerce\\.)?({string.Join('|', others)})");
    }

    // A namespace is named by a using or at the head of a qualified name; the file's own namespace does not count.
    static IEnumerable<string> Named(SourceFile file, string names)
    {
        var code = CSharpText.CodeOf(file.Text);
        var named = new Regex($@"(?<![\w.])(?<name>{names})(?=\s*[.;])");
        return named.Matches(code)
            .Where(match => !OwnNamespace().IsMatch(code[..match.Groups["name"].Index]))
            .Select(match => file.At(
                code.AsSpan(0, match.Groups["name"].Index).Count('\n') + 1, match.Groups["name"].Value));
    }

    [GeneratedRegex("<ProjectReference\\s+Include=\"([^\"]+)\"")]
    private static partial Regex Reference();

    [GeneratedRegex("<PackageReference\\s+Include=\"([^\"]+)\"")]
    private static partial Regex Package();

    [GeneratedRegex(@"\bnamespace\s+$")]
    private static partial Regex OwnNamespace();
}
