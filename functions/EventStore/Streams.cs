using System.Globalization;
using EventSourcing;
using Functions.Http;
using Functions.Queries;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;

namespace Functions.EventStore;

/// <summary>The audit trail: what happened, in order, by whom and why, exactly as it is stored.</summary>
public sealed class Streams(IEventStore store, Continuations continuations)
{
    /// <summary>A page as it is stored, from either end, between <c>from</c> and <c>to</c> if given.</summary>
    [Function(nameof(GetStream))]
    public async Task<IResult> GetStream(
        [HttpTrigger(AuthorizationLevel.Function, "get", Route = "streams/{streamId}")] HttpRequest request,
        string streamId,
        CancellationToken cancellation)
    {
        var stream = Request.Stream(streamId);
        var backwards = Request.Query(request, "direction") switch
        {
            null or "forwards" => false,
            "backwards" => true,
            _ => throw new InvalidRequestException("invalid-direction", "direction is forwards or backwards."),
        };
        var limit = Request.Limit(request, normal: 100, max: 500);
        var (from, to) = (Request.Sequence(request, "from") ?? 1, Request.Sequence(request, "to") ?? long.MaxValue);
        if (from > to)
            throw new InvalidRequestException("invalid-range", $"from is {from} and to {to}: from comes first.");

        var list = string.Create(CultureInfo.InvariantCulture, $"stream {stream} {from} {to} {backwards}");
        if (await continuations.OpenAsync<Place>(request, list, cancellation) is { Sequence: var start })
            (from, to) = backwards ? (from, start) : (start, to);

        // One more than asked for tells whether there is a next page. Without a fixed end a backwards read has its
        // bound in the page size alone.
        var bounded = backwards ? new StreamRange(from, to, true) : new(from, Math.Min(to, from + limit));
        var events = new List<StoredEvent>(limit);
        Place? next = null;
        await foreach (var stored in store.ReadAsync(stream, bounded, cancellation))
        {
            if (events.Count == limit)
            {
                next = new(stored.Sequence);
                break;
            }

            events.Add(stored);
        }

        if (events.Count == 0 && await store.HeadAsync(stream, cancellation) == 0)
            return Problem.Of(404, "unknown-stream", $"There is no stream {stream}.");
        var continuation = next is null ? null : await continuations.SealAsync(list, next, cancellation);
        return TypedResults.Json(new Page(stream.ToString(), events, continuation), StoredJson.Options);
    }

    sealed record Page(string Stream, IReadOnlyList<StoredEvent> Events, string? Continuation);

    /// <summary>With which event the next page starts.</summary>
    sealed record Place(long Sequence);
}
