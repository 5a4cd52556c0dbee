namespace Runtime.Cosmos.Http;

/// <summary>A request as both ways in deliver it: over a socket or within the process.</summary>
sealed record ServerRequest(
    string Method, string RawPath, Func<string, string?> Header, ReadOnlyMemory<byte> Body, Uri Endpoint)
{
    /// <summary>Whether a header says "true", which clients write in either case.</summary>
    public bool Flag(string name) => "true".Equals(Header(name), StringComparison.OrdinalIgnoreCase);
}

/// <summary>The answer to a request.</summary>
sealed record Reply(int Status, ReadOnlyMemory<byte> Body = default)
{
    public List<KeyValuePair<string, string>> Headers { get; } = [];

    public double Charge { get; init; }

    public Reply With(string header, string value)
    {
        Headers.Add(new(header, value));
        return this;
    }
}

/// <summary>Header names of the protocol.</summary>
static class Names
{
    public const string ActivityId = "x-ms-activity-id";
    public const string AIm = "A-IM";
    public const string Authorization = "authorization";
    public const string BatchAtomic = "x-ms-cosmos-batch-atomic";
    public const string Continuation = "x-ms-continuation";
    public const string ContinueOnError = "x-ms-cosmos-batch-continue-on-error";
    public const string Date = "x-ms-date";
    public const string EndEpk = "x-ms-end-epk";
    public const string ETag = "etag";
    public const string IfMatch = "If-Match";
    public const string IfModifiedSince = "If-Modified-Since";
    public const string IfNoneMatch = "If-None-Match";
    public const string IsBatch = "x-ms-cosmos-is-batch-request";
    public const string IsQuery = "x-ms-documentdb-isquery";
    public const string IsQueryPlan = "x-ms-cosmos-is-query-plan-request";
    public const string IsUpsert = "x-ms-documentdb-is-upsert";
    public const string ItemCount = "x-ms-item-count";
    public const string Lsn = "lsn";
    public const string MaxItemCount = "x-ms-max-item-count";
    public const string PartitionKey = "x-ms-documentdb-partitionkey";
    public const string Prefer = "Prefer";
    public const string RequestCharge = "x-ms-request-charge";
    public const string RetryAfter = "x-ms-retry-after-ms";
    public const string SessionToken = "x-ms-session-token";
    public const string StartEpk = "x-ms-start-epk";
    public const string SubStatus = "x-ms-substatus";
    public const string WireFormat = "x-ms-cosmos-changefeed-wire-format-version";
}
