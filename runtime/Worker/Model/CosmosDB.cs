using Microsoft.Azure.Functions.Worker.Extensions.Abstractions;

namespace Microsoft.Azure.Functions.Worker;

/// <summary>Starts the function with each batch of changes to a container.</summary>
public sealed class CosmosDBTriggerAttribute : TriggerBindingAttribute
{
    public CosmosDBTriggerAttribute(string databaseName, string containerName)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(databaseName);
        ArgumentException.ThrowIfNullOrWhiteSpace(containerName);
        (DatabaseName, ContainerName) = (databaseName, containerName);
    }

    public string DatabaseName { get; }

    public string ContainerName { get; }

    /// <summary>The setting that holds the account's connection; "CosmosDB" when absent.</summary>
    public string? Connection { get; set; }

    public string? LeaseConnection { get; set; }

    public string? LeaseDatabaseName { get; set; }

    /// <summary>"leases" when absent.</summary>
    public string? LeaseContainerName { get; set; }

    public bool CreateLeaseContainerIfNotExists { get; set; }

    public int LeasesContainerThroughput { get; set; }

    /// <summary>Tells functions that share a lease container apart.</summary>
    public string? LeaseContainerPrefix { get; set; }

    /// <summary>Milliseconds, like every interval here.</summary>
    public int FeedPollDelay { get; set; }

    public int LeaseAcquireInterval { get; set; }

    public int LeaseExpirationInterval { get; set; }

    public int LeaseRenewInterval { get; set; }

    public int MaxItemsPerInvocation { get; set; }

    /// <summary>Looked at only when no lease exists yet.</summary>
    public bool StartFromBeginning { get; set; }

    public string? StartFromTime { get; set; }

    public string? PreferredLocations { get; set; }

    public CosmosDBChangeFeedMode ChangeFeedMode { get; set; }
}

/// <summary>Whether the feed tells the latest version of each item or every change to it.</summary>
public enum CosmosDBChangeFeedMode
{
    LatestVersion,
    AllVersionsAndDeletes,
}
