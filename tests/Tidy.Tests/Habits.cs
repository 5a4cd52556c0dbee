using System.Text.RegularExpressions;

namespace Tidy.Tests;

/// <summary>What a reviewer would otherwise have to say again and again.</summary>
public sealed partial class Habits
{
    [Fact]
    public void Nothing_is_left_to_do_later() => Findings.None(
        "Finish it or leave it out", Repository.Files.SelectMany(Leftovers));

    [Fact]
    public void The_functions_are_one_code_for_both_builds() => Findings.None(
        "No conditional compilation under functions/", Repository.CSharp.SelectMany(Conditionals));

    [Fact]
    public void Every_suppression_has_a_reason() => Findings.None(
        "Say why beside it", Repository.Files.SelectMany(UnreasonedSuppressions));

    [Fact]
    public void No_test_sleeps() => Findings.None(
        "Await a condition or move the clock", Repository.CSharp.SelectMany(Sleeps));

    [Theory]
    [InlineData("a.cs", "// TODO later", true)]
    [InlineData("a.cs", "/* a\n FIXME */", true)]
    [InlineData("a.cs", "#region Orders", true)]
    [InlineData("a.yml", "# TODO later", true)]
    [InlineData("a.cs", "var text = \"TODO\"; // TodoApi", false)]
    [InlineData("a.md", "no TODO in code", false)]
    public void A_leftover_is_noticed(string path, string text, bool found) =>
        Assert.Equal(found, Leftovers(new(path, text)).Any());

    [Theory]
    [InlineData("functions/A.cs", "#if DEBUG\n#endif", true)]
    [InlineData("functions/Sagas/A.cs", "  # elif DEBUG", true)]
    [InlineData("functions/A.cs", "// #if DEBUG", false)]
    [InlineData("runtime/A.cs", "#if DEBUG", false)]
    public void A_conditional_is_noticed(string path, string text, bool found) =>
        Assert.Equal(found, Conditionals(new(path, text)).Any());

    [Theory]
    [InlineData("a.cs", "#pragma warning disable CA1000", true)]
    [InlineData("a.cs", "#pragma warning disable CA1000 // the protocol's own name", false)]
    [InlineData("a.cs", "// The protocol's own name.\n#pragma warning disable CA1000", false)]
    [InlineData("a.cs", "#pragma warning restore CA1000", false)]
    [InlineData("a.cs", "[SuppressMessage(\"A\", \"B\")]", true)]
    [InlineData("a.cs", "[SuppressMessage(\"A\", \"B\", Justification = \"\")]", true)]
    [InlineData("a.cs", "[SuppressMessage(\n\"A\", \"B\",\nJustification = \"Wire name\")]", false)]
    [InlineData("a.csproj", "<NoWarn>$(NoWarn);CS1591</NoWarn>", true)]
    [InlineData("a.csproj", "<!-- Names say it all. -->\n<NoWarn>CS1591</NoWarn>", false)]
    [InlineData("a.csproj", "<PackageReference Include=\"X\" NoWarn=\"NU1701\" />", true)]
    [InlineData(".editorconfig", "dotnet_diagnostic.CA1.severity = none", true)]
    [InlineData(".editorconfig", "# Why.\ndotnet_x.CA1.severity = none\ndotnet_x.CA2.severity=none", false)]
    [InlineData(".editorconfig", "dotnet_diagnostic.CA1.severity = warning", false)]
    public void A_suppression_without_a_reason_is_noticed(string path, string text, bool found) =>
        Assert.Equal(found, UnreasonedSuppressions(new(path, text)).Any());

    [Theory]
    [InlineData("tests/A/B.cs", "await Task.Delay(5);", true)]
    [InlineData("tests/A/B.cs", "Thread.Sleep (5);", true)]
    [InlineData("tests/A/B.cs", "Task\n.Delay(5, TimeProvider.System)", true)]
    [InlineData("tests/A/B.cs", "Task.Delay(span, host.Clock)", false)]
    [InlineData("tests/A/B.cs", "Task.Delay(Timeout.InfiniteTimeSpan, clock, cancellation)", false)]
    [InlineData("tests/A/B.cs", "// Task.Delay(5)", false)]
    [InlineData("tests/A/B.cs", "var text = \"Task.Delay(5)\";", false)]
    [InlineData("runtime/B.cs", "await Task.Delay(span, clock, cancellation);", false)]
    public void A_sleep_is_noticed(string path, string text, bool found) =>
        Assert.Equal(found, Sleeps(new(path, text)).Any());

