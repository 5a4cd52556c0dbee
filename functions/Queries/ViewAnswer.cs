using System.Globalization;
using Commerce;
using Commerce.Customers;
using Commerce.Ordering;
using EventSourcing;
using Functions.Http;
using Functions.Projections;
using Microsoft.AspNetCore.Http;

namespace Functions.Queries;

/// <summary>How a query answers from a view.</summary>
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
            view, key, token, ConsistencyToken.WaitOf(request), cancellation);
        if (token is { } asked && !ViewContainer.HasSeen(document, asked)) TellStale(request);
        if (document?.View is not { } found) return Problem.Of(unknown);

        request.HttpContext.Response.Headers.ETag = ETagOf(document);
        return Json(found);
    }

    public static IResult Json<T>(T answer) => TypedResults.Json(answer, StoredJson.Options);

    /// <summary>
    /// Before a list is asked for: waits for what the caller's token names, or tells that it was not seen.
    /// </summary>
    public static async Task WaitAsync<TView>(
        ViewContainer views, HttpRequest request, View<TView> view, CancellationToken cancellation)
        where TView : class
    {
        if (ConsistencyToken.Of(request) is not { } token) return;
        if (!await views.HasSeenAsync(view, token, ConsistencyToken.WaitOf(request), cancellation)) TellStale(request);
    }

    /// <summary>
    /// A customer's facts come from two views: the token's stream says which of them has to have seen it.
    /// </summary>
    public static async Task WaitForCustomerAsync(
        ViewContainer views, HttpRequest request, CustomerId customer, CancellationToken cancellation)
    {
        if (ConsistencyToken.Of(request) is not { } token) return;
        var wait = ConsistencyToken.WaitOf(request);
        var isSeen = token.Stream.Category == Customer.Category
            ? await views.HasSeenAsync(Views.Customers, token, wait, cancellation)
            : ViewContainer.HasSeen(
                await views.ReadAsync<SalesShare>(
                    Views.OrderStatistics,
                    Tally<SalesShare, Sales>.Marker(SalesGroup.Of(customer).Value, token.Stream),
                    token,
                    wait,
                    cancellation),
                token);
        if (!isSeen) TellStale(request);
    }

    /// <summary>How far each row has seen its streams, as the tokens of the commands it shows.</summary>
    public static IReadOnlyList<string> SeenBy<TView>(IEnumerable<ViewDocument<TView>> rows)
        where TView : class =>
        [.. rows.SelectMany(row => row.Seen).Select(
            seen => string.Create(CultureInfo.InvariantCulture, $"{seen.Key}@{seen.Value}"))];

    public static void TellStale(HttpRequest request) =>
        request.HttpContext.Response.Headers[StaleHeader] = "true";

    /// <summary>
    /// A view's version is how far it has seen its streams: it grows with every event. A rebuild may show the same
    /// events otherwise, so the generation is part of it.
    /// </summary>
    static string ETagOf<TView>(ViewDocument<TView> document)
        where TView : class
    {
        var seen = string.Join('.', document.Seen.OrderBy(s => s.Key, StringComparer.Ordinal).Select(s => s.Value));
        return document.Generation == 0
            ? $"\"{seen}\""
            : string.Create(CultureInfo.InvariantCulture, $"\"{seen}~{document.Generation}\"");
    }
}
