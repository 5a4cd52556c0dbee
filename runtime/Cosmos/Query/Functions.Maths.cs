namespace Runtime.Cosmos.Query;

/// <content>Functions of numbers.</content>
static partial class Functions
{
    static void AddMaths()
    {
        AddNumeric("ABS", Math.Abs);
        AddNumeric("ACOS", Math.Acos);
        AddNumeric("ASIN", Math.Asin);
        AddNumeric("ATAN", Math.Atan);
        AddNumeric("ATN2", Math.Atan2);
        AddNumeric("CEILING", Math.Ceiling);
        AddNumeric("COS", Math.Cos);
        AddNumeric("COT", number => 1 / Math.Tan(number));
        AddNumeric("DEGREES", number => number * 180 / Math.PI);
        AddNumeric("EXP", Math.Exp);
        AddNumeric("FLOOR", Math.Floor);
        AddNumeric("LOG10", Math.Log10);
        AddNumeric("POWER", Math.Pow);
        AddNumeric("RADIANS", number => number * Math.PI / 180);
        AddNumeric("SIGN", number => Math.Sign(number));
        AddNumeric("SIN", Math.Sin);
        AddNumeric("SQRT", Math.Sqrt);
        AddNumeric("SQUARE", number => number * number);
        AddNumeric("TAN", Math.Tan);
        AddNumeric("TRUNC", Math.Truncate);
        Add("PI", 0, 0, _ => Value.Of(Math.PI));
        Add("LOG", 1, 2, arguments => arguments.All(argument => argument.IsNumber)
            ? Value.Of(arguments.Length == 1
                ? Math.Log(arguments[0].Number)
                : Math.Log(arguments[0].Number, arguments[1].Number))
            : Value.Undefined);
        Add("ROUND", 1, 2, arguments => arguments.All(argument => argument.IsNumber)
            ? Value.Of(Rounded(arguments[0].Number, arguments.Length == 1 ? 0 : arguments[1].Number))
            : Value.Undefined);
        AddNumeric("NUMBERBIN", (number, size) => Math.Floor(number / size) * size);
        AddWhole("INTADD", (a, b) => a + b);
        AddWhole("INTSUB", (a, b) => a - b);
        AddWhole("INTMUL", (a, b) => a * b);
        AddWhole("INTDIV", (a, b) => b == 0 ? null : a / b);
        AddWhole("INTMOD", (a, b) => b == 0 ? null : a % b);
        AddWhole("INTBITAND", (a, b) => a & b);
        AddWhole("INTBITOR", (a, b) => a | b);
        AddWhole("INTBITXOR", (a, b) => a ^ b);
    }

    static void AddWhole(string name, Func<long, long, long?> body) => Add(name, 2, 2, arguments =>
        IsWhole(arguments[0]) && IsWhole(arguments[1]) &&
        body((long)arguments[0].Number, (long)arguments[1].Number) is { } result
            ? Value.Of((double)result)
            : Value.Undefined);

    static bool IsWhole(Value value) =>
        value.IsNumber && value.Number == Math.Truncate(value.Number) && Math.Abs(value.Number) < 9.2e18;

    // Half away from zero; a negative number of digits rounds to tens and hundreds.
    static double Rounded(double number, double digits)
    {
        var scale = Math.Pow(10, Math.Clamp(Math.Truncate(digits), -15, 15));
        return Math.Round(number * scale, MidpointRounding.AwayFromZero) / scale;
    }
}
