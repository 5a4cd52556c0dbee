using System.Net;
using Azure.Messaging.EventHubs;
using Azure.Messaging.EventHubs.Producer;
using Commerce;
using Commerce.Customers;
using EventSourcing;
using Functions.Http;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.DependencyInjection;

namespace Functions.UserActivity;

/// <summary>Takes in what a person did, all of a request or nothing, and hands it to the hub.</summary>
/// <remarks>
/// One request is of one person: one partition, one send, one key. A request that is sent again, because its answer
/// was lost, puts its events into the hub a second time; whoever consumes them knows them by their ids.
/// </remarks>
public sealed class ActivityIntake(
    [FromKeyedServices(Connections.Activity)] EventHubProducerClient hub,
    CommandHandler<Customer, CustomerCommand, CustomerEvent> customers, PersonalSeal seal, TimeProvider clock)
{
    public const int EventsMax = 100;
    const int ProductsMax = 20;
    const int QueryLengthMax = 200;

    /// <summary>How far a client's clock may be ahead.</summary>
    static readonly TimeSpan AheadMax = TimeSpan.FromMinutes(5);

    /// <summary>How late an event may come; what counts events remembers their ids for longer.</summary>
    public static readonly TimeSpan LateMax = TimeSpan.FromHours(24);

    sealed record ActivityBody(string? UserId, IReadOnlyList<EventBody?>? Events);

    sealed record EventBody(
        Guid? Id, string? Action, string? ProductId, IReadOnlyList<string?>? ProductIds, string? Query,
        DateTimeOffset? At);

    [Function(nameof(PostActivity))]
    public async Task<IResult> PostActivity(
        [HttpTrigger(AuthorizationLevel.Function, "post", Route = "activity")] HttpRequest request,
        CancellationToken cancellation)
    {
        var body = await Request.BodyAsync<ActivityBody>(request, cancellation);
        var customer = Request.Valid(
            CustomerId.TryParse(Request.Required(body.UserId, "userId"), out var id, out var refusal), id, refusal);
        if (Request.Required(body.Events, "events") is not { Count: >= 1 and <= EventsMax } given)
            throw new InvalidRequestException("invalid-events", $"events holds 1 to {EventsMax} events.");

        var user = Customer.Stream(customer);
        var received = clock.GetUtcNow();
        var events = given.Select(e => Checked(Request.Required(e, "events"), user, received)).ToList();
        if (events.DistinctBy(e => e.Id).Count() < events.Count)
            throw new InvalidRequestException("duplicate-event", "Each event of a request has an id of its own.");

        // Nobody's key is made for somebody who is not there. Who was there once stays: a customer this process knows
        // costs no request.
        if ((await customers.KnownAsync(user, TimeSpan.MaxValue, cancellation)).Sequence == 0)
            return Problem.Of(CustomerRefusal.Unknown);
        if (await seal.IsForgottenAsync(user, cancellation))
            return Problem.Of(409, "customer-forgotten", "What a forgotten customer does is not kept.");
        var from = AddressOf(request) is { } address ? await seal.SealAsync(user, address, cancellation) : null;
        var data = new List<EventData>(events.Count);
        foreach (var e in events)
        {
            var query = e.Query is { } text ? await seal.SealAsync(user, text, cancellation) : null;
            data.Add((e with { From = from, Query = query }).ToData());
        }

        try
        {
            await hub.SendAsync(data, new SendEventOptions { PartitionKey = user.ToString() }, cancellation);
        }
        catch (EventHubsException e) when (e.IsTransient)
        {
            request.HttpContext.Response.Headers.RetryAfter = "1";
            return Problem.Of(
                503, "hub-unavailable", "The hub did not answer; the same request may be sent again.");
        }

        return TypedResults.Json(new { accepted = events.Count }, StoredJson.Options, statusCode: 202);
    }

    static ActivityEvent Checked(EventBody body, StreamId user, DateTimeOffset received)
    {
        var id = Request.Required(body.Id, "id").Value;
        if (id == Guid.Empty) throw new InvalidRequestException("invalid-event", "An id is not all zeros.");
        if (!Enum.TryParse<ActivityAction>(body.Action, ignoreCase: true, out var action) ||
            !body.Action.All(char.IsAsciiLetter))
            throw new InvalidRequestException(
                "invalid-event", "action is viewed, searched, added or purchased.");

        // Never made up here: sent again it would be another, and the event would count into another window too.
        var at = Request.Required(body.At, "at").Value.ToUniversalTime();
        if (at > received + AheadMax || at < received - LateMax)
            throw new InvalidRequestException(
                "invalid-event",
                $"at is at most {LateMax.TotalHours:0} hours ago and not ahead of the clock; send what happened soon.");
        return new(
            id, user.ToString(), action, ProductsOf(body, action), QueryOf(body, action), at, received, From: null);
    }

    static List<string> ProductsOf(EventBody body, ActivityAction action)
    {
        var named = body.ProductId is null ? body.ProductIds ?? [] : [body.ProductId, .. body.ProductIds ?? []];
        var (least, most) = action switch
        {
            ActivityAction.Searched => (0, 0),
            ActivityAction.Purchased => (1, ProductsMax),
            _ => (1, 1),
        };
        return named.Count >= least && named.Count <= most
            ? [.. named.Select(text => Request.Valid(
                ProductId.TryParse(text, out var product, out var refusal), product.Value, refusal)).Distinct()]
            : throw new InvalidRequestException(
                "invalid-event", "viewed and added name one product, purchased 1 to "
                    + $"{ProductsMax}, searched none.");
    }

    static string? QueryOf(EventBody body, ActivityAction action) => (action, body.Query) switch
    {
        (ActivityAction.Searched, { Length: >= 1 and <= QueryLengthMax } query) when !query.Any(char.IsControl) =>
            query,
        (not ActivityAction.Searched, null) => null,
        _ => throw new InvalidRequestException(
            "invalid-event",
            $"searched has a query of 1 to {QueryLengthMax} printable characters, the other actions none."),
    };

    /// <summary>
    /// Whoever connected to the front end: it appends that, and what stands before it anybody could write.
    /// </summary>
    static string? AddressOf(HttpRequest request)
    {
        var last = request.Headers["X-Forwarded-For"].ToString().Split(',')[^1].Trim();
        return IPEndPoint.TryParse(last, out var endpoint) ? endpoint.Address.ToString()
            : request.HttpContext.Connection.RemoteIpAddress?.ToString();
    }
}
