using System.Globalization;
using System.Text;
using Runtime.Cosmos.Http;

namespace Runtime.Cosmos.Query.Syntax;

enum TokenKind
{
    End,
    Word,
    Parameter,
    Number,
    String,
    Symbol,
}

/// <summary>A word of a query; <see cref="Text"/> is the name, the string's content or the symbol.</summary>
readonly record struct Token(TokenKind Kind, string Text, double Number, int Position)
{
    public bool Is(string symbol) => Kind == TokenKind.Symbol && Text == symbol;

    /// <summary>Keywords are words; they are told apart by where they stand, in either case.</summary>
    public bool IsWord(string keyword) =>
        Kind == TokenKind.Word && Text.Equals(keyword, StringComparison.OrdinalIgnoreCase);

    /// <summary>Words that cannot be names; <c>c["order"]</c> reaches a property called like one.</summary>
    public bool IsReserved => Kind == TokenKind.Word && (Literals.Contains(Text) || Keywords.Contains(Text));

    static readonly HashSet<string> Literals = ["true", "false", "null", "undefined", "udf"];

    static readonly HashSet<string> Keywords = new(StringComparer.OrdinalIgnoreCase)
    {
        "AND", "ARRAY", "AS", "ASC", "BETWEEN", "BY", "CASE", "CAST", "CONVERT", "CROSS", "DESC", "DISTINCT", "ELSE",
        "END", "ESCAPE", "EXISTS", "FOR", "FROM", "GROUP", "HAVING", "IN", "INNER", "INSERT", "INTO", "IS", "JOIN",
        "LEFT", "LIKE", "LIMIT", "NOT", "OFFSET", "ON", "OR", "ORDER", "OUTER", "OVER", "RIGHT", "SELECT", "SET",
        "THEN", "TOP", "UPDATE", "VALUE", "WHEN", "WHERE", "WITH",
    };

    public override string ToString() => Kind == TokenKind.End ? "the end of the query" : $"'{Text}'";
}

/// <summary>Cuts query text into tokens.</summary>
sealed class Lexer
{
    static readonly string[] LongSymbols = ["<<", ">>>", ">>", "<=", ">=", "!=", "<>", "??", "||"];

    readonly string text;
    int at;

    Lexer(string text) => this.text = text;

    public static List<Token> Read(string text)
    {
        if (text.Length > CosmosLimits.QueryCharactersMax)
        {
            throw Refused.BadRequest($"The query is longer than {CosmosLimits.QueryCharactersMax} characters.");
        }

        var lexer = new Lexer(text);
        var tokens = new List<Token>();
        do
        {
            tokens.Add(lexer.Next());
        }
        while (tokens[^1].Kind != TokenKind.End);
        return tokens;
    }

    Token Next()
    {
        SkipBlanks();
        var start = at;
        if (at == text.Length)
        {
            return new Token(TokenKind.End, "", 0, start);
        }

        var first = text[at];
        if (char.IsAsciiDigit(first) || (first == '.' && at + 1 < text.Length && char.IsAsciiDigit(text[at + 1])))
        {
            return Number(start);
        }

        if (IsNameStart(first))
        {
            return new Token(TokenKind.Word, Name(), 0, start);
        }

        switch (first)
        {
            case '@':
                at++;
                var name = Name();
                return name.Length > 0
                    ? new Token(TokenKind.Parameter, "@" + name, 0, start)
                    : throw Error("A parameter needs a name", start);
            case '\'' or '"':
                return new Token(TokenKind.String, Quoted(first), 0, start);
            default:
                return Symbol(start);
        }
    }

    void SkipBlanks()
    {
        while (at < text.Length)
        {
            if (char.IsWhiteSpace(text[at]))
            {
                at++;
            }
            else if (text.AsSpan(at).StartsWith("--"))
            {
                var end = text.IndexOf('\n', at);
                at = end < 0 ? text.Length : end;
            }
            else
            {
                return;
            }
        }
    }

    static bool IsNameStart(char character) => char.IsLetter(character) || character == '_';

    string Name()
    {
        var start = at;
        while (at < text.Length && (IsNameStart(text[at]) || char.IsDigit(text[at])))
        {
            at++;
        }

        return text[start..at];
    }

    Token Number(int start)
    {
        if (text.AsSpan(at).StartsWith("0x", StringComparison.OrdinalIgnoreCase))
        {
            at += 2;
            while (at < text.Length && char.IsAsciiHexDigit(text[at]))
            {
                at++;
            }

            return ulong.TryParse(text.AsSpan(start + 2, at - start - 2), NumberStyles.AllowHexSpecifier,
                CultureInfo.InvariantCulture, out var hexadecimal)
                ? new Token(TokenKind.Number, text[start..at], hexadecimal, start)
                : throw Error("A hexadecimal number is not valid", start);
        }

        Digits();
        if (at < text.Length && text[at] == '.')
        {
            at++;
            Digits();
        }

        if (at < text.Length && text[at] is 'e' or 'E')
        {
            at++;
            at += at < text.Length && text[at] is '+' or '-' ? 1 : 0;
            Digits();
        }

        var isWhole = at == text.Length || !IsNameStart(text[at]);
        var digits = text.AsSpan(start, at - start);
        var isNumber = double.TryParse(digits, CultureInfo.InvariantCulture, out var number);
        return isWhole && isNumber && double.IsFinite(number)
            ? new Token(TokenKind.Number, text[start..at], number, start)
            : throw Error("A number is not valid", start);
    }

    void Digits()
    {
        while (at < text.Length && char.IsAsciiDigit(text[at]))
        {
            at++;
        }
    }

    string Quoted(char quote)
    {
        var start = at;
        var content = new StringBuilder();
        for (at++; at < text.Length && text[at] != quote; at++)
        {
            content.Append(text[at] == '\\' ? Escaped(start) : text[at]);
        }

        if (at++ >= text.Length)
        {
            throw Error("A string is never closed", start);
        }

        return content.ToString();
    }

    char Escaped(int start)
    {
        if (++at >= text.Length)
        {
            throw Error("A string is never closed", start);
        }

        switch (text[at])
        {
            case 'b':
                return '\b';
            case 'f':
                return '\f';
            case 'n':
                return '\n';
            case 'r':
                return '\r';
            case 't':
                return '\t';
            case 'u':
                if (at + 4 < text.Length && ushort.TryParse(text.AsSpan(at + 1, 4), NumberStyles.AllowHexSpecifier,
                    CultureInfo.InvariantCulture, out var code))
                {
                    at += 4;
                    return (char)code;
                }

                throw Error("An escape \\u needs four hexadecimal digits", at);
            case '\\' or '/' or '\'' or '"':
                return text[at];
            default:
                throw Error($"The escape \\{text[at]} is not known", at);
        }
    }

    Token Symbol(int start)
    {
        var symbol = Array.Find(LongSymbols, known => text.AsSpan(at).StartsWith(known)) ??
            (text[at] is var single && "()[]{},.:;?*/%+-<>=&|^~!".Contains(single, StringComparison.Ordinal)
                ? single.ToString()
                : throw Error($"The character '{text[at]}' does not belong in a query", at));
        at += symbol.Length;
        return new Token(TokenKind.Symbol, symbol, 0, start);
    }

    static Refused Error(string message, int position) =>
        Refused.BadRequest($"Syntax error: {message} (at position {position}).");
}
