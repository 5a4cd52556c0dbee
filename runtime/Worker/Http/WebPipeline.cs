using System.Threading.RateLimiting;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;

namespace Runtime.Worker;

/// <summary>What happens to a request before and after its function: routing, keys, bounds, errors.</summary>
/// <remarks>Order matters: a caller without a key costs no place in the queue, and one that is too large is told so
/// before its body is read.</remarks>
sealed class WebPipeline(HostJson hostJson, ILogger logger) : IDisposable
{
    readonly ConcurrencyLimiter? limiter = Limiter(hostJson);

    public void Configure(WebApplication app, IEnumerable<HttpRoute> routes)
    {
        var endpoints = routes.Select(route => route.Endpoint(http => ServeAsync(http, route)));

        app.Use(AnswerForRoutingAsync);
        app.UseRouting();
        ((IEndpointRouteBuilder)app).DataSources.Add(new DefaultEndpointDataSource(endpoints));
    }

    public void Dispose() => limiter?.Dispose();

    // Routing answers 404 and 405 with an empty body, Kestrel throws for malformed requests: all get a proper problem.
    static async Task AnswerForRoutingAsync(HttpContext http, RequestDelegate next)
    {
        try
        {
            await next(http);
        }
        catch (BadHttpRequestException e) when (!http.Response.HasStarted)
        {
            http.Response.Clear();
            await Problem.WriteAsync(http, e.StatusCode);
            return;
        }

        if (!http.Response.HasStarted && http.Features.Get<Served>() is null)
        {
            await Problem.WriteAsync(http, http.Response.StatusCode);
        }
    }

    async Task ServeAsync(HttpContext http, HttpRoute route)
    {
        http.Features.Set(Served.Instance);
        if (route.Keys is { } keys && !keys.Open(http.Request))
        {
            await Problem.WriteAsync(http, StatusCodes.Status401Unauthorized);
            return;
        }

        var body = http.Features.GetRequiredFeature<IHttpMaxRequestBodySizeFeature>();
        if (http.Request.ContentLength > body.MaxRequestBodySize)
        {
            var detail = $"At most {body.MaxRequestBodySize} bytes are accepted.";

            // Without a limit Kestrel throws the rest away for a while before it closes. Closing at once would reset
            // the connection under a caller that is still sending, and the answer would be lost with it.
            body.MaxRequestBodySize = null;
            await Problem.WriteAsync(http, StatusCodes.Status413PayloadTooLarge, detail);
            return;
        }

        if (limiter is null)
        {
            await InvokeAsync(http, route);
            return;
        }

        RateLimitLease place;
        try
        {
            place = await limiter.AcquireAsync(1, http.RequestAborted);
        }
        catch (OperationCanceledException)
        {
            // The caller left while it was queued.
            return;
        }

        using var _ = place;
        if (place.IsAcquired)
        {
            await InvokeAsync(http, route);
        }
        else
        {
            http.Response.Headers.RetryAfter = "1";
            await Problem.WriteAsync(http, StatusCodes.Status429TooManyRequests);
        }
    }

    async Task InvokeAsync(HttpContext http, HttpRoute route)
    {
        var id = Guid.NewGuid().ToString();
        try
        {
            await route.Function.InvokeAsync(Call(http, id), http.RequestAborted);
        }
        catch (OperationCanceledException) when (http.RequestAborted.IsCancellationRequested)
        {
            // The caller hung up: there is nobody to answer.
        }
        catch (Exception) when (http.Response.HasStarted)
        {
            // Half an answer must not look like a whole one. The failure itself is in the log already.
            http.Abort();
        }
        catch (Exception e)
        {
            var (status, detail) = e is BadHttpRequestException bad
                ? (bad.StatusCode, null)
                : (StatusCodes.Status500InternalServerError, e is TimeoutException ? "It ran out of time." : null);
            http.Response.Clear();
            await Problem.WriteAsync(http, status, detail, id);
        }

        if (logger.IsEnabled(LogLevel.Debug))
        {
            logger.LogDebug(
                "{Method} {Path} answered {Status} (Id={InvocationId})",
                http.Request.Method, http.Request.Path, http.Response.StatusCode, id);
        }
    }

    static TriggerCall Call(HttpContext http, string id)
    {
        // ASP.NET Core's own activity, if it made one, has read the caller's trace already and is the parent then.
        var read = http.Features.Get<IHttpActivityFeature>() is not null;
        return new(http)
        {
            BindingData = http.Request.RouteValues,
            InvocationId = id,
            TraceParent = read ? null : (string?)http.Request.Headers.TraceParent,
            TraceState = read ? null : (string?)http.Request.Headers.TraceState,
        };
    }

    static ConcurrencyLimiter? Limiter(HostJson hostJson)
    {
        if (hostJson is { ConcurrentRequestsMax: null, OutstandingRequestsMax: null })
        {
            return null;
        }

        var running = hostJson.ConcurrentRequestsMax ?? hostJson.OutstandingRequestsMax!.Value;
        var queued = (hostJson.OutstandingRequestsMax ?? int.MaxValue) - (long)running;
        return new(new()
        {
            PermitLimit = running,
            QueueLimit = (int)Math.Max(0, queued),
            QueueProcessingOrder = QueueProcessingOrder.OldestFirst,
        });
    }

    /// <summary>A function or the host has dealt with the request; an empty 404 is its own word then.</summary>
    sealed class Served
    {
        public static readonly Served Instance = new();
    }
}
