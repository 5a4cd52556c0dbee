using Runtime.Cosmos.Http;

namespace Runtime.Cosmos.Query.Syntax;

/// <content>Taking tokens, and the rules a parsed query must keep as a whole.</content>
sealed partial class Parser
{
    bool Take(string symbol)
    {
        if (!Current.Is(symbol))
        {
            return false;
        }

        at++;
        return true;
    }

    bool TakeWord(string keyword)
    {
        if (!Current.IsWord(keyword))
        {
            return false;
        }

        at++;
        return true;
    }

    void Expect(string symbol)
    {
        if (!Take(symbol))
        {
            throw Unexpected($"'{symbol}'");
        }
    }

    void ExpectWord(string keyword)
    {
        if (!TakeWord(keyword))
        {
            throw Unexpected(keyword);
        }
    }

    Token Expect(TokenKind kind)
    {
        if (Current.Kind != kind)
        {
            throw Unexpected(kind == TokenKind.End ? "the end of the query" : kind.ToString().ToUpperInvariant());
        }

        return kind == TokenKind.End ? Current : tokens[at++];
    }

    bool IsName => Current.Kind == TokenKind.Word && !Current.IsReserved;

    string Identifier(string what) => IsName ? tokens[at++].Text : throw Unexpected(what);

    string Alias() => Current.Kind == TokenKind.String ? tokens[at++].Text : Identifier("an alias");

    int Whole(string clause)
    {
        var number = Current.Kind is TokenKind.Number or TokenKind.Parameter &&
            Primary() is Constant { Value: { IsNumber: true } value } ? value.Number : -1;
        return number is >= 0 and <= int.MaxValue && number == Math.Floor(number)
            ? (int)number
            : throw Refused.BadRequest($"{clause} needs a whole number that is not negative.");
    }

    // Each level of nesting is a level of this process's stack, which a hostile query must not use up.
    void Nest()
    {
        if (++nesting > CosmosLimits.QueryNestingMax)
        {
            throw Refused.BadRequest($"The query is nested more than {CosmosLimits.QueryNestingMax} levels deep.");
        }
    }

    static void CheckRow(int count)
    {
        if (count > OperatorsInRowMax)
        {
            throw Refused.BadRequest($"The query has more than {OperatorsInRowMax} operators in a row.");
        }
    }

    Refused Unexpected(string expected) => Refused.BadRequest(
        $"Syntax error: expected {expected} but found {Current} (at position {Current.Position}).");

    void Check()
    {
        if (query.Projection is null && query.StarSlot < 0)
        {
            throw Refused.BadRequest("'SELECT *' is only valid with a single input set.");
        }

        if (query.Top is not null && query.Limit is not null)
        {
            throw Refused.BadRequest("TOP cannot be combined with OFFSET and LIMIT.");
        }

        if (!query.IsGrouped)
        {
            return;
        }

        if (query.GroupBy.Count > 0 && query.OrderBy.Count > 0)
        {
            throw Refused.Unsupported("ORDER BY together with GROUP BY");
        }

        if (query.Projection is null)
        {
            throw Refused.BadRequest("'SELECT *' cannot be combined with GROUP BY.");
        }

        if (query.OrderBy.Count > 0)
        {
            throw Refused.BadRequest("ORDER BY has no meaning for an aggregate over all rows.");
        }

        CheckGrouped(query.Projection);
    }

    /// <summary>Outside an aggregate a row of a group can only name what all of the group share.</summary>
    void CheckGrouped(Expression expression)
    {
        if (expression is AggregateExpression || query.GroupBy.Exists(key => IsSame(key, expression)))
        {
            return;
        }

        if (expression is PathExpression path)
        {
            throw Refused.BadRequest(
                $"'{string.Join('.', [path.Alias, .. path.Names])}' is neither in GROUP BY nor in an aggregate.");
        }

        foreach (var part in expression.Parts)
        {
            CheckGrouped(part);
        }
    }

    static bool IsSame(Expression left, Expression right) => (left, right) switch
    {
        // What lies below a value all of the group share, they share as well.
        (PathExpression key, PathExpression path) =>
            key.Slot == path.Slot && key.Names.SequenceEqual(path.Names.Take(key.Names.Count)),
        _ => left.Text.Length > 0 && left.Text == right.Text,
    };
}
