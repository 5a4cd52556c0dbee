using System.Security.Cryptography;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Middleware;

namespace Functions.Http;

/// <summary>
/// Gives every answer to a GET a version and does not send again what the caller has: 304 (RFC 9110, 13.1.2).
/// </summary>
/// <remarks>
/// The version of an answer is what it says, as it leaves: when a person is forgotten no document changes, but what
/// their name reads as does. A function that knows a version commands can be bound to, such as how far a view has seen
/// its stream, says it in the ETag, and it stands in front. No query does anything for this, so none can forget to.
/// Streams of any length, which are no single JSON value, pass by.
/// </remarks>
sealed class ConditionalAnswers : IFunctionsWorkerMiddleware
{
    public async Task Invoke(FunctionContext context, FunctionExecutionDelegate next)
    {
        await next(context);
        if (context.GetHttpContext() is not { } http || !HttpMethods.IsGet(http.Request.Method)) return;
        var result = context.GetInvocationResult();
        if (result.Value is IResult answer and IValueHttpResult) result.Value = new Conditional(answer);
    }

    sealed class Conditional(IResult answer) : IResult
    {
        const int HashBytes = 12;

        public async Task ExecuteAsync(HttpContext httpContext)
        {
            var response = httpContext.Response;
            var body = await HeldBack.BodyAsync(answer, httpContext);
            if (response.StatusCode == StatusCodes.Status200OK)
            {
                var headers = response.Headers;
                headers.ETag = ETagOf(headers.ETag.ToString(), body.Span);

                // Answers are for this caller alone, and may be kept as long as each use asks first.
                headers.CacheControl = "private, no-cache";
                if (IsKnown(httpContext.Request, headers.ETag.ToString()))
                {
                    response.StatusCode = StatusCodes.Status304NotModified;
                    (response.ContentLength, response.ContentType) = (null, null);
                    return;
                }
            }

            response.ContentLength = body.Length;
            await response.Body.WriteAsync(body, httpContext.RequestAborted);
        }

        /// <summary>Behind a tilde, where <c>If-Match</c> ends what it compares.</summary>
        static string ETagOf(string version, ReadOnlySpan<byte> body)
        {
            var hash = Convert.ToHexStringLower(SHA256.HashData(body).AsSpan(0, HashBytes));
            var known = version.Trim('"');
            return known.Length == 0 ? $"\"{hash}\"" : $"\"{known}{(known.Contains('~') ? '.' : '~')}{hash}\"";
        }

        /// <summary>The caller may name several versions it has, weakly or all at once.</summary>
        static bool IsKnown(HttpRequest request, string etag) => request.Headers.IfNoneMatch
            .SelectMany(value => (value ?? "").Split(',', StringSplitOptions.TrimEntries))
            .Any(known => known == "*" || known == etag || known == "W/" + etag);
    }
}
