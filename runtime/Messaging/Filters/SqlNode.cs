namespace Runtime.Messaging.Filters;

/// <summary>A parsed filter: predicates answer true, false or unknown; expressions answer a value or unknown.</summary>
abstract record SqlNode
{
    SqlNode()
    {
    }

    public bool IsPredicate => this is Not or And or Or or Compare or IsNull or In or Like or Exists;

    public sealed record Not(SqlNode Operand) : SqlNode;

    public sealed record And(SqlNode Left, SqlNode Right) : SqlNode;

    public sealed record Or(SqlNode Left, SqlNode Right) : SqlNode;

    public sealed record Compare(string Operator, SqlNode Left, SqlNode Right) : SqlNode;

    public sealed record IsNull(Property Operand, bool Negated) : SqlNode;

    public sealed record In(SqlNode Left, IReadOnlyList<SqlNode> Choices, bool Negated) : SqlNode;

    public sealed record Like(SqlNode Left, SqlNode Pattern, SqlNode? Escape, bool Negated) : SqlNode;

    public sealed record Exists(Property Operand) : SqlNode;

    public sealed record Constant(object? Value) : SqlNode;

    public sealed record Property(bool IsSystem, string Name) : SqlNode;

    public sealed record NamedProperty(SqlNode Name) : SqlNode;

    public sealed record NewId : SqlNode;

    public sealed record Arithmetic(char Operator, SqlNode Left, SqlNode Right) : SqlNode;

    public sealed record Negate(SqlNode Operand) : SqlNode;
}

/// <summary>One step of a rule's action: sets a property, or removes it when there is no value.</summary>
sealed record SqlAssignment(SqlNode.Property Target, SqlNode? Value);
