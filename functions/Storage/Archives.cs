using System.Diagnostics.Metrics;
using EventSourcing;
using EventSourcing.Backup;
using Functions.Http;
using Functions.Queries;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.Logging;

namespace Functions.Storage;

/// <summary>Keeps backups of all events in Blob Storage: one a day, one whenever asked, and the way back.</summary>
/// <remarks>A run that outlives the host's functionTimeout is stopped, and leaves no archive.</remarks>
public sealed class Archives(
    BlobStorage storage, IEventStore store, IEventArchive events, Continuations continuations, TimeProvider clock,
    ILogger<Archives> log)
{
    public const string MeterName = "Archives";

    static readonly Meter Meter = new(MeterName);
    static readonly Gauge<double> Age = Meter.CreateGauge<double>(
        "archives.age", "h", "How old the newest verified archive is.");

    /// <summary>In the quiet hours of the day; where no storage is configured there is nothing to do.</summary>
    [Function(nameof(ArchiveEvents))]
    public async Task ArchiveEvents([TimerTrigger("0 30 2 * * *")] TimerInfo timer, CancellationToken cancellation)
    {
        if (!storage.IsConfigured) return;
        var archived = await (await BlobsAsync(cancellation)).WriteAsync(cancellation);
        log.LogInformation("Archived {Events} events as {Blob}", archived.Events, archived.Blob);
    }

    /// <summary>A night without an archive makes no noise of its own: this tells how long it has been.</summary>
    [Function(nameof(WatchArchives))]
    public async Task WatchArchives([TimerTrigger("0 */30 * * * *")] TimerInfo timer, CancellationToken cancellation)
    {
        if (!storage.IsConfigured) return;
        Age.Record((await (await BlobsAsync(cancellation)).AgeAsync(cancellation)).TotalHours);
    }

    /// <summary>Writes an archive now and answers when it is verified.</summary>
    [Function(nameof(PostArchive))]
    public Task<IResult> PostArchive(
        [HttpTrigger(AuthorizationLevel.Admin, "post", Route = "operations/archives")] HttpRequest request,
        CancellationToken cancellation) => AnswerAsync(async () => TypedResults.Json(
            await (await BlobsAsync(cancellation)).WriteAsync(cancellation),
            StoredJson.Options,
            statusCode: StatusCodes.Status201Created));

    /// <summary>The archives, the oldest first; <c>?under=2030/01</c> shows those of a year, month or day.</summary>
    [Function(nameof(GetArchives))]
    public async Task<IResult> GetArchives(
        [HttpTrigger(AuthorizationLevel.Admin, "get", Route = "operations/archives")] HttpRequest request,
        CancellationToken cancellation)
    {
        var under = Request.Query(request, "under", lengthMax: 10);
        if (under?.Any(c => !char.IsAsciiDigit(c) && c != '/') == true)
            throw new InvalidRequestException("invalid-query", "under is a year, a month or a day, such as 2030/01.");
        var (limit, list) = (Request.Limit(request), $"archives {under}");
        var place = await continuations.OpenAsync<Place>(request, list, cancellation);
        var blobs = await BlobsAsync(cancellation);
        var (archives, next) = await blobs.ListAsync(under, place?.Marker, limit, cancellation);
        var continuation = next is null ? null : await continuations.SealAsync(list, new Place(next), cancellation);
        return TypedResults.Json(new { archives, continuation }, StoredJson.Options);
    }

    /// <summary>
    /// Reads an archive into this store, which is empty or, with <c>?resume=true</c>, holds a part of it.
    /// </summary>
    [Function(nameof(PostArchiveRestore))]
    public Task<IResult> PostArchiveRestore(
        [HttpTrigger(AuthorizationLevel.Admin, "post", Route = "operations/archives/{archive}/restore")]
        HttpRequest request,
        string archive,
        CancellationToken cancellation) => AnswerAsync(async () =>
        {
            if (!ArchiveId.TryParse(archive, out var id))
                throw new InvalidRequestException("invalid-archive", "An archive is named like 20300101T023000Z.");
            var resume = Request.Flag(request, "resume", "invalid-resume") == true;
            var restored = await (await BlobsAsync(cancellation)).RestoreAsync(id, store, resume, cancellation);
            return TypedResults.Json(new { events = restored }, StoredJson.Options);
        });

    /// <summary>Where the storage goes on: names are in order, so it is behind the last one.</summary>
    sealed record Place(string Marker);

    async Task<ArchiveBlobs> BlobsAsync(CancellationToken cancellation) =>
        new(await storage.ContainerAsync(BlobStorage.Archive, cancellation), events, clock);

    static async Task<IResult> AnswerAsync(Func<Task<IResult>> work)
    {
        try
        {
            return await work();
        }
        catch (ArchiveException refused)
        {
            var status = refused.Code switch
            {
                ArchiveException.Exists => StatusCodes.Status409Conflict,
                ArchiveException.Unknown => StatusCodes.Status404NotFound,
                _ => StatusCodes.Status500InternalServerError,
            };
            return Problem.Of(status, refused.Code, refused.Message);
        }
        catch (StoreNotEmptyException refused)
        {
            return Problem.Of(409, "store-not-empty", refused.Message);
        }
    }
}
