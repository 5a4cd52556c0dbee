using System.Buffers.Text;

namespace EventSourcing.Backup;

/// <summary>
/// Writes every event of a store as one backup, a page at a time. What was torn goes on behind its last checkpoint,
/// byte for byte as if nothing had happened.
/// </summary>
/// <remarks>
/// Events are written as they are stored, so personal text is sealed in a backup as well; its keys are not in it.
/// Snapshots are left out: they can always be made again.
/// </remarks>
public sealed class BackupExport(IEventArchive archive, TimeProvider clock)
{
    /// <summary>Told how many events are safely written, after every page of them.</summary>
    public Action<long>? Progress { get; init; }

    /// <summary>Writes a whole backup to the stream, or all that follows the place.</summary>
    /// <returns>How many events the backup has.</returns>
    public async Task<long> WriteAsync(Stream target, BackupPlace? after, CancellationToken cancellation)
    {
        var sum = after?.Sum ?? BackupLine.FirstSum;
        var digest = new EventDigest(after?.Checkpoint.Digest);
        var events = after?.Checkpoint.Events ?? 0;
        if (after is null)
            await WriteAsync(new()
            {
                Header = new(BackupHeader.FormatName, BackupHeader.VersionNow, clock.GetUtcNow()),
            });

        await foreach (var page in archive.ReadAllAsync(after?.Checkpoint.Continuation, cancellation))
        {
            foreach (var stored in page.Events)
            {
                await WriteAsync(new() { Event = stored });
                digest.Add(stored);
                events++;
            }

            await WriteAsync(new() { Checkpoint = new(page.Continuation, events, digest.ToString()) });
            await target.FlushAsync(cancellation);
            Progress?.Invoke(events);
        }

        await WriteAsync(new() { End = new(events, digest.ToString()) });
        await target.FlushAsync(cancellation);
        return events;

        async Task WriteAsync(BackupLine line)
        {
            (var bytes, sum) = line.Close(sum);
            await target.WriteAsync(bytes, cancellation);
        }
    }

    /// <summary>
    /// Writes the backup to the file. A file torn in the middle is cut behind its last checkpoint and completed.
    /// </summary>
    /// <exception cref="BackupRefusedException">The file is no torn backup: it is whole, edited, or none.</exception>
    public async Task<long> WriteFileAsync(string path, CancellationToken cancellation)
    {
        await using var file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        var (place, length) = file.Length == 0 ? (null, 0) : await BackupPlace.LastOfAsync(file, cancellation);
        file.SetLength(length);
        file.Position = length;
        return await WriteAsync(file, place, cancellation);
    }
}

/// <summary>Where a torn backup goes on: behind one of its checkpoint lines.</summary>
public sealed class BackupPlace
{
    BackupPlace(BackupCheckpoint checkpoint, string sum) => (Checkpoint, Sum) = (checkpoint, sum);

    internal BackupCheckpoint Checkpoint { get; }

    internal string Sum { get; }

    /// <summary>Reads the place from a checkpoint line in base64url, as a caller over HTTP sends it back.</summary>
    /// <exception cref="FormatException">It is no checkpoint line.</exception>
    public static BackupPlace Parse(string checkpointLine)
    {
        try
        {
            var line = BackupLine.Parse(Base64Url.DecodeFromChars(checkpointLine), number: 0);
            if (line is { Checkpoint: { Events: >= 0, Continuation: not null, Digest.Length: 64 } checkpoint }
                && line.Sum?.Length == BackupLine.FirstSum.Length)
                return new(checkpoint, line.Sum);
        }
        catch (Exception malformed) when (malformed is BackupRefusedException or FormatException)
        {
        }

        throw new FormatException("This is no checkpoint line of a backup in base64url.");
    }

    /// <summary>The last checkpoint of a torn file and the offset behind it; nothing when there is none yet.</summary>
    internal static async Task<(BackupPlace? Place, long Offset)> LastOfAsync(
        Stream file, CancellationToken cancellation)
    {
        (BackupPlace? Place, long Offset) last = (null, 0);
        try
        {
            await foreach (var line in BackupReader.ReadAsync(file, cancellation))
            {
                if (line.Content.End is not null) throw new BackupRefusedException(line.Number, "the backup is whole.");
                if (line.Content.Checkpoint is { } checkpoint) last = (new(checkpoint, line.Sum), line.EndOffset);
            }
        }
        catch (BackupRefusedException torn) when (torn is { IsTorn: true, Line: > 1 })
        {
            // What a crash leaves. Torn in the very first line it could be any file, and is not ours to cut.
        }

        return last;
    }
}
