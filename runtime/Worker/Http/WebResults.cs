using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Middleware;

namespace Runtime.Worker;

/// <summary>The middleware of <c>ConfigureFunctionsWebApplication</c>: shows the request, sends the result.</summary>
/// <remarks>Like the real one it stands where it was configured: middleware added later sees the HttpContext and may
/// still replace the result.</remarks>
static class WebResults
{
    public static FunctionExecutionDelegate Around(FunctionExecutionDelegate next) => async context =>
    {
        var outcome = context.Features.Get<InvocationOutcome>()!;
        if (outcome.Payload is not HttpContext http)
        {
            await next(context);
            return;
        }

        context.Items[FunctionContextExtensions.HttpContextKey] = http;
        http.Features.Set<IServiceProvidersFeature>(new Scope { RequestServices = context.InstanceServices });
        await next(context);

        var result = outcome.Value ?? outcome.Function.HttpResult(outcome);
        if (result is IResult answer)
        {
            await answer.ExecuteAsync(http);
        }
    };

    // ASP.NET Core would open a second scope for the request; results must see the invocation's own services.
    sealed class Scope : IServiceProvidersFeature
    {
        public required IServiceProvider RequestServices { get; set; }
    }
}
