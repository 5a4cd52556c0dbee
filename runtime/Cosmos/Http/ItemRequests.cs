using System.Globalization;
using Runtime.Cosmos.Charges;
using Runtime.Cosmos.Query;
using Runtime.Cosmos.Storage;

namespace Runtime.Cosmos.Http;

/// <summary>The operations on one item.</summary>
sealed class ItemRequests(Store store)
{
    public Task<Reply> HandleAsync(CosmosOperation operation, ServerRequest request, Route route)
    {
        var container = ContainerRequests.Find(store.Catalog, route);
        return operation == CosmosOperation.Read
            ? Task.FromResult(Read(container, request, route))
            : WriteAsync(operation, container, request, route);
    }

    Reply Read(Container container, ServerRequest request, Route route)
    {
        var state = container.Visible;
        var outcome = ItemReads.Read(
            container, state, KeyOf(request, container), route.Item!, request.Header(Names.IfNoneMatch), store.Now);
        return ReplyTo(outcome, RequestUnits.OfRead(outcome), state.Lsn, isMinimal: false);
    }

    async Task<Reply> WriteAsync(CosmosOperation operation, Container container, ServerRequest request, Route route)
    {
        if (request.Header(Names.IfNoneMatch) is not null)
        {
            throw Refused.Unsupported("If-None-Match on a write");
        }

        var work = Work(operation, container, request, route);
        var (outcome, lsn) = await store.WriteAsync(scope =>
        {
            var transaction = scope.Begin(container);
            var result = work(transaction);
            if (result.IsSuccess)
            {
                scope.Commit(transaction);
            }

            return (result, container.Pending.Lsn);
        });
        var isMinimal = request.Header(Names.Prefer) is { } prefer &&
            prefer.Contains("return=minimal", StringComparison.OrdinalIgnoreCase);
        return ReplyTo(outcome, RequestUnits.Of(outcome, container.Definition.Indexing), lsn, isMinimal);
    }

    /// <summary>
    /// Checks and takes apart everything before the writer is asked, so that the writer only decides.
    /// </summary>
    static Func<ItemTransaction, Outcome> Work(
        CosmosOperation operation, Container container, ServerRequest request, Route route)
    {
        var ifMatch = request.Header(Names.IfMatch);
        switch (operation)
        {
            case CosmosOperation.Delete:
                var deleted = KeyOf(request, container);
                return transaction => transaction.Delete(deleted, route.Item!, ifMatch);
            case CosmosOperation.Patch:
                var patched = KeyOf(request, container);
                var patch = Patch.Parse(request.Body, QueryText.CompileCondition);
                return transaction => transaction.Patch(patched, route.Item!, patch, ifMatch);
        }

        var draft = Draft.Parse(request.Body, container.Definition);
        if (request.Header(Names.PartitionKey) is { } header &&
            PartitionKey.Parse(header, container.Definition.PartitionKeyPaths.Count) != draft.Key)
        {
            throw Refused.PartitionKeyMismatch();
        }

        return operation switch
        {
            CosmosOperation.Create => transaction => transaction.Create(draft),
            CosmosOperation.Upsert => transaction => transaction.Upsert(draft, ifMatch),
            _ => transaction => transaction.Replace(draft.Key, route.Item!, draft, ifMatch),
        };
    }

    static PartitionKey KeyOf(ServerRequest request, Container container) => PartitionKey.Parse(
        request.Header(Names.PartitionKey) ?? throw Refused.BadRequest("The request needs a partition key."),
        container.Definition.PartitionKeyPaths.Count);

    static Reply ReplyTo(Outcome outcome, double charge, long lsn, bool isMinimal)
    {
        var hasText = outcome is { After: not null, Status: not 304 } && !isMinimal;
        var text = !outcome.IsSuccess ? ErrorText.Of(outcome) : hasText ? outcome.After!.Body : default;
        var reply = new Reply(outcome.Status, text) { Charge = charge }
            .With(Names.SessionToken, Session.Token(lsn))
            .With(Names.Lsn, lsn.ToString(CultureInfo.InvariantCulture));
        if (outcome.SubStatus != 0)
        {
            reply.With(Names.SubStatus, outcome.SubStatus.ToString(CultureInfo.InvariantCulture));
        }

        return outcome.After is { } item ? reply.With(Names.ETag, item.ETag) : reply;
    }
}

/// <summary>The session token: how far the answering server had come. One server has always come far enough.</summary>
static class Session
{
    public static string Token(long lsn) => string.Create(CultureInfo.InvariantCulture, $"0:-1#{lsn}");
}
