using System.Globalization;

namespace Runtime.Messaging.Filters;

/// <summary>Parses the SQL of Service Bus rules: a subset of SQL-92 with the scopes <c>sys.</c> and
/// <c>user.</c>.</summary> <remarks>Grammar:
/// learn.microsoft.com/azure/service-bus-messaging/service-bus-messaging-sql-filter. Precedence, from weak to strong:
/// OR, AND, NOT, comparison, + -, * / %, sign. A parenthesis may hold a predicate or an expression, so both are parsed
/// by one ladder and checked afterwards: AND, OR and NOT join predicates, all else joins expressions.
/// </remarks>
sealed class SqlParser
{
    /// <summary>Azure's limit on the text of a filter or action.</summary>
    public const int ExpressionCharsMax = 1024;

    /// <summary>Azure's limit on the expressions of an action.</summary>
    public const int AssignmentsMax = 32;

    /// <summary>Keeps a hostile expression from using up the stack.</summary>
    public const int NestingMax = 64;

    static readonly HashSet<string> Reserved = new(StringComparer.OrdinalIgnoreCase)
    {
        "AND", "OR", "NOT", "IS", "NULL", "IN", "LIKE", "ESCAPE", "EXISTS", "TRUE", "FALSE", "SET", "REMOVE",
    };

    readonly string expression;
    readonly List<SqlToken> tokens;
    int next;
    int depth;

    SqlParser(string expression)
    {
        if (expression.Length > ExpressionCharsMax)
        {
            throw new SqlSyntaxException(
                $"A filter or action has at most {ExpressionCharsMax} characters", ExpressionCharsMax,
                    expression[..64] + "…");
        }

        this.expression = expression;
        tokens = SqlLexer.Read(expression);
    }

    SqlToken Current => tokens[next];

    public static SqlNode ParseFilter(string expression)
    {
        var parser = new SqlParser(expression);
        var filter = parser.Predicate(parser.Disjunction, "A filter");
        parser.ExpectEnd();
        return filter;
    }

    public static IReadOnlyList<SqlAssignment> ParseAction(string expression)
    {
        var parser = new SqlParser(expression);
        var assignments = new List<SqlAssignment>();
        do
        {
            assignments.Add(parser.Assignment());
            while (parser.Take(";") || parser.Take(","))
            {
            }
        }
        while (parser.Current.Kind != SqlTokenKind.End);
        return assignments.Count <= AssignmentsMax
            ? assignments
            : throw parser.Problem($"An action has at most {AssignmentsMax} statements");
    }

    SqlAssignment Assignment()
    {
        var remove = Take("REMOVE");
        if (!remove)
        {
            Expect("SET");
        }

        var target = Property();
        if (target.IsSystem && !SystemProperties.IsSettable(target.Name))
        {
            throw Problem($"sys.{target.Name} cannot be changed by an action");
        }

        if (remove)
        {
            return new(target, null);
        }

        Expect("=");
        return new(target, Expression(Sum, "SET"));
    }

    SqlNode Disjunction()
    {
        var left = Conjunction();
        while (Take("OR"))
        {
            left = new SqlNode.Or(Predicate(left, "OR"), Predicate(Conjunction, "OR"));
        }

        return left;
    }

    SqlNode Conjunction()
    {
        var left = Negation();
        while (Take("AND"))
        {
            left = new SqlNode.And(Predicate(left, "AND"), Predicate(Negation, "AND"));
        }

        return left;
    }

    SqlNode Negation()
    {
        if (!Take("NOT"))
        {
            return Comparison();
        }

        Descend();
        var negated = new SqlNode.Not(Predicate(Negation, "NOT"));
        depth--;
        return negated;
    }

    SqlNode Comparison()
    {
        var left = Sum();
        foreach (var symbol in (ReadOnlySpan<string>)["=", "<>", "!=", ">=", "<=", ">", "<"])
        {
            if (Take(symbol))
            {
                return new SqlNode.Compare(symbol, Expression(left, symbol), Expression(Sum, symbol));
            }
        }

        if (Take("IS"))
        {
            var isNot = Take("NOT");
            Expect("NULL");
            return new SqlNode.IsNull(
                left as SqlNode.Property ?? throw Problem("IS [NOT] NULL asks for a property on its left"), isNot);
        }

        var negated = Current.Is("NOT") && (tokens[next + 1].Is("IN") || tokens[next + 1].Is("LIKE")) && Take("NOT");
        if (Take("IN"))
        {
            return new SqlNode.In(Expression(left, "IN"), Choices(), negated);
        }

        if (!Take("LIKE"))
        {
            return left;
        }

        var pattern = Expression(Sum, "LIKE");
        return new SqlNode.Like(
            Expression(left, "LIKE"), pattern, Take("ESCAPE") ? Expression(Sum, "ESCAPE") : null, negated);
    }

    List<SqlNode> Choices()
    {
        Expect("(");
        var choices = new List<SqlNode> { Expression(Sum, "IN") };
        while (Take(","))
        {
            choices.Add(Expression(Sum, "IN"));
        }

        Expect(")");
        return choices;
    }

