using System.Text.RegularExpressions;

namespace Tutorial.Tests;

/// <summary>What a page of documentation tells its reader to type: new files, and changes to those that are
/// there.</summary>
/// <remarks>
/// A block that begins with <c>// src/…/Name.cs</c> (in JSON, <c>// …</c> as well) is a whole new file. A <c>diff</c>
/// block begins with the path of the file it changes; its lines are those of a patch without line numbers, and what it
/// keeps and removes must be found in the file exactly once.
/// </remarks>
sealed partial record Page(IReadOnlyList<Page.Block> Blocks)
{
    public sealed record Block(string Path, bool IsChange, string Text);

    public static Page Read(string markdown) => new(
    [
        .. Fences().Matches(markdown).Select(fence => (
                Language: fence.Groups["language"].Value,
                Lines: fence.Groups["text"].Value.Split('\n')))
            .Where(fence => fence.Language is "csharp" or "diff")
            .Select(fence => new Block(
                fence.Lines[0].TrimStart('/', ' '), fence.Language == "diff", string.Join('\n', fence.Lines[1..]))),
    ]);

    /// <summary>Does what the page says to the files below a folder.</summary>
    public void Apply(string root)
    {
        foreach (var block in Blocks)
        {
            var path = Path.Combine(root, block.Path);
            if (block.IsChange)
            {
                File.WriteAllText(path, Changed(block.Path, File.ReadAllText(path), block.Text));
                continue;
            }

            if (File.Exists(path)) throw new InvalidOperationException($"{block.Path} is there already.");
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllText(path, block.Text.TrimStart('\n'));
        }
    }

    /// <summary>The text with a change made to it; several changes are set apart by a line of <c>…</c>.</summary>
    public static string Changed(string path, string text, string change)
    {
        foreach (var hunk in Regex.Split(change.TrimEnd('\n'), @"^ ?…$\n?", RegexOptions.Multiline))
        {
            var lines = hunk.Trim('\n').Split('\n');
            var before = Of(lines, added: '-');
            var after = Of(lines, added: '+');
            var at = text.IndexOf(before, StringComparison.Ordinal);
            if (at < 0) throw new InvalidOperationException($"{path} has no such place any more:\n{before}");
            if (text.IndexOf(before, at + 1, StringComparison.Ordinal) >= 0)
                throw new InvalidOperationException($"{path} has more than one such place:\n{before}");
            text = string.Concat(text.AsSpan(0, at), after, text.AsSpan(at + before.Length));
        }

        return text;
    }

    static string Of(IEnumerable<string> lines, char added) => string.Concat(lines
        .Where(line => line.Length == 0 || line[0] == ' ' || line[0] == added)
        .Select(line => (line.Length == 0 ? line : line[1..]) + '\n'));

    [GeneratedRegex(@"^```(?<language>\w+)\n(?<text>.*?)^```$", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Fences();
}
