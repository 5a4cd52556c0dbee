using Runtime.Cosmos.Query.Syntax;
using Runtime.Cosmos.Storage;

namespace Runtime.Cosmos.Query.Execution;

/// <summary>The part of a WHERE that the indexing policy lets the index decide, without loading a document.</summary>
/// <remarks>
/// It says what a query costs: documents that pass are loaded and paid for, the others are not. It is derived from the
/// policy alone, never from how this server happens to find the documents, so a charge depends on the query and the
/// data only.
/// </remarks>
sealed class IndexFilter
{
    static readonly HashSet<string> ServedFunctions =
    [
        "STARTSWITH", "CONTAINS", "ENDSWITH", "STRINGEQUALS", "REGEXMATCH", "ARRAY_CONTAINS", "ARRAY_CONTAINS_ANY",
        "ARRAY_CONTAINS_ALL", "IS_DEFINED", "IS_NULL", "IS_BOOL", "IS_NUMBER", "IS_STRING", "IS_ARRAY", "IS_OBJECT",
        "IS_PRIMITIVE", "IS_INTEGER", "IS_FINITE_NUMBER", "LEFT",
    ];

    readonly List<Expression> served = [];

    public IndexFilter(Expression? where, ContainerDefinition definition)
    {
        Conjuncts = Flatten(where).ToList();
        foreach (var conjunct in Conjuncts)
        {
            if (IsServed(conjunct, definition))
            {
                served.Add(conjunct);
            }
        }

        IsWhole = served.Count == Conjuncts.Count;
    }

    /// <summary>The parts of the WHERE all of which must hold.</summary>
    public IReadOnlyList<Expression> Conjuncts { get; }

    /// <summary>How many lookups in the index the filter stands for.</summary>
    public int Lookups => served.Count;

    /// <summary>Whether nothing is left to decide once a document is loaded.</summary>
    public bool IsWhole { get; }

    public bool Passes(Scope scope)
    {
        foreach (var conjunct in served)
        {
            if (!conjunct.Evaluate(scope).IsTrue)
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>
    /// Whether a path of the document itself is indexed; the key paths are how the document was routed.
    /// </summary>
    public static bool IsIndexed(PathExpression path, ContainerDefinition definition) =>
        path is { Slot: 0, Names.Count: > 0 } &&
        (definition.Indexing.Includes(path.Names) || IsKeyPath(path, definition));

    public static bool IsKeyPath(PathExpression path, ContainerDefinition definition) =>
        path.Slot == 0 && definition.PartitionKeyPaths.Any(key => key.Segments.SequenceEqual(path.Names));

    static IEnumerable<Expression> Flatten(Expression? where) => where switch
    {
        null => [],
        LogicalExpression { IsAnd: true } both => both.Parts.SelectMany(Flatten),
        // Clients put a literal true where a filter could have been.
        Constant { Value.IsTrue: true } => [],
        _ => [where],
    };

    static bool IsServed(Expression expression, ContainerDefinition definition) => expression switch
    {
        LogicalExpression logical => logical.Parts.All(part => IsServed(part, definition)),
        NotExpression not => not.Parts.All(part => IsServed(part, definition)),
        PathExpression path => IsIndexed(path, definition),
        BinaryExpression { Kind: <= BinaryOperator.GreaterOrEqual } comparison =>
            IsPair(comparison.Left, comparison.Right, definition) ||
            IsPair(comparison.Right, comparison.Left, definition),
        InExpression { Constants: not null, Needle: PathExpression path } => IsIndexed(path, definition),
        LikeExpression like => like.Parts.ToArray() is [PathExpression path, Constant] && IsIndexed(path, definition),
        CallExpression call => ServedFunctions.Contains(call.Name) && IsServedCall(call, definition),
        _ => false,
    };

    static bool IsPair(Expression path, Expression constant, ContainerDefinition definition) =>
        path is PathExpression indexed && constant is Constant && IsIndexed(indexed, definition);

    static bool IsServedCall(CallExpression call, ContainerDefinition definition)
    {
        if (call.Arguments[0] is not PathExpression { Slot: 0 } path ||
            call.Arguments.Skip(1).Any(rest => rest is not Constant))
        {
            return false;
        }

        return call.Name.StartsWith("ARRAY_", StringComparison.Ordinal)
            ? definition.Indexing.Includes([.. path.Names, "[]"])
            : IsIndexed(path, definition);
    }
}
