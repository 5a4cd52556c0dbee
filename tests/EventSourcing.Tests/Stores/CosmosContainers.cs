using Microsoft.Azure.Cosmos;

namespace EventSourcing.Tests.Stores;

/// <summary>The containers the event store wants, as the deployment declares them.</summary>
static class CosmosContainers
{
    public static ContainerProperties Events(string name) => new(name, "/streamId")
    {
        UniqueKeyPolicy = new() { UniqueKeys = { new() { Paths = { "/commandKey" } } } },
        IndexingPolicy = new()
        {
            IncludedPaths = { new() { Path = "/commandKey/?" }, new() { Path = "/correlationId/?" } },
            ExcludedPaths = { new() { Path = "/*" } },
        },
    };

    public static ContainerProperties Keys(string name) => new(name, "/id")
    {
        IndexingPolicy = new() { ExcludedPaths = { new() { Path = "/*" } } },
    };
}
