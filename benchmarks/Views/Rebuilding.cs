using System.Diagnostics;
using System.Reflection;
using Commerce;
using Commerce.Catalog;
using EventSourcing;
using Functions.EventStore;
using Functions.Projections;
using Microsoft.Azure.Cosmos;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Runtime.Local;
using Runtime.Worker;
using static Runtime.Local.ApiAnswer;
using All = Functions.Projections.Views;

namespace Benchmarks.Views;

/// <summary>Projecting many events, and building a view anew from them while people write and read.</summary>
static class Rebuilding
{
    const int EventsEach = 5;
    const int BatchItems = 500;
    const int WritesPerSecond = 50;
    const int Writers = 16;

    public static async Task MeasureAsync(Run run)
    {
        var events = run.IsQuick ? 2_000 : 200_000;
        await using var system = await StartAsync(run.Stop);
        Run.Say($"storing {events} events");
        var told = Enumerable.Range(0, events / EventsEach).SelectMany(Told).ToList();
        await StoreAsync(system, told, run.Stop);
        await ProjectAsync(run, system, told);
        await RebuildAsync(run, system, told.Count);
    }

    /// <summary>Nothing runs but the view that is built anew: what the others cost would be measured, too.</summary>
    static Task<LocalSystem> StartAsync(CancellationToken stop)
    {
        var settings = new Dictionary<string, string>(
            LocalSettings.Read(Path.Combine(AppContext.BaseDirectory, "local.settings.sample.json")));
        foreach (var method in typeof(Functions.Program).Assembly.GetTypes().SelectMany(type => type.GetMethods()))
        {
            if (method.GetCustomAttribute<FunctionAttribute>() is { } function
                && function.Name != nameof(All.ProjectProducts)
                && method.GetParameters().Any(p => p.GetCustomAttributes().Any(
                    a => a is CosmosDBTriggerAttribute or TimerTriggerAttribute)))
                settings[$"AzureWebJobs.{function.Name}.Disabled"] = "true";
        }

        return LocalSystem.StartAsync(
            new() { Settings = settings, Logging = logging => logging.ClearProviders() }, stop);
    }

    static async Task ProjectAsync(Run run, LocalSystem system, List<StoredEvent> told)
    {
        Run.Say("projecting them in batches");
        var table = run.Add("Projecting", "How", "Events", "Batch", "Events/s", "RU an event");
        table.Note = "One view, one document a product, five events each; the same runner that the feed calls.";
        var some = told.Take(Math.Min(told.Count, 20_000)).ToList();
        var runner = system.Host.Services.GetRequiredService<ProjectionRunner>();
        foreach (var (how, generation, order) in new[]
        {
            ("stream after stream", 1001, some), ("streams interleaved", 1002, Interleaved(some)),
        })
        {
            var view = All.Products with { Generation = generation };
            var before = Charged(system, view.Container);
            var began = Stopwatch.GetTimestamp();
            foreach (var batch in order.Chunk(BatchItems)) await view.ProjectAsync(runner, batch, run.Stop);
            var took = Stopwatch.GetElapsedTime(began).TotalSeconds;
            table.Row(how, order.Count, BatchItems, order.Count / took,
                (Charged(system, view.Container) - before) / order.Count);
        }
    }

