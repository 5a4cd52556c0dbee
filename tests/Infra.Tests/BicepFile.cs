using System.Text.RegularExpressions;

namespace Infra.Tests;

/// <summary>One top-level statement of a Bicep file: a param, var, resource, module or output.</summary>
sealed record BicepDeclaration(string Kind, string Name, string Text)
{
    /// <summary>What stands behind the first <c>=</c>; empty for a parameter without a default.</summary>
    public string Value { get; } = ValueOf(Text);

    /// <summary>The type of a resource or the path of a module.</summary>
    public string Type { get; } = Regex.Match(Text, "'([^']*)'").Groups[1].Value;

    /// <summary>The properties of the declared object, also of one made in a loop or under a condition.</summary>
    public IReadOnlyDictionary<string, string> Properties => BicepText.Properties(Value);

    static string ValueOf(string text)
    {
        var at = Regex.Match(text, @"(?<![=!<>])=(?![=>])");
        return at.Success ? text[(at.Index + 1)..].Trim() : "";
    }
}

/// <summary>
/// Enough of a reader to ask what a Bicep file declares. It knows strings, interpolation, comments and brackets and
/// nothing of types: the compiler's own check of those is left to the compiler.
/// </summary>
sealed class BicepFile(string path, string text)
{
    public string Path => path;

    public IReadOnlyList<BicepDeclaration> Declarations { get; } = Declare(BicepText.WithoutComments(text));

    public IEnumerable<BicepDeclaration> Of(string kind) => Declarations.Where(d => d.Kind == kind);

    public BicepDeclaration? Find(string name) => Declarations.FirstOrDefault(d => d.Name == name);

    public static BicepFile Read(string path) => new(path, Repository.Read(path));

    static List<BicepDeclaration> Declare(string text)
    {
        var found = new List<BicepDeclaration>();
        foreach (var statement in BicepText.Split(text, '\n'))
        {
            var match = Regex.Match(statement, @"^\s*(param|var|resource|module|output)\s+(\w+)");
            if (match.Success) found.Add(new(match.Groups[1].Value, match.Groups[2].Value, statement.Trim()));
        }

        return found;
    }
}

/// <summary>Cuts Bicep text along its strings, brackets and lines.</summary>
static class BicepText
{
    public static string WithoutComments(string text)
    {
        var kept = new System.Text.StringBuilder();
        for (var i = 0; i < text.Length;)
        {
            var end = StringEnd(text, i);
            if (end > i)
            {
                kept.Append(text, i, end - i);
                i = end;
            }
            else if (Starts(text, i, "//")) i = End(text, "\n", i);
            else if (Starts(text, i, "/*")) i = End(text, "*/", i) + 2;
            else kept.Append(text[i++]);
        }

        return kept.ToString();
    }

    /// <summary>Splits at separators outside of strings and brackets; a ternary's lines belong together.</summary>
    public static IReadOnlyList<string> Split(string text, params IReadOnlyList<char> separators)
    {
        var (parts, depth, from) = (new List<string>(), 0, 0);
        for (var i = 0; i < text.Length; i++)
        {
            var end = StringEnd(text, i);
            if (end > i) i = end - 1;
            else if (text[i] is '{' or '[' or '(') depth++;
            else if (text[i] is '}' or ']' or ')') depth--;
            else if (depth == 0 && separators.Contains(text[i]) && !Continues(text, i))
            {
                parts.Add(text[from..i]);
                from = i + 1;
            }
        }

        parts.Add(text[from..]);
        return [.. parts.Where(part => part.Trim().Length > 0)];
    }

    /// <summary>The properties of the first object in the text, its nested resources left out.</summary>
    public static IReadOnlyDictionary<string, string> Properties(string text)
    {
        var found = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var entry in Split(Inside(text), '\n', ','))
        {
            var match = Regex.Match(entry, @"^\s*(?:'((?:[^'\\]|\\.)*)'|(\w+))\s*:(.*)$", RegexOptions.Singleline);
            if (match.Success) found[match.Groups[1].Value + match.Groups[2].Value] = match.Groups[3].Value.Trim();
        }

        return found;
    }

    static string Inside(string text)
    {
        for (var i = 0; i < text.Length; i++)
        {
            var end = StringEnd(text, i);
            if (end > i) i = end - 1;
            else if (text[i] == '{') return text[(i + 1)..Closing(text, i)];
        }

        return "";
    }

    static int Closing(string text, int open)
    {
        var depth = 0;
        for (var i = open; i < text.Length; i++)
        {
            var end = StringEnd(text, i);
            if (end > i) i = end - 1;
            else if (text[i] == '{') depth++;
            else if (text[i] == '}' && --depth == 0) return i;
        }

        throw new FormatException($"A brace is never closed: {text[open..Math.Min(open + 60, text.Length)]}");
    }

    /// <summary>The place behind the string that begins here; here when none does.</summary>
    static int StringEnd(string text, int at)
    {
        if (text[at] != '\'') return at;
        if (Starts(text, at, "'''")) return End(text, "'''", at + 3) + 3;
        for (var i = at + 1; i < text.Length; i++)
        {
            if (text[i] == '\\') i++;
            else if (Starts(text, i, "${")) i = Closing(text, i + 1);
            else if (text[i] == '\'') return i + 1;
        }

        throw new FormatException($"A string is never closed: {text[at..Math.Min(at + 60, text.Length)]}");
    }

    static bool Continues(string text, int newline) =>
        text[newline] == '\n' && text.AsSpan(newline).TrimStart() is [var next, ..] && next is '?' or ':';

    static bool Starts(string text, int at, string token) =>
        string.CompareOrdinal(text, at, token, 0, token.Length) == 0;

    static int End(string text, string token, int from) =>
        text.IndexOf(token, from, StringComparison.Ordinal) is var at and >= 0 ? at : text.Length;
}
