using System.Text;
using EventSourcing.Backup;
using EventSourcing.Tests.Stores;

namespace EventSourcing.Tests.Backup;

/// <summary>A backup comes back exactly, goes on where it was torn, and is refused at the line that is wrong.</summary>
public sealed class BackupTests : IDisposable
{
    static readonly CancellationToken None = CancellationToken.None;

    readonly InMemoryEventStore store = new();
    readonly ManualClock clock = new();
    readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("backup-");

    string FilePath => Path.Combine(folder.FullName, "events.ndjson");

    public void Dispose() => folder.Delete(recursive: true);

    [Fact]
    public async Task What_was_exported_is_imported_exactly()
    {
        await FillAsync(streams: 30, commands: 40);
        Assert.Equal(30 * 40 * 2, await ExportAsync());

        var copy = new InMemoryEventStore();
        Assert.Equal(30 * 40 * 2, await ImportAsync(copy));
        Assert.Equal(await AllAsync(store), await AllAsync(copy));

        // The copy knows the commands: a repeat is a repeat there too.
        var stream = StreamId.Of("counter", "7");
        Assert.Equal(AppendResult.Conflict, await copy.AppendAsync(
            stream, 80, Samples.Events(stream, 80, 2, "command-7-3"), null, None));
    }

    [Fact]
    public async Task An_empty_store_has_a_backup_too()
    {
        Assert.Equal(0, await ExportAsync());
        Assert.Equal(0, await ImportAsync(new()));
    }

    [Fact]
    public async Task A_torn_export_goes_on_behind_its_last_checkpoint_and_ends_as_if_nothing_had_happened()
    {
        await FillAsync(streams: 40, commands: 40);
        await ExportAsync();
        var whole = await File.ReadAllBytesAsync(FilePath);
        var lines = Encoding.UTF8.GetString(whole).Split('\n');
        Assert.InRange(lines.Count(line => line.StartsWith("{\"checkpoint\"", StringComparison.Ordinal)), 3, 10);

        // Torn anywhere behind the first line: in the middle of a line, between lines, before the end.
        int[] lengths = [lines[0].Length + 1, 5_000, whole.Length / 2, whole.Length - 2, whole.Length - 1];
        foreach (var length in lengths)
        {
            await File.WriteAllBytesAsync(FilePath, whole[..length]);
            await ExportAsync();
            Assert.Equal(whole, await File.ReadAllBytesAsync(FilePath));
        }
    }

    [Fact]
    public async Task A_torn_download_goes_on_behind_any_checkpoint_line()
    {
        await FillAsync(streams: 40, commands: 40);
        await ExportAsync();
        var whole = await File.ReadAllTextAsync(FilePath);
        var line = whole.Split('\n').First(l => l.StartsWith("{\"checkpoint\"", StringComparison.Ordinal));
        var place = BackupPlace.Parse(System.Buffers.Text.Base64Url.EncodeToString(Encoding.UTF8.GetBytes(line)));
        using var rest = new MemoryStream();
        await new BackupExport(store, clock).WriteAsync(rest, place, None);
        var head = whole[..(whole.IndexOf(line, StringComparison.Ordinal) + line.Length + 1)];
        Assert.Equal(whole, head + Encoding.UTF8.GetString(rest.ToArray()));

        foreach (var nonsense in new[] { "", "nonsense", "e30", "!!!" })
            Assert.Throws<FormatException>(() => BackupPlace.Parse(nonsense));
    }

