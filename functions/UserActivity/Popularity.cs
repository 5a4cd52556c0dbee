using System.Globalization;

namespace Functions.UserActivity;

/// <summary>What people do now, and what they buy together, added up from single events.</summary>
public sealed class Popularity(ActivityTotals totals, TimeProvider clock)
{
    /// <summary>The grain of the window: so much of the past leaves it at a time.</summary>
    static readonly TimeSpan Bucket = TimeSpan.FromMinutes(10);

    public static readonly TimeSpan WindowMax = TimeSpan.FromHours(6);

    /// <summary>Longer than any window and any event's lateness, so that nothing is counted into a fresh sum.</summary>
    static readonly TimeSpan BucketAge = ActivityTotals.MarkerAge;

    /// <summary>Adds each event once to all it counts for.</summary>
    /// <remarks>Groups are added to one by one. A crash in between leaves some without the event, which comes again:
    /// the others know it by its marker.</remarks>
    public async Task AddAsync(IReadOnlyList<ActivityEvent> events, CancellationToken cancellation)
    {
        var weighty = events.Where(e => WeightOf(e.Action) > 0).ToList();
        foreach (var bucket in weighty.GroupBy(e => BucketOf(e.At)))
        {
            await totals.AddAsync(
                TrendOf(bucket.Key),
                bucket.Select(e => new ActivityShare(
                    MarkerOf(e), e.Products.ToDictionary(product => product, _ => WeightOf(e.Action)))),
                BucketAge,
                cancellation);
        }

        var purchases = events.Where(e => e is { Action: ActivityAction.Purchased, Products.Count: > 1 });
        foreach (var product in purchases
            .SelectMany(e => e.Products.Select(product => (product, bought: e))).GroupBy(pair => pair.product))
        {
            await totals.AddAsync(
                BoughtWith(product.Key),
                product.Select(pair => new ActivityShare(
                    MarkerOf(pair.bought),
                    pair.bought.Products.Where(other => other != product.Key).ToDictionary(other => other, _ => 1))),
                age: null,
                cancellation);
        }
    }

    /// <summary>The products of the last while, those with the most weight first.</summary>
    public async Task<IReadOnlyList<(string Product, int Score)>> TrendingAsync(
        TimeSpan window, int limit, CancellationToken cancellation)
    {
        var now = clock.GetUtcNow();
        var buckets = new List<DateTimeOffset>();
        for (var at = BucketOf(now); at > now - window; at -= Bucket) buckets.Add(at);
        var sums = await Task.WhenAll(buckets.Select(at => totals.ReadAsync(TrendOf(at), cancellation)));
        return Top(sums.SelectMany(sum => sum).GroupBy(count => count.Key)
            .Select(counts => (counts.Key, counts.Sum(count => count.Value))), limit);
    }

    public async Task<IReadOnlyList<(string Product, int Score)>> BoughtWithAsync(
        string product, int limit, CancellationToken cancellation) =>
        Top(
            (await totals.ReadAsync(BoughtWith(product), cancellation)).Select(count => (count.Key, count.Value)),
            limit);

    static List<(string Product, int Score)> Top(IEnumerable<(string Product, int Score)> counts, int limit) =>
    [
        .. counts.OrderByDescending(count => count.Score).ThenBy(count => count.Product, StringComparer.Ordinal)
            .Take(limit),
    ];

    // A look is a hint, a purchase a fact.
    static int WeightOf(ActivityAction action) => action switch
    {
        ActivityAction.Viewed => 1,
        ActivityAction.Added => 3,
        ActivityAction.Purchased => 5,
        _ => 0,
    };

    // Clients choose ids, so an id means something only together with who sent it.
    static string MarkerOf(ActivityEvent happened) => $"{happened.User}:{happened.Id:D}";

    static DateTimeOffset BucketOf(DateTimeOffset at) => new(at.UtcTicks - at.UtcTicks % Bucket.Ticks, TimeSpan.Zero);

    static string TrendOf(DateTimeOffset bucket) =>
        string.Create(CultureInfo.InvariantCulture, $"trend-{bucket:yyyyMMddHHmm}");

    static string BoughtWith(string product) => $"bought-{product}";
}
