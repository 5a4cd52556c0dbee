using System.Diagnostics.CodeAnalysis;
using System.Text.Json;

namespace Microsoft.DurableTask
{
    /// <summary>Turns inputs, results and events into stored text and back; null is no payload.</summary>
    public abstract class DataConverter
    {
        [return: NotNullIfNotNull(nameof(value))]
        public abstract string? Serialize(object? value);

        [return: NotNullIfNotNull(nameof(data))]
        public abstract object? Deserialize(string? data, Type targetType);

        [return: NotNullIfNotNull(nameof(data))]
        public virtual T? Deserialize<T>(string? data) => (T?)(Deserialize(data, typeof(T)) ?? default(T));
    }
}

namespace Microsoft.DurableTask.Converters
{
    /// <summary>JSON as System.Text.Json writes it, with fields, so that tuples survive.</summary>
    public class JsonDataConverter(JsonSerializerOptions? options = null) : DataConverter
    {
        // Stored histories depend on these: never change them.
        static readonly JsonSerializerOptions Stored = new() { IncludeFields = true };

        readonly JsonSerializerOptions _options = options ?? Stored;

        public static JsonDataConverter Default { get; } = new();

        [return: NotNullIfNotNull(nameof(value))]
        public override string? Serialize(object? value) =>
            value is null ? null : JsonSerializer.Serialize(value, _options);

        [return: NotNullIfNotNull(nameof(data))]
        public override object? Deserialize(string? data, Type targetType) =>
            data is null ? null : JsonSerializer.Deserialize(data, targetType, _options)!;
    }
}
