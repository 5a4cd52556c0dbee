using EventSourcing;
using Functions.Choreography;
using Functions.EventStore;
using Functions.Http;
using Functions.Messaging;
using Functions.Projections;
using Functions.Sagas;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Cosmos;
using Microsoft.Azure.Functions.Worker;

namespace Functions.Operations;

/// <summary>Tells a load balancer whether this instance can do its work.</summary>
public sealed class Health(
    Database database, ProjectionStates states, ViewGenerations generations, OwedAnswersFound owed, TimeProvider clock)
{
    /// <summary>Who reads the feed and is no view, by the name of its bookmark.</summary>
    public static IReadOnlyList<string> Feeds { get; } = [Outbox.Name, StartSagas.Name];

    sealed record Late(string Name, double LagSeconds, DateTimeOffset CheckedAt);

    sealed record Owing(string Subscription, int Count, DateTimeOffset Since, int ForSomebody);

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
            var (late, owing) = (await LateAsync(deadline.Token), await OwingAsync(deadline.Token));
            return TypedResults.Json(
                new { status = late.Count + owing.Count == 0 ? "healthy" : "degraded", late, owing },
                StoredJson.Options);
        }
        catch (Exception fault) when (fault is CosmosException or HttpRequestException or OperationCanceledException
            && !cancellation.IsCancellationRequested)
        {
            return Problem.Of(503, "store-unavailable", "The event store does not answer.");
        }
    }

    /// <summary>
    /// Degraded is not down: what is stored is served, only not the newest, and what others wait for comes late. Who
    /// was never looked at has no lag yet.
    /// </summary>
    async Task<IReadOnlyList<Late>> LateAsync(CancellationToken cancellation)
    {
        var now = clock.GetUtcNow();
        var views = await Task.WhenAll(Views.All.Select(async view =>
            (await generations.LiveAsync(view, cancellation)).FullName));
        var bookmarks = await Task.WhenAll(
            views.Concat(Feeds).Select(name => states.BookmarkAsync(name, cancellation)));
        return [.. bookmarks.OfType<Bookmark>().Where(b => b.Lag > LagMax || now - b.CheckedAt > SilenceMax)
            .Select(b => new Late(View.NameOf(b.Pk), b.Lag.TotalSeconds, b.CheckedAt))];
    }

    /// <summary>
    /// Which context owes choreographed orders an undoing or an end, and to how many only people can help.
    /// </summary>
    async Task<IReadOnlyList<Owing>> OwingAsync(CancellationToken cancellation) =>
        await owed.ReadAsync(cancellation) is { } found
            ?
            [
                .. found.Waiting.GroupBy(answer => answer.Subscription).Select(same => new Owing(
                    same.Key, same.Count(), same.Min(answer => answer.Since),
                    same.Count(answer => answer.Next is null))),
            ]
            : [];
}
