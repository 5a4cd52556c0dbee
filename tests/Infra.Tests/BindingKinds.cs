namespace Infra.Tests;

/// <summary>What a binding attribute needs: the package that brings it, and the endpoint of its connection.</summary>
sealed record BindingKind(string Package, string? EndpointSetting = null);

/// <summary>The binding attributes of the isolated worker that this system may use.</summary>
static class BindingKinds
{
    const string Extensions = "Microsoft.Azure.Functions.Worker.Extensions";

    static readonly BindingKind Cosmos = new($"{Extensions}.CosmosDB", "accountEndpoint");
    static readonly BindingKind ServiceBus = new($"{Extensions}.ServiceBus", "fullyQualifiedNamespace");
    static readonly BindingKind EventHubs = new($"{Extensions}.EventHubs", "fullyQualifiedNamespace");
    static readonly BindingKind DurableTask = new($"{Extensions}.DurableTask");

    public static IReadOnlyDictionary<string, BindingKind> ByAttribute { get; } = new Dictionary<string, BindingKind>
    {
        ["HttpTrigger"] = new($"{Extensions}.Http.AspNetCore"),
        ["TimerTrigger"] = new($"{Extensions}.Timer"),
        ["CosmosDBTrigger"] = Cosmos,
        ["CosmosDBInput"] = Cosmos,
        ["CosmosDBOutput"] = Cosmos,
        ["ServiceBusTrigger"] = ServiceBus,
        ["ServiceBusOutput"] = ServiceBus,
        ["EventHubTrigger"] = EventHubs,
        ["EventHubOutput"] = EventHubs,
        ["OrchestrationTrigger"] = DurableTask,
        ["ActivityTrigger"] = DurableTask,
        ["EntityTrigger"] = DurableTask,
        ["DurableClient"] = DurableTask,
    };

    /// <summary>Namespaces whose use in code, with or without a binding, takes a package of its own.</summary>
    public static IReadOnlyDictionary<string, string> PackageByNamespace { get; } = new Dictionary<string, string>
    {
        ["Azure.Messaging.ServiceBus"] = "Azure.Messaging.ServiceBus",
        ["Azure.Messaging.EventHubs"] = "Azure.Messaging.EventHubs",
        ["Azure.Messaging.EventHubs.Producer"] = "Azure.Messaging.EventHubs",
        ["Azure.Monitor.OpenTelemetry.Exporter"] = "Azure.Monitor.OpenTelemetry.Exporter",
        ["Azure.Security.KeyVault.Keys"] = "Azure.Security.KeyVault.Keys",
        ["Azure.Security.KeyVault.Keys.Cryptography"] = "Azure.Security.KeyVault.Keys",
        ["Azure.Storage.Blobs"] = "Azure.Storage.Blobs",
        ["Microsoft.DurableTask"] = "Microsoft.DurableTask.Abstractions",
        ["Microsoft.DurableTask.Client"] = "Microsoft.DurableTask.Client",
    };

    public static bool IsBinding(string attribute) =>
        ByAttribute.ContainsKey(attribute) || attribute.EndsWith("Trigger", StringComparison.Ordinal);
}
