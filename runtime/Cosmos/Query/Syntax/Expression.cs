namespace Runtime.Cosmos.Query.Syntax;

/// <summary>
/// The values names stand for while one row is looked at: the document, what joins bound, what was aggregated.
/// </summary>
sealed class Scope(int slots)
{
    readonly Value[] values = new Value[slots];
    ReadOnlyMemory<byte> unread;

    public Value this[int slot]
    {
        get
        {
            if (slot == 0 && !unread.IsEmpty)
            {
                values[0] = Documents.Read(unread);
                unread = default;
            }

            return values[slot];
        }
        set => values[slot] = value;
    }

    /// <summary>A scope of one document, taken apart only when something of it is asked for.</summary>
    public static Scope Of(int slots, ReadOnlyMemory<byte> document) => new(slots) { unread = document };

    /// <summary>Results by the aggregate's place in its query; set while a group is projected.</summary>
    public IReadOnlyList<Accumulator>? Group { get; set; }

    public Scope Copy()
    {
        var copy = new Scope(values.Length);
        values.CopyTo(copy.values, 0);
        copy.unread = unread;
        return copy;
    }
}

/// <summary>A parsed expression that knows how to compute itself.</summary>
abstract class Expression
{
    public abstract Value Evaluate(Scope scope);

    /// <summary>Parts to look for aggregates and paths in; a subquery's inside is its own affair.</summary>
    public virtual IEnumerable<Expression> Parts => [];

    /// <summary>The expression as written, in one spelling, to recognise it again under GROUP BY.</summary>
    public string Text { get; set; } = "";
}

sealed class Constant(Value value) : Expression
{
    public Value Value => value;

    public override Value Evaluate(Scope scope) => value;
}

/// <summary>Properties of a bound name: <c>c.a.b</c>. The form indexes understand.</summary>
sealed class PathExpression(int slot, string alias, string[] names) : Expression
{
    public int Slot => slot;

    public string Alias => alias;

    public IReadOnlyList<string> Names => names;

    public override Value Evaluate(Scope scope)
    {
        var value = scope[slot];
        foreach (var name in names)
        {
            value = value.Property(name);
        }

        return value;
    }
}

sealed class MemberExpression(Expression target, Expression member) : Expression
{
    public Expression Member => member;

    public override IEnumerable<Expression> Parts => [target, member];

    public override Value Evaluate(Scope scope)
    {
        var (value, index) = (target.Evaluate(scope), member.Evaluate(scope));
        return index.Kind switch
        {
            ValueKind.String => value.Property(index.Text),
            ValueKind.Number => value.At(index.Number),
            _ => Value.Undefined,
        };
    }
}

/// <summary>AND and OR of any number of parts; flat, because clients write thousands in a row.</summary>
sealed class LogicalExpression(bool isAnd, IReadOnlyList<Expression> parts) : Expression
{
    public bool IsAnd => isAnd;

    public override IReadOnlyList<Expression> Parts => parts;

    // One false decides an AND and one true an OR, whatever the others are; else anything not boolean is undefined.
    public override Value Evaluate(Scope scope)
    {
        var isDefined = true;
        foreach (var part in parts)
        {
            var value = part.Evaluate(scope);
            if (isAnd ? value.IsFalse : value.IsTrue)
            {
                return value;
            }

            isDefined &= value.Kind == ValueKind.Boolean;
        }

        return isDefined ? Value.Of(isAnd) : Value.Undefined;
    }
}

sealed class NotExpression(Expression operand) : Expression
{
    public override IEnumerable<Expression> Parts => [operand];

    public override Value Evaluate(Scope scope) => operand.Evaluate(scope) is { Kind: ValueKind.Boolean } value
        ? Value.Of(!value.IsTrue)
        : Value.Undefined;
}

sealed class ConditionalExpression(Expression condition, Expression consequent, Expression alternative) : Expression
{
    public override IEnumerable<Expression> Parts => [condition, consequent, alternative];

