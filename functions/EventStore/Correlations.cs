using EventSourcing;
using Functions.Http;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;

namespace Functions.EventStore;

/// <summary>What one request led to, across all streams.</summary>
public sealed class Correlations(IEventArchive archive)
{
    const int EventsMax = 1_000;

    /// <summary>
    /// JSON is read to a depth of 64, and every generation takes two; a later one begins a tree anew.
    /// </summary>
    const int GenerationsMax = 24;

    /// <summary>
    /// Every event of the correlation as a tree: under each event those that it caused. The roots were caused by
    /// something that is no event, such as a request.
    /// </summary>
    [Function(nameof(GetCorrelation))]
    public async Task<IResult> GetCorrelation(
        [HttpTrigger(AuthorizationLevel.Function, "get", Route = "correlations/{correlationId}")] HttpRequest request,
        string correlationId,
        CancellationToken cancellation)
    {
        if (correlationId.Length > CommandContext.IdLengthMax || correlationId.Any(char.IsControl))
            return Problem.Of(
                400,
                "invalid-correlation",
                $"A correlation id has at most {CommandContext.IdLengthMax} characters, none of them a control.");
        var events = await archive.CorrelatedAsync(correlationId, EventsMax + 1, cancellation);
        if (events.Count == 0)
            return Problem.Of(404, "unknown-correlation", "No event was stored under this correlation id.");
        var shown = events.Take(EventsMax).ToList();
        return TypedResults.Json(
            new Tree(correlationId, shown.Count, events.Count > EventsMax, RootsOf(shown)), StoredJson.Options);
    }

    static List<Node> RootsOf(List<StoredEvent> events)
    {
        var nodes = events.ToDictionary(e => e.EventId.ToString("D"), e => new Node(Entry.Of(e), []));
        var generations = new Dictionary<Node, int>(ReferenceEqualityComparer.Instance);
        var roots = new List<Node>();
        foreach (var stored in events)
        {
            // Oldest first: an event is only ever caused by one stored before it, so there are no circles.
            var node = nodes[stored.EventId.ToString("D")];
            var generation = nodes.TryGetValue(stored.CausationId, out var cause) && cause != node
                ? generations.GetValueOrDefault(cause) + 1
                : 0;
            generations[node] = generation;
            if (cause is not null && generation is > 0 and < GenerationsMax) cause.Led.Add(node);
            else roots.Add(node);
            if (generation >= GenerationsMax) generations[node] = 0;
        }

        return roots;
    }

    sealed record Tree(string CorrelationId, int Count, bool IsCut, IReadOnlyList<Node> Events);

    sealed record Node(Entry Event, List<Node> Led);
}
