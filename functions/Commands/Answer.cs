using EventSourcing;
using Functions.Http;
using Microsoft.AspNetCore.Http;

namespace Functions.Commands;

/// <summary>What a carried-out command answers: where to look, and the token with which a query waits for it.</summary>
sealed record Carried(
    string Location, string ConsistencyToken, long Sequence, string? Becomes = null, string? Saga = null);

/// <summary>What a wish turned into, where that depends on when it came, and the saga that carries it out.</summary>
sealed record Turn(string Becomes, string Saga);

/// <summary>Turns the outcome of a command into its HTTP answer.</summary>
static class Answer
{
    /// <summary>200, or 202 when the command has only begun something; a refusal answers as its kind says.</summary>
    public static IResult To<TState, TEvent>(
        HttpRequest request, Outcome<TState, TEvent> outcome, string location, int status = StatusCodes.Status200OK,
        Turn? turn = null)
    {
        if (outcome.Refusal is { } refusal) return Problem.Of(refusal);
        var token = new ConsistencyToken(outcome.Stream, outcome.Sequence).ToString();
        var headers = request.HttpContext.Response.Headers;
        headers[ConsistencyToken.Header] = token;
        headers.ETag = $"\"{outcome.Sequence}\"";
        headers.Location = location;
        return TypedResults.Json(
            new Carried(location, token, outcome.Sequence, turn?.Becomes, turn?.Saga), StoredJson.Options,
                statusCode: status);
    }
}
