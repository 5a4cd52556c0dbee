using EventSourcing;
using Runtime.Local;

namespace Functions.Tests.Backup;

/// <summary><c>export</c> and <c>import</c> of the local program: what they keep, refuse and answer.</summary>
public sealed class FolderBackupTests : IDisposable
{
    static readonly CancellationToken None = CancellationToken.None;

    readonly DirectoryInfo root = Directory.CreateTempSubdirectory("folder-backup-");

    public void Dispose() => root.Delete(recursive: true);

    [Fact]
    public async Task A_restored_system_shows_the_same_orders_and_adds_no_event_to_them()
    {
        var (kept, restored, file, keys) = (At("kept"), At("restored"), At("events.ndjson"), At("keys.json"));
        Guid[] orders = [Guid.NewGuid(), Guid.NewGuid()];
        Dictionary<string, IReadOnlyList<string>> before;
        await using (var system = await StartAsync(kept))
        {
            var api = new Api(system.CreateHttpClient());
            await Catalogue.SeedAsync(api, None);
            await PlaceAsync(api, orders[0], "4242 4242 4242 4242");
            await PlaceAsync(api, orders[1], "4000 0000 0000 0002");
            foreach (var order in orders) await EndedAsync(api, order);
            before = await EventIdsAsync(api, orders);
        }

        Assert.Equal(0, await CommandLine.RunAsync(["export", file, "--data", kept, "--keys", keys]));
        Assert.Equal(0, await CommandLine.RunAsync(["import", file, "--data", restored, "--keys", keys]));
        await using (var system = await StartAsync(restored))
        {
            var api = new Api(system.CreateHttpClient());

            // The feed shows the old orders to the sagas as well: each repeats its commands, and nothing happens.
            foreach (var order in orders) await EndedAsync(api, order);
            Assert.Equal(before, await EventIdsAsync(api, orders));
            var view = await RunningSystem.EventuallyAsync(
                () => api.GetAsync($"/api/orders/{orders[0]}", None), answer => answer.Text("status") == "confirmed");
            Assert.Equal("Sample Customer", view.Text("shipTo.recipient"));
        }
    }

    [Fact]
    public async Task Keys_are_refused_when_they_are_torn_or_of_another_master_key()
    {
        var (file, keys) = (At("events.ndjson"), At("keys.json"));
        await FilledFolder.WriteAsync(At("kept"), events: 3);
        AesMasterKey.OfFile(Path.Combine(At("kept"), LocalSystem.MasterKeyFile));
        Assert.Equal(0, await CommandLine.RunAsync(["export", file, "--data", At("kept"), "--keys", keys]));
        if (!OperatingSystem.IsWindows())
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(keys));

        var whole = await File.ReadAllTextAsync(keys);
        foreach (var wrong in new[] { whole[..^2], "{}", "", "[1]" })
        {
            await File.WriteAllTextAsync(keys, wrong);
            Assert.Equal((1, "no file of keys"), await ImportAsync(file, "no file of keys", keys: keys));
        }

