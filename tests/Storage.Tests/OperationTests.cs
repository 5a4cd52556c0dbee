using System.Diagnostics.Metrics;
using System.Text;
using EventSourcing;
using Functions.Queries;
using Functions.Storage;
using Microsoft.Extensions.Logging.Abstractions;
using Runtime.Local;
using Runtime.Worker;

namespace Storage.Tests;

/// <summary>The archive over HTTP, on a whole system; and a whole system that has none.</summary>
[Collection(nameof(BlobAccount))]
public sealed class OperationTests(BlobAccount account)
{
    const string Archives = "/api/operations/archives";

    static readonly CancellationToken None = CancellationToken.None;

    [AzuriteFact]
    public async Task What_one_system_archives_another_restores()
    {
        await using var system = await StartAsync(account.ConnectionString);
        var (api, admin) = (new Api(system.CreateHttpClient()), new Api(system.CreateHttpClient(LocalSystem.AdminKey)));
        await Catalogue.SeedAsync(api, None);

        var archived = await PostAsync(admin, Archives);
        Assert.Equal((201, "True"), ((int)archived.Status, archived.Text("isVerified")));
        var name = archived.Text("archive");
        var listed = await admin.GetAsync(Archives, None);
        Assert.Contains(name!, listed.Body.ToString(), StringComparison.Ordinal);

        await using var other = await StartAsync(account.ConnectionString);
        var there = new Api(other.CreateHttpClient(LocalSystem.AdminKey));
        var restored = await PostAsync(there, $"{Archives}/{name}/restore");
        Assert.Equal((200, archived.Text("events")), ((int)restored.Status, restored.Text("events")));
        await AssertAsync(409, "store-not-empty", PostAsync(there, $"{Archives}/{name}/restore"));

        await AssertAsync(404, "unknown-archive", PostAsync(there, $"{Archives}/20000101T000000Z/restore"));
        await AssertAsync(400, "invalid-archive", PostAsync(there, $"{Archives}/nonsense/restore"));
        await AssertAsync(400, "invalid-resume", PostAsync(there, $"{Archives}/{name}/restore?resume=maybe"));
        await AssertAsync(400, "invalid-query", there.GetAsync($"{Archives}?under=../", None));
        await AssertAsync(400, "invalid-limit", there.GetAsync($"{Archives}?limit=0", None));
        Assert.Equal(401, (int)(await api.GetAsync(Archives, None)).Status);
        Assert.Equal(401, (int)(await PostAsync(api, Archives)).Status);
    }

    [Fact]
    public async Task Without_storage_the_archive_is_refused_by_name_and_all_else_works()
    {
        await using var system = await StartAsync(blobs: "");
        var (api, admin) = (new Api(system.CreateHttpClient()), new Api(system.CreateHttpClient(LocalSystem.AdminKey)));
        await AssertAsync(501, "blob-storage-not-configured", PostAsync(admin, Archives));
        await AssertAsync(501, "blob-storage-not-configured", admin.GetAsync(Archives, None));
        await AssertAsync(
            501, "blob-storage-not-configured", PostAsync(admin, $"{Archives}/20300101T000000Z/restore"));
        await Catalogue.SeedAsync(api, None);
        Assert.Equal(200, (int)(await admin.GetAsync("/api/operations/projections", None)).Status);
    }

    [Fact]
    public async Task The_daily_archive_does_nothing_where_no_storage_is_configured()
    {
        var store = new BreakingArchive(new InMemoryEventStore(), pages: 0);
        await new Archives(
            new(service: null), new InMemoryEventStore(), store, Continuations(), TimeProvider.System,
            NullLogger<Archives>.Instance).ArchiveEvents(null!, None);
    }

    [BlobFact]
    public async Task The_daily_archive_is_one_like_any_other()
    {
        var (storage, store, clock) = (account.Storage(), await Samples.StoreAsync(streams: 1), new StillClock());
        await new Archives(storage, store, store, Continuations(), clock, NullLogger<Archives>.Instance)
            .ArchiveEvents(null!, None);
        var blobs = new ArchiveBlobs(await storage.ContainerAsync(BlobStorage.Archive, None), store, clock);
        var archived = Assert.Single((await blobs.ListAsync(null, null, 10, None)).Archives);
        Assert.Equal((20, true), (archived.Events, archived.IsVerified));
    }

    static Continuations Continuations() => new(new InMemoryKeyVault());

    [BlobFact]
    public async Task A_night_without_an_archive_shows_in_the_age_of_the_newest()
    {
        var (storage, store, clock) = (account.Storage(), await Samples.StoreAsync(streams: 1), new StillClock());
        var archives = new Archives(
            storage, store, store, Continuations(), clock, NullLogger<Archives>.Instance);
        var ages = new List<double>();
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, own) =>
        {
            if (instrument.Meter.Name == Functions.Storage.Archives.MeterName) own.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<double>((_, age, _, _) => ages.Add(age));
        listener.Start();

        await archives.ArchiveEvents(null!, None);
        foreach (var hours in (int[])[0, 27, 200])
        {
            clock.Now += TimeSpan.FromHours(hours);
            await archives.WatchArchives(null!, None);
        }

        await archives.ArchiveEvents(null!, None);
        await archives.WatchArchives(null!, None);
        Assert.Equal([0, 27, ArchiveBlobs.AgeDaysMax * 24, 0], ages);
    }

    static Task<LocalSystem> StartAsync(string blobs) => LocalSystem.StartAsync(
        new()
        {
            FeedPollDelayMax = TimeSpan.FromMilliseconds(20),
            Settings = new Dictionary<string, string>(LocalSettings.Read(
                Path.Combine(AppContext.BaseDirectory, "local.settings.sample.json")))
            {
                ["Blobs"] = blobs,
            },
        },
        None);

    static async Task<ApiAnswer> PostAsync(Api api, string path)
    {
        using var empty = new StringContent("", Encoding.UTF8);
        return await api.SendAsync(new(HttpMethod.Post, path) { Content = empty }, None);
    }

    static async Task AssertAsync(int status, string code, Task<ApiAnswer> asked)
    {
        var answer = await asked;
        Assert.Equal((status, code), ((int)answer.Status, answer.Text("code")));
    }
}
