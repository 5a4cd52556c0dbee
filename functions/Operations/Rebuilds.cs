using EventSourcing;
using Functions.Http;
using Functions.Projections;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Azure.Functions.Worker;

namespace Functions.Operations;

/// <summary>Rebuilds a view beside the live one, on an operator's word at every turn.</summary>
public sealed class RebuildOperations(ViewGenerations generations, RebuildStates rebuilds, TimeProvider clock)
{
    sealed record WordBody(string? By, string? Why);

    [Function(nameof(GetRebuild))]
    public async Task<IResult> GetRebuild(
        [HttpTrigger(
            AuthorizationLevel.Admin, "get", Route = "operations/projections/{projection}/rebuild")]
        HttpRequest request,
        string projection,
        CancellationToken cancellation)
    {
        if (Views.Find(projection) is not { } view) return ProjectionOperations.Unknown(projection);
        var (rebuild, _) = await rebuilds.FindAsync(view.Name, cancellation);
        return rebuild is null ? NoRebuild(view)
            : TypedResults.Json(await ToldAsync(rebuild, cancellation), StoredJson.Options);
    }

    /// <summary>The intention is stored first; the switch follows it, now or after a crash.</summary>
    [Function(nameof(PostRebuild))]
    public async Task<IResult> PostRebuild(
        [HttpTrigger(
            AuthorizationLevel.Admin, "post", Route = "operations/projections/{projection}/rebuild")]
        HttpRequest request,
        string projection,
        CancellationToken cancellation)
    {
        if (Views.Find(projection) is not { } view) return ProjectionOperations.Unknown(projection);
        var (by, why) = await WordAsync(request, cancellation);
        var (found, etag) = await generations.FindAsync(view.Name, cancellation);
        var rebuild = new Rebuild(view.Name, found.Highest + 1, by, why, clock.GetUtcNow());
        if (found.Other is not null || await rebuilds.SaveAsync(rebuild, etag: null, cancellation) is null)
            return Problem.Of(
                409, "rebuild-under-way", $"{view.Name} is being rebuilt: switch, roll back or clean up.");
        await generations.ReplaceAsync(
            found with { Other = rebuild.Generation, Highest = rebuild.Generation }, etag, cancellation);
        return Accepted(request, view, await ToldAsync(rebuild, cancellation));
    }

    /// <summary>
    /// Verify (again), switch, roll back or clean up; cleaning up before the switch gives the rebuild up.
    /// </summary>
    [Function(nameof(PostRebuildDecision))]
    public async Task<IResult> PostRebuildDecision(
        [HttpTrigger(
            AuthorizationLevel.Admin, "post", Route = "operations/projections/{projection}/rebuild/{decision}")]
        HttpRequest request,
        string projection,
        string decision,
        CancellationToken cancellation)
    {
        if (Views.Find(projection) is not { } view) return ProjectionOperations.Unknown(projection);
        if (decision is not ("verify" or "switch" or "rollback" or "cleanup"))
            return Problem.Of(404, "unknown-decision", "A rebuild takes verify, switch, rollback and cleanup.");
        await WordAsync(request, cancellation);
        var (rebuild, etag) = await rebuilds.FindAsync(view.Name, cancellation);
        if (rebuild is null) return NoRebuild(view);
        var (found, version) = await generations.FindAsync(view.Name, cancellation);
        var isSwitched = found.Live == rebuild.Generation;
        if (Refused(decision, rebuild, isSwitched) is { } refusal) return Problem.Of(refusal);

        var isDone = decision switch
        {
            "verify" => await StageAsync(RebuildStage.Verifying),
            "cleanup" => rebuild.Stage == RebuildStage.Cleaning || await StageAsync(RebuildStage.Cleaning),
            _ => await generations.ReplaceAsync(
                found with { Live = found.Other!.Value, Other = found.Live }, version, cancellation),
        };
        if (!isDone) return Problem.Of(409, "rebuild-changed", "Somebody else decided at the same time; look again.");
        return Accepted(
            request, view,
                await ToldAsync((await rebuilds.FindAsync(view.Name, cancellation)).Found ?? rebuild, cancellation));

        async Task<bool> StageAsync(RebuildStage stage) =>
            await rebuilds.SaveAsync(rebuild with { Stage = stage }, etag, cancellation) is not null;
    }

    static Refusal? Refused(string decision, Rebuild rebuild, bool isSwitched) => (decision, rebuild.Stage) switch
    {
        ("cleanup", _) => null,
        ("rollback", RebuildStage.Ready) when isSwitched => null,
        ("rollback", _) => new("rebuild-not-switched", "There is nothing to roll back."),
        ("switch" or "verify", RebuildStage.Ready) when !isSwitched => null,
        ("switch" or "verify", RebuildStage.Ready) => new("rebuild-switched", "It is switched to already."),
        _ => new("rebuild-not-ready", $"The rebuild is {Word(rebuild.Stage)}; wait until it is ready."),
    };

    async Task<object> ToldAsync(Rebuild rebuild, CancellationToken cancellation)
    {
        var (found, _) = await generations.FindAsync(rebuild.Pk, cancellation);
        return new
        {
            projection = rebuild.Pk,
            rebuild.Generation,
            liveGeneration = found.Live,
            stage = rebuild.Stage == RebuildStage.Ready && found.Live == rebuild.Generation
                ? "switched"
                : Word(rebuild.Stage),
            rebuild.Percent,
            rebuild.EventsRead,
            rebuild.DocumentsRead,
            rebuild.DocumentsTotal,
            rebuild.StartedAt,
            rebuild.BuiltAt,
            rebuild.By,
            rebuild.Why,
            rebuild.Comparison,
        };
    }

    static string Word(RebuildStage stage) => System.Text.Json.JsonNamingPolicy.CamelCase.ConvertName($"{stage}");

    static async Task<(string By, string Why)> WordAsync(HttpRequest request, CancellationToken cancellation)
    {
        var body = await Request.BodyAsync<WordBody>(request, cancellation);
        return (Request.Line(body.By, "by"), Request.Line(body.Why, "why"));
    }

    static IResult NoRebuild(View view) =>
        Problem.Of(404, "no-rebuild", $"{view.Name} is not being rebuilt, and nothing is left of a rebuild.");

    static JsonHttpResult<object> Accepted(HttpRequest request, View view, object told)
    {
        request.HttpContext.Response.Headers.Location = $"/api/operations/projections/{view.Name}/rebuild";
        return TypedResults.Json(told, StoredJson.Options, statusCode: StatusCodes.Status202Accepted);
    }
}
