using System.Text.Json;

namespace Runtime.Cosmos.Query;

/// <summary>The kinds of values, in the order they sort.</summary>
enum ValueKind
{
    Undefined,
    Null,
    Boolean,
    Number,
    String,
    Array,
    Object,
}

/// <summary>A value of the query language. What comes from a document keeps its text, so numbers stay exact.</summary>
readonly struct Value : IEquatable<Value>
{
    readonly double number;
    readonly object? content;
    readonly JsonElement element;

    Value(ValueKind kind, double number = 0, object? content = null, JsonElement element = default) =>
        (Kind, this.number, this.content, this.element) = (kind, number, content, element);

    public static Value Undefined => default;

    public static Value Null { get; } = new(ValueKind.Null);

    public static Value True { get; } = new(ValueKind.Boolean, 1);

    public static Value False { get; } = new(ValueKind.Boolean);

    public ValueKind Kind { get; }

    public bool IsUndefined => Kind == ValueKind.Undefined;

    public bool IsTrue => Kind == ValueKind.Boolean && number != 0;

    public bool IsFalse => Kind == ValueKind.Boolean && number == 0;

    public bool IsNumber => Kind == ValueKind.Number;

    public bool IsString => Kind == ValueKind.String;

    /// <summary>The number, or one for true and zero for false.</summary>
    public double Number => number;

    public string Text => (string)content!;

    /// <summary>The raw JSON, when the value came from a document and not from a computation.</summary>
    public JsonElement? Element => element.ValueKind == JsonValueKind.Undefined ? null : element;

    public static Value Of(bool value) => value ? True : False;

    /// <summary>A number; what is not finite does not exist in JSON and is undefined.</summary>
    public static Value Of(double value) => double.IsFinite(value) ? new(ValueKind.Number, value) : Undefined;

    public static Value Of(string value) => new(ValueKind.String, content: value);

    public static Value Of(IReadOnlyList<Value> elements) => new(ValueKind.Array, content: elements);

    public static Value Of(IReadOnlyList<KeyValuePair<string, Value>> properties) =>
        new(ValueKind.Object, content: properties);

    public static Value Of(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Null => Null,
        JsonValueKind.True => True,
        JsonValueKind.False => False,
        JsonValueKind.Number => new(ValueKind.Number, element.GetDouble(), element: element),
        JsonValueKind.String => new(ValueKind.String, content: element.GetString()),
        JsonValueKind.Array => new(ValueKind.Array, element: element),
        JsonValueKind.Object => new(ValueKind.Object, element: element),
        _ => Undefined,
    };

    /// <summary>Some value of a kind, where only the kind matters.</summary>
    public static Value OfKind(ValueKind kind) => new(kind);

    /// <summary>The same value without its document: a key that outlives it must not keep it in memory.</summary>
    public Value Detached() => Kind switch
    {
        ValueKind.Number => Of(number),
        ValueKind.Array or ValueKind.Object when content is null => Of(element.Clone()),
        _ => this,
    };

    public Value Property(string name)
    {
        if (Kind != ValueKind.Object)
        {
            return Undefined;
        }

        if (content is null)
        {
            return element.TryGetProperty(name, out var found) ? Of(found) : Undefined;
        }

        foreach (var (key, value) in (IReadOnlyList<KeyValuePair<string, Value>>)content)
        {
            if (key == name)
            {
                return value;
            }
        }

        return Undefined;
    }

    public Value At(double index)
    {
        if (Kind != ValueKind.Array || index < 0 || index >= Count || index != Math.Floor(index))
        {
            return Undefined;
        }

        return content is null ? Of(element[(int)index]) : ((IReadOnlyList<Value>)content)[(int)index];
    }

    /// <summary>The number of elements of an array; zero for anything else.</summary>
    public int Count => (Kind, content) switch
    {
        (ValueKind.Array, null) => element.GetArrayLength(),
        (ValueKind.Array, _) => ((IReadOnlyList<Value>)content).Count,
        _ => 0,
    };

    public IEnumerable<Value> Elements() => (Kind, content) switch
    {
        (ValueKind.Array, null) => element.EnumerateArray().Select(Of),
        (ValueKind.Array, _) => (IReadOnlyList<Value>)content,
        _ => [],
    };

    public IEnumerable<KeyValuePair<string, Value>> Properties() => (Kind, content) switch
    {
        (ValueKind.Object, null) => element.EnumerateObject().Select(property =>
            KeyValuePair.Create(property.Name, Of(property.Value))),
        (ValueKind.Object, _) => (IReadOnlyList<KeyValuePair<string, Value>>)content,
        _ => [],
    };

    public void WriteTo(Utf8JsonWriter writer)
    {
        switch (Kind)
        {
            case ValueKind.Undefined:
                throw new InvalidOperationException("Undefined has no JSON text; the caller leaves it out.");
            case ValueKind.Null:
                writer.WriteNullValue();
                break;
            case ValueKind.Boolean:
                writer.WriteBooleanValue(IsTrue);
                break;
            case ValueKind.String:
                writer.WriteStringValue(Text);
                break;
            case ValueKind.Number when content is null && Element is null:
                writer.WriteNumberValue(number);
                break;
            case ValueKind.Array when content is not null:
                writer.WriteStartArray();
                foreach (var entry in Elements())
                {
                    entry.WriteTo(writer);
                }

                writer.WriteEndArray();
                break;
            case ValueKind.Object when content is not null:
                writer.WriteStartObject();
                foreach (var (name, value) in Properties())
                {
                    writer.WritePropertyName(name);
                    value.WriteTo(writer);
                }

                writer.WriteEndObject();
                break;
            default:
                element.WriteTo(writer);
                break;
        }
    }

    public bool Equals(Value other) => ValueOrder.Compare(this, other) == 0;

    public override bool Equals(object? obj) => obj is Value other && Equals(other);

    public override int GetHashCode() => Kind switch
    {
        ValueKind.Number or ValueKind.Boolean => HashCode.Combine(Kind, number),
        ValueKind.String => Text.GetHashCode(StringComparison.Ordinal),
        ValueKind.Array => HashCode.Combine(Kind, Count),
        ValueKind.Object => HashCode.Combine(Kind, Properties().Count()),
        _ => (int)Kind,
    };

    public static bool operator ==(Value left, Value right) => left.Equals(right);

    public static bool operator !=(Value left, Value right) => !left.Equals(right);
}

