using System.Text.Json;
using System.Text.Json.Nodes;
using System.Xml;

namespace Infra.Tests;

/// <summary>
/// The emulators' configuration files as the topology makes them. The emulators know the same words in another case and
/// take shorter times and fewer deliveries, so what is beyond their limits is cut to them.
/// </summary>
static class EmulatorConfigs
{
    const int DeliveriesMax = 10;

    static readonly TimeSpan TimeToLiveMax = TimeSpan.FromHours(1);
    static readonly TimeSpan DuplicateWindowMax = TimeSpan.FromMinutes(5);
    static readonly TimeSpan LockMax = TimeSpan.FromMinutes(5);

    static readonly JsonSerializerOptions Readable = new()
    {
        WriteIndented = true,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    public static string ServiceBus(JsonNode messaging) => Text(new()
    {
        ["UserConfig"] = new JsonObject
        {
            ["Namespaces"] = new JsonArray(new JsonObject
            {
                ["Name"] = "sbemulatorns",
                ["Queues"] = Each(messaging["serviceBus"]!["queues"]!, queue => new()
                {
                    ["Name"] = queue["name"]!.DeepClone(),
                    ["Properties"] = Limited(queue["properties"]!),
                }),
                ["Topics"] = Each(messaging["serviceBus"]!["topics"]!, topic => new()
                {
                    ["Name"] = topic["name"]!.DeepClone(),
                    ["Properties"] = Limited(topic["properties"]!),
                    ["Subscriptions"] = Each(topic["subscriptions"]!, subscription => new()
                    {
                        ["Name"] = subscription["name"]!.DeepClone(),
                        ["Properties"] = Limited(subscription["properties"]!),
                        ["Rules"] = Each(subscription["rules"]!, Rule),
                    }),
                }),
            }),
            ["Logging"] = new JsonObject { ["Type"] = "Console" },
        },
    });

    public static string EventHubs(JsonNode messaging) => Text(new()
    {
        ["UserConfig"] = new JsonObject
        {
            ["NamespaceConfig"] = new JsonArray(new JsonObject
            {
                ["Type"] = "EventHub",
                ["Name"] = "emulatorNs1",
                ["Entities"] = Each(messaging["eventHubs"]!["hubs"]!, hub => new()
                {
                    ["Name"] = hub["name"]!.DeepClone(),
                    ["PartitionCount"] = hub["properties"]!["partitionCount"]!.DeepClone(),
                    ["ConsumerGroups"] = new JsonArray([.. hub["consumerGroups"]!.AsArray()
                        .Select(group => new JsonObject { ["Name"] = group!.DeepClone() })]),
                }),
            }),
            ["LoggingConfig"] = new JsonObject { ["Type"] = "Console" },
        },
    });

    /// <summary>The emulator wants a letter first, and makes no rule of its own to be replaced.</summary>
    static JsonObject Rule(JsonNode rule)
    {
        var properties = rule["properties"]!;
        return new()
        {
            ["Name"] = Topology.Text(rule["name"]) is "$Default" ? "default" : rule["name"]!.DeepClone(),
            ["Properties"] = properties["sqlFilter"] is { } sql
                ? new JsonObject
                {
                    ["FilterType"] = "Sql",
                    ["SqlFilter"] = new JsonObject { ["SqlExpression"] = sql["sqlExpression"]!.DeepClone() },
                }
                : new JsonObject
                {
                    ["FilterType"] = "Correlation",
                    ["CorrelationFilter"] = new JsonObject(properties["correlationFilter"]!.AsObject()
                        .Select(p => KeyValuePair.Create(Pascal(p.Key), p.Value?.DeepClone()))),
                },
        };
    }

    static JsonObject Limited(JsonNode properties) => new(properties.AsObject()
        .Where(p => p.Key is not ("supportOrdering" or "deadLetteringOnFilterEvaluationExceptions"))
        .Select(p => KeyValuePair.Create<string, JsonNode?>(Pascal(p.Key), p.Key switch
        {
            "defaultMessageTimeToLive" => AtMost(p.Value, TimeToLiveMax),
            "duplicateDetectionHistoryTimeWindow" => AtMost(p.Value, DuplicateWindowMax),
            "lockDuration" => AtMost(p.Value, LockMax),
            "maxDeliveryCount" => Math.Min(p.Value!.GetValue<int>(), DeliveriesMax),
            _ => p.Value?.DeepClone(),
        })));

    static JsonValue AtMost(JsonNode? duration, TimeSpan limit)
    {
        var wanted = XmlConvert.ToTimeSpan(Topology.Text(duration));
        return JsonValue.Create(XmlConvert.ToString(wanted < limit ? wanted : limit));
    }

    static JsonArray Each(JsonNode list, Func<JsonNode, JsonObject> make) =>
        new([.. list.AsArray().Select(item => make(item!))]);

    static string Pascal(string name) => char.ToUpperInvariant(name[0]) + name[1..];

    static string Text(JsonObject config) => config.ToJsonString(Readable) + "\n";
}
