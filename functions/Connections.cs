using Azure.Identity;
using Azure.Messaging.EventHubs.Producer;
using Azure.Messaging.ServiceBus;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Functions;

/// <summary>The names of the messaging namespaces and event hubs, and the clients for them.</summary>
static class Connections
{
    public const string ServiceBus = "ServiceBus";
    public const string EventHubs = "EventHubs";

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
