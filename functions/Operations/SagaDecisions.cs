using EventSourcing;
using Functions.Http;
using Functions.Projections;
using Functions.Sagas;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;

namespace Functions.Operations;

/// <summary>Continues parked sagas as an operator decides.</summary>
public sealed class SagaDecisions(ViewContainer views)
{
    const int TextLengthMax = 500;

    sealed record DecisionBody(string? Action, string? By, string? Why, string? Step);

    [Function(nameof(PostSagaDecision))]
    public async Task<IResult> PostSagaDecision(
        [HttpTrigger(
            AuthorizationLevel.Admin, "post", Route = "operations/sagas/{sagaId}/decision")] HttpRequest request,
        string sagaId,
        [DurableClient] DurableTaskClient sagas,
        CancellationToken cancellation)
    {
        var body = await Request.BodyAsync<DecisionBody>(request, cancellation);
        var decision = new SagaDecision(
            Enum.TryParse<SagaAction>(body.Action, ignoreCase: true, out var action)
                && !int.TryParse(body.Action, out _)
                ? action
                : throw new InvalidRequestException("invalid-action", "action is retry, skip or resolve."),
            Line(body.By, "by"),
            Line(body.Why, "why"));
        if (!StreamId.TryParse(sagaId, out var saga)) return Problem.Of(
            400, "invalid-saga", "A saga is named order-….");

        var story = (await views.ReadAsync<SagaStory>(
            SagaStories.Container, ViewKey.Of(saga.ToString()), null, TimeSpan.Zero, cancellation))?.View;
        if (story is null) return Problem.Of(404, "unknown-saga", $"There is no saga {saga}.");
        var parked = story.Parked.Where(p => body.Step is null || p.Step == body.Step).ToList();
        if (parked.Count == 0) return Problem.Of(
            409, "saga-not-parked", $"{saga} is not parked{(body.Step is null ? "" : " there")}.");
        if (decision.Action != SagaAction.Retry && parked.Find(p => !p.MaySkip) is { } needed) return Problem.Of(
            409, "step-not-skippable", $"Which way {saga} goes hangs on \"{needed.Step}\": it can only be retried.");
        foreach (var step in parked)
            await sagas.RaiseEventAsync(story.Saga, Saga.DecisionEvent(step), decision, cancellation);
        return TypedResults.Accepted($"/api/sagas/{saga}");
    }

    static string Line(string? text, string name) =>
        Request.Required(text, name) is { Length: > 0 and <= TextLengthMax } line
        ? line
        : throw new InvalidRequestException("invalid-decision", $"{name} is 1 to {TextLengthMax} characters.");
}
