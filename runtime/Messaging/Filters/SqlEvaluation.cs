using System.Diagnostics;
using Azure.Core.Amqp;

namespace Runtime.Messaging.Filters;

/// <summary>Works out a filter for one message, in three-valued logic: null is unknown.</summary>
/// <remarks>Texts compare by their characters (case matters). Operators bind as in C#: whole numbers widen to 64 bits,
/// a double meets a whole number, a decimal meets a whole number but no double; everything else is an error, which the
/// subscription dead-letters or drops.</remarks>
static class SqlEvaluation
{
    public static bool? Truth(SqlNode node, AmqpAnnotatedMessage message) => node switch
    {
        SqlNode.Not not => !Truth(not.Operand, message),
        SqlNode.And and => Truth(and.Left, message) switch
        {
            false => false,
            true => Truth(and.Right, message),
            null => Truth(and.Right, message) is false ? false : null,
        },
        SqlNode.Or or => Truth(or.Left, message) switch
        {
            true => true,
            false => Truth(or.Right, message),
            null => Truth(or.Right, message) is true ? true : null,
        },
        SqlNode.Compare compare =>
            SqlValues.Compare(compare.Operator, Value(compare.Left, message), Value(compare.Right, message)),
        SqlNode.IsNull isNull => Value(isNull.Operand, message) is null != isNull.Negated,
        SqlNode.In choice => Contains(choice, message),
        SqlNode.Like like => Matches(like, message),
        SqlNode.Exists exists => exists.Operand.IsSystem
            ? Value(exists.Operand, message) is not null
            : Find(message, exists.Operand.Name, out _),
        _ => throw new UnreachableException(),
    };

    public static object? Value(SqlNode node, AmqpAnnotatedMessage message) => node switch
    {
        SqlNode.Constant constant => constant.Value,
        SqlNode.Property { IsSystem: true } property => SqlValues.Widen(SystemProperties.Read(message, property.Name)),
        SqlNode.Property property => Find(message, property.Name, out var value) ? SqlValues.Widen(value) : null,
        SqlNode.NamedProperty named => Value(named.Name, message) switch
        {
            null => null,
            string name => Find(message, name, out var value) ? SqlValues.Widen(value) : null,
            var other => throw new SqlEvaluationException($"property() takes a text, not a {other.GetType().Name}."),
        },
        SqlNode.NewId => Guid.NewGuid(),
        SqlNode.Negate negate => SqlValues.Negate(Value(negate.Operand, message)),
        SqlNode.Arithmetic arithmetic => SqlValues.Calculate(
            arithmetic.Operator, Value(arithmetic.Left, message), Value(arithmetic.Right, message)),
        _ => throw new UnreachableException(),
    };

    public static void Apply(IReadOnlyList<SqlAssignment> action, AmqpAnnotatedMessage message)
    {
        foreach (var (target, expression) in action)
        {
            var value = expression is null ? null : Value(expression, message);
            if (target.IsSystem)
            {
                SystemProperties.Write(message, target.Name, value);
                continue;
            }

            var name = message.ApplicationProperties.Keys.FirstOrDefault(key => SameName(key, target.Name))
                ?? target.Name;
            if (expression is null)
            {
                message.ApplicationProperties.Remove(name);
            }
            else
            {
                message.ApplicationProperties[name] = value!;
            }
        }
    }

    static bool? Contains(SqlNode.In choice, AmqpAnnotatedMessage message)
    {
        if (Value(choice.Left, message) is not { } left)
        {
            return null;
        }

        var found = choice.Choices.Any(option => SqlValues.Compare("=", left, Value(option, message)) is true);
        return found != choice.Negated;
    }

    static bool? Matches(SqlNode.Like like, AmqpAnnotatedMessage message)
    {
        var left = Value(like.Left, message);
        var pattern = Value(like.Pattern, message);
        var escape = like.Escape is null ? "" : Value(like.Escape, message);
        if (left is null || pattern is null || escape is null)
        {
            return null;
        }

        if (left is not string text || pattern is not string wildcards)
        {
            throw new SqlEvaluationException("LIKE compares texts only.");
        }

        return escape is string { Length: <= 1 } character && (like.Escape is null || character.Length == 1)
            ? LikePattern.Matches(text, wildcards, character.Length == 1 ? character[0] : null) != like.Negated
            : throw new SqlEvaluationException("ESCAPE takes a text of one character.");
    }

    /// <summary>Names ignore case; the exact spelling wins where two differ only by it.</summary>
    static bool Find(AmqpAnnotatedMessage message, string name, out object? value)
    {
        value = null;
        if (!message.HasSection(AmqpMessageSection.ApplicationProperties))
        {
            return false;
        }

        var properties = message.ApplicationProperties;
        if (properties.TryGetValue(name, out value))
        {
            return true;
        }

        foreach (var (key, candidate) in properties)
        {
            if (SameName(key, name))
            {
                value = candidate;
                return true;
            }
        }

        return false;
    }

    static bool SameName(string left, string right) => left.Equals(right, StringComparison.OrdinalIgnoreCase);
}
