using EventSourcing;
using Functions.Http;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;

namespace Functions.EventStore;

/// <summary>The audit trail: what happened, in order, by whom and why, exactly as it is stored.</summary>
public sealed class Streams(IEventStore store)
{
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

        // One more than asked for tells whether there is a next page. Without a fixed end a backwards read has its
        // bound in the page size alone.
        var bounded = backwards ? new StreamRange(from, to, true) : new(from, Math.Min(to, from + limit));
        var events = new List<StoredEvent>(limit);
        long? next = null;
        await foreach (var stored in store.ReadAsync(stream, bounded, cancellation))
        {
            if (events.Count == limit)
            {
                next = stored.Sequence;
                break;
            }

            events.Add(stored);
        }

        if (events.Count == 0 && await store.HeadAsync(stream, cancellation) == 0)
            return Problem.Of(404, "unknown-stream", $"There is no stream {stream}.");
        return TypedResults.Json(new Page(
            stream.ToString(), events, NextLink(stream, next, from, to, backwards, limit)), StoredJson.Options);
    }

    static string? NextLink(StreamId stream, long? next, long from, long to, bool backwards, int limit)
    {
        if (next is not { } start) return null;
        var range = backwards
            ? $"direction=backwards&from={from}&to={start}"
            : to == long.MaxValue ? $"from={start}" : $"from={start}&to={to}";
        return $"/api/streams/{stream}?{range}&limit={limit}";
    }

    sealed record Page(string Stream, IReadOnlyList<StoredEvent> Events, string? Next);
}
