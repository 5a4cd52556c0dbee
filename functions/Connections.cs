using Azure.Identity;
using Azure.Messaging.EventHubs.Producer;
using Azure.Messaging.ServiceBus;
using Azure.Storage.Blobs;
using Functions.Storage;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Functions;

/// <summary>The names of the messaging namespaces, event hubs and blob storage, and the clients for them.</summary>
static class Connections
{
    public const string ServiceBus = "ServiceBus";
    public const string EventHubs = "EventHubs";
    public const string Blobs = "Blobs";

    /// <summary>The hub of what people do in the shop.</summary>
    public const string Activity = "activity";

    /// <summary>The hub of integration events, for readers of the whole stream.</summary>
    public const string IntegrationEvents = "integration-events";

    /// <summary>One <see cref="ServiceBusClient"/>, and a producer for each hub, found by the hub's name.</summary>
    public static void AddMessaging(this IServiceCollection services, IConfiguration settings)
    {
        services.TryAddSingleton(_ => ServiceBusOf(settings));
        foreach (var hub in (string[])[Activity, IntegrationEvents])
        {
            services.TryAddKeyedSingleton(hub, (_, _) => ProducerOf(hub, settings));
        }
    }

    /// <summary>
    /// Blob Storage, which is the one thing this system can do without: unset, what needs it is refused by name.
    /// </summary>
    public static void AddBlobStorage(this IServiceCollection services, IConfiguration settings)
    {
        services.TryAddSingleton(_ => BlobsOf(settings));

        // Ten messages travel in one send of at most 256 KB.
        services.TryAddSingleton(
            provider => new ClaimCheck(provider.GetRequiredService<BlobStorage>(), carriedBytesMax: 16 * 1024));
    }

    static BlobStorage BlobsOf(IConfiguration settings)
    {
        if (settings[Blobs] is { Length: > 0 } connection) return new(new(connection), makesContainers: true);
        return settings[$"{Blobs}:blobServiceUri"] is { Length: > 0 } address
            ? new(new BlobServiceClient(new Uri(address), Identity(settings[$"{Blobs}:clientId"])))
            : new(service: null);
    }

    static ServiceBusClient ServiceBusOf(IConfiguration settings) => settings[ServiceBus] is { Length: > 0 } connection
        ? new(connection)
        : new(
            Required(settings[$"{ServiceBus}:fullyQualifiedNamespace"], ServiceBus),
            Identity(settings[$"{ServiceBus}:clientId"]));

    static EventHubProducerClient ProducerOf(string hub, IConfiguration settings) =>
        settings[EventHubs] is { Length: > 0 } connection
            ? new(connection, hub)
            : new(
                Required(settings[$"{EventHubs}:fullyQualifiedNamespace"], EventHubs), hub,
                Identity(settings[$"{EventHubs}:clientId"]));

    static string Required(string? host, string name) => host is { Length: > 0 }
        ? host
        : throw new InvalidOperationException($"Set {name}, or {name}__fullyQualifiedNamespace.");

    static DefaultAzureCredential Identity(string? clientId) =>
        new(new DefaultAzureCredentialOptions { ManagedIdentityClientId = clientId });
}
