using System.Diagnostics;

namespace Runtime.Messaging.Filters;

/// <summary>Comparison and arithmetic on the values that messages carry; null is unknown and stays so.</summary>
static class SqlValues
{
    /// <summary>Brings a property to one of the types that operators know.</summary>
    public static object? Widen(object? value) => value switch
    {
        byte or sbyte or short or ushort or int or uint => Convert.ToInt64(value, null),
        ulong v => v <= long.MaxValue ? (long)v : (decimal)v,
        float v => (double)v,
        char v => v.ToString(),
        DateTime v => new DateTimeOffset(
            v.Kind == DateTimeKind.Local ? v.ToUniversalTime() : DateTime.SpecifyKind(v, DateTimeKind.Utc)),
        Uri v => v.OriginalString,
        _ => value,
    };

    public static bool? Compare(string symbol, object? left, object? right)
    {
        if (left is null || right is null)
        {
            return null;
        }

        // NaN is unequal to everything and neither less nor greater, so doubles are not compared by an order.
        if (left is double or long && right is double or long && (left is double || right is double))
        {
            var (a, b) = (Convert.ToDouble(left, null), Convert.ToDouble(right, null));
            return symbol switch
            {
                "=" => a == b,
                "<>" or "!=" => a != b,
                "<" => a < b,
                "<=" => a <= b,
                ">" => a > b,
                ">=" => a >= b,
                _ => throw new UnreachableException(),
            };
        }

        if (left is bool or Guid && left.GetType() == right.GetType() && symbol is not ("=" or "<>" or "!="))
        {
            throw new SqlEvaluationException($"{symbol} does not order values of type {left.GetType().Name}.");
        }

        var order = Order(left, right);
        return symbol switch
        {
            "=" => order == 0,
            "<>" or "!=" => order != 0,
            "<" => order < 0,
            "<=" => order <= 0,
            ">" => order > 0,
            ">=" => order >= 0,
            _ => throw new UnreachableException(),
        };
    }

    public static object? Calculate(char symbol, object? left, object? right)
    {
        if (left is null || right is null)
        {
            return null;
        }

        try
        {
            return (left, right) switch
            {
                (string a, string b) when symbol == '+' => a + b,
                (long a, long b) => Calculate(symbol, a, b),
                (double or long, double or long) =>
                    Calculate(symbol, Convert.ToDouble(left, null), Convert.ToDouble(right, null)),
                (decimal or long, decimal or long) =>
                    Calculate(symbol, Convert.ToDecimal(left, null), Convert.ToDecimal(right, null)),
                _ => throw new SqlEvaluationException(
                    $"{symbol} does not take a {left.GetType().Name} and a {right.GetType().Name}."),
            };
        }
        catch (ArithmeticException e)
        {
            throw new SqlEvaluationException($"{left} {symbol} {right}: {e.Message}");
        }
    }

    public static object? Negate(object? value) => value switch
    {
        null => null,
        long and long.MinValue => throw new SqlEvaluationException("The smallest integer cannot be negated."),
        long v => -v,
        double v => -v,
        decimal v => -v,
        _ => throw new SqlEvaluationException($"A {value.GetType().Name} cannot be negated."),
    };

    static int Order(object left, object right) => (left, right) switch
    {
        (string a, string b) => string.CompareOrdinal(a, b),
        (long a, long b) => a.CompareTo(b),
        (decimal or long, decimal or long) => Convert.ToDecimal(left, null).CompareTo(Convert.ToDecimal(right, null)),
        (bool a, bool b) => a.CompareTo(b),
        (Guid a, Guid b) => a.CompareTo(b),
        (DateTimeOffset a, DateTimeOffset b) => a.CompareTo(b),
        (TimeSpan a, TimeSpan b) => a.CompareTo(b),
        _ => throw new SqlEvaluationException(
            $"A {left.GetType().Name} does not compare with a {right.GetType().Name}."),
    };

    static long Calculate(char symbol, long a, long b) => checked(symbol switch
    {
        '+' => a + b,
        '-' => a - b,
        '*' => a * b,
        '/' => a / b,
        '%' => a % b,
        _ => throw new UnreachableException(),
    });

    static double Calculate(char symbol, double a, double b) => symbol switch
    {
        '+' => a + b,
        '-' => a - b,
        '*' => a * b,
        '/' => a / b,
        '%' => a % b,
        _ => throw new UnreachableException(),
    };

    static decimal Calculate(char symbol, decimal a, decimal b) => symbol switch
    {
        '+' => a + b,
        '-' => a - b,
        '*' => a * b,
        '/' => a / b,
        '%' => a % b,
        _ => throw new UnreachableException(),
    };
}