    static IEnumerable<string> Leftovers(SourceFile file) =>
        !file.IsCode ? []
        : Find(file, file.IsCSharp ? CSharpText.CodeAndCommentsOf(file.Text) : file.Text, Leftover());

    static IEnumerable<string> Conditionals(SourceFile file) =>
        file.IsUnder("functions") ? Find(file, CSharpText.CodeOf(file.Text), Conditional()) : [];

    static IEnumerable<string> Sleeps(SourceFile file) =>
        file.IsUnder("tests") ? Find(file, CSharpText.CodeOf(file.Text), Sleep()) : [];

    static IEnumerable<string> UnreasonedSuppressions(SourceFile file)
    {
        // Strings stay in: the reason of an attribute is one. What merely quotes a suppression is told by its place.
        var code = file.IsCSharp ? CSharpText.CodeAndCommentsOf(file.Text) : file.Text;
        var lines = code.ReplaceLineEndings("\n").Split('\n');
        for (var i = 0; i < lines.Length; i++)
        {
            var suppresses = file.IsCSharp ? PragmaDisable().IsMatch(lines[i]) || Attribute().IsMatch(lines[i])
                : file.Path.EndsWith(".editorconfig", StringComparison.Ordinal) ? SeverityNone().IsMatch(lines[i])
                : file.IsCode && lines[i].Contains("NoWarn", StringComparison.Ordinal);
            if (suppresses && !HasReason(file, lines, i)) yield return file.At(i + 1, lines[i].Trim());
        }
    }

    static bool HasReason(SourceFile file, string[] lines, int i)
    {
        if (file.IsCSharp && Attribute().IsMatch(lines[i]))
            return Justification().IsMatch(string.Join('\n', file.Lines.Skip(i).Take(5)));
        if (file.IsCSharp)
            return (lines[i] + Above()).Contains("//", StringComparison.Ordinal);
        if (file.IsCode) return Above().EndsWith("-->", StringComparison.Ordinal);

        // One comment may explain the rules right below it.
        while (SeverityNone().IsMatch(Above())) i--;
        return Above().StartsWith('#');

        string Above() => i > 0 ? lines[i - 1].Trim() : "";
    }

    static IEnumerable<string> Find(SourceFile file, string text, Regex pattern) => pattern.Matches(text)
        .Select(match => file.At(text.AsSpan(0, match.Index).Count('\n') + 1, match.Value.Trim()));

    [GeneratedRegex(@"\b(TODO|FIXME|HACK|XXX)\b|^\s*#\s*(end)?region\b", RegexOptions.Multiline)]
    private static partial Regex Leftover();

    [GeneratedRegex(@"^[ \t]*#[ \t]*(if|elif|else)\b", RegexOptions.Multiline)]
    private static partial Regex Conditional();

    // Without an end it is no sleep: it waits for its cancellation.
    [GeneratedRegex(
        @"\b(Task\s*\.\s*Delay\s*\((?!\s*Timeout\s*\.\s*Infinite)(?![^;]*\b[cC]lock\b)|Thread\s*\.\s*Sleep\s*\()")]
    private static partial Regex Sleep();

    [GeneratedRegex(@"^\s*#\s*pragma\s+warning\s+disable\b")]
    private static partial Regex PragmaDisable();

    [GeneratedRegex(@"\[[^\]]*SuppressMessage\s*\(")]
    private static partial Regex Attribute();

    [GeneratedRegex(@"Justification\s*=\s*""[^""]*\w")]
    private static partial Regex Justification();

    [GeneratedRegex(@"^\s*dotnet_[\w.-]+\.severity\s*=\s*none\b")]
    private static partial Regex SeverityNone();
}
