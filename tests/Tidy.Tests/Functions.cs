using System.Text.RegularExpressions;

namespace Tidy.Tests;

/// <summary>One function or property of a type, from its first word to its closing brace or semicolon.</summary>
sealed record Function(string Name, int FirstLine, int LineCount);

/// <summary>Finds the functions of a C# file: types are entered, the bodies of members are stepped over.</summary>
sealed partial class Functions
{
    readonly string code;
    readonly List<Function> found = [];

    Functions(string source) => code = Directive().Replace(
        CSharpText.CodeOf(source), directive => new(' ', directive.Length));

    public static IReadOnlyList<Function> Of(string source)
    {
        var functions = new Functions(source);
        for (var at = 0; at < functions.code.Length;) at = functions.Members(at) + 1;
        return functions.found;
    }

    // Reads members up to the brace that closes their type, and answers where it stands.
    int Members(int at)
    {
        while (at < code.Length && code[at] != '}')
        {
            // Attributes are not counted: a table of test cases is no long function.
            at = char.IsWhiteSpace(code[at]) || code[at] == ';' ? at + 1
                : code[at] == '[' ? Closing(at) + 1
                : Member(at) + 1;
        }

        return at;
    }

    // Reads one member and answers where its last character stands. A first "=" outside brackets makes it a field, a
    // first "=>" gives it an expression for a body; both go on behind inner braces, up to the semicolon.
    int Member(int start)
    {
        string? assignment = null;
        for (var at = start; at < code.Length; at++)
        {
            if (code[at] == '}') return at - 1;
            if (code[at] == '=') assignment ??= Assignment(at);
            if (code[at] == '{' && assignment is null && Type().IsMatch(code[start..at])) return Members(at + 1);
            if (code[at] is '(' or '[' or '{')
            {
                var block = code[at] == '{';
                at = Closing(at);
                if (block && assignment is null && !IsInitialized(at)) return Add(start, at);
            }

            if (at < code.Length && code[at] == ';') return assignment == "=>" ? Add(start, at) : at;
        }

        return code.Length;
    }

    int Add(int start, int end)
    {
        var (first, last) = (LineOf(start), LineOf(end));
        found.Add(new(Name().Match(code, start).Groups[1].Value, first, last - first + 1));
        return end;
    }

    string? Assignment(int at)
    {
        var (before, after) = (code[at - 1], at + 1 < code.Length ? code[at + 1] : ' ');
        return after == '>' ? "=>" : before is '=' or '!' or '<' or '>' || after == '=' ? null : "=";
    }

    bool IsInitialized(int brace)
    {
        do brace++;
        while (brace < code.Length && char.IsWhiteSpace(code[brace]));
        return brace < code.Length && code[brace] == '=';
    }

    int Closing(int at)
    {
        for (var depth = 0; at < code.Length; at++)
        {
            depth += code[at] switch { '(' or '[' or '{' => 1, ')' or ']' or '}' => -1, _ => 0 };
            if (depth == 0) return at;
        }

        return at;
    }

    int LineOf(int at) => code.AsSpan(0, Math.Min(at, code.Length)).Count('\n') + 1;

    [GeneratedRegex(@"^[ \t]*#.*$", RegexOptions.Multiline)]
    private static partial Regex Directive();

    [GeneratedRegex(
        @"^((public|internal|private|protected|file|sealed|static|abstract|readonly|partial|ref|new|unsafe)\s+)*"
        + @"(class|struct|interface|enum|record|namespace|extension)\b")]
    private static partial Regex Type();

    [GeneratedRegex(@"(\w+)\s*(<[^;{()]*?>)?\s*(\(|\{|=>)")]
    private static partial Regex Name();
}
