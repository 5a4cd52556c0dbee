using EventSourcing;
using Functions.Http;
using Functions.Projections;
using Functions.Queries;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;

namespace Functions.Operations;

/// <summary>What an operator sees of the projections and can do about them.</summary>
public sealed class ProjectionOperations(
    ProjectionStates states,
    ViewGenerations generations,
    Parking parking,
    Redrive redrive,
    Discards discards,
    Continuations continuations,
    TimeProvider clock)
{
    sealed record WordBody(string? By, string? Why);

    sealed record RedriveBody(string? Stream, long? UpTo);

    /// <summary>
    /// How far each view, and each other reader of the feed, is behind, as the reconciliation last found it, and if it
    /// is paused.
    /// </summary>
    [Function(nameof(GetProjections))]
    public async Task<IResult> GetProjections(
        [HttpTrigger(AuthorizationLevel.Admin, "get", Route = "operations/projections")] HttpRequest request,
        CancellationToken cancellation)
    {
        var rows = await Task.WhenAll(Views.All.Select(async view =>
        {
            var (live, other) = await generations.OfAsync(view, cancellation);
            var bookmark = await states.BookmarkAsync(live.FullName, cancellation);
            return new
            {
                projection = view.Name,
                generation = live.Generation,
                otherGeneration = other?.Generation,
                lagSeconds = bookmark?.Lag.TotalSeconds,
                bookmark?.EventsBehind,
                bookmark?.EventsHealed,
                bookmark?.CheckedAt,
                paused = await states.PauseOfAsync(view.Name, cancellation) is { } pause
                    ? new { pause.By, pause.Why, pause.At }
                    : null,
            };
        }));
        var feeds = await Task.WhenAll(Health.Feeds.Select(async feed =>
        {
            var bookmark = await states.BookmarkAsync(feed, cancellation);
            return new
            {
                feed,
                lagSeconds = bookmark?.Lag.TotalSeconds,
                bookmark?.EventsBehind,
                bookmark?.EventsHealed,
                bookmark?.CheckedAt,
            };
        }));
        return TypedResults.Json(new { projections = rows, feeds }, StoredJson.Options);
    }

    [Function(nameof(PostProjectionPause))]
    public async Task<IResult> PostProjectionPause(
        [HttpTrigger(
            AuthorizationLevel.Admin, "post", Route = "operations/projections/{projection}/pause")] HttpRequest request,
        string projection,
        CancellationToken cancellation)
    {
        if (await FindAsync(projection, cancellation) is not { } view) return Unknown(projection);
        var body = await Request.BodyAsync<WordBody>(request, cancellation);
        await states.PauseAsync(view.Name, Request.Line(body.By, "by"), Request.Line(body.Why, "why"), cancellation);
        return TypedResults.NoContent();
    }

    /// <summary>The view goes on with what comes now; what it missed comes with the next reconciliation.</summary>
    [Function(nameof(PostProjectionResume))]
    public async Task<IResult> PostProjectionResume(
        [HttpTrigger(
            AuthorizationLevel.Admin, "post", Route = "operations/projections/{projection}/resume")]
        HttpRequest request,
        string projection,
        CancellationToken cancellation)
    {
        if (await FindAsync(projection, cancellation) is not { } view) return Unknown(projection);
        await states.ResumeAsync(view.Name, cancellation);
        return TypedResults.NoContent();
    }

    /// <summary>Tries a parked stream again, up to a sequence if one is given, or all streams of the view.</summary>
    [Function(nameof(PostProjectionRedrive))]
    public async Task<IResult> PostProjectionRedrive(
        [HttpTrigger(
            AuthorizationLevel.Admin, "post", Route = "operations/projections/{projection}/redrive")]
        HttpRequest request,
        string projection,
        CancellationToken cancellation)
    {
        if (await FindAsync(projection, cancellation) is not { } view) return Unknown(projection);
        var body = await Request.BodyAsync<RedriveBody>(request, cancellation);
        if (body.UpTo is < 1) throw new InvalidRequestException("invalid-sequence", "upTo counts from 1.");
        if (body.Stream is null)
        {
            if (body.UpTo is not null) throw new InvalidRequestException("field-required", "upTo needs a stream.");
            return TypedResults.Json(await redrive.AllAsync(view, cancellation), StoredJson.Options);
        }

        var stream = Request.Stream(body.Stream);
        var healed = await redrive.StreamAsync(view, stream, body.UpTo, cancellation);
        return TypedResults.Json(Redriven.One(healed), StoredJson.Options);
    }

    /// <summary>Parked events by projection, stream and age, those that stand still the longest first.</summary>
    [Function(nameof(GetParked))]
    public async Task<IResult> GetParked(
        [HttpTrigger(AuthorizationLevel.Admin, "get", Route = "operations/parked")] HttpRequest request,
        CancellationToken cancellation)
    {
        var projection = Request.Query(request, "projection");
        var partition = projection is null || Health.Feeds.Contains(projection)
            ? projection
            : (await FindAsync(projection, cancellation))?.FullName;
        if (projection is not null && partition is null) return Unknown(projection);
        var stream = Request.Query(request, "stream") is { } text ? Request.Stream(text).ToString() : null;
        var limit = Request.Limit(request);
        var list = $"parked {projection} {stream} {Request.Query(request, "olderThan")}";
        var after = await continuations.OpenAsync<ParkedPlace>(request, list, cancellation);
        var before = clock.GetUtcNow() - Request.OlderThan(request);
        var found = await parking.ListAsync(partition, stream, before, after, limit, cancellation);
        return TypedResults.Json(
            new
            {
                parked = found.Select(p => new
                {
                    projection = p.Pk, p.Stream, p.Sequence, p.EventType, p.Error, p.Attempts, p.Since, p.EventAt,
                    p.Payload,
                }),
                continuation = found.Count == limit
                    ? await continuations.SealAsync(list, ParkedPlace.Of(found[^1]), cancellation)
                    : null,
            },
            StoredJson.Options);
    }

    /// <summary>The view goes on without the parked event; who decided that and why is kept.</summary>
    [Function(nameof(PostParkedDiscard))]
    public async Task<IResult> PostParkedDiscard(
        [HttpTrigger(
            AuthorizationLevel.Admin, "post", Route = "operations/projections/{projection}/discard")]
        HttpRequest request,
        string projection,
        CancellationToken cancellation)
    {
        if (await FindAsync(projection, cancellation) is not { } view) return Unknown(projection);
        return await discards.AnswerAsync(view, request, cancellation);
    }

    /// <summary>A view by its name, which is its live generation, or the one beside it by its full name.</summary>
    async Task<View?> FindAsync(string projection, CancellationToken cancellation)
    {
        if (Views.Find(View.NameOf(projection)) is not { } view) return null;
        var (live, other) = await generations.OfAsync(view, cancellation);
        return projection == view.Name ? live
            : projection == live.FullName ? live
            : projection == other?.FullName ? other
            : null;
    }

    internal static IResult Unknown(string projection) => Problem.Of(
        404, "unknown-projection", $"There is no projection {projection}; there are "
            + $"{string.Join(", ", Views.All.Select(view => view.Name))}.");
}