/// <summary>The one order of all values: by kind, then within the kind. Objects compare by sorted names.</summary>
sealed class ValueOrder : IComparer<Value>
{
    public static readonly ValueOrder Instance = new();

    int IComparer<Value>.Compare(Value x, Value y) => Compare(x, y);

    public static int Compare(Value left, Value right)
    {
        if (left.Kind != right.Kind)
        {
            return left.Kind.CompareTo(right.Kind);
        }

        return left.Kind switch
        {
            ValueKind.Number or ValueKind.Boolean => left.Number.CompareTo(right.Number),
            ValueKind.String => string.CompareOrdinal(left.Text, right.Text),
            ValueKind.Array => Compare(left.Elements(), right.Elements(), Compare),
            ValueKind.Object => Compare(Sorted(left), Sorted(right), CompareProperties),
            _ => 0,
        };
    }

    static IEnumerable<KeyValuePair<string, Value>> Sorted(Value value) =>
        value.Properties().OrderBy(property => property.Key, StringComparer.Ordinal);

    static int CompareProperties(KeyValuePair<string, Value> left, KeyValuePair<string, Value> right)
    {
        var order = string.CompareOrdinal(left.Key, right.Key);
        return order != 0 ? order : Compare(left.Value, right.Value);
    }

    static int Compare<T>(IEnumerable<T> left, IEnumerable<T> right, Func<T, T, int> compare)
    {
        using var a = left.GetEnumerator();
        using var b = right.GetEnumerator();
        while (true)
        {
            var (hasA, hasB) = (a.MoveNext(), b.MoveNext());
            if (!hasA || !hasB)
            {
                return hasA.CompareTo(hasB);
            }

            if (compare(a.Current, b.Current) is var order and not 0)
            {
                return order;
            }
        }
    }
}