    [Fact]
    public async Task A_file_that_is_no_torn_backup_is_not_touched()
    {
        foreach (var text in new[] { "my shopping list", "{\"header\":{}}\n", "a\nb\n" })
        {
            await File.WriteAllTextAsync(FilePath, text);
            await Assert.ThrowsAsync<BackupRefusedException>(ExportAsync);
            Assert.Equal(text, await File.ReadAllTextAsync(FilePath));
        }

        File.Delete(FilePath);
        await FillAsync(streams: 2, commands: 2);
        await ExportAsync();
        var refused = await Assert.ThrowsAsync<BackupRefusedException>(ExportAsync);
        Assert.Contains("whole", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_wrong_line_is_named_whatever_is_wrong_with_it_and_nothing_is_imported()
    {
        await FillAsync(streams: 2, commands: 3);
        await ExportAsync();
        var lines = (await File.ReadAllLinesAsync(FilePath)).ToList();
        Assert.Equal(1 + 12 + 1 + 1, lines.Count);

        await RefusedAt(5, l => l[4] = l[4].Replace("\"by\":1", "\"by\":2", StringComparison.Ordinal));
        await RefusedAt(5, l => l[4] = l[4][..^5]);
        await RefusedAt(5, l => l.RemoveAt(4));
        await RefusedAt(6, l => l.Insert(5, l[4]));
        await RefusedAt(5, l => (l[4], l[5]) = (l[5], l[4]));
        await RefusedAt(5, l => l[4] = "");
        await RefusedAt(1, l => l.RemoveAt(0));
        await RefusedAt(1, l => l[0] = l[0].Replace("event-backup", "event-tackup", StringComparison.Ordinal));
        await RefusedAt(15, l => l.RemoveAt(14));
        await RefusedAt(16, l => l.Add(l[14]));
        await RefusedAt(16, l => l.Add("more"));
        await RefusedAt(4, l => l[3] = new string('x', 600 * 1024));

        // Cut off in the middle of the file, without even the end of a line.
        var whole = await File.ReadAllTextAsync(FilePath);
        Assert.Equal(15, (await RefusedAsync(whole[..^1])).Line);
        Assert.Equal(15, (await RefusedAsync(whole[..^5])).Line);
        Assert.Equal(1, (await RefusedAsync("")).Line);

        async Task RefusedAt(long line, Action<List<string>> edit)
        {
            var edited = lines.ToList();
            edit(edited);
            Assert.Equal(line, (await RefusedAsync(string.Join('\n', edited) + "\n")).Line);
        }
    }

    [Fact]
    public async Task A_newer_format_and_a_wrong_count_are_refused()
    {
        var (header, sum) = new BackupLine { Header = new("event-backup", 2, clock.Now) }.Close(BackupLine.FirstSum);
        Assert.Equal(1, (await RefusedAsync(Encoding.UTF8.GetString(header))).Line);

        (header, sum) = new BackupLine { Header = new("event-backup", 1, clock.Now) }.Close(BackupLine.FirstSum);
        var (end, _) = new BackupLine { End = new(1, new EventDigest().ToString()) }.Close(sum);
        Assert.Equal(2, (await RefusedAsync(Encoding.UTF8.GetString([.. header, .. end]))).Line);
    }

    [Fact]
    public async Task Only_an_empty_store_takes_a_backup_unless_an_import_is_resumed()
    {
        await FillAsync(streams: 30, commands: 40);
        await ExportAsync();
        var copy = new WatchedStore(new InMemoryEventStore());
        var target = (InMemoryEventStore)copy.Inner;
        copy.BeforeAppend = () => copy.Appends > 500 ? throw new IOException() : Task.CompletedTask;
        await Assert.ThrowsAnyAsync<IOException>(() => ImportAsync(target, copy));

        copy.BeforeAppend = () => Task.CompletedTask;
        await Assert.ThrowsAsync<StoreNotEmptyException>(() => ImportAsync(target, copy));
        Assert.Equal(2400, await ImportAsync(target, copy, resume: true));
        Assert.Equal(await AllAsync(store), await AllAsync(target));
        Assert.Equal(2400, await ImportAsync(target, copy, resume: true));
    }

    [Fact]
    public async Task A_store_that_holds_something_else_is_noticed()
    {
        await FillAsync(streams: 3, commands: 2);
        await ExportAsync();

        // Another event in the same place, and one more stream beside.
        var other = new InMemoryEventStore();
        var stream = StreamId.Of("counter", "1");
        await other.AppendAsync(stream, 0, [Samples.Event(stream, 1)], null, None);
        await Assert.ThrowsAsync<BackupRefusedException>(() => ImportAsync(other, resume: true));

        other = new();
        var beside = Samples.NewStream();
        await other.AppendAsync(beside, 0, [Samples.Event(beside, 1)], null, None);
        await Assert.ThrowsAsync<BackupRefusedException>(() => ImportAsync(other, resume: true));
    }

    [Fact]
    public async Task From_one_database_to_another()
    {
        var (from, to) = (new LocalCosmos(), new LocalCosmos());
        await from.InitializeAsync();
        await to.InitializeAsync();
        for (var i = 0; i < 4; i++)
            await FillOneAsync(from.Store, StreamId.Of("counter", $"{i}"), commands: 10, size: 40);

        await using (var file = File.Create(FilePath))
            Assert.Equal(1600, await new BackupExport(from.Archive, clock).WriteAsync(file, null, None));
        await using (var file = File.OpenRead(FilePath))
            Assert.Equal(1600, await new BackupImport(to.Store, to.Archive).ReadAsync(file, resume: false, None));
        Assert.Equal(400, await to.Store.HeadAsync(StreamId.Of("counter", "3"), None));
        await from.DisposeAsync();
        await to.DisposeAsync();
    }

    [Fact]
    public void A_digest_knows_no_order_of_events_nor_of_members_nor_how_a_number_is_written()
    {
        var stream = Samples.NewStream();
        var (first, second) = (Samples.Event(stream, 1), Samples.Event(stream, 2));
        Assert.Equal(Digest(first, second), Digest(second, first));
        Assert.NotEqual(Digest(first), Digest(first, first));
        Assert.NotEqual(Digest(first), Digest(second));

        Assert.Equal(Digest(With("""{"a":1.50,"b":7}""")), Digest(With("""{"b":7.0,"a":1.5}""")));
        Assert.NotEqual(Digest(With("""{"a":1.50,"b":7}""")), Digest(With("""{"a":1.51,"b":7}""")));
        Assert.NotEqual(Digest(With("""{"a":[1,2]}""")), Digest(With("""{"a":[2,1]}""")));

        StoredEvent With(string json) => first with
        {
            EventData = System.Text.Json.JsonSerializer.Deserialize<System.Text.Json.JsonElement>(json),
        };

        static string Digest(params StoredEvent[] events)
        {
            var digest = new EventDigest();
            foreach (var stored in events) digest.Add(stored);
            return digest.ToString();
        }
    }

    async Task FillAsync(int streams, int commands)
    {
        for (var i = 0; i < streams; i++) await FillOneAsync(store, StreamId.Of("counter", $"{i}"), commands, size: 2);
    }

    static async Task FillOneAsync(IEventStore store, StreamId stream, int commands, int size)
    {
        for (var c = 0; c < commands; c++)
        {
            var events = Samples.Events(stream, c * size, size, $"command-{stream.Id}-{c}");
            await store.AppendAsync(
                stream, c * size, events, Samples.Snapshot(events[^1], new { value = 1 }), None);
        }
    }

    Task<long> ExportAsync() => new BackupExport(store, clock).WriteFileAsync(FilePath, None);

    async Task<long> ImportAsync(InMemoryEventStore target, IEventStore? through = null, bool resume = false)
    {
        await using var file = File.OpenRead(FilePath);
        return await new BackupImport(through ?? target, target).ReadAsync(file, resume, None);
    }

    static async Task<BackupRefusedException> RefusedAsync(string text)
    {
        var target = new InMemoryEventStore();
        using var source = new MemoryStream(Encoding.UTF8.GetBytes(text));
        var refused = await Assert.ThrowsAsync<BackupRefusedException>(
            () => new BackupImport(target, target).ReadAsync(source, resume: false, None));
        Assert.Empty(await target.ReadAllAsync(null, None).ToListAsync());
        return refused;
    }

    static async Task<List<(string, long, Guid, string)>> AllAsync(InMemoryEventStore source) =>
        (await source.ReadAllAsync(null, None).SelectMany(page => page.Events.ToAsyncEnumerable())
            .Select(e => (e.StreamId, e.Sequence, e.EventId, e.CommandKey)).ToListAsync())
            .OrderBy(e => e.StreamId, StringComparer.Ordinal).ThenBy(e => e.Sequence).ToList();
}
