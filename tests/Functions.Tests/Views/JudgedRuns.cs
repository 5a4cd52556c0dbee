using System.Text.Json;
using System.Text.Json.Nodes;
using Commerce.Ordering;
using EventSourcing;
using Functions.EventStore;
using Functions.Projections;
using Microsoft.Azure.Cosmos;
using Microsoft.Extensions.DependencyInjection;
using Runtime.Cosmos;
using static Functions.Projections.Views;

namespace Functions.Tests.Views;

/// <summary>
/// Whatever goes wrong by a seed between the events and the views: once it is quiet each view says what its streams
/// say, folded here from scratch, and what is parked stands exactly where it was poisoned until somebody redrives it.
/// </summary>
public sealed class JudgedRuns : IDisposable
{
    const int BatchItems = 30;

    readonly Dictionary<string, HashSet<(string, long)>> poison = [];

    /// <summary>Folds left until this instance dies in the middle of a batch; none when it is not about to.</summary>
    int foldsLeft = -1;

    CancellationTokenSource life = new();

    public void Dispose() => life.Dispose();

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public async Task After_quiet_every_view_is_a_fold_of_its_streams(int seed)
    {
        await using var system = await QuietSystem.StartAsync(seed);
        var world = new JudgedWorld(seed, system.Clock.GetUtcNow()).Tell();
        var store = system.Get<IEventStore>();
        foreach (var (stream, told) in world.Streams)
            foreach (var one in told)
                Assert.Equal(
                    AppendResult.Appended, await store.AppendAsync(stream, one.Sequence - 1, [one], null, default));
        var events = world.Streams.Values.SelectMany(told => told).ToList();
        var random = new Random(seed);
        foreach (var view in All)
        {
            var taken = events.Where(view.TakesIn).ToList();
            poison[view.Name] = [.. taken.Where(_ => random.Next(1_000) == 0).Append(taken[random.Next(taken.Count)])
                .Select(e => (e.StreamId, e.Sequence))];
        }

        View[] sick = [.. All.Select(view => Poisoned(view))];
        Fail(system, on: true);
        await Task.WhenAll(sick.Select((view, i) => DeliverAsync(system, view, events, new Random((seed * 100) + i))));
        system.Clock.Advance(TimeSpan.FromDays(30));
        foreach (var view in sick) await ReconcileBadlyAsync(system, view, random);
        Fail(system, on: false);
        await QuietAsync(system, sick);

        foreach (var view in All) await AgreeAsync(system, view, world, seed, but: poison[view.Name]);
        foreach (var view in All)
        {
            var redriven = await system.Get<Redrive>().AllAsync(view, default);
            Assert.Equal((seed, view.Name, 0), (seed, view.Name, redriven.Parked));
            await AgreeAsync(system, view, world, seed, but: []);
        }
    }

    /// <summary>
    /// What a feed does that checkpoints whatever happens: loses, repeats, shuffles, dies on the way, and has two
    /// instances at work that do not know of each other.
    /// </summary>
    async Task DeliverAsync(QuietSystem system, View view, List<StoredEvent> events, Random random)
    {
        ProjectionRunner[] instances =
        [
            system.Get<ProjectionRunner>(),
            ActivatorUtilities.CreateInstance<ProjectionRunner>(system.Local.Host.Services, TimeProvider.System),
        ];
        var delivered = events.Concat(events.Where(_ => random.Next(5) == 0)).OrderBy(_ => random.Next()).ToList();
        foreach (var pair in delivered.Chunk(BatchItems).Where(_ => random.Next(6) > 0).Chunk(instances.Length))
        {
            if (random.Next(3) == 0) Interlocked.CompareExchange(ref foldsLeft, 1 + random.Next(BatchItems), -1);
            await Task.WhenAll(pair.Zip(instances, (batch, instance) => DeliverAsync(instance, view, batch)));
        }
    }

    async Task DeliverAsync(ProjectionRunner instance, View view, StoredEvent[] batch)
    {
        List<JsonElement> changes = [.. batch.Select(e => JsonSerializer.SerializeToElement(e, StoredJson.Options))];
        try
        {
            await instance.RunAsync(view, changes, life.Token);
        }
        catch (Exception fault) when (fault is OperationCanceledException or CosmosException
            or InvalidOperationException or HttpRequestException)
        {
            // The checkpoint moves on all the same.
        }
    }

