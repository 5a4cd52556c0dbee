using Functions.EventStore;
using Functions.Http;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Cosmos;
using Microsoft.Azure.Functions.Worker;

namespace Functions.Operations;

/// <summary>Tells a load balancer whether this instance can do its work.</summary>
public sealed class Health(Database database)
{
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
            return TypedResults.Json(new { status = "healthy" });
        }
        catch (Exception fault) when (fault is CosmosException or HttpRequestException or OperationCanceledException
            && !cancellation.IsCancellationRequested)
        {
            return Problem.Of(503, "store-unavailable", "The event store does not answer.");
        }
    }
}
