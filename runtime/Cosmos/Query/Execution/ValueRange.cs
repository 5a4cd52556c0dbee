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

    static (Value? Bound, bool IsIncluded) Tighter(
        Value? one, bool oneIncluded, Value? other, bool otherIncluded, int sign)
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

/// <summary>A path and the ranges it must lie in, in the order of values; none at all if it can be nowhere.</summary>
readonly record struct Confined(PathExpression Path, List<ValueRange> Ranges);

/// <summary>The ranges a WHERE confines each path of the document to.</summary>
static class ConfinedPaths
{
    public static Dictionary<string, Confined> Of(IReadOnlyList<Expression> conjuncts)
    {
        var found = new Dictionary<string, Confined>();
        foreach (var conjunct in conjuncts)
        {
            if (Of(conjunct) is not { } confined)
            {
                continue;
            }

            var name = PropertyPath.Canonical(confined.Path.Names);
            found[name] = found.TryGetValue(name, out var before)
                ? Both(before, confined)
                : confined;
        }

        return found;
    }

    static Confined Both(Confined one, Confined other) => new(
        one.Path, [.. one.Ranges.SelectMany(range => other.Ranges.Select(range.Intersect)).OfType<ValueRange>()]);

    static Confined? Of(Expression conjunct) => conjunct switch
    {
        BinaryExpression { Left: PathExpression { Slot: 0, Names.Count: > 0 } path, Right: Constant bound } binary =>
            Compared(path, binary.Kind, bound.Value),
        BinaryExpression { Left: Constant bound, Right: PathExpression { Slot: 0, Names.Count: > 0 } path } binary =>
            Compared(path, Mirrored(binary.Kind), bound.Value),
        InExpression { Constants: { } items, Needle: PathExpression { Slot: 0, Names.Count: > 0 } path } => new(
            path, [.. items.Where(item => !item.IsUndefined).Order(ValueOrder.Instance).Select(ValueRange.Equal)]),
        PathExpression { Slot: 0, Names.Count: > 0 } path => new(path, [ValueRange.Equal(Value.True)]),
        CallExpression { Name: "STARTSWITH" or "STRINGEQUALS" } call => Called(call),
        _ => null,
    };

    static Confined? Compared(PathExpression path, BinaryOperator kind, Value value)
    {
        if (value.IsUndefined)
        {
            return new(path, []);
        }

        // Arrays and objects have no order; the index has them by value, for equality alone.
        if (kind is > BinaryOperator.NotEqual and <= BinaryOperator.GreaterOrEqual &&
            value.Kind is ValueKind.Array or ValueKind.Object)
        {
            return new(path, []);
        }

        return kind switch
        {
            BinaryOperator.Equal => new(path, [ValueRange.Equal(value)]),
            BinaryOperator.Less => new(path, [new(value.Kind, null, true, value, false)]),
            BinaryOperator.LessOrEqual => new(path, [new(value.Kind, null, true, value, true)]),
            BinaryOperator.Greater => new(path, [new(value.Kind, value, false, null, true)]),
            BinaryOperator.GreaterOrEqual => new(path, [new(value.Kind, value, true, null, true)]),
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

    static Confined? Called(CallExpression call)
    {
        // Ignoring case is nothing an order by character code can help with.
        var flags = call.Arguments.Skip(2);
        if (call.Arguments is not [PathExpression { Slot: 0, Names.Count: > 0 } path, Constant constant, ..] ||
            constant.Value is not { IsString: true } text || flags.Any(flag => flag is not Constant { Value.IsFalse: true }))
        {
            return null;
        }

        return call.Name == "STRINGEQUALS"
            ? new(path, [ValueRange.Equal(text)])
            : new(path, [new(ValueKind.String, text, true, After(text.Text), false)]);
    }

    /// <summary>The first string, in the order of character codes, that no longer starts with the prefix.</summary>
    static Value? After(string prefix)
    {
        var length = prefix.TrimEnd(char.MaxValue).Length;
        return length == 0 ? null : Value.Of(prefix[..(length - 1)] + (char)(prefix[length - 1] + 1));
    }
}
