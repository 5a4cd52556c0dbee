using EventSourcing;
using Functions.Http;
using Functions.Projections;
using Functions.Queries;
using Functions.Sagas;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;

namespace Functions.Operations;

/// <summary>What an operator sees of the sagas, from their own container: the task hub is never asked.</summary>
public sealed class SagaLists(
    ViewContainer views, SagaStories stories, Continuations continuations, TimeProvider clock)
{
    /// <summary>Sagas by state, kind, version, step and age, the newest first.</summary>
    [Function(nameof(GetSagas))]
    public async Task<IResult> GetSagas(
        [HttpTrigger(AuthorizationLevel.Admin, "get", Route = "operations/sagas")] HttpRequest request,
        CancellationToken cancellation)
    {
        var (filter, limit) = (SagaFilter.Of(request), Request.Limit(request));
        var list = $"sagas {filter}";
        var after = await continuations.OpenAsync<SagaCursor>(request, list, cancellation);
        var now = clock.GetUtcNow();
        var page = await views.PageAsync<SagaStory>(
            SagaStories.Container, filter.Query(now, after), null, limit, cancellation);
        var next = SagaCursor.After(page, limit);
        return TypedResults.Json(
            new
            {
                sagas = page.Select(document => document.View!).Select(story => new
                {
                    story.Saga,
                    story.Type,
                    story.Version,
                    story.Run,
                    story.Subject,
                    story.Status,
                    isStuck = story.Due < now,
                    story.StandsAt,
                    story.StartedAt,
                    story.EndedAt,
                    story.Due,
                    story.Refusal,
                    story.Fault,
                    story.Parked,
                }),
                continuation = next is null ? null : await continuations.SealAsync(list, next, cancellation),
            },
            StoredJson.Options);
    }

    /// <summary>One saga with every step, its attempts in vain, how long it took and how it was taken back.</summary>
    [Function(nameof(GetSagaDetail))]
    public async Task<IResult> GetSagaDetail(
        [HttpTrigger(AuthorizationLevel.Admin, "get", Route = "operations/sagas/{sagaId}")] HttpRequest request,
        string sagaId,
        CancellationToken cancellation)
    {
        if (!StreamId.TryParse(sagaId, out var saga)) return Problem.Of(
            400, "invalid-saga", "A saga is named order-….");
        if (await stories.FindAsync(saga.ToString(), cancellation) is not { } story)
            return Problem.Of(404, "unknown-saga", $"There is no saga {saga}.");
        return TypedResults.Json(
            new
            {
                saga = story with { Steps = [] },
                isStuck = story.Due < clock.GetUtcNow(),
                duration = story.EndedAt - story.StartedAt,
                steps = story.Steps.Where(step => Undone(step) is null).Select(step => new
                {
                    story = step,

                    // A step that parked and was tried again is told as often as it was tried.
                    compensation = story.Steps.Where(undo => Undone(undo) == step.Step),
                }),
            },
            StoredJson.Options);
    }

    static string? Undone(StepStory step) =>
        step.Kind == StepKind.Undo && step.Step.StartsWith(Saga.UndoPrefix, StringComparison.Ordinal)
            ? step.Step[Saga.UndoPrefix.Length..]
            : null;
}
