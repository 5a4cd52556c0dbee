using EventSourcing;
using Functions.Http;
using Functions.Sagas;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;

namespace Functions.Queries;

/// <summary>Questions about sagas, answered from their own container.</summary>
public sealed class SagaQueries(SagaStories stories)
{
    [Function(nameof(GetSaga))]
    public async Task<IResult> GetSaga(
        [HttpTrigger(AuthorizationLevel.Function, "get", Route = "sagas/{sagaId}")] HttpRequest request,
        string sagaId,
        CancellationToken cancellation)
    {
        if (!StreamId.TryParse(sagaId, out var saga))
            return Problem.Of(400, "invalid-saga", "A saga is named like the stream it works for: order-….");
        return await stories.FindAsync(saga.ToString(), cancellation) is { } story
            ? ViewAnswer.Json(story)
            : Problem.Of(404, "unknown-saga", $"There is no saga {saga}.");
    }
}