    SqlNode Sum()
    {
        var left = Product();
        while (Current.Is("+") || Current.Is("-"))
        {
            var symbol = Advance().Text;
            left = new SqlNode.Arithmetic(symbol[0], Expression(left, symbol), Expression(Product, symbol));
        }

        return left;
    }

    SqlNode Product()
    {
        var left = Signed();
        while (Current.Is("*") || Current.Is("/") || Current.Is("%"))
        {
            var symbol = Advance().Text;
            left = new SqlNode.Arithmetic(symbol[0], Expression(left, symbol), Expression(Signed, symbol));
        }

        return left;
    }

    SqlNode Signed()
    {
        if (!Current.Is("-") && !Current.Is("+"))
        {
            return Primary();
        }

        var symbol = Advance().Text;
        Descend();
        var operand = Expression(Signed, symbol);
        depth--;
        return symbol == "-" ? new SqlNode.Negate(operand) : operand;
    }

    SqlNode Primary()
    {
        var token = Current;
        switch (token.Kind)
        {
            case SqlTokenKind.Text: return new SqlNode.Constant(Advance().Text);
            case SqlTokenKind.Integer: return new SqlNode.Constant(Integer(Advance()));
            case SqlTokenKind.Decimal:
                return new SqlNode.Constant(double.Parse(Advance().Text, CultureInfo.InvariantCulture));
        }

        if (Take("("))
        {
            Descend();
            var inner = Disjunction();
            Expect(")");
            depth--;
            return inner;
        }

        return Take("TRUE") ? new SqlNode.Constant(true)
            : Take("FALSE") ? new SqlNode.Constant(false)
            : Take("NULL") ? new SqlNode.Constant(null)
            : Take("EXISTS") ? Parenthesised(() => new SqlNode.Exists(Property()))
            : token.Kind == SqlTokenKind.Word && tokens[next + 1].Is("(") ? Function()
            : Property();
    }

    SqlNode Function()
    {
        var name = Advance();
        return name.Text.ToUpperInvariant() switch
        {
            "NEWID" => Parenthesised(() => new SqlNode.NewId()),
            "PROPERTY" or "P" => Parenthesised(() => new SqlNode.NamedProperty(Expression(Sum, name.Text))),
            _ => throw new SqlSyntaxException($"There is no function {name}", name.Position, expression),
        };
    }

    SqlNode Parenthesised(Func<SqlNode> content)
    {
        Expect("(");
        Descend();
        var node = content();
        Expect(")");
        depth--;
        return node;
    }

    SqlNode.Property Property()
    {
        var first = Name();
        if (!Take("."))
        {
            return new(IsSystem: false, first.Text);
        }

        var isSystem = first.Text.Equals("sys", StringComparison.OrdinalIgnoreCase);
        if (!isSystem && !first.Text.Equals("user", StringComparison.OrdinalIgnoreCase))
        {
            throw new SqlSyntaxException($"A scope is sys or user, not {first}", first.Position, expression);
        }

        var name = Name();
        return !isSystem || SystemProperties.Exists(name.Text)
            ? new(isSystem, name.Text)
            : throw new SqlSyntaxException(
                $"There is no system property {name}; known are {SystemProperties.Names}", name.Position, expression);
    }

    SqlToken Name() => Current.Kind switch
    {
        SqlTokenKind.DelimitedName => Advance(),
        SqlTokenKind.Word when !Reserved.Contains(Current.Text) => Advance(),
        _ => throw Problem($"Expected a value or a property but found {Current}"),
    };

    long Integer(SqlToken token) => long.TryParse(token.Text, CultureInfo.InvariantCulture, out var value)
        ? value
        : throw new SqlSyntaxException($"{token} is too large for an integer", token.Position, expression);

    SqlNode Predicate(Func<SqlNode> parse, string where) => Predicate(parse(), where);

    SqlNode Predicate(SqlNode node, string where) => node.IsPredicate
        ? node
        : throw Problem($"{where} needs a condition, such as a comparison; a value alone is none");

    SqlNode Expression(Func<SqlNode> parse, string where) => Expression(parse(), where);

    SqlNode Expression(SqlNode node, string where) =>
        node.IsPredicate ? throw Problem($"{where} needs a value; a condition is none") : node;

    void Descend()
    {
        if (++depth > NestingMax)
        {
            throw Problem($"A filter nests at most {NestingMax} levels");
        }
    }

    SqlToken Advance() => tokens[next++];

    bool Take(string word)
    {
        if (!Current.Is(word))
        {
            return false;
        }

        next++;
        return true;
    }

    void Expect(string word)
    {
        if (!Take(word))
        {
            throw Problem($"Expected '{word}' but found {Current}");
        }
    }

    void ExpectEnd()
    {
        if (Current.Kind != SqlTokenKind.End)
        {
            throw Problem($"Expected the end but found {Current}");
        }
    }

    SqlSyntaxException Problem(string problem) => new(problem, Current.Position, expression);
}
