using Runtime.Cosmos.Http;

namespace Runtime.Cosmos.Query.Syntax;

/// <summary>Reads a query into something that can be run; refuses, by name and place, what it does not know.</summary>
/// <remarks>
/// Recursive descent, one method per clause here and one per level of precedence in <c>ExpressionParser</c>. Names are
/// resolved to slots on the way: slot 0 is the document, each alias of FROM and JOIN gets the next one. The projection
/// stands before FROM in the text but needs its aliases, so the parser reads FROM first and then goes back.
/// https://learn.microsoft.com/azure/cosmos-db/nosql/query/select
/// </remarks>
sealed partial class Parser
{
    readonly List<Token> tokens;
    readonly IReadOnlyDictionary<string, Value> parameters;
    readonly List<(string Name, int Slot)> aliases = [];
    SelectQuery query = new();
    int at;
    int nesting;
    int sources;
    int outerAliases;

    Parser(string text, IReadOnlyDictionary<string, Value> parameters) =>
        (tokens, this.parameters) = (Lexer.Read(text), parameters);

    /// <summary>How many slots a scope for the query needs.</summary>
    public int Slots { get; private set; } = 1;

    Token Current => tokens[at];

    public static (SelectQuery Query, int Slots) Parse(string text, IReadOnlyDictionary<string, Value> parameters)
    {
        var parser = new Parser(text, parameters);
        var query = parser.Select(isNested: false);
        parser.Expect(TokenKind.End);
        return (query, parser.Slots);
    }

    /// <summary>Reads the form patch conditions have: FROM and WHERE without a SELECT.</summary>
    public static (SelectQuery Query, int Slots) ParseCondition(string text)
    {
        var parser = new Parser(text, new Dictionary<string, Value>());
        parser.FromClause(isNested: false);
        parser.WhereClause();
        parser.Expect(TokenKind.End);
        return (parser.query, parser.Slots);
    }

    SelectQuery Select(bool isNested)
    {
        var (outer, outerStart) = (query, outerAliases);
        outerAliases = aliases.Count;
        query = new SelectQuery();
        Nest();
        ExpectWord("SELECT");
        query.IsDistinct = TakeWord("DISTINCT");
        if (TakeWord("TOP"))
        {
            query.Top = Whole("TOP");
        }

        var projection = at;
        SkipToFrom();
        var from = at;
        FromClause(isNested);
        var afterFrom = at;
        at = projection;
        Projection();
        if (at != from)
        {
            throw Unexpected("FROM, WHERE or the end of the query");
        }

        at = afterFrom;
        WhereClause();
        GroupByClause();
        OrderByClause();
        OffsetLimitClause();
        Check();
        var parsed = query;
        aliases.RemoveRange(outerAliases, aliases.Count - outerAliases);
        (query, nesting, outerAliases) = (outer, nesting - 1, outerStart);
        return parsed;
    }

    /// <summary>Goes to this query's FROM, or to its end when it has none, past everything in brackets.</summary>
    void SkipToFrom()
    {
        for (var depth = 0; Current.Kind != TokenKind.End; at++)
        {
            depth += Current.Is("(") || Current.Is("[") || Current.Is("{") ? 1 : 0;
            if (depth == 0 && (Current.Is(")") || Current.IsWord("FROM") || Current.IsWord("WHERE") ||
                (Current.IsWord("ORDER") && tokens[at + 1].IsWord("BY")) ||
                (Current.IsWord("GROUP") && tokens[at + 1].IsWord("BY")) || Current.IsWord("OFFSET")))
            {
                return;
            }

            depth -= Current.Is(")") || Current.Is("]") || Current.Is("}") ? 1 : 0;
        }
    }

    void Projection()
    {
        if (Take("*"))
        {
            query.StarSlot = sources == 1 ? aliases[^1].Slot : -1;
            return;
        }

        if (Current.IsWord("VALUE"))
        {
            at++;
            query.Projection = ParseExpression();
            query.ComposesAggregates = Composes(query.Projection);
            return;
        }

        var properties = new List<KeyValuePair<string, Expression>>();
        var unnamed = 0;
        do
        {
            var expression = ParseExpression();
            query.ComposesAggregates |= Composes(expression);
            var name = TakeWord("AS") || IsName ? Alias() : NameOf(expression) ?? $"${++unnamed}";
            if (properties.Exists(property => property.Key == name))
            {
                throw Refused.BadRequest($"The projection has the name '{name}' more than once; give one an alias.");
            }

            properties.Add(KeyValuePair.Create(name, expression));
        }
        while (Take(","));
        query.Projection = new ObjectExpression(properties);
    }

