using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker.Extensions.Abstractions;

namespace Microsoft.Azure.Functions.Worker;

/// <summary>Who may call an HTTP function.</summary>
public enum AuthorizationLevel
{
    Anonymous,
    User,
    Function,
    System,
    Admin,
}

/// <summary>Starts the function for each HTTP request to its route.</summary>
/// <remarks>Without a route the function's name is its route; without methods every method is served.</remarks>
public sealed class HttpTriggerAttribute : TriggerBindingAttribute
{
    public HttpTriggerAttribute() : this(AuthorizationLevel.Function) { }

    public HttpTriggerAttribute(params string[] methods) : this(AuthorizationLevel.Function, methods) { }

    public HttpTriggerAttribute(AuthorizationLevel authLevel) => AuthLevel = authLevel;

    public HttpTriggerAttribute(AuthorizationLevel authLevel, params string[] methods) =>
        (AuthLevel, Methods) = (authLevel, methods);

    public string[]? Methods { get; }

    public AuthorizationLevel AuthLevel { get; }

    public string? Route { get; set; }
}

/// <summary>Marks the property of a function's result that answers the request.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class HttpResultAttribute : OutputBindingAttribute;

/// <summary>Reaches the HTTP request behind an invocation.</summary>
public static class FunctionContextExtensions
{
    internal const string HttpContextKey = "HttpRequestContext";

    /// <summary>Null when something other than HTTP triggered the function.</summary>
    public static HttpContext? GetHttpContext(this FunctionContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        return context.Items.TryGetValue(HttpContextKey, out var found) ? found as HttpContext : null;
    }
}
