using System.Text;

namespace Runtime.Cosmos.Http;

/// <summary>
/// What <c>GET /</c> tells a client: the regions (this one), the consistency, and what queries may do.
/// </summary>
static class Account
{
    // A string holding JSON; clients refuse to run any query without it.
    const string QueryEngine =
        """
        {\"maxSqlQueryInputLength\":524288,\"maxJoinsPerSqlQuery\":10,\"maxLogicalAndPerSqlQuery\":2000,
        \"maxLogicalOrPerSqlQuery\":2000,\"maxUdfRefPerSqlQuery\":10,\"maxInExpressionItemsCount\":16000,
        \"queryMaxInMemorySortDocumentCount\":500,\"maxQueryRequestTimeoutFraction\":0.9,
        \"sqlAllowNonFiniteNumbers\":false,\"sqlAllowAggregateFunctions\":true,\"sqlAllowSubQuery\":true,
        \"sqlAllowScalarSubQuery\":true,\"allowNewKeywords\":true,\"sqlAllowLike\":true,
        \"sqlAllowGroupByClause\":true,\"maxSpatialQueryCells\":12,\"spatialMaxGeometryPointCount\":256,
        \"sqlDisableQueryILOptimization\":false,\"sqlDisableFilterPlanOptimization\":false,
        \"clientDisableOptimisticDirectExecution\":false}
        """;

    static readonly string QueryEngineLine = QueryEngine.ReplaceLineEndings("");

    public static Reply Read(ServerRequest request)
    {
        if (request.Method != "GET")
        {
            throw new Refused(405, "MethodNotAllowed", "The account can only be read.");
        }

        var region = $$"""[{"name":"Local","databaseAccountEndpoint":"{{request.Endpoint}}"}]""";
        return new Reply(200, Encoding.UTF8.GetBytes(
            $$"""
            {"_self":"","id":"local","_rid":"local","media":"//media/","addresses":"//addresses/","_dbs":"//dbs/",
            "writableLocations":{{region}},"readableLocations":{{region}},"enableMultipleWriteLocations":false,
            "userReplicationPolicy":{"asyncReplication":false,"minReplicaSetSize":1,"maxReplicasetSize":1},
            "userConsistencyPolicy":{"defaultConsistencyLevel":"Session"},
            "systemReplicationPolicy":{"minReplicaSetSize":1,"maxReplicasetSize":1},
            "readPolicy":{"primaryReadCoefficient":1,"secondaryReadCoefficient":1},
            "queryEngineConfiguration":"{{QueryEngineLine}}"}
            """));
    }
}
