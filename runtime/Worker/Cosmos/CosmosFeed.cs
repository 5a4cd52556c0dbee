namespace Runtime.Worker;

/// <summary>Where a container is.</summary>
sealed record CosmosAddress(string Connection, string Database, string Container)
{
    public override string ToString() => $"{Connection}/{Database}/{Container}";
}

/// <summary>A change-feed trigger with every setting resolved; null leaves a value to the SDK.</summary>
sealed record CosmosFeed
{
    public required CosmosAddress Monitored { get; init; }

    public required CosmosAddress Leases { get; init; }

    public required string? Regions { get; init; }

    public required string Prefix { get; init; }

    public required string Owner { get; init; }

    public required bool CreateLeases { get; init; }

    public required int? LeasesThroughput { get; init; }

    public required int? ItemsMax { get; init; }

    public required TimeSpan? PollDelay { get; init; }

    public required TimeSpan? LeaseAcquire { get; init; }

    public required TimeSpan? LeaseExpiration { get; init; }

    public required TimeSpan? LeaseRenew { get; init; }

    public required DateTime? StartTime { get; init; }
}
