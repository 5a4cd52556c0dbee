using EventSourcing;
using Functions.Http;
using Functions.Projections;
using Functions.Sagas;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;

namespace Functions.Operations;

/// <summary>
/// Continues parked sagas as an operator decides, and runs broken ones again, one or many at once.
/// </summary>
public sealed class SagaDecisions(ViewContainer views, SagaStories stories, Reruns reruns, TimeProvider clock)
{
    const int SagasMax = 100;

    sealed record DecisionBody(string? Action, string? By, string? Why, string? Step);

    sealed record BulkBody(
        string? Action, string? By, string? Why, string? State, string? Step, string? Type, string? Version,
        int? OlderThan, int? Limit);

    /// <summary>What one saga answered to a decision: taken, or the code of why not.</summary>
    sealed record Decided(string Saga, string Outcome, string? Detail = null);

    [Function(nameof(PostSagaDecision))]
    public async Task<IResult> PostSagaDecision(
        [HttpTrigger(
            AuthorizationLevel.Admin, "post", Route = "operations/sagas/{sagaId}/decision")] HttpRequest request,
        string sagaId,
        [DurableClient] DurableTaskClient sagas,
        CancellationToken cancellation)
    {
        var body = await Request.BodyAsync<DecisionBody>(request, cancellation);
        var decision = Decision(body.Action, body.By, body.Why);
        if (!StreamId.TryParse(sagaId, out var saga)) return Problem.Of(
            400, "invalid-saga", "A saga is named order-….");

        if (await stories.FindAsync(saga.ToString(), cancellation) is not { } story)
            return Problem.Of(404, "unknown-saga", $"There is no saga {saga}.");
        return await DecideAsync(sagas, story, body.Step, decision, cancellation) is { } refusal
            ? Problem.Of(refusal)
            : TypedResults.Accepted($"/api/sagas/{saga}");
    }

    /// <summary>
    /// One decision for every parked saga that the filter finds, or every broken one, at most <c>limit</c> of them, the
    /// newest first; the answer says of each whether it was taken. The same request goes on with those that are left.
    /// </summary>
    [Function(nameof(PostSagaDecisions))]
    public async Task<IResult> PostSagaDecisions(
        [HttpTrigger(AuthorizationLevel.Admin, "post", Route = "operations/sagas/decisions")] HttpRequest request,
        [DurableClient] DurableTaskClient sagas,
        CancellationToken cancellation)
    {
        var body = await Request.BodyAsync<BulkBody>(request, cancellation);
        var decision = Decision(body.Action, body.By, body.Why);
        var limit = body.Limit ?? SagasMax;
        if (limit is < 1 or > SagasMax)
            throw new InvalidRequestException("invalid-limit", $"limit is 1 to {SagasMax}.");
        if (body.OlderThan is < 0)
            throw new InvalidRequestException("invalid-age", "olderThan is a number of seconds.");
        if (body.State is not (null or SagaFilter.Parked or SagaFilter.Broken))
            throw new InvalidRequestException(
                "invalid-state", $"state is {SagaFilter.Parked} or {SagaFilter.Broken}.");
        if (body is { Step: null, Type: null, Version: null, OlderThan: null })
            throw new InvalidRequestException(
                "filter-required", "Say which sagas: by step, type, version, olderThan or several of them.");
        var filter = new SagaFilter(
            body.State ?? SagaFilter.Parked, body.Type, body.Version, body.Step,
            TimeSpan.FromSeconds(body.OlderThan ?? 0));
        var found = await views.PageAsync<SagaStory>(
            SagaStories.Container, filter.Query(clock.GetUtcNow(), after: null), null, limit, cancellation);
        var decided = new List<Decided>();
        foreach (var story in found.Select(document => document.View!))
        {
            var refusal = await DecideAsync(sagas, story, body.Step, decision, cancellation);
            decided.Add(new(story.Saga, refusal?.Code ?? "accepted", refusal?.Detail));
        }

        return TypedResults.Json(
            new { decided, more = found.Count == limit }, StoredJson.Options,
                statusCode: StatusCodes.Status202Accepted);
    }

    /// <summary>
    /// Tells the saga, through the hub. Told twice, or about a stop that is over, it decides nothing: each stop has an
    /// event of its own.
    /// </summary>
    async Task<Refusal?> DecideAsync(
        DurableTaskClient sagas, SagaStory story, string? step, SagaDecision decision, CancellationToken cancellation)
    {
        if (story is { Status: SagaStatus.Broken, EndedAt: null })
            return await DecideBrokenAsync(sagas, story, decision with { At = clock.GetUtcNow() }, cancellation);
        var parked = story.Parked.Where(p => step is null || p.Step == step).ToList();
        if (parked.Count == 0)
            return new("saga-not-parked", $"{story.Saga} is not parked{(step is null ? "" : " there")}.");
        if (decision.Action != SagaAction.Retry && parked.Find(p => !p.MaySkip) is { } needed)
            return new(
                "step-not-skippable",
                $"Which way {story.Saga} goes hangs on \"{needed.Step}\": it can only be retried.");

        // What is raised for an orchestration that is over is discarded, and nobody would ever know.
        var instance = await sagas.GetInstanceAsync(story.Saga, getInputsAndOutputs: true, cancellation);
        if (SagaWatch.FaultOf(instance) is { } fault)
            return await stories.BreakAsync(story, fault, cancellation)
                ? new("saga-broken", $"{story.Saga} is parked, but nothing goes on with it: {fault}")
                : Reruns.Changed(story);

        foreach (var stop in parked)
            await sagas.RaiseEventAsync(story.Saga, Saga.DecisionEvent(stop), decision, cancellation);
        return null;
    }

    async Task<Refusal?> DecideBrokenAsync(
        DurableTaskClient sagas, SagaStory story, SagaDecision decision, CancellationToken cancellation) =>
        decision.Action switch
        {
            SagaAction.Retry => await reruns.BeginAsync(sagas, story, decision, cancellation),
            SagaAction.Resolve when await stories.CloseAsync(story, decision, cancellation) => null,
            SagaAction.Resolve => Reruns.Changed(story),
            _ => new(
                "saga-broken",
                $"{story.Saga} stands at no step: retry runs it again, resolve ends it once it is set right by hand."),
        };

    static SagaDecision Decision(string? action, string? by, string? why) => new(
        Enum.TryParse<SagaAction>(action, ignoreCase: true, out var known) && !int.TryParse(action, out _)
            ? known
            : throw new InvalidRequestException("invalid-action", "action is retry, skip or resolve."),
        Request.Line(by, "by", "invalid-decision"),
        Request.Line(why, "why", "invalid-decision"));
}
