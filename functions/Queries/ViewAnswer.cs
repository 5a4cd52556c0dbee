using System.Security.Cryptography;
using System.Text.Json;
using EventSourcing;
using Functions.Http;
using Functions.Projections;
using Microsoft.AspNetCore.Http;

namespace Functions.Queries;

/// <summary>How a query answers with one view document.</summary>
static class ViewAnswer
{
    /// <summary>
    /// Set when the view has not yet seen the write the caller asked for: the answer is older than that.
    /// </summary>
    public const string StaleHeader = "X-Stale";

    public static async Task<IResult> OneAsync<TView>(
        ViewContainer views, HttpRequest request, View<TView> view, ViewKey key, Refusal unknown,
            CancellationToken cancellation)
        where TView : class
    {
        var token = ConsistencyToken.Of(request);
        var document = await views.ReadAsync<TView>(
            view.Container, key, token, ConsistencyToken.WaitOf(request), cancellation);
        var headers = request.HttpContext.Response.Headers;
        if (token is { } asked && !ViewContainer.HasSeen(document, asked)) headers[StaleHeader] = "true";
        if (document?.View is not { } found) return Problem.Of(unknown);

        headers.ETag = ETagOf(document);
        return IsKnown(request, headers.ETag.ToString())
            ? TypedResults.StatusCode(StatusCodes.Status304NotModified)
            : TypedResults.Json(found, StoredJson.Options);
    }

    /// <summary>An answer made of many documents: its version is what it says.</summary>
    public static IResult Json<T>(HttpRequest request, T answer)
    {
        var body = JsonSerializer.SerializeToUtf8Bytes(answer, StoredJson.Options);
        var etag = $"\"{Convert.ToHexStringLower(SHA256.HashData(body).AsSpan(0, 12))}\"";
        request.HttpContext.Response.Headers.ETag = etag;
        return IsKnown(request, etag)
            ? TypedResults.StatusCode(StatusCodes.Status304NotModified)
            : TypedResults.Bytes(body, "application/json; charset=utf-8");
    }

    /// <summary>The caller may name several versions it has, weakly or all at once (RFC 9110, 13.1.2).</summary>
    static bool IsKnown(HttpRequest request, string etag) => request.Headers.IfNoneMatch
        .SelectMany(value => (value ?? "").Split(',', StringSplitOptions.TrimEntries))
        .Any(known => known == "*" || known == etag || known == "W/" + etag);

    /// <summary>
    /// A view's version is how far it has seen its streams: it grows with every event and survives a rebuild.
    /// </summary>
    static string ETagOf<TView>(ViewDocument<TView> document)
        where TView : class =>
        document.Seen.Count == 1
            ? $"\"{document.Seen.Values.First()}\""
            : $"\"{string.Join('.', document.Seen.OrderBy(s => s.Key, StringComparer.Ordinal).Select(s => s.Value))}\"";
}
