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
        return QueryText.Parse(request.Body).Compile().Select.ComposesAggregates
            ? throw Refused.BadRequest("Compositions of aggregates and other expressions are not allowed.")
            : new Reply(200, PassThroughPlan);
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

    async Task<Reply> RunAsync(Container container, QueryText text, ServerRequest request)
    {
        var (query, target) = (text.Compile(), Target.Of(request, container));
        var token = request.Header(Names.Continuation);
        var position = (string.IsNullOrEmpty(token) ? Position.Start : Position.Parse(token))
            .After(text.ResumeFilter, new RowOrder(query.Select.OrderBy));
        while (true)
        {
            var state = container.Visible;
            try
            {
                var page = new QueryRun(container, state, target, query, position, store.Now).Page(PageItems(request));
                return ReplyTo(page, container, state);
            }
            catch (MissingIndex missing)
            {
                // Made by the writer, so that no write slips by it; after that every state has it.
                await store.WriteAsync(scope => scope.AddIndex(container, missing.Definition));
            }
        }
    }

    static Reply ReplyTo(Page page, Container container, ContainerState state)
    {
        var reply = new Reply(200, page.Body(container.Rid)) { Charge = page.Charge }
            .With(Names.ItemCount, page.Rows.ToString(CultureInfo.InvariantCulture))
            .With(Names.SessionToken, Session.Token(state.Lsn))
            .With(Names.Lsn, state.Lsn.ToString(CultureInfo.InvariantCulture));
        return page.Next is { } next ? reply.With(Names.Continuation, next.ToString()) : reply;
    }
}
