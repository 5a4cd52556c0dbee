using Runtime.Cosmos.Http;

namespace Runtime.Cosmos.Query.Syntax;

/// <content>Expressions, from the loosest binding to the tightest.</content>
sealed partial class Parser
{
    const int OperatorsInRowMax = 1000;

    // As the service groups them: bit operators stand with plus and minus, shifts below them.
    static readonly (string Symbol, BinaryOperator Kind)[][] Levels =
    [
        [
            ("=", BinaryOperator.Equal), ("!=", BinaryOperator.NotEqual), ("<>", BinaryOperator.NotEqual),
            ("<=", BinaryOperator.LessOrEqual), ("<", BinaryOperator.Less),
            (">=", BinaryOperator.GreaterOrEqual), (">", BinaryOperator.Greater),
        ],
        [("<<", BinaryOperator.ShiftLeft), (">>>", BinaryOperator.ShiftRightZero), (">>", BinaryOperator.ShiftRight)],
        [
            ("+", BinaryOperator.Add), ("-", BinaryOperator.Subtract), ("||", BinaryOperator.Concatenate),
            ("&", BinaryOperator.BitAnd), ("|", BinaryOperator.BitOr), ("^", BinaryOperator.BitXor),
        ],
        [("*", BinaryOperator.Multiply), ("/", BinaryOperator.Divide), ("%", BinaryOperator.Modulo)],
    ];

    Expression ParseExpression()
    {
        Nest();
        var start = at;
        var expression = Conditional();
        expression.Text = string.Join(' ', tokens[start..at].Select(token => token.Text));
        nesting--;
        return expression;
    }

    Expression Conditional()
    {
        var condition = Coalesce();
        if (!Take("?"))
        {
            return condition;
        }

        var consequent = ParseExpression();
        Expect(":");
        return new ConditionalExpression(condition, consequent, ParseExpression());
    }

    Expression Coalesce()
    {
        var parts = new List<Expression> { Operand() };
        while (Take("??"))
        {
            parts.Add(Operand());
            CheckRow(parts.Count);
        }

        return parts.Aggregate((first, second) => new CoalesceExpression(first, second));
    }

    /// <summary>A BETWEEN stands alone: next to AND or OR it needs parentheses, as in the service.</summary>
    Expression Operand()
    {
        var isAlone = true;
        var first = Logical(isAnd: false, ref isAlone);
        var isNegated = Current.IsWord("NOT") && tokens[at + 1].IsWord("BETWEEN");
        if (!isAlone || !(isNegated || Current.IsWord("BETWEEN")))
        {
            return first;
        }

        at += isNegated ? 2 : 1;
        var low = Binary(0);
        ExpectWord("AND");
        var between = new LogicalExpression(isAnd: true,
        [
            new BinaryExpression(BinaryOperator.GreaterOrEqual, first, low),
            new BinaryExpression(BinaryOperator.LessOrEqual, first, Binary(0)),
        ]);
        return isNegated ? new NotExpression(between) : between;
    }

    Expression Logical(bool isAnd, ref bool isAlone)
    {
        var first = isAnd ? Test(ref isAlone) : Logical(isAnd: true, ref isAlone);
        if (!Current.IsWord(isAnd ? "AND" : "OR"))
        {
            return first;
        }

        isAlone = false;
        var parts = new List<Expression> { first };
        while (TakeWord(isAnd ? "AND" : "OR"))
        {
            parts.Add(isAnd ? Test(ref isAlone) : Logical(isAnd: true, ref isAlone));
        }

        return new LogicalExpression(isAnd, parts);
    }

    Expression Test(ref bool isAlone)
    {
        var left = Binary(0);
        var isNegated = Current.IsWord("NOT");
        var word = isNegated ? tokens[at + 1] : Current;
        if (!word.IsWord("IN") && !word.IsWord("LIKE"))
        {
            return left;
        }

        isAlone = false;
        at += isNegated ? 2 : 1;
        Expression test = word.IsWord("IN") ? In(left) : Like(left);
        return isNegated ? new NotExpression(test) : test;
    }

    InExpression In(Expression needle)
    {
        Expect("(");
        var items = List(")");
        return items.Count is > 0 and <= CosmosLimits.InItemsMax
            ? new InExpression(needle, items)
            : throw Refused.BadRequest($"IN needs 1 to {CosmosLimits.InItemsMax} items.");
    }

    LikeExpression Like(Expression value)
    {
        var pattern = Binary(0);
        char? escape = null;
        if (TakeWord("ESCAPE"))
        {
            var text = Expect(TokenKind.String).Text;
            escape = text.Length == 1 ? text[0] : throw Refused.BadRequest("ESCAPE needs exactly one character.");
        }

        return new LikeExpression(value, pattern, escape);
    }

    Expression Binary(int level)
    {
        if (level == Levels.Length)
        {
            return Unary();
        }

        var left = Binary(level + 1);
        for (var count = 0; ; count++)
        {
            CheckRow(count);
            var found = Array.FindIndex(Levels[level], candidate => Current.Is(candidate.Symbol));
            if (found < 0)
            {
                return left;
            }

            at++;
            left = Folded(new BinaryExpression(Levels[level][found].Kind, left, Binary(level + 1)));
        }
    }

