using System.Linq.Expressions;
using System.Reflection;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Unicode;

namespace EventSourcing;

/// <summary>
/// How everything stored is written as JSON: camelCase, enums by name, single-value ids as their bare value.
/// </summary>
public static class StoredJson
{
    public static JsonSerializerOptions Options { get; } = Create();

    static JsonSerializerOptions Create()
    {
        var options = new JsonSerializerOptions(JsonSerializerDefaults.Web)
        {
            NumberHandling = JsonNumberHandling.Strict,
            DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
            // A name in Korean is three bytes a letter as it is and six escaped; bytes are what storing costs.
            Encoder = JavaScriptEncoder.Create(UnicodeRanges.All),
            Converters =
            {
                new SingleValueConverters(),
                new JsonStringEnumConverter(JsonNamingPolicy.CamelCase, allowIntegerValues: false),
            },
        };
        options.MakeReadOnly(populateMissingResolver: true);
        return options;
    }
}

/// <summary>
/// Stores a <c>readonly record struct Id(T Value)</c> as its value alone, also where it is a dictionary key.
/// </summary>
sealed class SingleValueConverters : JsonConverterFactory
{
    public override bool CanConvert(Type typeToConvert) => ValueOf(typeToConvert) is not null;

    public override JsonConverter CreateConverter(Type typeToConvert, JsonSerializerOptions options) =>
        (JsonConverter)Activator.CreateInstance(
            typeof(SingleValueConverter<,>).MakeGenericType(typeToConvert, ValueOf(typeToConvert)!.PropertyType))!;

    static PropertyInfo? ValueOf(Type type) =>
        type is { IsValueType: true, IsPrimitive: false, IsGenericType: false }
        && type.GetProperties(BindingFlags.Public | BindingFlags.Instance) is [{ Name: "Value" } value]
        && type.GetConstructor([value.PropertyType]) is not null
            ? value
            : null;

    sealed class SingleValueConverter<TId, TValue> : JsonConverter<TId>
        where TId : struct
        where TValue : notnull
    {
        readonly Func<TValue, TId> wrap = Wrap();
        readonly Func<TId, TValue> unwrap = Unwrap();

        public override TId Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            wrap(Inner(options).Read(ref reader, typeof(TValue), options)
                ?? throw new JsonException($"{typeToConvert.Name} is null."));

        public override void Write(Utf8JsonWriter writer, TId value, JsonSerializerOptions options) =>
            Inner(options).Write(writer, unwrap(value), options);

        public override TId ReadAsPropertyName(
            ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            wrap(Inner(options).ReadAsPropertyName(ref reader, typeof(TValue), options));

        public override void WriteAsPropertyName(Utf8JsonWriter writer, TId value, JsonSerializerOptions options) =>
            Inner(options).WriteAsPropertyName(writer, unwrap(value), options);

        static JsonConverter<TValue> Inner(JsonSerializerOptions options) =>
            (JsonConverter<TValue>)options.GetConverter(typeof(TValue));

        static Func<TValue, TId> Wrap()
        {
            var value = Expression.Parameter(typeof(TValue));
            var made = Expression.New(typeof(TId).GetConstructor([typeof(TValue)])!, value);
            return Expression.Lambda<Func<TValue, TId>>(made, value).Compile();
        }

        static Func<TId, TValue> Unwrap()
        {
            var id = Expression.Parameter(typeof(TId));
            var value = Expression.Property(id, "Value");
            return Expression.Lambda<Func<TId, TValue>>(value, id).Compile();
        }
    }
}
