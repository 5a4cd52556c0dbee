namespace Runtime.Cosmos.Query;

/// <content>Functions of arrays and objects.</content>
static partial class Functions
{
    static void AddArrays()
    {
        Add("ARRAY_CONTAINS", 2, 3, arguments => IsArray(arguments[0]) && !arguments[1].IsUndefined
            ? Value.Of(Contains(arguments[0], arguments[1], arguments.Length == 3 && arguments[2].IsTrue))
            : Value.Undefined);
        Add("ARRAY_CONTAINS_ANY", 2, 100, arguments => IsArray(arguments[0])
            ? Value.Of(arguments.Skip(1).Any(sought => Contains(arguments[0], sought, isPartial: false)))
            : Value.Undefined);
        Add("ARRAY_CONTAINS_ALL", 2, 100, arguments => IsArray(arguments[0])
            ? Value.Of(arguments.Skip(1).All(sought => Contains(arguments[0], sought, isPartial: false)))
            : Value.Undefined);
        Add("ARRAY_LENGTH", 1, 1, arguments =>
            IsArray(arguments[0]) ? Value.Of((double)arguments[0].Count) : Value.Undefined);
        Add("ARRAY_CONCAT", 2, 100, arguments => arguments.All(IsArray)
            ? Array(arguments.SelectMany(argument => argument.Elements()))
            : Value.Undefined);
        Add("ARRAY_SLICE", 2, 3, Slice);
        Add("SETINTERSECT", 2, 2, arguments => arguments.All(IsArray)
            ? Array(arguments[0].Elements().Intersect(arguments[1].Elements()))
            : Value.Undefined);
        Add("SETUNION", 2, 2, arguments => arguments.All(IsArray)
            ? Array(arguments[0].Elements().Union(arguments[1].Elements()))
            : Value.Undefined);
        Add("SETDIFFERENCE", 2, 2, arguments => arguments.All(IsArray)
            ? Array(arguments[0].Elements().Except(arguments[1].Elements()))
            : Value.Undefined);
        Add("CHOOSE", 2, 100, arguments =>
            arguments[0] is { IsNumber: true, Number: >= 1 } place && place.Number < arguments.Length
                ? arguments[(int)place.Number]
                : Value.Undefined);
        Add("OBJECTTOARRAY", 1, 1, arguments => arguments[0].Kind == ValueKind.Object
            ? Array(arguments[0].Properties().Select(property => Value.Of(
                (IReadOnlyList<KeyValuePair<string, Value>>)
                [
                    KeyValuePair.Create("k", Value.Of(property.Key)), KeyValuePair.Create("v", property.Value),
                ])))
            : Value.Undefined);
    }

    static bool IsArray(Value value) => value.Kind == ValueKind.Array;

    static Value Array(IEnumerable<Value> elements) => Value.Of((IReadOnlyList<Value>)[.. elements]);

    /// <summary>A partial match asks of an object only the properties that are sought.</summary>
    static bool Contains(Value array, Value sought, bool isPartial) => array.Elements().Any(element =>
        element == sought ||
        (isPartial && sought.Kind == ValueKind.Object && element.Kind == ValueKind.Object &&
            sought.Properties().All(property => element.Property(property.Key) == property.Value)));

    static Value Slice(Value[] arguments)
    {
        if (!IsArray(arguments[0]) || !arguments[1].IsNumber || (arguments.Length == 3 && !arguments[2].IsNumber))
        {
            return Value.Undefined;
        }

        // A negative start counts from the end.
        var count = arguments[0].Count;
        var start = arguments[1].Number < 0 ? Math.Max(0, count + arguments[1].Number) : arguments[1].Number;
        var length = arguments.Length == 3 ? arguments[2].Number : count;
        return Array(arguments[0].Elements()
            .Skip((int)Math.Clamp(start, 0, count))
            .Take((int)Math.Clamp(length, 0, count)));
    }
}
