namespace Functions.EventStore;

/// <summary>Where everything is kept: the names the topology declares and the triggers use.</summary>
public static class Store
{
    /// <summary>The connection's name in the settings: a connection string, or an endpoint with an identity.</summary>
    public const string Connection = "Cosmos";

    public const string Database = "orders";

    public const string Events = "events";

    public const string Leases = "leases";

    /// <summary>A key for each person whose data is sealed, wrapped by the master key.</summary>
    public const string Keys = "keys";

    /// <summary>The setting that names the master key in Key Vault, by its address.</summary>
    public const string MasterKey = "KeyVault:keyUri";

    /// <summary>Milliseconds between two looks at an idle feed: latency against request units.</summary>
    public const int FeedPollDelay = 1000;

    public const int FeedItemsMax = 500;
}
