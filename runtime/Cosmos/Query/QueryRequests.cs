using System.Globalization;
using Runtime.Cosmos.Http;
using Runtime.Cosmos.Query.Execution;
using Runtime.Cosmos.Storage;

namespace Runtime.Cosmos.Query;

/// <summary>Queries over items, the plans clients ask for first, and reading all items without a query.</summary>
sealed class QueryRequests(Store store)
{
    // Whatever the query, the client is told to send it on as it is and to take the rows as they come: with one
    // partition key range there is nothing to merge, so ordering and counting are done here alone.
    static readonly byte[] PassThroughPlan =
        """
        {"partitionedQueryExecutionInfoVersion":2,"queryInfo":{"distinctType":"None","top":null,"offset":null,
        "limit":null,"orderBy":[],"orderByExpressions":[],"groupByExpressions":[],"groupByAliases":[],"aggregates":[],
        "groupByAliasToAggregateType":{},"rewrittenQuery":"","hasSelectValue":false,"hasNonStreamingOrderBy":false},
        "queryRanges":[{"min":"","max":"FF","isMinInclusive":true,"isMaxInclusive":false}]}
        """u8.ToArray();

    public Reply Plan(ServerRequest request, Route route)
    {
        ContainerRequests.Find(store.Catalog, route);
        // A query that cannot run is refused here already, before the client builds anything on its plan.
        QueryText.Parse(request.Body).Compile();
        return new Reply(200, PassThroughPlan);
    }

    public Task<Reply> RunAsync(ServerRequest request, Route route)
    {
        var container = ContainerRequests.Find(store.Catalog, route);
        var text = QueryText.Parse(request.Body);
        return RunAsync(container, text, request);
    }

    public Task<Reply> ReadFeedAsync(ServerRequest request, Route route)
    {
        var container = ContainerRequests.Find(store.Catalog, route);
        return RunAsync(container, new QueryText("SELECT * FROM c", new Dictionary<string, Value>(), null), request);
    }

    /// <summary>Clients ask for "no bound" with -1 or the largest integer.</summary>
    public static int PageItems(ServerRequest request) =>
        int.TryParse(request.Header(Names.MaxItemCount), CultureInfo.InvariantCulture, out var asked) && asked > 0
            ? Math.Min(asked, CosmosLimits.PageItemsMax)
            : CosmosLimits.PageItemsDefault;

    Task<Reply> RunAsync(Container container, QueryText text, ServerRequest request)
    {
        var state = container.Visible;
        var position = request.Header(Names.Continuation) is { Length: > 0 } token ? Position.Parse(token) : Position.Start;
        var run = new QueryRun(container, state, Target.Of(request, container), text.Compile(), store.Now);
        var page = run.Page(position.After(text.ResumeFilter, run.Order), PageItems(request));
        var reply = new Reply(200, page.Body(container.Rid)) { Charge = page.Charge }
            .With(Names.ItemCount, page.Rows.ToString(CultureInfo.InvariantCulture))
            .With(Names.SessionToken, Session.Token(state.Lsn))
            .With(Names.Lsn, state.Lsn.ToString(CultureInfo.InvariantCulture));
        return Task.FromResult(page.Next is { } next ? reply.With(Names.Continuation, next.ToString()) : reply);
    }
}
