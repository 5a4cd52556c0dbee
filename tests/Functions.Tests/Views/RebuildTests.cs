using System.Net;
using System.Text.Json;
using EventSourcing;
using EventSourcing.Tests;
using Functions.Projections;
using Microsoft.Azure.Cosmos;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Runtime.Local;

namespace Functions.Tests.Views;

/// <summary>A view is built again beside the live one, and nobody who reads notices.</summary>
[Collection(nameof(RunningSystem))]
public sealed class RebuildTests(RunningSystem system)
{
    const string ContainerName = "projections";

    readonly string name = $"sums-{Guid.NewGuid():N}";
    readonly List<StoredEvent> stored = [];

    /// <summary>A category of its own: the container of events is everybody's.</summary>
    readonly string category = string.Concat(Guid.NewGuid().ToString("N").Select(c => (char)('a' + c % 16)));

    sealed record Sum(long Total, int Count);

    [Fact]
    public async Task A_rebuild_is_started_followed_switched_to_rolled_back_and_cleaned_up_over_http()
    {
        var product = await system.ProductAsync(stock: 1);
        await RunningSystem.EventuallyAsync(
            () => system.Api.GetAsync($"/api/products/{product}", default), answer => answer.IsSuccess);
        var before = await GenerationAsync("products");
        Assert.Equal("no-rebuild", (await DecideAsync("switch")).Text("code"));
        Assert.Equal(HttpStatusCode.Accepted, (await StartAsync("products")).Status);
        Assert.Equal("rebuild-under-way", (await StartAsync("products")).Text("code"));
        Assert.Equal("rebuild-not-ready", (await DecideAsync("switch")).Text("code"));

        var ready = await BuiltAsync("products");
        Assert.Equal(("ready", "100"), (ready.Text("stage"), ready.Text("percent")));
        Assert.Equal(("0", "0", "0"), (
            ready.Text("comparison.different"), ready.Text("comparison.missing"), ready.Text("comparison.extra")));
        Assert.True(long.Parse(ready.Text("comparison.equal")!, null) > 0);
        Assert.True(long.Parse(ready.Text("eventsRead")!, null) > 0);

        Assert.Equal("rebuild-not-switched", (await DecideAsync("rollback")).Text("code"));
        Assert.Equal("switched", (await DecideAsync("switch")).Text("stage"));
        Assert.Equal(before + 1, await GenerationAsync("products"));
        Assert.Contains($"~{before + 1}.", await EtagAsync(product), StringComparison.Ordinal);
        Assert.Equal("ready", (await DecideAsync("rollback")).Text("stage"));
        Assert.Equal(before, await GenerationAsync("products"));
        Assert.Equal("switched", (await DecideAsync("switch")).Text("stage"));

        Assert.Equal("cleaning", (await DecideAsync("cleanup")).Text("stage"));
        await GoneAsync("products");
        Assert.Equal(before + 1, await GenerationAsync("products"));
        Assert.Equal(0, await CountAsync("products", before));
        Assert.Contains($"~{before + 1}.", await EtagAsync(product), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_rebuild_given_up_before_the_switch_leaves_nothing_behind_and_no_number_is_given_twice()
    {
        var before = await GenerationAsync("availability");
        await StartAsync("availability");
        var given = (await BuiltAsync("availability")).Body.GetProperty("generation").GetInt32();
        Assert.True(await CountAsync("availability", given) > 0);
        await DecideAsync("cleanup", "availability");
        await GoneAsync("availability");
        Assert.Equal(0, await CountAsync("availability", given));
        Assert.Equal(before, await GenerationAsync("availability"));

        Assert.Equal(given + 1, (await StartAsync("availability")).Body.GetProperty("generation").GetInt32());
        await DecideAsync("cleanup", "availability");
        await GoneAsync("availability");
    }

    [Fact]
    public async Task Readers_see_neither_a_fault_nor_anything_older_while_it_is_switched_to_and_fro()
    {
        var product = await system.ProductAsync(stock: 1);
        await StartAsync("products");
        await BuiltAsync("products");
        using var stop = new CancellationTokenSource();
        var reads = 0;
        var readers = Enumerable.Range(0, 4).Select(_ => Task.Run(async () =>
        {
            var newest = 0L;
            while (!stop.IsCancellationRequested)
            {
                var one = await system.Api.GetAsync($"/api/products/{product}", default);
                Assert.Equal(HttpStatusCode.OK, one.Status);
                var price = one.Body.GetProperty("price").GetProperty("minorUnits").GetInt64();
                Assert.True(price >= newest, $"{price} after {newest}");
                newest = price;
                var list = await system.Api.GetAsync("/api/products?search=thing&limit=1", default);
                Assert.Equal(HttpStatusCode.OK, list.Status);
                Assert.Equal(1, list.Body.GetProperty("products").GetArrayLength());
                Interlocked.Increment(ref reads);
            }
        })).ToList();

        for (var turn = 1; turn <= 10; turn++)
        {
            var put = await system.Api.PutAsync(
                $"/api/products/{product}",
                new { name = "Thing", category = "things",
                    price = new { minorUnits = 20_00 + turn, currency = "EUR" } },
                default);
            Assert.True(put.IsSuccess);
            Assert.Equal(
                HttpStatusCode.Accepted, (await DecideAsync(turn % 2 == 1 ? "switch" : "rollback")).Status);
            var target = reads + 4;
            await RunningSystem.EventuallyAsync(() => Task.FromResult(reads), so => so >= target
                || readers.Exists(r => r.IsFaulted));
        }

        await stop.CancelAsync();
        await Task.WhenAll(readers);
        await DecideAsync("cleanup");
        await GoneAsync("products");
    }

    [Fact]
    public async Task A_crash_in_the_middle_costs_one_page_at_most()
    {
        for (var i = 0; i < 10; i++) await AppendedAsync(20);
        await system.System.Host.Services.GetRequiredService<ProjectionRunner>().RunAsync(
            View(), Json(stored), default);
        await BegunAsync(View());
        using var crash = new CancellationTokenSource();
        var folded = 0;
        var dying = View(() =>
        {
            if (Interlocked.Increment(ref folded) == 120) crash.Cancel();
        });
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => Rebuilder(pageItems: 50).ContinueAsync(dying, crash.Token));
        var left = (await Service<RebuildStates>().FindAsync(name, default)).Found!;
        Assert.True(left.DocumentsRead > 0 && left.Percent is > 0 and < 100, $"{left}");

        var again = 0;
        system.Clock.Advance(ViewGenerations.KnownToAll);
        var built = await Rebuilder(pageItems: 50).ContinueAsync(View(() => Interlocked.Increment(ref again)), default);

        Assert.Equal(RebuildStage.Ready, built!.Stage);
        Assert.True(again <= stored.Count - left.EventsRead, $"{again} folded again, {left.EventsRead} were known");
        Assert.DoesNotContain(built.Comparison!.Samples, difference => difference.Partition == name);
        Assert.True(built.Comparison.Equal >= 10, $"{built.Comparison}");
        await WholeAsync(built.Generation);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Writes_go_on_while_it_is_built_and_both_generations_end_the_same(int seed)
    {
        var random = new Random(seed);
        for (var i = 0; i < 8; i++) await AppendedAsync(10);
        var runner = Service<ProjectionRunner>();
        await runner.RunAsync(View(), Json(stored), default);
        await BegunAsync(View());
        system.Clock.Advance(ViewGenerations.KnownToAll);

        // The feed loses a batch now and then, and gives some twice; what it loses for good the reconciliation brings.
        var building = Rebuilder(pageItems: 25).ContinueAsync(View(), default);
        for (var round = 0; round < 20 || !building.IsCompleted; round++)
        {
            var (before, stream) = (stored.Count, stored[random.Next(stored.Count)].StreamId);
            await AppendedAsync(1 + random.Next(3), stream);
            if (random.Next(4) > 0) await runner.RunAsync(View(), Json(stored[before..]), default);
            if (random.Next(4) == 0) await runner.RunAsync(View(), Json(stored[before..]), default);
        }

        var built = (await building)!;
        Assert.Equal(RebuildStage.Ready, built.Stage);
        system.Clock.Advance(Reconciliation.Grace);
        await Service<Reconciliation>().ReconcileAsync(View(), default);
        await Service<Reconciliation>().ReconcileAsync(View() with { Generation = built.Generation }, default);
        await WholeAsync(0);
        await WholeAsync(built.Generation);
    }

    [Fact]
    public async Task What_other_code_folds_otherwise_is_reported_with_what_differs()
    {
        await AppendedAsync(3);
        await AppendedAsync(4);
        await Service<ProjectionRunner>().RunAsync(View(), Json(stored), default);
        await BegunAsync(View());
        system.Clock.Advance(ViewGenerations.KnownToAll);

        var built = await Rebuilder(pageItems: 100).ContinueAsync(View(twice: stored[0].StreamId), default);

        Assert.True(built!.Comparison!.Different > 0 && built.Comparison.Equal > 0, $"{built.Comparison}");
        var difference = built.Comparison.Samples.Single(one => one.Partition == name);
        Assert.Equal(($"{name}-{stored[0].StreamId}", "total"), (difference.Id, difference.What));
    }

    [Fact]
    public async Task A_discarded_event_stays_discarded_in_a_rebuild()
    {
        await AppendedAsync(3);
        var runner = Service<ProjectionRunner>();
        var sick = View() with { Feeds = [View().Feeds[0] with { Fold = Poisoned }] };
        await runner.RunAsync(sick, Json(stored), default);
        var parked = await Service<Parking>().FindAsync(name, stored[0].StreamId, default);
        await Service<Parking>().DiscardAsync(parked!, "Ops", "Unusable", default);
        Assert.Equal(new Redriven(1, 0), await Service<Redrive>().AllAsync(sick, default));

        await BegunAsync(sick);
        system.Clock.Advance(ViewGenerations.KnownToAll);
        var built = await Rebuilder(pageItems: 100).ContinueAsync(sick, default);

        Assert.Equal(RebuildStage.Ready, built!.Stage);
        Assert.DoesNotContain(built.Comparison!.Samples, difference => difference.Partition == name);
        Sum? Poisoned(Sum? sum, StoredEvent e) =>
            e.Sequence == 2 ? throw new InvalidOperationException("poison") : View().Feeds[0].Fold(sum, e);
    }

    View<Sum> View(Action? folded = null, string? twice = null) => new(
        name,
        ContainerName,
        new Feed<Sum>(
            category,
            stream => new($"{name}-{stream}", name),
            null,
            (sum, one) =>
            {
                folded?.Invoke();
                var told = one.EventData.GetInt64() * (one.StreamId == twice ? 2 : 1);
                return new((sum?.Total ?? 0) + told, (sum?.Count ?? 0) + 1);
            }));

    Rebuilder Rebuilder(int pageItems) => new(
        Service<Database>(), Service<ProjectionRunner>(), Service<ProjectionStates>(), Service<ViewGenerations>(),
        Service<RebuildStates>(), Service<Parking>(), Service<Verification>(), system.Clock,
            NullLogger<Rebuilder>.Instance)
    {
        PageItems = pageItems,
    };

    async Task BegunAsync(View view)
    {
        var rebuild = new Rebuild(view.Name, 1, "Ops", "Trying", system.Clock.GetUtcNow());
        Assert.NotNull(await Service<RebuildStates>().SaveAsync(rebuild, null, default));
        Assert.True(await Service<ViewGenerations>().ReplaceAsync(
            new(view.Name) { Other = 1, Highest = 1 }, etag: null, default));
    }

    async Task WholeAsync(int generation)
    {
        var view = View() with { Generation = generation };
        foreach (var stream in stored.GroupBy(e => e.StreamId))
        {
            Assert.True(StreamId.TryParse(stream.Key, out var id));
            var key = view.Stored(view.Feeds[0].KeyOfName!(id));
            var (shown, _) = await Service<Database>().GetContainer(ContainerName)
                .FindAsync<ViewDocument<Sum>>(key.Id, key.Partition, default);
            Assert.Equal(
                new Sum(stream.Sum(e => e.EventData.GetInt64()), stream.Count()), shown?.View);
        }
    }

    async Task AppendedAsync(int count, string? to = null)
    {
        var stream = StreamId.TryParse(to, out var known) ? known : StreamId.Of(category, Guid.NewGuid());
        var head = stored.Count(e => e.StreamId == stream.ToString());
        var events = Enumerable.Range(0, count).Select(
            i => SampleEvent.Of(
                stream.ToString(), head + 1 + i, "sum-told", head + 1 + i, $"command-{head}", i) with
            {
                Timestamp = system.Clock.GetUtcNow(),
            }).ToList();
        Assert.Equal(
            AppendResult.Appended, await Service<IEventStore>().AppendAsync(stream, head, events, null, default));
        stored.AddRange(events);
    }

    static List<JsonElement> Json(IEnumerable<StoredEvent> events) =>
        [.. events.Select(e => JsonSerializer.SerializeToElement(e, StoredJson.Options))];

    Task<ApiAnswer> StartAsync(string view) => system.Admin.PostAsync(
        $"/api/operations/projections/{view}/rebuild", new { by = "Ops", why = "Trying" }, null, default);

    Task<ApiAnswer> DecideAsync(string decision, string view = "products") => system.Admin.PostAsync(
        $"/api/operations/projections/{view}/rebuild/{decision}", new { by = "Ops", why = "Trying" }, null, default);

    Task<ApiAnswer> RebuildAsync(string view) =>
        system.Admin.GetAsync($"/api/operations/projections/{view}/rebuild", default);

    async Task<ApiAnswer> BuiltAsync(string view)
    {
        system.Clock.Advance(ViewGenerations.KnownToAll);
        await Service<Rebuilder>().ContinueAsync(Functions.Projections.Views.Find(view)!, default);
        return await RebuildAsync(view);
    }

    async Task GoneAsync(string view)
    {
        await Service<Rebuilder>().ContinueAsync(Functions.Projections.Views.Find(view)!, default);
        system.Clock.Advance(ViewGenerations.KnownToAll);
        Assert.Null(await Service<Rebuilder>().ContinueAsync(Functions.Projections.Views.Find(view)!, default));
        Assert.Equal("no-rebuild", (await RebuildAsync(view)).Text("code"));
    }

    async Task<int> GenerationAsync(string view) =>
        (await Service<ViewGenerations>().FindAsync(view, default)).Switch.Live;

    async Task<int> CountAsync(string container, int generation)
    {
        var query = new QueryDefinition("SELECT VALUE COUNT(1) FROM c WHERE c.generation = @generation")
            .WithParameter("@generation", generation);
        using var pages = Service<Database>().GetContainer(container).GetItemQueryIterator<int>(query);
        var count = 0;
        while (pages.HasMoreResults) count += (await pages.ReadNextAsync()).Sum();
        return count;
    }

    async Task<string> EtagAsync(string product)
    {
        using var answer = await system.Http.GetAsync($"/api/products/{product}");
        return $"{answer.Headers.ETag}";
    }

    T Service<T>()
        where T : notnull => system.System.Host.Services.GetRequiredService<T>();
}
