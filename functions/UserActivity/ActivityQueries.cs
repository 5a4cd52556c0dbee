using System.Globalization;
using System.Text.Json;
using Commerce;
using Commerce.Customers;
using EventSourcing;
using Functions.EventStore;
using Functions.Http;
using Functions.Queries;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;

namespace Functions.UserActivity;

/// <summary>What people did, asked by person or by product.</summary>
public sealed class ActivityQueries(ActivityLog activity, Popularity popularity, Continuations continuations)
{
    const int ViewsLookedAtMax = 200;
    const int ExportPageMax = 500;
    const int WindowMinutes = 60;

    /// <summary>A person's log, newest first.</summary>
    [Function(nameof(GetActivity))]
    public async Task<IResult> GetActivity(
        [HttpTrigger(AuthorizationLevel.Function, "get", Route = "customers/{customerId}/activity")]
        HttpRequest request,
        string customerId,
        CancellationToken cancellation)
    {
        var user = UserOf(customerId);
        var (limit, action) = (Request.Limit(request), ActionOf(request));
        var list = $"activity {user} {action}";
        var after = await continuations.OpenAsync<ActivityPlace>(request, list, cancellation);
        var entries = await activity.PageAsync(user, action, after, limit, cancellation);
        return TypedResults.Json(
            new
            {
                activity = entries.Select(Row),
                continuation = entries.Count == limit
                    ? await continuations.SealAsync(list, ActivityPlace.Of(entries[^1]), cancellation)
                    : null,
            },
            StoredJson.Options);
    }

    /// <summary>The products a person looked at, each once, the last one first.</summary>
    [Function(nameof(GetRecentlyViewed))]
    public async Task<IResult> GetRecentlyViewed(
        [HttpTrigger(AuthorizationLevel.Function, "get", Route = "customers/{customerId}/recently-viewed")]
        HttpRequest request,
        string customerId,
        CancellationToken cancellation)
    {
        var limit = Request.Limit(request, normal: 10, max: 50);
        var views = await activity.PageAsync(
            UserOf(customerId), ActivityAction.Viewed, null, ViewsLookedAtMax, cancellation);
        return TypedResults.Json(
            new
            {
                products = views
                    .SelectMany(view => view.Products.Select(product => new { product, viewedAt = view.At }))
                    .Where(view => view.product != PersonalSeal.Erased)
                    .DistinctBy(view => view.product).Take(limit),
            },
            StoredJson.Options);
    }

    /// <summary>All of a person's log for whoever must answer for it, a line each, newest first.</summary>
    [Function(nameof(GetActivityExport))]
    public IResult GetActivityExport(
        [HttpTrigger(AuthorizationLevel.Admin, "get", Route = "operations/customers/{customerId}/activity")]
        HttpRequest request,
        string customerId) => new Export(activity, UserOf(customerId));

    /// <summary>What is looked at, put into carts and bought the most within the last minutes.</summary>
    [Function(nameof(GetTrending))]
    public async Task<IResult> GetTrending(
        [HttpTrigger(AuthorizationLevel.Function, "get", Route = "trending")] HttpRequest request,
        CancellationToken cancellation)
    {
        var most = (int)Popularity.WindowMax.TotalMinutes;
        var minutes = Request.Query(request, "minutes") is not { } text ? WindowMinutes
            : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var given)
                && given >= 1 && given <= most
                ? given
                : throw new InvalidRequestException("invalid-window", $"minutes is 1 to {most}.");
        var top = await popularity.TrendingAsync(
            TimeSpan.FromMinutes(minutes), Request.Limit(request, normal: 10), cancellation);
        return TypedResults.Json(
            new { minutes, products = top.Select(row => new { row.Product, row.Score }) }, StoredJson.Options);
    }

    /// <summary>What was bought together with a product, the most often first.</summary>
    [Function(nameof(GetAlsoBought))]
    public async Task<IResult> GetAlsoBought(
        [HttpTrigger(AuthorizationLevel.Function, "get", Route = "products/{productId}/also-bought")]
        HttpRequest request,
        string productId,
        CancellationToken cancellation)
    {
        var product = Request.Valid(ProductId.TryParse(productId, out var id, out var refusal), id, refusal);
        var top = await popularity.BoughtWithAsync(
            product.Value, Request.Limit(request, normal: 10), cancellation);
        return TypedResults.Json(
            new { products = top.Select(row => new { row.Product, times = row.Score }) }, StoredJson.Options);
    }

    static object Row(ActivityEntry entry) => new
    {
        entry.Id, entry.Action, entry.Products, entry.Query, entry.At, entry.ReceivedAt, entry.From,
    };

    static StreamId UserOf(string customerId) => Customer.Stream(Request.Valid(
        CustomerId.TryParse(customerId, out var customer, out var refusal), customer, refusal));

    static ActivityAction? ActionOf(HttpRequest request) => Request.Query(request, "action") is not { } text ? null
        : Enum.TryParse<ActivityAction>(text, ignoreCase: true, out var action) && text.All(char.IsAsciiLetter)
            ? action
            : throw new InvalidRequestException(
                "invalid-action", "action is viewed, searched, added or purchased.");

    /// <summary>Writes as it reads, so a log of any length needs no memory.</summary>
    sealed class Export(ActivityLog activity, StreamId user) : IResult
    {
        public async Task ExecuteAsync(HttpContext httpContext)
        {
            var (response, gone) = (httpContext.Response, httpContext.RequestAborted);
            response.ContentType = Backups.ContentType;
            ActivityPlace? place = null;
            while (await activity.PageAsync(user, null, place, ExportPageMax, gone) is [.., var last] page)
            {
                foreach (var entry in page)
                {
                    await JsonSerializer.SerializeAsync(
                        response.Body, new { user = user.ToString(), entry = Row(entry) }, StoredJson.Options, gone);
                    await response.Body.WriteAsync("\n"u8.ToArray(), gone);
                }

                place = ActivityPlace.Of(last);
            }
        }
    }
}
