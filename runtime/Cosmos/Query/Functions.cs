using Runtime.Cosmos.Http;
using Runtime.Cosmos.Query.Syntax;

namespace Runtime.Cosmos.Query;

/// <summary>The built-in functions by name. A call of one that is not here is refused by its name.</summary>
/// <remarks>
/// An argument of the wrong kind makes a result undefined, not an error, as in the service:
/// https://learn.microsoft.com/azure/cosmos-db/nosql/query/system-functions
/// </remarks>
static partial class Functions
{
    static readonly Dictionary<string, Function> Known = new(StringComparer.OrdinalIgnoreCase);

    static Functions()
    {
        AddTypes();
        AddStrings();
        AddArrays();
        AddMaths();
        AddDates();
    }

    public static CallExpression Call(string name, IReadOnlyList<Expression> arguments)
    {
        if (!Known.TryGetValue(name, out var function))
        {
            throw Refused.Unsupported($"The function {name.ToUpperInvariant()}");
        }

        return arguments.Count >= function.ArgumentsMin && arguments.Count <= function.ArgumentsMax
            ? new CallExpression(name.ToUpperInvariant(), function.Body, arguments)
            : throw Refused.BadRequest(
                $"{name.ToUpperInvariant()} takes {function.ArgumentsMin} to {function.ArgumentsMax} arguments.");
    }

    static void Add(string name, int least, int most, Func<Value[], Value> body) =>
        Known.Add(name, new Function(least, most, body));

    /// <summary>A function of one number.</summary>
    static void AddNumeric(string name, Func<double, double> body) => Add(name, 1, 1, arguments =>
        arguments[0].IsNumber ? Value.Of(body(arguments[0].Number)) : Value.Undefined);

    /// <summary>A function of two numbers.</summary>
    static void AddNumeric(string name, Func<double, double, double> body) => Add(name, 2, 2, arguments =>
        arguments[0].IsNumber && arguments[1].IsNumber
            ? Value.Of(body(arguments[0].Number, arguments[1].Number))
            : Value.Undefined);

    /// <summary>A function of one string.</summary>
    static void AddText(string name, Func<string, Value> body) => Add(name, 1, 1, arguments =>
        arguments[0].IsString ? body(arguments[0].Text) : Value.Undefined);

    static void AddTypes()
    {
        Add("IS_DEFINED", 1, 1, arguments => Value.Of(!arguments[0].IsUndefined));
        AddKind("IS_NULL", value => value.Kind == ValueKind.Null);
        AddKind("IS_BOOL", value => value.Kind == ValueKind.Boolean);
        AddKind("IS_NUMBER", value => value.IsNumber);
        AddKind("IS_STRING", value => value.IsString);
        AddKind("IS_ARRAY", value => value.Kind == ValueKind.Array);
        AddKind("IS_OBJECT", value => value.Kind == ValueKind.Object);
        AddKind("IS_PRIMITIVE", value => value.Kind is > ValueKind.Undefined and < ValueKind.Array);
        AddKind("IS_FINITE_NUMBER", value => value.IsNumber);
        AddKind("IS_INTEGER", value =>
            value.IsNumber && value.Number == Math.Floor(value.Number) && Math.Abs(value.Number) < 9.3e18);
        Add("IIF", 3, 3, arguments => arguments[0].IsTrue ? arguments[1] : arguments[2]);
    }

    static void AddKind(string name, Predicate<Value> test) =>
        Add(name, 1, 1, arguments => Value.Of(test(arguments[0])));

    sealed record Function(int ArgumentsMin, int ArgumentsMax, Func<Value[], Value> Body);
}