        await File.WriteAllTextAsync(keys, whole);
        AesMasterKey.OfFile(Path.Combine(At("restored"), LocalSystem.MasterKeyFile));
        Assert.Equal((1, "another master key"), await ImportAsync(file, "another master key", keys: keys));
        File.Delete(Path.Combine(At("restored"), LocalSystem.MasterKeyFile));
        Assert.Equal((0, "the 3 events"), await ImportAsync(file, "the 3 events", keys: keys));
    }

    [Fact]
    public async Task A_torn_export_goes_on_and_a_whole_one_is_left_alone()
    {
        var file = At("events.ndjson");
        await FilledFolder.WriteAsync(At("kept"), events: 1_200);
        Assert.Equal((0, "1200 events are in"), await ExportAsync(file));
        var whole = await File.ReadAllBytesAsync(file);

        await File.WriteAllBytesAsync(file, whole[..(whole.Length * 2 / 3)]);
        Assert.Equal((0, "going on where it ends"), await ExportAsync(file, "going on where it ends"));
        Assert.Equal(whole, await File.ReadAllBytesAsync(file));

        Assert.Equal((1, "the backup is whole"), await ExportAsync(file, "the backup is whole"));
        await File.WriteAllTextAsync(file, "not ours");
        Assert.Equal((1, "Line 1"), await ExportAsync(file, "Line 1"));
        Assert.Equal("not ours", await File.ReadAllTextAsync(file));
    }

    [Fact]
    public async Task Only_a_right_file_is_imported_and_only_into_an_empty_folder()
    {
        var file = At("events.ndjson");
        await FilledFolder.WriteAsync(At("kept"), events: 10);
        await ExportAsync(file);
        var lines = await File.ReadAllLinesAsync(file);

        var edited = lines.ToArray();
        edited[4] = edited[4].Replace("\"quantity\":1", "\"quantity\":9", StringComparison.Ordinal);
        Assert.NotEqual(lines[4], edited[4]);
        await File.WriteAllLinesAsync(file, edited);
        Assert.Equal((1, "Line 5 of the backup"), await ImportAsync(file, "Line 5 of the backup"));

        await File.WriteAllLinesAsync(file, lines[..^2]);
        Assert.Equal((1, "has no end"), await ImportAsync(file, "has no end"));

        // Neither left anything behind: the folder still counts as empty.
        await File.WriteAllLinesAsync(file, lines);
        Assert.Equal((0, "read back and compared"), await ImportAsync(file, "read back and compared"));
        Assert.Equal((1, "holds events already"), await ImportAsync(file, "holds events already"));
        Assert.Equal((0, "the 10 events"), await ImportAsync(file, "the 10 events", resume: true));
    }

    [Fact]
    public async Task What_is_missing_taken_or_misunderstood_is_told_and_nothing_is_made()
    {
        var file = At("events.ndjson");
        Assert.Equal((1, "holds no state"), await ExportAsync(file, "holds no state"));
        Assert.Equal((1, "There is no file"), await ImportAsync(file, "There is no file"));
        Assert.Empty(root.EnumerateFileSystemInfos());

        await FilledFolder.WriteAsync(At("kept"), events: 1);
        using (FolderClaim.Of(At("kept")))
            Assert.Equal((1, "Another process"), await ExportAsync(file, "Another process"));

        foreach (var nonsense in new string[][]
        {
            ["export"], ["import"], ["export", "--data", "x"], ["export", file, "--resume"], ["export", file, "--data"],
            ["import", file, "more"], ["import", file, "--keys"], ["export", file, "--keys", "--data"],
            ["import", file, "--resume", "yes"],
        })
            Assert.Equal(2, await CommandLine.RunAsync(nonsense));
        Assert.Equal(0, await CommandLine.RunAsync(["export", "--help"]));
        Assert.False(File.Exists(file));
    }

    string At(string name) => Path.Combine(root.FullName, name);

    async Task<(int Code, string Said)> ExportAsync(string file, string expected = "1200 events are in")
    {
        using var words = new StringWriter();
        return Said(await FolderBackup.ExportAsync(new(file, At("kept")), words, None), words, expected);
    }

    async Task<(int Code, string Said)> ImportAsync(
        string file, string expected, bool resume = false, string? keys = null)
    {
        using var words = new StringWriter();
        var files = new BackupFiles(file, At("restored"), keys, resume);
        return Said(await FolderBackup.ImportAsync(files, words, None), words, expected);
    }

    /// <summary>The words that were looked for, or all of them when they are not there.</summary>
    static (int, string) Said(int code, StringWriter words, string expected) => (
        code, words.ToString().Contains(expected, StringComparison.Ordinal) ? expected : words.ToString());

    static Task<LocalSystem> StartAsync(string folder) => LocalSystem.StartAsync(
        new() { Folder = folder, FeedPollDelayMax = TimeSpan.FromMilliseconds(20) }, None);

    static async Task PlaceAsync(Api api, Guid order, string card) => Assert.True((await api.PutAsync(
        $"/api/orders/{order}", Catalogue.Order(card, Catalogue.Address(), ("blue-mug", 1)), None)).IsSuccess);

    static Task<ApiAnswer> EndedAsync(Api api, Guid order) => RunningSystem.EventuallyAsync(
        () => api.GetAsync($"/api/sagas/order-{order}", None), saga => saga.Text("endedAt") is not null);

    static async Task<Dictionary<string, IReadOnlyList<string>>> EventIdsAsync(Api api, Guid[] orders)
    {
        var ids = new Dictionary<string, IReadOnlyList<string>>();
        foreach (var stream in orders.SelectMany(o => new[] { $"order-{o}", $"payment-{o}", $"shipment-{o}" })
            .Append("stock-blue-mug"))
            ids[stream] = [.. (await api.EventsAsync(stream, None)).Select(e => e.GetProperty("eventId").GetString()!)];
        return ids;
    }
}