    /// <summary>What mends is no safer than what it mends: it dies as well, before its place is stored or behind it.
    /// </summary>
    async Task ReconcileBadlyAsync(QuietSystem system, View view, Random random)
    {
        for (var look = 0; look < 3; look++)
        {
            Interlocked.CompareExchange(ref foldsLeft, 1 + random.Next(BatchItems), -1);
            try
            {
                await system.Get<Reconciliation>().ReconcileAsync(view, life.Token);
            }
            catch (Exception fault) when (fault is OperationCanceledException or CosmosException
                or InvalidOperationException or HttpRequestException)
            {
                // The next look goes on from the place that is stored.
            }
        }
    }

    /// <summary>Everybody reconciles until there is nothing left to bring.</summary>
    static async Task QuietAsync(QuietSystem system, View[] views)
    {
        foreach (var view in views)
        {
            var looks = 0;
            while ((await system.Get<Reconciliation>().ReconcileAsync(view, default)).EventsBehind > 0)
                Assert.True(++looks < 5, $"{view.Name} is never done.");
        }
    }

    async Task AgreeAsync(
        QuietSystem system, View view, JudgedWorld world, int seed, HashSet<(string Stream, long Sequence)> but)
    {
        var expected = view is View<OrderDetails> details ? Expected(details, world, but)
            : view is View<OrderSummary> list ? Expected(list, world, but)
            : view is View<Commerce.Catalog.ProductListing> products ? Expected(products, world, but)
            : view is View<SearchedProduct> search ? Expected(search, world, but)
            : view is View<Commerce.Inventory.Availability> stocks ? Expected(stocks, world, but)
            : view is View<Commerce.Customers.CustomerCard> customers ? Expected(customers, world, but)
            : view is View<Delivery> deliveries ? Expected(deliveries, world, but)
            : view is View<DeliveryReference> references ? Expected(references, world, but)
            : Totals(world, but);
        var found = await DocumentsAsync(system, view);
        Assert.Equal((seed, view.Name, expected.Count), (seed, view.Name, found.Count));
        foreach (var (key, json) in expected) Assert.Equal(
            (seed, view.Name, key, json), (seed, view.Name, key, found[key]));
        var parked = await system.Get<Parking>().ListAsync(
            view.Name, null, DateTimeOffset.MaxValue, null, 100, default);
        Assert.Equal(
            but.GroupBy(p => p.Stream).Select(p => (p.Key, p.Min(one => one.Sequence))).Order(),
            parked.Select(p => (p.Stream, p.Sequence)).Order());
    }

    /// <summary>
    /// Each stream from its first event to its end or its poison, nothing else; no runner, no markers.
    /// </summary>
    static Dictionary<string, string> Expected<TView>(
        View<TView> view, JudgedWorld world, HashSet<(string Stream, long Sequence)> but)
        where TView : class
    {
        var shown = new Dictionary<string, TView?>();
        foreach (var (stream, told) in world.Streams)
        {
            if (view.FeedOf(stream) is not { } feed) continue;
            var key = (feed.KeyOfName?.Invoke(stream) ?? feed.KeyOfFirst!(told[0])).Id;
            foreach (var one in told.TakeWhile(e => !but.Contains((e.StreamId, e.Sequence))))
                shown[key] = feed.Fold(shown.GetValueOrDefault(key), one);
            shown.TryAdd(key, null);
        }

        return shown.ToDictionary(
            one => one.Key, one => Plain(JsonSerializer.Serialize(one.Value, StoredJson.Options)));
    }

