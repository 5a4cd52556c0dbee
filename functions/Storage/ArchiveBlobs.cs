using System.Globalization;
using System.Security.Cryptography;
using Azure;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using Azure.Storage.Blobs.Specialized;
using EventSourcing;
using EventSourcing.Backup;

namespace Functions.Storage;

/// <summary>An archive is named by the second it was begun in.</summary>
public readonly record struct ArchiveId(DateTimeOffset At)
{
    const string Form = "yyyyMMdd'T'HHmmss'Z'";
    const string BlobForm = "yyyy/MM/dd/HHmmss'.ndjson'";

    public string BlobName => At.UtcDateTime.ToString(BlobForm, CultureInfo.InvariantCulture);

    public override string ToString() => At.UtcDateTime.ToString(Form, CultureInfo.InvariantCulture);

    public static bool TryParse(string text, out ArchiveId id) => TryParse(text, Form, out id);

    public static bool TryParseBlob(string name, out ArchiveId id) => TryParse(name, BlobForm, out id);

    static bool TryParse(string text, string form, out ArchiveId id)
    {
        var ok = DateTimeOffset.TryParseExact(
            text, form, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var at);
        id = new(at);
        return ok;
    }
}

/// <summary>
/// A backup in Blob Storage. Verified: it was read back after it was written, and is what was written.
/// </summary>
public sealed record Archived(string Archive, string Blob, long Bytes, long? Events, string? Sha256, bool IsVerified);

/// <summary>
/// There is an archive of this second already, or there is none of this name, or it is not what it was.
/// </summary>
public sealed class ArchiveException(string code, string message) : InvalidOperationException(message)
{
    public const string Exists = "archive-exists";
    public const string Unknown = "unknown-archive";
    public const string Damaged = "archive-damaged";

    public string Code { get; } = code;
}

/// <summary>
/// Backups as blobs: written whole or not at all, read back before they count as verified, never overwritten.
/// </summary>
public sealed class ArchiveBlobs(BlobContainerClient container, IEventArchive events, TimeProvider clock)
{
    public const string ContentType = "application/x-ndjson";

    /// <summary>An older archive is as old as none at all: nobody reads further back to say how old.</summary>
    public const int AgeDaysMax = 7;

    const string DayForm = "yyyy/MM/dd/";

    const string EventsKey = "events";
    const string Sha256Key = "sha256";
    const string VerifiedKey = "verified";

    /// <summary>
    /// Writes all events as one archive and reads it back. Cut off in between there is none, or one not verified.
    /// </summary>
    /// <exception cref="ArchiveException">One was begun in the same second, or it reads back as something else.
    /// </exception>
    public async Task<Archived> WriteAsync(CancellationToken cancellation)
    {
        var id = new ArchiveId(clock.GetUtcNow());
        var blob = container.GetBlockBlobClient(id.BlobName);
        await using var blocks = new BlockStream(blob, long.MaxValue, cancellation);
        var count = await new BackupExport(events, clock).WriteAsync(blocks, null, cancellation);
        if (await blocks.CommitAsync(ContentType, sum => Metadata(count, sum)) is not var (sha256, tag))
            throw new ArchiveException(
                ArchiveException.Exists, $"{id} is there already, and an archive never changes.");
        await VerifyAsync(blob, tag, count, sha256, cancellation);
        await blob.SetMetadataAsync(
            new Dictionary<string, string>(Metadata(count, sha256)) { [VerifiedKey] = "true" },
            new BlobRequestConditions { IfMatch = tag },
            cancellation);
        return new(id.ToString(), id.BlobName, blocks.Bytes, count, sha256, IsVerified: true);
    }

    /// <summary>A page of archives, the oldest first, with the token of the next page.</summary>
    /// <param name="under">Only those whose blob's name begins so: a year, a month, a day.</param>
    /// <param name="continuation">What the page before said.</param>
    /// <param name="limit">How many at most.</param>
    /// <param name="cancellation">Stops asking.</param>
    public async Task<(IReadOnlyList<Archived> Archives, string? Continuation)> ListAsync(
        string? under, string? continuation, int limit, CancellationToken cancellation)
    {
        var pages = container.GetBlobsAsync(BlobTraits.Metadata, BlobStates.None, under, cancellation)
            .AsPages(continuation, limit);
        await foreach (var page in pages.WithCancellation(cancellation))
        {
            return (
                [.. page.Values.Select(Listed).OfType<Archived>()],
                page.ContinuationToken is { Length: > 0 } next ? next : null);
        }

        return ([], null);
    }