    public override Value Evaluate(Scope scope) =>
        condition.Evaluate(scope).IsTrue ? consequent.Evaluate(scope) : alternative.Evaluate(scope);
}

sealed class CoalesceExpression(Expression first, Expression second) : Expression
{
    public override IEnumerable<Expression> Parts => [first, second];

    public override Value Evaluate(Scope scope) =>
        first.Evaluate(scope) is { IsUndefined: false } value ? value : second.Evaluate(scope);
}

sealed class InExpression(Expression needle, IReadOnlyList<Expression> items) : Expression
{
    // A list of constants, the usual case, is looked up rather than gone through.
    readonly HashSet<Value>? constants = items.All(item => item is Constant)
        ? [.. items.Select(item => ((Constant)item).Value)]
        : null;

    public Expression Needle => needle;

    public IReadOnlyCollection<Value>? Constants => constants;

    public override IEnumerable<Expression> Parts => [needle, .. items];

    public override Value Evaluate(Scope scope)
    {
        var sought = needle.Evaluate(scope);
        return sought.IsUndefined
            ? Value.Undefined
            : Value.Of(constants?.Contains(sought) ?? items.Any(item => item.Evaluate(scope) == sought));
    }
}

sealed class ArrayExpression(IReadOnlyList<Expression> elements) : Expression
{
    public override IEnumerable<Expression> Parts => elements;

    public override Value Evaluate(Scope scope)
    {
        IReadOnlyList<Value> values =
            [.. elements.Select(element => element.Evaluate(scope)).Where(value => !value.IsUndefined)];
        return Value.Of(values);
    }
}

sealed class ObjectExpression(IReadOnlyList<KeyValuePair<string, Expression>> properties) : Expression
{
    public IReadOnlyList<KeyValuePair<string, Expression>> Properties => properties;

    public override IEnumerable<Expression> Parts => properties.Select(property => property.Value);

    public override Value Evaluate(Scope scope)
    {
        var values = new List<KeyValuePair<string, Value>>(properties.Count);
        foreach (var (name, expression) in properties)
        {
            if (expression.Evaluate(scope) is { IsUndefined: false } value)
            {
                values.Add(KeyValuePair.Create(name, value));
            }
        }

        return Value.Of(values);
    }
}

enum SubqueryKind
{
    Scalar,
    Array,
    Exists,
}

sealed class SubqueryExpression(SubqueryKind kind, SelectQuery query) : Expression
{
    public override Value Evaluate(Scope scope)
    {
        var rows = query.Rows(scope);
        return kind switch
        {
            SubqueryKind.Exists => Value.Of(rows.Any()),
            SubqueryKind.Array => Value.Of((IReadOnlyList<Value>)[.. rows]),
            _ => Single(rows),
        };
    }

    static Value Single(IEnumerable<Value> rows)
    {
        var first = rows.Take(2).ToArray();
        return first.Length switch
        {
            0 => Value.Undefined,
            1 => first[0],
            _ => throw Http.Refused.BadRequest("A scalar subquery must not give more than one row."),
        };
    }
}

sealed class CallExpression(string name, Func<Value[], Value> function, IReadOnlyList<Expression> arguments)
    : Expression
{
    public string Name => name;

    public IReadOnlyList<Expression> Arguments => arguments;

    public override IEnumerable<Expression> Parts => arguments;

    public override Value Evaluate(Scope scope)
    {
        var values = new Value[arguments.Count];
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = arguments[i].Evaluate(scope);
        }

        return function(values);
    }
}

/// <summary>COUNT, SUM and the like: computed over the rows of a group, read while the group is projected.</summary>
sealed class AggregateExpression(AggregateKind kind, int place, Expression argument) : Expression
{
    public AggregateKind Kind => kind;

    public Expression Argument => argument;

    public override Value Evaluate(Scope scope) => scope.Group![place].Result;
}
