using System.Text;
using System.Text.RegularExpressions;

namespace Tidy.Tests;

/// <summary>A page that points nowhere is worse than none.</summary>
public sealed partial class Links
{
    [Fact]
    public void Every_relative_link_of_a_page_resolves() => Findings.None(
        "Links lead somewhere",
        Repository.Files.Where(file => file.IsMarkdown).SelectMany(page => Broken(page, Exists, HeadingsOf)));

    [Theory]
    [InlineData("[a](there.md)", true)]
    [InlineData("[a](./there.md#a-heading-with-code)", true)]
    [InlineData("[a](../docs/there.md \"title\")", true)]
    [InlineData("[a](/docs/there.md)", true)]
    [InlineData("![a](missing.png)", false)]
    [InlineData("[a](missing.md)", false)]
    [InlineData("[a](there.md#missing)", false)]
    [InlineData("[a](#own-heading)", true)]
    [InlineData("[a](#missing)", false)]
    [InlineData("[a]: missing.md", false)]
    [InlineData("<img src=\"missing.png\">", false)]
    [InlineData("[a](../../outside.md)", false)]
    [InlineData("[a](https://example.org/missing.md) [b](mailto:a@b)", true)]
    [InlineData("`[a](missing.md)`", true)]
    [InlineData("```\n[a](missing.md)\n```", true)]
    public void A_broken_link_is_noticed(string text, bool resolves)
    {
        var page = new SourceFile("docs/page.md", "# Own heading\n\n" + text);
        var broken = Broken(
            page,
            path => path == "docs/there.md",
            path => path == "docs/page.md" ? Headings(page.Text) : Headings("## A heading, with `code`!"));
        Assert.Equal(resolves, !broken.Any());
    }

    static bool Exists(string path) => Path.Exists(Path.Combine(Repository.Root.FullName, path));

    static HashSet<string> HeadingsOf(string path) =>
        Headings(File.ReadAllText(Path.Combine(Repository.Root.FullName, path)));

    static IEnumerable<string> Broken(
        SourceFile page, Func<string, bool> exists, Func<string, HashSet<string>> headings)
    {
        var text = Code().Replace(page.Text.ReplaceLineEndings("\n"), Blank);
        foreach (Match match in Link().Matches(text))
        {
            var target = match.Groups["target"].Value;
            if (Scheme().IsMatch(target)) continue;
            var (path, anchor) = target.Split('#', 2) is [var before, var after] ? (before, after) : (target, "");
            var resolved = path.Length == 0 ? page.Path : Resolve(page.Path, Uri.UnescapeDataString(path));
            var found = resolved is not null && (path.Length == 0 || exists(resolved))
                && (anchor.Length == 0 || !resolved.EndsWith(".md", StringComparison.Ordinal)
                    || headings(resolved).Contains(anchor));
            if (!found) yield return page.At(text.AsSpan(0, match.Index).Count('\n') + 1, target);
        }
    }

    // Null when the path leaves the repository.
    static string? Resolve(string page, string path)
    {
        var parts = new Stack<string>();
        var from = path.StartsWith('/') ? "" : page[..(page.LastIndexOf('/') + 1)];
        foreach (var part in (from + path).Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            if (part == ".." && !parts.TryPop(out _)) return null;
            if (part is not (".." or ".")) parts.Push(part);
        }

        return string.Join('/', parts.Reverse());
    }

    // GitHub's anchors: lower-case, spaces to dashes, punctuation dropped.
    static HashSet<string> Headings(string text) => [.. Heading().Matches(FencedCode().Replace(text, Blank))
        .Select(match => match.Groups["title"].Value.Trim().ToLowerInvariant().EnumerateRunes()
            .Where(rune => Rune.IsLetterOrDigit(rune) || rune.Value is ' ' or '-' or '_')
            .Aggregate(new StringBuilder(), (slug, rune) => slug.Append(rune.Value == ' ' ? "-" : rune.ToString()))
            .ToString())];

    static string Blank(Match code) => string.Concat(code.Value.Select(c => c == '\n' ? '\n' : ' '));

    [GeneratedRegex(
        @"\]\(\s*<?(?<target>[^)\s>]+)>?[^)]*\)|^\s*\[[^\]]+\]:\s*(?<target>\S+)|\b(src|href)=""(?<target>[^""]+)""",
        RegexOptions.Multiline)]
    private static partial Regex Link();

    [GeneratedRegex(@"^[a-zA-Z][a-zA-Z0-9+.-]*:|^//")]
    private static partial Regex Scheme();

    [GeneratedRegex(@"^#{1,6}\s+(?<title>.+?)\s*#*\s*$", RegexOptions.Multiline)]
    private static partial Regex Heading();

    [GeneratedRegex(@"^[ \t]*(```|~~~)[\s\S]*?^[ \t]*\1|`[^`\n]+`", RegexOptions.Multiline)]
    private static partial Regex Code();

    [GeneratedRegex(@"^[ \t]*(```|~~~)[\s\S]*?^[ \t]*\1", RegexOptions.Multiline)]
    private static partial Regex FencedCode();
}
