using Runtime.Cosmos.Query.Syntax;
using Runtime.Cosmos.Storage;

namespace Runtime.Cosmos.Query.Execution;

/// <summary>A stretch of one kind of values; an end that is not given is the end of the kind.</summary>
sealed record ValueRange(ValueKind Kind, Value? Low, bool IsLowIncluded, Value? High, bool IsHighIncluded)
{
    public bool IsEqual => Low is { } low && High is { } high && low == high;

    public static ValueRange Equal(Value value) => new(value.Kind, value, true, value, true);

    public IndexProbe Start(Partition? partition, bool descending)
    {
        var (bound, isIncluded) = descending ? (High, IsHighIncluded) : (Low, IsLowIncluded);
        if (bound is { } value)
        {
            return IndexProbe.At(partition, value, isIncluded == descending ? long.MaxValue : long.MinValue);
        }

        var edge = descending ? IndexEdge.KindEnd : IndexEdge.KindStart;
        return new IndexProbe(partition, edge, Value.OfKind(Kind), 0);
    }

    /// <summary>Whether a value met on the way is still before the far end.</summary>
    public bool Reaches(Value value, bool descending)
    {
        if (value.Kind != Kind)
        {
            return false;
        }

        var (bound, isIncluded) = descending ? (Low, IsLowIncluded) : (High, IsHighIncluded);
        if (bound is not { } end)
        {
            return true;
        }

        var order = descending ? ValueOrder.Compare(end, value) : ValueOrder.Compare(value, end);
        return order < 0 || (order == 0 && isIncluded);
    }

    public ValueRange? Intersect(ValueRange other)
    {
        if (other.Kind != Kind)
        {
            return null;
        }

        var (low, isLowIncluded) = Tighter(Low, IsLowIncluded, other.Low, other.IsLowIncluded, 1);
        var (high, isHighIncluded) = Tighter(High, IsHighIncluded, other.High, other.IsHighIncluded, -1);
        if (low is { } from && high is { } to)
        {
            var order = ValueOrder.Compare(from, to);
            if (order > 0 || (order == 0 && !(isLowIncluded && isHighIncluded)))
            {
                return null;
            }
        }

        return new ValueRange(Kind, low, isLowIncluded, high, isHighIncluded);
    }

    static (Value? Bound, bool IsIncluded) Tighter(Value? one, bool oneIncluded, Value? other, bool otherIncluded, int sign)
    {
        if (one is not { } a || other is not { } b)
        {
            return one is null ? (other, otherIncluded) : (one, oneIncluded);
        }

        return (ValueOrder.Compare(a, b) * sign) switch
        {
            > 0 => (one, oneIncluded),
            < 0 => (other, otherIncluded),
            _ => (one, oneIncluded && otherIncluded),
        };
    }
}

/// <summary>The ranges a WHERE confines each path of the document to.</summary>
static class ConfinedPaths
{
    /// <summary>By path, in the order of their values; a path that can hold nothing has an empty list.</summary>
    public static Dictionary<string, (PathExpression Path, List<ValueRange> Ranges)> Of(IReadOnlyList<Expression> conjuncts)
    {
        var found = new Dictionary<string, (PathExpression Path, List<ValueRange> Ranges)>();
        foreach (var conjunct in conjuncts)
        {
            if (Of(conjunct) is not { } confined)
            {
                continue;
            }

            var name = PropertyPath.Canonical(confined.Path.Names);
            found[name] = found.TryGetValue(name, out var before)
                ? (confined.Path, [.. before.Ranges.SelectMany(a => confined.Ranges.Select(a.Intersect)).OfType<ValueRange>()])
                : confined;
        }

        return found;
    }

    static (PathExpression Path, List<ValueRange> Ranges)? Of(Expression conjunct) => conjunct switch
    {
        BinaryExpression { Left: PathExpression { Slot: 0, Names.Count: > 0 } path, Right: Constant constant } comparison =>
            Compared(path, comparison.Kind, constant.Value),
        BinaryExpression { Left: Constant constant, Right: PathExpression { Slot: 0, Names.Count: > 0 } path } comparison =>
            Compared(path, Mirrored(comparison.Kind), constant.Value),
        InExpression { Constants: { } constants, Needle: PathExpression { Slot: 0, Names.Count: > 0 } path } =>
            (path, [.. constants.Where(value => !value.IsUndefined).Order(ValueOrder.Instance).Select(ValueRange.Equal)]),
        PathExpression { Slot: 0, Names.Count: > 0 } path => (path, [ValueRange.Equal(Value.True)]),
        CallExpression { Name: "STARTSWITH" or "STRINGEQUALS" } call => Called(call),
        _ => null,
    };

    static (PathExpression Path, List<ValueRange> Ranges)? Compared(PathExpression path, BinaryOperator kind, Value value)
    {
        if (value.IsUndefined)
        {
            return (path, []);
        }

        // Arrays and objects have no order; the index has them by value, for equality alone.
        if (kind is > BinaryOperator.NotEqual and <= BinaryOperator.GreaterOrEqual &&
            value.Kind is ValueKind.Array or ValueKind.Object)
        {
            return (path, []);
        }

        return kind switch
        {
            BinaryOperator.Equal => (path, [ValueRange.Equal(value)]),
            BinaryOperator.Less => (path, [new(value.Kind, null, true, value, false)]),
            BinaryOperator.LessOrEqual => (path, [new(value.Kind, null, true, value, true)]),
            BinaryOperator.Greater => (path, [new(value.Kind, value, false, null, true)]),
            BinaryOperator.GreaterOrEqual => (path, [new(value.Kind, value, true, null, true)]),
            _ => null,
        };
    }

    static BinaryOperator Mirrored(BinaryOperator kind) => kind switch
    {
        BinaryOperator.Less => BinaryOperator.Greater,
        BinaryOperator.LessOrEqual => BinaryOperator.GreaterOrEqual,
        BinaryOperator.Greater => BinaryOperator.Less,
        BinaryOperator.GreaterOrEqual => BinaryOperator.LessOrEqual,
        _ => kind,
    };

    static (PathExpression Path, List<ValueRange> Ranges)? Called(CallExpression call)
    {
        if (call.Arguments.ToArray() is not
            [PathExpression { Slot: 0, Names.Count: > 0 } path, Constant { Value: { IsString: true } text }, .. var rest] ||
            rest.Any(flag => flag is not Constant { Value.IsFalse: true }))
        {
            return null;
        }

        return call.Name == "STRINGEQUALS"
            ? (path, [ValueRange.Equal(text)])
            : (path, [new(ValueKind.String, text, true, After(text.Text), false)]);
    }

    /// <summary>The first string, in the order of character codes, that no longer starts with the prefix.</summary>
    static Value? After(string prefix)
    {
        var length = prefix.TrimEnd(char.MaxValue).Length;
        return length == 0 ? null : Value.Of(prefix[..(length - 1)] + (char)(prefix[length - 1] + 1));
    }
}