    static async Task RebuildAsync(Run run, LocalSystem system, int events)
    {
        using var http = system.CreateHttpClient();
        using var operations = system.CreateHttpClient(LocalSystem.AdminKey);
        var (api, admin) = (new Api(http), new Api(operations));
        Run.Say("waiting for the live view");
        await LiveAsync(system, events / EventsEach, run.Stop);
        Demand(await admin.PostAsync(Rebuild, new { by = "benchmark", why = "to measure" }, null, run.Stop));
        await Task.Delay(ViewGenerations.KnownToAll, TimeProvider.System, run.Stop);

        Run.Say($"building it anew during {WritesPerSecond} writes a second");
        using var over = CancellationTokenSource.CreateLinkedTokenSource(run.Stop);
        var (traffic, wrote) = (new Traffic(api, events / EventsEach), Stopwatch.GetTimestamp());
        var running = traffic.RunAsync(WritesPerSecond, over.Token);
        var began = Stopwatch.GetTimestamp();
        var rebuilder = system.Host.Services.GetRequiredService<Rebuilder>();
        Rebuild? rebuild;
        do rebuild = await rebuilder.ContinueAsync(All.Products, run.Stop);
        while (rebuild!.Stage is RebuildStage.Building or RebuildStage.Verifying);
        var verified = Stopwatch.GetElapsedTime(began);
        var built = rebuild.BuiltAt!.Value - rebuild.StartedAt - ViewGenerations.KnownToAll;
        Demand(await admin.PostAsync($"{Rebuild}/switch", new { by = "benchmark", why = "built" }, null, run.Stop));
        await Task.Delay(ViewGenerations.KnownToAll, TimeProvider.System, run.Stop);
        Demand(await admin.PostAsync($"{Rebuild}/rollback", new { by = "benchmark", why = "tried" }, null, run.Stop));
        await Task.Delay(ViewGenerations.KnownFor, TimeProvider.System, run.Stop);
        var perSecond = traffic.Writes / Stopwatch.GetElapsedTime(wrote).TotalSeconds;
        await over.CancelAsync();
        await running;

        var table = run.Add(
            "Building anew", "Events", "Built in", "Events/s", "Compared in", "Equal", "Not equal",
            "Writes meanwhile", "Writes/s", "Reads meanwhile", "Failed", "Wrong");
        table.Note = "With writes and reads going on, switched to and back again before they stopped. Wrong is an "
            + "answer older than one before it.";
        var found = rebuild.Comparison!;
        table.Row(
            rebuild.EventsRead, built, rebuild.EventsRead / built.TotalSeconds, verified - built, found.Equal,
            found.Different + found.Missing + found.Extra + found.Behind, traffic.Writes, perSecond,
            traffic.Reads, traffic.Failed, traffic.Wrong);
    }

    const string Rebuild = "/api/operations/projections/products/rebuild";

    static async Task LiveAsync(LocalSystem system, int documents, CancellationToken stop)
    {
        var products = system.Host.Services.GetRequiredService<Database>().GetContainer(All.Products.Container);
        const string Query = "SELECT VALUE COUNT(1) FROM c WHERE c.generation = 0";
        for (var found = 0; found < documents;)
        {
            await Task.Delay(TimeSpan.FromSeconds(1), TimeProvider.System, stop);
            found = 0;
            using var pages = products.GetItemQueryIterator<int>(Query);
            while (pages.HasMoreResults) found += (await pages.ReadNextAsync(stop)).Sum();
        }
    }

    static async Task StoreAsync(LocalSystem system, List<StoredEvent> told, CancellationToken stop)
    {
        var store = system.Host.Services.GetRequiredService<IEventStore>();
        await Parallel.ForEachAsync(
            told.Chunk(EventsEach),
            new ParallelOptions { MaxDegreeOfParallelism = Writers, CancellationToken = stop },
            async (stream, cancellation) =>
            {
                if (!StreamId.TryParse(stream[0].StreamId, out var id)
                    || await store.AppendAsync(id, 0, stream, null, cancellation) != AppendResult.Appended)
                    throw new InvalidOperationException($"{stream[0].StreamId} could not be stored.");
            });
    }

    static IEnumerable<StoredEvent> Told(int product)
    {
        var codec = Aggregates.Products.Codec;
        var stream = Product.Stream(new(Traffic.NameOf(product)));
        yield return Stored(new ProductEvent.Registered("Thing", "things", new(1, Currency.EUR)), 1);
        for (var i = 2; i <= EventsEach; i++) yield return Stored(new ProductEvent.Repriced(new(i, Currency.EUR)), i);

        StoredEvent Stored(ProductEvent @event, int sequence) => Events.Filling.Stored(
            stream, sequence, codec.Encode(@event), "fill", sequence - 1);
    }

    static List<StoredEvent> Interleaved(List<StoredEvent> told) =>
        [.. told.OrderBy(e => e.Sequence).ThenBy(e => e.StreamId, StringComparer.Ordinal)];

    static double Charged(LocalSystem system, string container) =>
        system.Cosmos.Ledger.Snapshot().Of(container).Total.Charge;
}
