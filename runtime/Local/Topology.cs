using System.Text.Json;
using Microsoft.Azure.Cosmos;
using Newtonsoft.Json;

namespace Runtime.Local;

/// <summary>Creates what the deployment would: the database and containers that the topology data declares.</summary>
static class Topology
{
    public static async Task CreateAsync(CosmosClient client, CancellationToken cancellation)
    {
        var path = Path.Combine(AppContext.BaseDirectory, "topology", "cosmos.json");
        using var topology = JsonDocument.Parse(await File.ReadAllBytesAsync(path, cancellation));
        Database database = await client.CreateDatabaseIfNotExistsAsync(
            topology.RootElement.GetProperty("database").GetString(), cancellationToken: cancellation);
        foreach (var container in topology.RootElement.GetProperty("containers").EnumerateArray())
        {
            // The resource is what the service itself takes, so the SDK's own serializer reads it.
            var properties = JsonConvert.DeserializeObject<ContainerProperties>(
                container.GetProperty("resource").GetRawText())!;
            await database.CreateContainerIfNotExistsAsync(properties, cancellationToken: cancellation);
        }
    }
}