    /// <summary>Counted here from what became of each order, not from shares and differences.</summary>
    static Dictionary<string, string> Totals(JudgedWorld world, HashSet<(string Stream, long Sequence)> but)
    {
        var totals = new Dictionary<string, Sales>();
        foreach (var (stream, told) in world.Streams.Where(s => s.Key.Category == Order.Category))
        {
            var placed = (OrderEvent.Placed)Aggregates.Orders.Codec.Decode(told[0]).Event;
            var types = told.TakeWhile(e => !but.Contains((e.StreamId, e.Sequence))).Select(e => e.EventType).ToList();
            var groups = placed.Lines.Select(
                l => ($"product-{l.Product}", l.Quantity, l.UnitPrice.MinorUnits * l.Quantity))
                .Append(($"customer-{placed.Customer}", placed.Lines.Sum(l => l.Quantity), placed.Total.MinorUnits))
                .Append(($"day-{told[0].Timestamp.UtcDateTime:yyyy-MM-dd}", placed.Lines.Sum(l => l.Quantity),
                    placed.Total.MinorUnits));
            foreach (var (group, pieces, amount) in groups)
            {
                var so = totals.GetValueOrDefault(group) ?? Sales.None;
                var (sold, lost) = (types.Contains("order-confirmed"), types.Contains("order-cancelled"));
                if (types.Count > 0) so = new(
                    so.Orders + 1,
                    so.Pending + (sold || lost ? 0 : 1),
                    so.Sold + (sold ? 1 : 0),
                    so.Cancelled + (lost ? 1 : 0),
                    so.Delivered + (types.Contains("order-delivered") ? 1 : 0),
                    so.PiecesSold + (sold ? pieces : 0),
                    sold ? so.Revenue.SetItem("EUR", so.Revenue.GetValueOrDefault("EUR") + amount) : so.Revenue);
                totals[group] = so;
            }
        }

        return totals.ToDictionary(
            one => one.Key, one => Plain(JsonSerializer.Serialize(one.Value, StoredJson.Options)));
    }

    static async Task<Dictionary<string, string>> DocumentsAsync(QuietSystem system, View view)
    {
        var isTally = view == OrderStatistics;
        var query = isTally ? "SELECT * FROM c WHERE c.id = 'total'" : "SELECT * FROM c";
        var found = new Dictionary<string, string>();
        using var pages = system.Get<Database>().GetContainer(view.Container).GetItemQueryStreamIterator(query);
        while (pages.HasMoreResults)
        {
            using var page = await pages.ReadNextAsync();
            using var json = await JsonDocument.ParseAsync(page.Content);
            foreach (var row in json.RootElement.GetProperty("Documents").EnumerateArray())
            {
                found.Add(
                    row.GetProperty(isTally ? "pk" : "id").GetString()!,
                    row.TryGetProperty("view", out var shown) ? Plain(shown.GetRawText()) : "null");
            }
        }

        return found;
    }

    /// <summary>Whoever stored it may have written it otherwise.</summary>
    static string Plain(string json) => JsonNode.Parse(json)?.ToJsonString() ?? "null";

    View Poisoned(View view) => view switch
    {
        View<OrderDetails> one => Poisoned(one),
        View<OrderSummary> one => Poisoned(one),
        View<Commerce.Catalog.ProductListing> one => Poisoned(one),
        View<SearchedProduct> one => Poisoned(one),
        View<Commerce.Inventory.Availability> one => Poisoned(one),
        View<Commerce.Customers.CustomerCard> one => Poisoned(one),
        View<Delivery> one => Poisoned(one),
        View<DeliveryReference> one => Poisoned(one),
        Tally<SalesShare, Sales> tally => tally with
        {
            Fold = (group, share, stored) => tally.Fold(group, share, Alive(tally, stored)),
        },
        _ => throw new InvalidOperationException($"{view.Name} is not judged."),
    };

    View<TView> Poisoned<TView>(View<TView> view)
        where TView : class => view with
        {
            Feeds = [.. view.Feeds.Select(feed => feed with
            {
                Fold = (shown, stored) => feed.Fold(shown, Alive(view, stored)),
            })],
        };

    /// <summary>The event, unless it is poison to this view; and the moment at which an instance dies.</summary>
    StoredEvent Alive(View view, StoredEvent stored)
    {
        if (Volatile.Read(ref foldsLeft) > 0 && Interlocked.Decrement(ref foldsLeft) == 0)
        {
            Interlocked.Exchange(ref life, new()).Cancel();
            Volatile.Write(ref foldsLeft, -1);
        }

        return poison[view.Name].Contains((stored.StreamId, stored.Sequence))
            ? throw new InvalidOperationException("poison")
            : stored;
    }

    static void Fail(QuietSystem system, bool on)
    {
        system.Local.Cosmos.Faults.Clear();
        if (!on) return;
        foreach (var kind in new[]
        {
            CosmosFaultKind.TooManyRequests, CosmosFaultKind.ServiceUnavailable, CosmosFaultKind.AnswerLost,
        })
            system.Local.Cosmos.Faults.Add(new(kind) { Probability = 0.01 });
    }
}
