using System.Text;

namespace Runtime.Messaging.Filters;

enum SqlTokenKind
{
    Word,
    DelimitedName,
    Text,
    Integer,
    Decimal,
    Symbol,
    End,
}

/// <summary>A piece of a filter and what it means: a delimited name or a text comes without its quotes.</summary>
readonly record struct SqlToken(SqlTokenKind Kind, string Text, int Position)
{
    public bool Is(string word) => Kind is SqlTokenKind.Word or SqlTokenKind.Symbol &&
        Text.Equals(word, StringComparison.OrdinalIgnoreCase);

    public override string ToString() => Kind == SqlTokenKind.End ? "the end" : $"'{Text}'";
}

/// <summary>Cuts a filter or action into tokens.</summary>
static class SqlLexer
{
    static readonly string[] Symbols =
        ["<>", "!=", ">=", "<=", "=", ">", "<", "+", "-", "*", "/", "%", "(", ")", ",", ".", ";"];

    public static List<SqlToken> Read(string expression)
    {
        var tokens = new List<SqlToken>();
        for (var at = 0; at < expression.Length;)
        {
            if (char.IsWhiteSpace(expression[at]))
            {
                at++;
                continue;
            }

            var (token, next) = Next(expression, at);
            tokens.Add(token);
            at = next;
        }

        tokens.Add(new(SqlTokenKind.End, "", expression.Length));
        return tokens;
    }

    static (SqlToken Token, int Next) Next(string expression, int at)
    {
        var first = expression[at];
        if (char.IsLetter(first))
        {
            var end = at + 1;
            while (end < expression.Length && (char.IsLetterOrDigit(expression[end]) || expression[end] == '_'))
            {
                end++;
            }

            return (new(SqlTokenKind.Word, expression[at..end], at), end);
        }

        if (char.IsAsciiDigit(first)
            || (first == '.' && at + 1 < expression.Length && char.IsAsciiDigit(expression[at + 1])))
        {
            return Number(expression, at);
        }

        switch (first)
        {
            case '\'': return Quoted(expression, at, '\'', SqlTokenKind.Text);
            case '"': return Quoted(expression, at, '"', SqlTokenKind.DelimitedName);
            case '[': return Quoted(expression, at, ']', SqlTokenKind.DelimitedName);
            case '@': throw new SqlSyntaxException("Parameters are not supported; write the value", at, expression);
        }

        foreach (var symbol in Symbols)
        {
            if (string.CompareOrdinal(expression, at, symbol, 0, symbol.Length) == 0)
            {
                return (new(SqlTokenKind.Symbol, symbol, at), at + symbol.Length);
            }
        }

        throw new SqlSyntaxException($"Unexpected character '{first}'", at, expression);
    }

    static (SqlToken Token, int Next) Number(string expression, int at)
    {
        var end = at;
        void Digits()
        {
            while (end < expression.Length && char.IsAsciiDigit(expression[end]))
            {
                end++;
            }
        }

        Digits();
        var kind = SqlTokenKind.Integer;
        if (end < expression.Length && expression[end] == '.')
        {
            kind = SqlTokenKind.Decimal;
            end++;
            Digits();
        }

        if (end < expression.Length && expression[end] is 'e' or 'E')
        {
            kind = SqlTokenKind.Decimal;
            end++;
            if (end < expression.Length && expression[end] is '+' or '-')
            {
                end++;
            }

            var exponent = end;
            Digits();
            if (end == exponent)
            {
                throw new SqlSyntaxException("A number in scientific notation needs an exponent", at, expression);
            }
        }

        return (new(kind, expression[at..end], at), end);
    }

    static (SqlToken Token, int Next) Quoted(string expression, int at, char close, SqlTokenKind kind)
    {
        var content = new StringBuilder();
        for (var i = at + 1; i < expression.Length; i++)
        {
            if (expression[i] != close)
            {
                content.Append(expression[i]);
            }
            else if (i + 1 < expression.Length && expression[i + 1] == close)
            {
                content.Append(close);
                i++;
            }
            else
            {
                return (new(kind, content.ToString(), at), i + 1);
            }
        }

        throw new SqlSyntaxException($"{expression[at]} is never closed", at, expression);
    }
}
