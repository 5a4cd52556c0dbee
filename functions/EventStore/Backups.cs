using EventSourcing;
using EventSourcing.Backup;
using Functions.Http;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Azure.Functions.Worker;

namespace Functions.EventStore;

/// <summary>Takes all events out as one backup, and one backup into an empty store.</summary>
/// <remarks>
/// Personal text stays sealed in a backup. Its keys, in a container of their own, are no part of it.
/// </remarks>
public sealed class Backups(IEventStore store, IEventArchive archive, TimeProvider clock)
{
    public const string ContentType = "application/x-ndjson";

    /// <summary>A checkpoint line holds a continuation token and two sums.</summary>
    const int CheckpointLengthMax = 16 * 1024;

    /// <summary>
    /// The backup, a page at a time. A download that broke goes on with <c>?after=</c> and the last checkpoint line it
    /// received, in base64url.
    /// </summary>
    [Function(nameof(GetBackup))]
    public IResult GetBackup(
        [HttpTrigger(AuthorizationLevel.Admin, "get", Route = "operations/backup")] HttpRequest request) =>
        new Download(new BackupExport(archive, clock), PlaceOf(request));

    /// <summary>
    /// Reads the backup in the body into this store, which is empty or, with <c>?resume=true</c>, holds a part of it.
    /// </summary>
    [Function(nameof(PostRestore))]
    public async Task<IResult> PostRestore(
        [HttpTrigger(AuthorizationLevel.Admin, "post", Route = "operations/restore")] HttpRequest request,
        CancellationToken cancellation)
    {
        var resume = Request.Flag(request, "resume", "invalid-resume") == true;

        // The whole file is checked before anything is stored, so it is put aside first.
        if (request.HttpContext.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
            size.MaxRequestBodySize = null;
        await using var aside = new FileStream(
            Path.Combine(Path.GetTempPath(), Path.GetRandomFileName()),
            new FileStreamOptions
            {
                Mode = FileMode.CreateNew,
                Access = FileAccess.ReadWrite,
                Options = FileOptions.DeleteOnClose | FileOptions.Asynchronous,
            });
        await request.Body.CopyToAsync(aside, cancellation);
        aside.Position = 0;
        try
        {
            var events = await new BackupImport(store, archive).ReadAsync(aside, resume, cancellation);
            return TypedResults.Json(new Restored(events), StoredJson.Options);
        }
        catch (BackupRefusedException refused)
        {
            return Problem.Of(400, "backup-refused", refused.Message);
        }
        catch (StoreNotEmptyException refused)
        {
            return Problem.Of(409, "store-not-empty", refused.Message);
        }
    }

    static BackupPlace? PlaceOf(HttpRequest request)
    {
        if (Request.Query(request, "after", CheckpointLengthMax) is not { } text) return null;
        try
        {
            return BackupPlace.Parse(text);
        }
        catch (FormatException malformed)
        {
            throw new InvalidRequestException("invalid-checkpoint", malformed.Message);
        }
    }

    sealed record Restored(long Events);

    /// <summary>Writes as it reads, so a backup of any size needs no memory.</summary>
    sealed class Download(BackupExport export, BackupPlace? after) : IResult
    {
        public async Task ExecuteAsync(HttpContext httpContext)
        {
            httpContext.Response.ContentType = ContentType;
            await export.WriteAsync(httpContext.Response.Body, after, httpContext.RequestAborted);
        }
    }
}