    static bool Composes(Expression expression) =>
        expression is not AggregateExpression && ContainsAggregate(expression);

    static bool ContainsAggregate(Expression expression) =>
        expression is AggregateExpression || expression.Parts.Any(ContainsAggregate);

    static string? NameOf(Expression expression) => expression switch
    {
        PathExpression { Names: [.., var last] } => last,
        PathExpression path => path.Alias,
        MemberExpression { Member: Constant { Value: { IsString: true } member } } => member.Text,
        _ => null,
    };

    void FromClause(bool isNested)
    {
        sources = 0;
        if (!TakeWord("FROM"))
        {
            return;
        }

        FromSource(isNested, isJoin: false);
        for (sources = 1; TakeWord("JOIN"); sources++)
        {
            if (sources > CosmosLimits.JoinsMax)
            {
                throw Refused.BadRequest($"A query has at most {CosmosLimits.JoinsMax} joins.");
            }

            FromSource(isNested, isJoin: true);
        }
    }

    void FromSource(bool isNested, bool isJoin)
    {
        if (Take("("))
        {
            BoundSubquery(null);
            return;
        }

        var name = Identifier("a collection");
        if (TakeWord("IN"))
        {
            if (Take("("))
            {
                BoundSubquery(name);
                return;
            }

            Bind(name, Collection(Identifier("a collection"), isNested || isJoin), iterates: true);
            return;
        }

        var source = Collection(name, isNested || isJoin);
        var alias = TakeWord("AS") || IsName ? Identifier("an alias") : NameOf(source) ?? "";
        if (source is PathExpression { Names.Count: 0, Slot: var slot } && !isJoin && !isNested)
        {
            // The everyday case: the alias is the document itself and nothing is to be bound for each row.
            aliases.Add((alias, slot));
            return;
        }

        Bind(alias, source, iterates: false);
    }

    void BoundSubquery(string? name)
    {
        var subquery = Select(isNested: true);
        Expect(")");
        name ??= TakeWord("AS") || IsName ? Identifier("an alias") : "";
        Bind(name, new SubqueryExpression(SubqueryKind.Array, subquery), iterates: true);
    }

    void Bind(string alias, Expression source, bool iterates)
    {
        if (aliases.Skip(outerAliases).Any(bound => bound.Name == alias))
        {
            throw Refused.BadRequest($"The name '{alias}' is bound more than once.");
        }

        query.From.Add(new FromItem(Slots, source, iterates));
        aliases.Add((alias, Slots++));
    }

    /// <summary>
    /// A name the query has bound, or the container itself, whatever the query calls it; and a path into it.
    /// </summary>
    Expression Collection(string name, bool mustBeBound)
    {
        var bound = aliases.FindLastIndex(alias => alias.Name == name);
        return bound >= 0 || !mustBeBound || aliases.Count == 0
            ? Members(new PathExpression(bound < 0 ? 0 : aliases[bound].Slot, name, []))
            : throw Refused.BadRequest($"The name '{name}' is not bound by FROM or JOIN.");
    }

    void WhereClause()
    {
        if (TakeWord("WHERE"))
        {
            var aggregates = query.Aggregates.Count;
            query.Where = ParseExpression();
            if (query.Aggregates.Count > aggregates)
            {
                throw Refused.BadRequest("WHERE cannot hold an aggregate.");
            }
        }
    }

    void GroupByClause()
    {
        if (!TakeWord("GROUP"))
        {
            return;
        }

        ExpectWord("BY");
        do
        {
            query.GroupBy.Add(ParseExpression());
        }
        while (Take(","));
    }

    void OrderByClause()
    {
        if (!TakeWord("ORDER"))
        {
            return;
        }

        ExpectWord("BY");
        if (Current.IsWord("RANK"))
        {
            throw Refused.Unsupported("ORDER BY RANK");
        }

        do
        {
            var place = Current.Position;
            if (ParseExpression() is not PathExpression { Names.Count: > 0 } path)
            {
                throw Refused.BadRequest(
                    $"Unsupported ORDER BY clause: only a property path can be sorted by (at position {place}).");
            }

            query.OrderBy.Add(new OrderItem(path, !TakeWord("ASC") && TakeWord("DESC")));
        }
        while (Take(","));
    }

    void OffsetLimitClause()
    {
        if (TakeWord("OFFSET"))
        {
            query.Offset = Whole("OFFSET");
            ExpectWord("LIMIT");
            query.Limit = Whole("LIMIT");
        }
    }
}
