using System.Text.Json;
using System.Text.Json.Nodes;

namespace Infra.Tests;

/// <summary>What the topology files say: containers, messaging, services, alerts.</summary>
static class Topology
{
    static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false };

    public static JsonNode Cosmos { get; } = Read("cosmos");

    public static JsonNode Messaging { get; } = Read("messaging");

    public static JsonNode Services { get; } = Read("services");

    public static JsonNode Alerts { get; } = Read("alerts");

    /// <summary>Containers of Blob Storage.</summary>
    public static IReadOnlySet<string> BlobContainers { get; } =
        Names(Read("blobs")["containers"]!.AsArray().Select(c => c!["name"]));

    public static string Database { get; } = Text(Cosmos["database"]);

    public static IReadOnlySet<string> Containers { get; } =
        Cosmos["containers"]!.AsArray().Select(c => Text(c!["resource"]!["id"])).ToHashSet(StringComparer.Ordinal);

    /// <summary>Every topic's subscriptions; a topic's name alone stands for the topic.</summary>
    public static IReadOnlyDictionary<string, IReadOnlySet<string>> Topics { get; } =
        Messaging["serviceBus"]!["topics"]!.AsArray().ToDictionary(
            t => Text(t!["name"]), t => Names(t!["subscriptions"]!.AsArray().Select(s => s!["name"])));

    public static IReadOnlySet<string> Queues { get; } =
        Names(Messaging["serviceBus"]!["queues"]!.AsArray().Select(q => q!["name"]));

    public static IReadOnlyDictionary<string, IReadOnlySet<string>> Hubs { get; } = Messaging["eventHubs"]!["hubs"]!
        .AsArray().ToDictionary(h => Text(h!["name"]), h => Names(h!["consumerGroups"]!.AsArray()));

    /// <summary>Function name: the service it runs in. A name given twice does not parse.</summary>
    public static IReadOnlyDictionary<string, string> FunctionServices { get; } =
        Services["functions"]!.AsObject().ToDictionary(f => f.Key, f => Text(f.Value));

    public static IReadOnlyDictionary<string, JsonNode> ServiceByName { get; } =
        Services["services"]!.AsArray().ToDictionary(s => Text(s!["name"]), s => s!);

    public static string Text(JsonNode? node) => node!.GetValue<string>();

    public static IReadOnlySet<string> Names(IEnumerable<JsonNode?> nodes) =>
        nodes.Select(Text).ToHashSet(StringComparer.Ordinal);

    static JsonNode Read(string name) =>
        JsonNode.Parse(Repository.Read($"infra/topology/{name}.json"), documentOptions: Strict)!;
}
