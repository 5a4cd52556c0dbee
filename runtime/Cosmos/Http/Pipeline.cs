using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using Runtime.Cosmos.Batch;
using Runtime.Cosmos.ChangeFeed;
using Runtime.Cosmos.Query;
using Runtime.Cosmos.Storage;

namespace Runtime.Cosmos.Http;

/// <summary>
/// From request to answer: address, signature, faults, the work, the ledger. Both ways in lead through here.
/// </summary>
sealed class Pipeline(
    Store store, Authorization authorization, CosmosLedger ledger, CosmosFaults faults, TimeProvider clock)
{
    readonly DatabaseRequests databases = new(store);
    readonly ContainerRequests containers = new(store);
    readonly ItemRequests items = new(store);
    readonly BatchRequests batches = new(store);
    readonly QueryRequests queries = new(store);
    readonly FeedRequests feeds = new(store);

    /// <summary>
    /// Answers null where a fault wants the answer lost: the work is done, the connection must break.
    /// </summary>
    public async Task<Reply?> HandleAsync(ServerRequest request, CancellationToken cancellation)
    {
        string? container = null;
        var operation = CosmosOperation.Account;
        var isLost = false;
        Reply reply;
        try
        {
            var route = authorization.Check(request, Route.Parse(request.RawPath));
            (container, operation) = (route.Container, OperationOf(request, route));
            var fault = faults.Strike(container, operation);
            isLost = fault?.Kind == CosmosFaultKind.AnswerLost;
            reply = await FaultyAsync(fault, cancellation) ?? await DispatchAsync(operation, request, route);
        }
        catch (Refused refused)
        {
            reply = Of(refused);
        }
        catch (Exception bug) when (bug is not OperationCanceledException)
        {
            // The outermost step: a bug must answer its own request and leave the server standing for the others.
            reply = Of(new Refused(500, "InternalServerError", bug.ToString()));
        }

        ledger.Record(new CosmosLedgerLine(container, operation, reply.Status), reply.Charge);
        return isLost ? null : Finished(reply, request);
    }

    static CosmosOperation OperationOf(ServerRequest request, Route route) => (route.Kind, request.Method) switch
    {
        (ResourceKind.Account, _) => CosmosOperation.Account,
        (ResourceKind.PartitionKeyRange, _) => CosmosOperation.PartitionKeyRanges,
        (not ResourceKind.Item, _) => CosmosOperation.Metadata,
        (_, "POST") when request.Flag(Names.IsQueryPlan) => CosmosOperation.QueryPlan,
        (_, "POST") when request.Flag(Names.IsQuery) => CosmosOperation.Query,
        (_, "POST") when request.Flag(Names.IsBatch) => CosmosOperation.Batch,
        (_, "POST") when request.Flag(Names.IsUpsert) => CosmosOperation.Upsert,
        (_, "POST") => CosmosOperation.Create,
        (_, "GET") when route.Item is not null => CosmosOperation.Read,
        (_, "GET") when request.Header(Names.AIm) is not null => CosmosOperation.ChangeFeed,
        (_, "GET") => CosmosOperation.ReadFeed,
        (_, "PUT") => CosmosOperation.Replace,
        (_, "PATCH") => CosmosOperation.Patch,
        (_, "DELETE") => CosmosOperation.Delete,
        (_, var method) => throw new Refused(405, "MethodNotAllowed", $"The method {method} is not known."),
    };

    Task<Reply> DispatchAsync(CosmosOperation operation, ServerRequest request, Route route) => operation switch
    {
        CosmosOperation.Account => Task.FromResult(Account.Read(request)),
        CosmosOperation.PartitionKeyRanges => Task.FromResult(containers.ReadRanges(request, route)),
        CosmosOperation.Metadata => route.Kind switch
        {
            ResourceKind.Database => databases.HandleAsync(request, route),
            ResourceKind.Container => containers.HandleAsync(request, route),
            _ => Task.FromResult(new Reply(200, "{\"_rid\":\"\",\"Offers\":[],\"_count\":0}"u8.ToArray())
                .With(Names.ItemCount, "0")),
        },
        CosmosOperation.QueryPlan => Task.FromResult(queries.Plan(request, route)),
        CosmosOperation.Query => queries.RunAsync(request, route),
        CosmosOperation.ReadFeed => queries.ReadFeedAsync(request, route),
        CosmosOperation.ChangeFeed => Task.FromResult(feeds.Read(request, route)),
        CosmosOperation.Batch => batches.RunAsync(request, route),
        _ => items.HandleAsync(operation, request, route),
    };

    async Task<Reply?> FaultyAsync(CosmosFault? fault, CancellationToken cancellation)
    {
        switch (fault?.Kind)
        {
            case CosmosFaultKind.Delay:
                await Task.Delay(fault.Duration, clock, cancellation);
                return null;
            case CosmosFaultKind.TooManyRequests:
                return Of(new Refused(429, "TooManyRequests", "The request rate is too large.", SubStatuses.Throttled))
                    .With(Names.RetryAfter, Text((long)fault.Duration.TotalMilliseconds));
            case CosmosFaultKind.ServiceUnavailable:
                return Of(new Refused(503, "ServiceUnavailable", "The service is unavailable for a moment."));
            case CosmosFaultKind.RequestTimeout:
                return Of(new Refused(408, "RequestTimeout", "The request took too long."));
            default:
                return null;
        }
    }

    static Reply Finished(Reply reply, ServerRequest request) => reply
        .With(Names.ActivityId, request.Header(Names.ActivityId) ?? "00000000-0000-0000-0000-000000000000")
        .With(Names.RequestCharge, reply.Charge.ToString("0.######", CultureInfo.InvariantCulture))
        .With("x-ms-version", "2020-07-15");

    static Reply Of(Refused refused)
    {
        var reply = new Reply(refused.Status, ErrorText.Of(refused.Code, refused.Message));
        return refused.SubStatus == 0 ? reply : reply.With(Names.SubStatus, Text(refused.SubStatus));
    }

    static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}

/// <summary>The body of every answer that is no success.</summary>
static class ErrorText
{
    public static byte[] Of(string code, string message)
    {
        using var text = new MemoryStream();
        using (var json = new Utf8JsonWriter(text, new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            json.WriteString("code", code);
            json.WriteString("message", message);
            json.WriteEndObject();
        }

        return text.ToArray();
    }

    public static byte[] Of(Outcome outcome) => Of(CodeOf(outcome.Status), outcome.Message ?? "");

    static string CodeOf(int status) => status switch
    {
        400 => "BadRequest",
        404 => "NotFound",
        409 => "Conflict",
        412 => "PreconditionFailed",
        413 => "RequestEntityTooLarge",
        424 => "FailedDependency",
        _ => "Error",
    };
}