    /// <summary>How long ago the newest verified archive was begun, up to <see cref="AgeDaysMax"/> days.</summary>
    /// <remarks>
    /// Where none is, the time since the container was made or set up anew: a system of today misses no backup of
    /// yesterday.
    /// </remarks>
    public async Task<TimeSpan> AgeAsync(CancellationToken cancellation)
    {
        var now = clock.GetUtcNow();
        for (var days = 0; days < AgeDaysMax; days++)
        {
            var under = now.UtcDateTime.AddDays(-days).ToString(DayForm, CultureInfo.InvariantCulture);
            DateTimeOffset? newest = null;
            await foreach (var blob in container.GetBlobsAsync(
                BlobTraits.Metadata, BlobStates.None, under, cancellation))
            {
                if (Listed(blob) is { IsVerified: true } && ArchiveId.TryParseBlob(blob.Name, out var id))
                    newest = id.At;
            }

            if (newest is { } at) return now - at;
        }

        var made = (await container.GetPropertiesAsync(cancellationToken: cancellation)).Value.LastModified;
        var since = now - made;
        return since < TimeSpan.Zero ? TimeSpan.Zero
            : since > TimeSpan.FromDays(AgeDaysMax) ? TimeSpan.FromDays(AgeDaysMax) : since;
    }

    /// <summary>
    /// Reads an archive into an empty store, after every line of it was checked; see <see cref="BackupImport"/>.
    /// </summary>
    /// <returns>How many events the store holds now.</returns>
    /// <exception cref="ArchiveException">There is no such archive, or it is damaged; nothing was stored.</exception>
    public async Task<long> RestoreAsync(
        ArchiveId id, IEventStore store, bool resume, CancellationToken cancellation)
    {
        var blob = container.GetBlockBlobClient(id.BlobName);
        try
        {
            // Bound to the blob's tag: what is stored in the second reading is what was checked in the first.
            await using var archive = await blob.OpenReadAsync(
                new BlobOpenReadOptions(allowModifications: false), cancellation);
            return await new BackupImport(store, events).ReadAsync(archive, resume, cancellation);
        }
        catch (RequestFailedException missing) when (missing.Status == 404)
        {
            throw new ArchiveException(ArchiveException.Unknown, $"There is no archive {id}.");
        }
        catch (BackupRefusedException damaged)
        {
            throw new ArchiveException(ArchiveException.Damaged, $"{id} can not be restored. {damaged.Message}");
        }
    }

    /// <summary>Only what was read back is known to be stored. What reads back differently is taken away.</summary>
    static async Task VerifyAsync(
        BlockBlobClient blob, ETag tag, long count, string sha256, CancellationToken cancellation)
    {
        using var sum = SHA256.Create();
        string fault;
        try
        {
            await using var stored = await blob.OpenReadAsync(
                new BlobOpenReadOptions(allowModifications: false) { Conditions = new() { IfMatch = tag } },
                cancellation);
            await using var summed = new CryptoStream(stored, sum, CryptoStreamMode.Read);
            var held = await BackupImport.VerifyAsync(summed, cancellation);
            if (held == count && Convert.ToHexStringLower(sum.Hash!) == sha256) return;
            fault = $"It holds {held} events instead of {count}, or others.";
        }
        catch (BackupRefusedException damaged)
        {
            fault = damaged.Message;
        }

        await blob.DeleteIfExistsAsync(
            DeleteSnapshotsOption.None, new BlobRequestConditions { IfMatch = tag }, cancellation);
        throw new ArchiveException(
            ArchiveException.Damaged, $"{blob.Name} did not read back as it was written, and is deleted. {fault}");
    }

    static Dictionary<string, string> Metadata(long events, string sha256) => new()
    {
        [EventsKey] = events.ToString(CultureInfo.InvariantCulture),
        [Sha256Key] = sha256,
    };

    /// <summary>Null when it is no archive of ours.</summary>
    static Archived? Listed(BlobItem blob) => ArchiveId.TryParseBlob(blob.Name, out var id)
        ? new(
            id.ToString(),
            blob.Name,
            blob.Properties.ContentLength ?? 0,
            blob.Metadata.TryGetValue(EventsKey, out var text)
                && long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var events) ? events : null,
            blob.Metadata.TryGetValue(Sha256Key, out var sha256) ? sha256 : null,
            blob.Metadata.ContainsKey(VerifiedKey))
        : null;
}
