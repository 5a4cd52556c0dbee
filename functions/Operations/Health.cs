using Functions.EventStore;
using Functions.Http;
using Functions.Projections;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Cosmos;
using Microsoft.Azure.Functions.Worker;

namespace Functions.Operations;

/// <summary>Tells a load balancer whether this instance can do its work.</summary>
public sealed class Health(
    Database database, ProjectionStates states, ViewGenerations generations, TimeProvider clock)
{
    /// <summary>How far a view may be behind, and its reconciliation silent, before this says so.</summary>
    public static readonly TimeSpan LagMax = TimeSpan.FromMinutes(1);
    public static readonly TimeSpan SilenceMax = TimeSpan.FromMinutes(5);

    static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    [Function(nameof(GetHealth))]
    public async Task<IResult> GetHealth(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "health")] HttpRequest request,
        CancellationToken cancellation)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        deadline.CancelAfter(Patience);
        try
        {
            await database.GetContainer(Store.Events).ReadContainerAsync(cancellationToken: deadline.Token);
            var late = await LateAsync(deadline.Token);
            return TypedResults.Json(new { status = late.Count == 0 ? "healthy" : "degraded", late });
        }
        catch (Exception fault) when (fault is CosmosException or HttpRequestException or OperationCanceledException
            && !cancellation.IsCancellationRequested)
        {
            return Problem.Of(503, "store-unavailable", "The event store does not answer.");
        }
    }

    /// <summary>
    /// Degraded is not down: what is stored is served, only not the newest. A view never looked at has no lag yet.
    /// </summary>
    async Task<IReadOnlyList<string>> LateAsync(CancellationToken cancellation)
    {
        var now = clock.GetUtcNow();
        var bookmarks = await Task.WhenAll(Views.All.Select(async view => await states.BookmarkAsync(
            (await generations.LiveAsync(view, cancellation)).FullName, cancellation)));
        return [.. bookmarks.OfType<Bookmark>().Where(b => b.Lag > LagMax || now - b.CheckedAt > SilenceMax)
            .Select(b => View.NameOf(b.Pk))];
    }
}