    Expression Unary()
    {
        var isNot = Current.IsWord("NOT");
        if (!isNot && (Current.Kind != TokenKind.Symbol || Current.Text is not ("-" or "+" or "~")))
        {
            return Members(Primary());
        }

        // NOT binds as tightly as a sign: NOT c.a = c.b compares (NOT c.a) with c.b.
        var sign = tokens[at++].Text[0];
        Nest();
        var operand = Unary();
        nesting--;
        return Folded(isNot ? new NotExpression(operand) : new UnaryExpression(sign, operand));
    }

    /// <summary>What is made of constants alone is one: indexes serve comparisons with constants.</summary>
    static Expression Folded(Expression expression) => expression.Parts.All(part => part is Constant)
        ? new Constant(expression.Evaluate(new Scope(0)))
        : expression;

    Expression Members(Expression target)
    {
        for (var count = 0; ; count++)
        {
            CheckRow(count);
            Expression member;
            if (Take("."))
            {
                member = new Constant(Value.Of(Identifier("a property")));
            }
            else if (Take("["))
            {
                member = Current.Kind is TokenKind.Number or TokenKind.String or TokenKind.Parameter
                    ? Primary()
                    : throw Unexpected("a name or a number");
                Expect("]");
            }
            else
            {
                return target;
            }

            target = target is PathExpression path && member is Constant { Value: { IsString: true } name }
                ? new PathExpression(path.Slot, path.Alias, [.. path.Names, name.Text])
                : new MemberExpression(target, member);
        }
    }

    Expression Primary()
    {
        var token = Current;
        at++;
        switch (token.Kind)
        {
            case TokenKind.Number:
                return new Constant(Value.Of(token.Number));
            case TokenKind.String:
                return new Constant(Value.Of(token.Text));
            case TokenKind.Parameter:
                return parameters.TryGetValue(token.Text, out var value)
                    ? new Constant(value)
                    : throw Refused.BadRequest($"The query names the parameter '{token.Text}', which was not given.");
            case TokenKind.Word:
                return Word(token);
            case TokenKind.Symbol when token.Text == "(":
                return Parenthesized();
            case TokenKind.Symbol when token.Text == "[":
                return new ArrayExpression(List("]"));
            case TokenKind.Symbol when token.Text == "{":
                return ObjectLiteral();
            default:
                at--;
                throw Unexpected("an expression");
        }
    }

    Expression Word(Token token)
    {
        switch (token.Text)
        {
            case "true":
                return new Constant(Value.True);
            case "false":
                return new Constant(Value.False);
            case "null":
                return new Constant(Value.Null);
            case "undefined":
                return new Constant(Value.Undefined);
        }

        if (Current.Is("(") || (token.Text == "udf" && Current.Is(".")))
        {
            return Call(token);
        }

        if (token.IsReserved)
        {
            at--;
            throw Unexpected("an expression");
        }

        var bound = aliases.FindLastIndex(alias => alias.Name == token.Text);
        return bound >= 0
            ? new PathExpression(aliases[bound].Slot, token.Text, [])
            : throw Refused.BadRequest(
                $"The name '{token.Text}' is not bound by FROM or JOIN (at position {token.Position}).");
    }

    Expression Call(Token token)
    {
        if (token.Text == "udf")
        {
            throw Refused.Unsupported("A user-defined function");
        }

        at++;
        if (Current.IsWord("SELECT") && (token.IsWord("EXISTS") || token.IsWord("ARRAY")))
        {
            var subquery = Select(isNested: true);
            Expect(")");
            return new SubqueryExpression(token.IsWord("EXISTS") ? SubqueryKind.Exists : SubqueryKind.Array, subquery);
        }

        if (Current.IsWord("SELECT"))
        {
            throw Refused.Unsupported($"The subquery form {token.Text.ToUpperInvariant()}(SELECT ...)");
        }

        var isAggregate = Enum.TryParse<AggregateKind>(token.Text, ignoreCase: true, out var kind);
        var arguments = List(")");
        if (!isAggregate)
        {
            return Folded(Functions.Call(token.Text, arguments));
        }

        if (arguments.Count != 1)
        {
            throw Refused.BadRequest($"{token.Text.ToUpperInvariant()} takes one argument.");
        }

        if (arguments[0] is AggregateExpression)
        {
            throw Refused.BadRequest("An aggregate cannot be the argument of another aggregate.");
        }

        var aggregate = new AggregateExpression(kind, query.Aggregates.Count, arguments[0]);
        query.Aggregates.Add(aggregate);
        return aggregate;
    }

    Expression Parenthesized()
    {
        Expression inner;
        if (Current.IsWord("SELECT"))
        {
            inner = new SubqueryExpression(SubqueryKind.Scalar, Select(isNested: true));
        }
        else
        {
            inner = ParseExpression();
        }

        Expect(")");
        return inner;
    }

    ObjectExpression ObjectLiteral()
    {
        var properties = new List<KeyValuePair<string, Expression>>();
        while (!Take("}"))
        {
            if (properties.Count > 0)
            {
                Expect(",");
            }

            var name = Current.Kind == TokenKind.String ? tokens[at++].Text : Identifier("a property name");
            Expect(":");
            if (properties.Exists(property => property.Key == name))
            {
                throw Refused.BadRequest($"The object has the property '{name}' more than once.");
            }

            properties.Add(KeyValuePair.Create(name, ParseExpression()));
        }

        return new ObjectExpression(properties);
    }

    List<Expression> List(string closing)
    {
        var items = new List<Expression>();
        while (!Take(closing))
        {
            if (items.Count > 0)
            {
                Expect(",");
            }

            items.Add(ParseExpression());
        }

        return items;
    }
}
