using System.Reflection;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Runtime.Worker;

/// <summary>Reads a [FromBody] parameter from JSON with the options of ASP.NET Core MVC, as the real worker.</summary>
/// <remarks>Like there, a body that is missing, malformed or not JSON throws
/// <see cref="FunctionInputConverterException"/>; the application's middleware decides what the caller hears.</remarks>
static class BodyBinder
{
    public static ParameterBinder For(ParameterInfo parameter, IServiceProvider services)
    {
        var type = parameter.ParameterType;
        var options = services.GetRequiredService<IOptions<JsonOptions>>().Value.JsonSerializerOptions;
        return (context, payload) =>
            ReadAsync(((HttpContext)payload!).Request, type, options, context.CancellationToken);
    }

    static async ValueTask<object?> ReadAsync(
        HttpRequest request, Type type, JsonSerializerOptions options, CancellationToken cancellation)
    {
        if (!request.HasJsonContentType())
        {
            throw new FunctionInputConverterException(
                $"The body must be JSON; its content type is '{request.ContentType}'.");
        }

        try
        {
            return await request.ReadFromJsonAsync(type, options, cancellation)
                ?? throw new FunctionInputConverterException("A body is needed; null is none.");
        }
        catch (JsonException e)
        {
            throw new FunctionInputConverterException($"The body is not a valid {type.Name}: {e.Message}", e);
        }
    }
}
