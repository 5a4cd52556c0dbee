using EventSourcing.Backup;
using Microsoft.Azure.Cosmos;
using Runtime.Cosmos;

namespace Runtime.Local;

/// <summary>What to take out of a folder or into one; the keys only when a file is named for them.</summary>
sealed record BackupFiles(string Events, string Folder, string? Keys = null, bool Resume = false);

/// <summary>
/// Takes all events of a folder out into one file, and one file into a folder that has none. Nothing else runs
/// meanwhile: the folder is claimed.
/// </summary>
static class FolderBackup
{
    const int Done = 0;
    const int Refused = 1;
    const int EventsPerLine = 10_000;

    /// <summary>
    /// Goes on where an export of the same folder was interrupted: the file is cut behind its last whole page first.
    /// </summary>
    public static Task<int> ExportAsync(BackupFiles files, TextWriter words, CancellationToken stop)
    {
        var (file, folder) = (files.Events, files.Folder);
        if (!File.Exists(Path.Combine(folder, LocalSystem.CosmosFile)))
            return RefuseAsync(words, $"{folder} holds no state; name the folder of an earlier serve with --data.");
        return WithStoreAsync(folder, words, async client =>
        {
            if (File.Exists(file) && new FileInfo(file).Length > 0)
                await words.WriteLineAsync($"{file} is there: going on where it ends.");
            var (_, archive) = Functions.Program.StreamsOf(client);
            var events = await new BackupExport(archive, TimeProvider.System) { Progress = Show(words, "written") }
                .WriteFileAsync(file, stop);
            await words.WriteLineAsync($"{events} events are in {file}.");
            await words.WriteLineAsync(files.Keys is { } keys
                ? $"{await KeyBackup.WriteAsync(keys, folder, client, stop)} keys are in {keys}. Keep it apart."
                : "Personal text is sealed in it, and no keys were asked for: nothing opens it elsewhere.");
        });
    }

    /// <summary>Checks the whole file, stores it, reads everything back and compares.</summary>
    public static Task<int> ImportAsync(BackupFiles files, TextWriter words, CancellationToken stop)
    {
        var (file, folder) = (files.Events, files.Folder);
        foreach (var missing in new[] { file, files.Keys }.Where(path => path is not null && !File.Exists(path)))
            return RefuseAsync(words, $"There is no file {missing}.");
        return WithStoreAsync(folder, words, async client =>
        {
            var keys = files.Keys is { } path ? await KeyBackup.OpenAsync(path, folder, stop) : null;
            var (store, archive) = Functions.Program.StreamsOf(client);
            await using var source = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.Read);
            var events = await new BackupImport(store, archive) { Progress = Show(words, "stored") }
                .ReadAsync(source, files.Resume, stop);
            if (keys is not null) await keys.StoreAsync(folder, client, stop);
            await words.WriteLineAsync(
                $"{folder} holds the {events} events of {file}, read back and compared. Views follow when it starts.");
        });
    }

    static async Task<int> WithStoreAsync(string folder, TextWriter words, Func<CosmosClient, Task> work)
    {
        using var claim = FolderClaim.Of(folder);
        if (claim is null) return await RefuseAsync(words, FolderClaim.IsTaken(folder));
        await using var cosmos = CosmosServer.Open(new() { File = Path.Combine(folder, LocalSystem.CosmosFile) });
        using var client = LocalSystem.ClientOf(cosmos);
        await Topology.CreateAsync(client, CancellationToken.None);
        try
        {
            await work(client);
            return Done;
        }
        catch (StoreNotEmptyException)
        {
            return await RefuseAsync(
                words, $"{folder} holds events already; an import that was interrupted goes on with --resume.");
        }
        catch (Exception unusable) when (
            unusable is BackupRefusedException or InvalidDataException or IOException or UnauthorizedAccessException)
        {
            return await RefuseAsync(words, unusable.Message);
        }
    }

    /// <summary>A line now and then, however small the pages are.</summary>
    static Action<long> Show(TextWriter words, string what)
    {
        var shown = 0L;
        return events =>
        {
            if (events - shown < EventsPerLine) return;
            words.WriteLine($"{events,12} events {what}");
            shown = events;
        };
    }

    static async Task<int> RefuseAsync(TextWriter words, string why)
    {
        await words.WriteLineAsync(why);
        return Refused;
    }
}
