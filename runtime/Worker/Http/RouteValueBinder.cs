using System.Globalization;
using System.Reflection;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;

namespace Runtime.Worker;

/// <summary>Turns a piece of the address into a parameter, by the real worker's rules.</summary>
/// <remarks>There a string is taken as it is, a Guid and a date are parsed, and everything else is read as JSON.
/// A value that does not convert throws <see cref="FunctionInputConverterException"/>, which answers 500 unless the
/// application's middleware makes a 400 of it; a route constraint avoids the question.</remarks>
static class RouteValueBinder
{
    static readonly HashSet<Type> json =
    [
        typeof(bool), typeof(byte), typeof(sbyte), typeof(short), typeof(ushort), typeof(int), typeof(uint),
        typeof(long), typeof(ulong), typeof(float), typeof(double), typeof(decimal),
    ];

    /// <summary>Null when the real worker could not convert to the parameter's type either.</summary>
    public static ParameterBinder? For(ParameterInfo parameter)
    {
        var (name, declared) = (parameter.Name!, parameter.ParameterType);
        var type = Nullable.GetUnderlyingType(declared) ?? declared;
        Func<string, object?>? convert = 0 switch
        {
            _ when type == typeof(string) => text => text,
            _ when type == typeof(Guid) => text => Guid.TryParse(text, out var value) ? value : null,
            _ when type == typeof(DateTime) =>
                text => DateTime.TryParse(text, CultureInfo.InvariantCulture, out var value) ? value : null,
            _ when type == typeof(DateTimeOffset) =>
                text => DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, out var value) ? value : null,
            _ when json.Contains(type) => text => FromJson(text, type),
            _ => null,
        };
        if (convert is null)
        {
            return null;
        }

        var missing = parameter.HasDefaultValue ? parameter.DefaultValue : null;
        return (_, payload) => ((HttpContext)payload!).Request.RouteValues[name] is not string text
            ? new(missing)
            : convert(text) is { } value
                ? new(value)
                : throw new FunctionInputConverterException(
                    $"The address has '{text}' for '{name}', which is no {type.Name}.");
    }

    static object? FromJson(string text, Type type)
    {
        try
        {
            return JsonSerializer.Deserialize(text, type);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
