using System.Buffers.Text;
using System.Net.Http.Headers;
using System.Text;
using Functions.EventStore;
using Runtime.Local;

namespace Functions.Tests.Backup;

/// <summary>Backups over HTTP: taken whole or from where a download broke, restored only when right.</summary>
public sealed class BackupOperationTests(RunningSystem system) : IClassFixture<RunningSystem>
{
    const string Backup = "/api/operations/backup";
    const string Restore = "/api/operations/restore";

    [Fact]
    public async Task What_one_system_gives_out_another_takes_in_exactly()
    {
        await FilledFolder.WriteAsync(system.System.Cosmos, events: 600);
        var file = await DownloadAsync(system.System, Backup);
        var events = EventsIn(file);
        Assert.InRange(events, 600, 10_000);

        await using var other = await EmptyAsync();
        var restored = await UploadAsync(other, file);
        Assert.Equal((200, $"{events}"), ((int)restored.Status, restored.Text("events")));

        // The end of a backup counts its events and sums them up in any order.
        Assert.Equal(DigestOf(file), DigestOf(await DownloadAsync(other, Backup)));

        var again = await UploadAsync(other, file);
        Assert.Equal((409, "store-not-empty"), ((int)again.Status, again.Text("code")));
        var resumed = await UploadAsync(other, file, "?resume=true");
        Assert.Equal((200, $"{events}"), ((int)resumed.Status, resumed.Text("events")));
    }

    [Fact]
    public async Task A_download_that_broke_goes_on_behind_any_checkpoint_and_equals_the_whole()
    {
        await FilledFolder.WriteAsync(system.System.Cosmos, events: 600);
        var whole = await DownloadAsync(system.System, Backup);
        var checkpoints = whole.Split('\n')
            .Where(line => line.StartsWith("{\"checkpoint\"", StringComparison.Ordinal)).ToList();
        Assert.True(checkpoints.Count > 1);
        foreach (var line in checkpoints)
        {
            var after = Base64Url.EncodeToString(Encoding.UTF8.GetBytes(line));
            var rest = await DownloadAsync(system.System, $"{Backup}?after={after}");
            var head = whole[..(whole.IndexOf(line, StringComparison.Ordinal) + line.Length + 1)];
            Assert.Equal(whole, head + rest);
        }
    }

    [Fact]
    public async Task A_wrong_file_is_refused_at_its_line_and_nothing_of_it_is_stored()
    {
        await FilledFolder.WriteAsync(system.System.Cosmos, events: 20);
        var lines = (await DownloadAsync(system.System, Backup)).TrimEnd('\n').Split('\n');
        await using var other = await EmptyAsync();

        await RefusedAsync(8, l => l[7] = l[7].Replace("\"sequence\":", "\"sequence\":1", StringComparison.Ordinal));
        await RefusedAsync(8, l => l[7] = l[7][..^18] + new string('0', 16) + "\"}");
        await RefusedAsync(8, l => l[7] = l[7][..(l[7].Length / 2)]);
        await RefusedAsync(8, l => l.RemoveAt(7));
        await RefusedAsync(lines.Length, l => l.RemoveAt(lines.Length - 1));
        await RefusedAsync(1, l => l.Clear());
        Assert.Equal(0, EventsIn(await DownloadAsync(other, Backup)));

        async Task RefusedAsync(int line, Action<List<string>> edit)
        {
            var edited = lines.ToList();
            edit(edited);
            var answer = await UploadAsync(other, string.Concat(edited.Select(l => l + "\n")));
            Assert.Equal((400, "backup-refused"), ((int)answer.Status, answer.Text("code")));
            Assert.StartsWith($"Line {line} of the backup:", answer.Text("detail"), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Nonsense_is_refused_and_a_function_key_opens_neither()
    {
        var resume = await UploadAsync(system.System, "", "?resume=maybe");
        Assert.Equal((400, "invalid-resume"), ((int)resume.Status, resume.Text("code")));
        foreach (var after in new[] { "nonsense", "e30", "%21" })
        {
            var answer = await system.Admin.GetAsync($"{Backup}?after={after}", default);
            Assert.Equal((400, "invalid-checkpoint"), ((int)answer.Status, answer.Text("code")));
        }

        Assert.Equal(401, (int)(await system.Api.GetAsync(Backup, default)).Status);
        using var empty = new StringContent("");
        Assert.Equal(401, (int)(await system.Http.PostAsync(Restore, empty)).StatusCode);
    }

    /// <summary>A system into which nothing was written, whose sagas and views stay still.</summary>
    static Task<LocalSystem> EmptyAsync() => LocalSystem.StartAsync(
        new() { FeedPollDelayMax = TimeSpan.FromMilliseconds(20) }, CancellationToken.None);

    static async Task<string> DownloadAsync(LocalSystem from, string path)
    {
        using var http = from.CreateHttpClient(LocalSystem.AdminKey);
        using var response = await http.GetAsync(path);
        Assert.Equal((200, Backups.ContentType), (
            (int)response.StatusCode, response.Content.Headers.ContentType?.MediaType));
        return await response.Content.ReadAsStringAsync();
    }

    static async Task<ApiAnswer> UploadAsync(LocalSystem to, string file, string query = "")
    {
        using var http = to.CreateHttpClient(LocalSystem.AdminKey);
        var content = new StringContent(file, Encoding.UTF8, new MediaTypeHeaderValue(Backups.ContentType));
        return await new Api(http).SendAsync(
            new(HttpMethod.Post, Restore + query) { Content = content }, CancellationToken.None);
    }

    static int EventsIn(string file) =>
        file.Split('\n').Count(line => line.StartsWith("{\"event\"", StringComparison.Ordinal));

    /// <summary>The last line without the sum that chains it to the lines before.</summary>
    static string DigestOf(string file) => file.TrimEnd('\n').Split('\n')[^1].Split(",\"sum\"")[0];
}
