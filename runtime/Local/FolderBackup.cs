using EventSourcing;
using EventSourcing.Backup;
using Runtime.Cosmos;

namespace Runtime.Local;

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
    public static Task<int> ExportAsync(string file, string folder, TextWriter words, CancellationToken stop)
    {
        if (!File.Exists(Path.Combine(folder, LocalSystem.CosmosFile)))
            return RefuseAsync(words, $"{folder} holds no state; name the folder of an earlier serve with --data.");
        return WithStoreAsync(folder, words, async (_, archive) =>
        {
            var goesOn = File.Exists(file) && new FileInfo(file).Length > 0;
            if (goesOn) await words.WriteLineAsync($"{file} is there: going on where it ends.");
            var events = await new BackupExport(archive, TimeProvider.System) { Progress = Show(words, "written") }
                .WriteFileAsync(file, stop);
            await words.WriteLineAsync($"{events} events are in {file}.");
            await words.WriteLineAsync(
                "Personal text is sealed in it. The keys stay behind: elsewhere such text shows as erased.");
        });
    }

    /// <summary>Checks the whole file, stores it, reads everything back and compares.</summary>
    public static Task<int> ImportAsync(
        string file, string folder, bool resume, TextWriter words, CancellationToken stop)
    {
        if (!File.Exists(file)) return RefuseAsync(words, $"There is no file {file}.");
        return WithStoreAsync(folder, words, async (store, archive) =>
        {
            await using var source = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.Read);
            var events = await new BackupImport(store, archive) { Progress = Show(words, "stored") }
                .ReadAsync(source, resume, stop);
            await words.WriteLineAsync(
                $"{folder} holds the {events} events of {file}, read back and compared. Views follow when it starts.");
        });
    }

    static async Task<int> WithStoreAsync(
        string folder, TextWriter words, Func<IEventStore, IEventArchive, Task> work)
    {
        using var claim = FolderClaim.Of(folder);
        if (claim is null) return await RefuseAsync(words, FolderClaim.IsTaken(folder));
        await using var cosmos = CosmosServer.Open(new() { File = Path.Combine(folder, LocalSystem.CosmosFile) });
        using var client = LocalSystem.ClientOf(cosmos);
        await Topology.CreateAsync(client, CancellationToken.None);
        var (store, archive) = Functions.Program.StreamsOf(client);
        try
        {
            await work(store, archive);
            return Done;
        }
        catch (BackupRefusedException refused)
        {
            return await RefuseAsync(words, refused.Message);
        }
        catch (StoreNotEmptyException)
        {
            return await RefuseAsync(
                words, $"{folder} holds events already; an import that was interrupted goes on with --resume.");
        }
        catch (Exception unusable) when (unusable is IOException or UnauthorizedAccessException)
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
