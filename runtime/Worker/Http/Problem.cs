using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Http;

namespace Runtime.Worker;

/// <summary>The host's own error answers, RFC 9457; they never tell what went wrong inside a function.</summary>
static class Problem
{
    static readonly JsonSerializerOptions json = new(JsonSerializerDefaults.Web)
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    };

    public static Task WriteAsync(
        HttpContext http, int status, string code, string title, string? detail = null, string? invocationId = null)
    {
        http.Response.StatusCode = status;
        if (status is StatusCodes.Status413PayloadTooLarge or StatusCodes.Status400BadRequest)
        {
            // Part of such a request may still be on its way: nobody should send the next one behind it.
            http.Response.Headers.Connection = "close";
        }

        http.Response.ContentType = "application/problem+json";
        var problem = new Details(
            "about:blank", title, status, code, detail, invocationId, Activity.Current?.TraceId.ToHexString());

        // The token is not the request's: an answer that is small enough is written even while the caller hangs up.
        return JsonSerializer.SerializeAsync(http.Response.Body, problem, json, CancellationToken.None);
    }

    /// <summary>The answer for everything that the host itself refuses, by status.</summary>
    public static Task WriteAsync(HttpContext http, int status, string? detail = null, string? invocationId = null)
    {
        var (code, title) = status switch
        {
            StatusCodes.Status401Unauthorized => ("missing-or-wrong-key", "A function key is needed."),
            StatusCodes.Status404NotFound => ("no-such-route", "No function answers at this address."),
            StatusCodes.Status405MethodNotAllowed => ("method-not-allowed", "No function answers to this method here."),
            StatusCodes.Status413PayloadTooLarge => ("body-too-large", "The request body is too large."),
            StatusCodes.Status429TooManyRequests => ("too-many-requests", "The host is busy; try again."),
            StatusCodes.Status500InternalServerError => ("function-failed", "The function failed."),
            _ => ("bad-request", "The request is malformed."),
        };
        return WriteAsync(http, status, code, title, detail, invocationId);
    }

    sealed record Details(
        string Type, string Title, int Status, string Code, string? Detail, string? InvocationId, string? TraceId);
}
