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
        return request.Headers.IfNoneMatch.Contains(headers.ETag.ToString())
            ? TypedResults.StatusCode(StatusCodes.Status304NotModified)
            : TypedResults.Json(found, StoredJson.Options);
    }

    /// <summary>
    /// A view's version is how far it has seen its streams: it grows with every event and survives a rebuild.
    /// </summary>
    static string ETagOf<TView>(ViewDocument<TView> document)
        where TView : class =>
        document.Seen.Count == 1
            ? $"\"{document.Seen.Values.First()}\""
            : $"\"{string.Join('.', document.Seen.OrderBy(s => s.Key, StringComparer.Ordinal).Select(s => s.Value))}\"";
}
