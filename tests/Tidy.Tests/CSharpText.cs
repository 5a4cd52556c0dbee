using System.Text;

namespace Tidy.Tests;

/// <summary>
/// C# source with what a rule must not look at blanked out, every other character in its place: the inside of string
/// and character literals always, comments on request.
/// </summary>
/// <remarks>
/// The rules look for words and braces, so a full parser is not needed; but a brace in a string, a quote in a comment
/// or a nested interpolation must not mislead them. That much of C#'s lexical grammar is followed here.
/// </remarks>
sealed class CSharpText
{
    readonly string source;
    readonly bool keepComments;
    readonly StringBuilder blanked;

    CSharpText(string source, bool keepComments)
    {
        (this.source, this.keepComments) = (source, keepComments);
        blanked = new(source);
    }

    public static string CodeOf(string source) => new CSharpText(source, keepComments: false).Blank();

    public static string CodeAndCommentsOf(string source) => new CSharpText(source, keepComments: true).Blank();

    string Blank()
    {
        for (var at = 0; at < source.Length;) at = Next(at);
        return blanked.ToString();
    }

    // Steps over one token, or one character of code, and answers where the next begins.
    int Next(int at)
    {
        if (At(at, "//")) return Comment(at, End("\n", at));
        if (At(at, "/*")) return Comment(at, End("*/", at + 2) + 2);
        if (source[at] == '#' && IsFirstOnLine(at)) return Directive(at);
        if (source[at] == '\'') return Character(at);
        return StringStart(at) is { } start ? String(start) : at + 1;
    }

    int Comment(int from, int to)
    {
        to = Math.Min(to, source.Length);
        if (!keepComments) Erase(from, to);
        return to;
    }

    // A directive is not C#: an apostrophe in it opens nothing. A comment behind it still is one.
    int Directive(int at)
    {
        var end = End("\n", at);
        var comment = source.IndexOf("//", at, end - at, StringComparison.Ordinal);
        return comment < 0 ? end : Comment(comment, end);
    }

    int Character(int at)
    {
        var end = at + 1;
        while (end < source.Length && source[end] is not ('\'' or '\n')) end += source[end] == '\\' ? 2 : 1;
        Erase(at + 1, Math.Min(end, source.Length));
        return end + 1;
    }

    /// <summary>A string literal's opening: how many dollars and quotes, and whether a backslash escapes.</summary>
    readonly record struct Opening(int Inside, int Dollars, int Quotes, bool IsVerbatim);

    Opening? StringStart(int at)
    {
        var (dollars, verbatim, quote) = (0, false, at);
        for (; quote < source.Length && source[quote] is '$' or '@'; quote++)
        {
            dollars += source[quote] == '$' ? 1 : 0;
            verbatim |= source[quote] == '@';
        }

        if (quote >= source.Length || source[quote] != '"') return null;
        var quotes = 1;
        while (quote + quotes < source.Length && source[quote + quotes] == '"') quotes++;

        // Two quotes are an empty string, three or more open a raw one.
        if (verbatim || quotes == 2) quotes = 1;
        return new(quote + quotes, dollars, quotes, verbatim);
    }

    int String(Opening opening)
    {
        var (at, raw) = (opening.Inside, opening.Quotes > 2);
        while (at < source.Length)
        {
            if (IsClosing(at, opening)) return at + opening.Quotes;
            if (opening.IsVerbatim && At(at, "\"\"")) at = Erase(at, at + 2);
            else if (!raw && !opening.IsVerbatim && source[at] == '\\') at = Erase(at, Math.Min(at + 2, source.Length));
            else if (!raw && opening.Dollars > 0 && At(at, "{{")) at = Erase(at, at + 2);
            else if (opening.Dollars > 0 && HoleDepth(at) >= opening.Dollars) at = Hole(at, HoleDepth(at));
            else at = Erase(at, at + 1);
        }

        return at;
    }

    bool IsClosing(int at, Opening opening) => opening.IsVerbatim
        ? source[at] == '"' && !At(at, "\"\"")
        : At(at, new('"', opening.Quotes));

    int HoleDepth(int at)
    {
        var braces = 0;
        while (at + braces < source.Length && source[at + braces] == '{') braces++;
        return braces;
    }

    // The code inside an interpolation is blanked like the text around it; what matters is to find its end.
    int Hole(int at, int braces)
    {
        var (start, depth) = (at, braces);
        for (at += braces; at < source.Length && depth > 0;)
        {
            depth += source[at] switch { '{' => 1, '}' => -1, _ => 0 };
            at = Next(at);
        }

        return Erase(start, Math.Min(at, source.Length));
    }

    int Erase(int from, int to)
    {
        for (var at = from; at < to; at++)
        {
            if (blanked[at] is not ('\n' or '\r')) blanked[at] = ' ';
        }

        return to;
    }

    bool At(int at, string text) => string.CompareOrdinal(source, at, text, 0, text.Length) == 0;

    int End(string text, int at)
    {
        var end = at < source.Length ? source.IndexOf(text, at, StringComparison.Ordinal) : -1;
        return end < 0 ? source.Length : end;
    }

    bool IsFirstOnLine(int at)
    {
        while (at > 0 && source[at - 1] is ' ' or '\t') at--;
        return at == 0 || source[at - 1] == '\n';
    }
}
