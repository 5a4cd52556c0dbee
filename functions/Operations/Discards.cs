using EventSourcing;
using Functions.Http;
using Functions.Projections;
using Microsoft.AspNetCore.Http;

namespace Functions.Operations;

/// <summary>Lets a view go on without an event it is parked at; who decided that and why is kept.</summary>
public sealed class Discards(Parking parking, Redrive redrive)
{
    sealed record DiscardBody(string? Stream, long? Sequence, string? By, string? Why);

    public async Task<IResult> AnswerAsync(View view, HttpRequest request, CancellationToken cancellation)
    {
        var body = await Request.BodyAsync<DiscardBody>(request, cancellation);
        var stream = Request.Stream(Request.Required(body.Stream, "stream"));
        var sequence = Request.Required(body.Sequence, "sequence");
        var (by, why) = (Request.Line(body.By, "by"), Request.Line(body.Why, "why"));

        // The sequence is named so that nobody discards another event than the one looked at.
        var parked = await parking.FindAsync(view.FullName, stream.ToString(), cancellation);
        if (parked is null || parked.Sequence != sequence)
            return Problem.Of(409, "event-not-parked", $"{stream} is not parked at {sequence} in {view.Name}.");
        await parking.DiscardAsync(parked, by, why, cancellation);
        var healed = await redrive.StreamAsync(view, stream, null, cancellation);
        return TypedResults.Json(Redriven.One(healed), StoredJson.Options);
    }
}
