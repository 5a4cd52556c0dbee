using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using System.Xml;
using Microsoft.Azure.Cosmos;
using Newtonsoft.Json;
using Newtonsoft.Json.Linq;
using Runtime.Messaging;

namespace Infra.Tests;

/// <summary>Everything the code names is deployed, and written as the services understand it.</summary>
public sealed class TopologyTests
{
    /// <summary>
    /// Alerts and charts on what the code does not report yet. A name goes from this list when it does.
    /// </summary>
    static readonly string[] MetricsAwaited = [];

    [Fact]
    public void Every_container_the_code_uses_is_deployed()
    {
        Assert.NotEmpty(SourceCode.App.ContainersUsed);
        Assert.DoesNotContain(SourceCode.App.ContainersUsed, u => !Topology.Containers.Contains(u.Name));
        Assert.DoesNotContain(SourceCode.App.DatabasesUsed, u => u.Name != Topology.Database);
    }

    [Fact]
    public void Every_blob_container_the_code_uses_is_deployed_and_no_other() => Assert.Equal(
        SourceCode.App.BlobContainersUsed.Select(u => u.Name).Distinct().Order(StringComparer.Ordinal),
        Topology.BlobContainers.Order(StringComparer.Ordinal));

    /// <summary>A message waits two weeks at most, and its claim must outlive it.</summary>
    [Fact]
    public void A_claim_outlives_every_message()
    {
        var claims = JsonNode.Parse(Repository.Read("infra/topology/blobs.json"))!["containers"]!.AsArray()
            .Single(c => Topology.Text(c!["name"]) == "claims")!;
        var life = TimeSpan.FromDays(claims["deleteAfterDays"]!.GetValue<int>());
        var waits = Regex.Matches(
                Topology.Messaging.ToJsonString(), "\"defaultMessageTimeToLive\":\"([^\"]+)\"")
            .Select(m => XmlConvert.ToTimeSpan(m.Groups[1].Value)).ToList();
        Assert.NotEmpty(waits);
        Assert.All(waits, wait => Assert.True(wait < life, $"{wait} is not less than {life}"));
    }

    [Fact]
    public void Every_topic_queue_and_hub_the_code_uses_is_deployed() => Assert.Empty(EntitiesMissing(SourceCode.App));

    [Fact]
    public void The_rule_sees_containers_named_by_bindings_calls_and_own_arguments()
    {
        var code = new SourceCode([("F.cs", """
            static class Names { public const string Feed = "feed"; }
            record View<T>(string Name, string Container);
            class F(Database database)
            {
                const string Own = "own" + "-rows";
                static readonly View<int> Shown = new("shown", "shown-rows");
                void A([CosmosDBTrigger("db", Names.Feed, LeaseContainerName = "marks")] object changes) { }
                void B() => database.GetContainer(Own);
                Task C(string container) => Task.CompletedTask;
                void D() => C("argument");
            }
            """)]);
        Assert.Equal(
            ["argument", "feed", "marks", "own-rows", "shown-rows"],
            code.ContainersUsed.Select(u => u.Name).Order(StringComparer.Ordinal));
        Assert.Equal(["db"], code.DatabasesUsed.Select(u => u.Name));
    }

    [Fact]
    public void The_rule_sees_entities_that_are_not_deployed()
    {
        var code = new SourceCode([("F.cs", """
            class F(ServiceBusClient bus)
            {
                void A([ServiceBusTrigger("order-events", "nobody")] object m) { }
                void B([ServiceBusTrigger("no-queue")] object m) { }
                [ServiceBusOutput("no-topic")] string C() => "";
                void D([EventHubTrigger("activity", ConsumerGroup = "nobody")] object m) { }
                void E([EventHubTrigger("activity")] object m) { }
                void G() => bus.CreateSender("no-sender");
                void H([ServiceBusTrigger("order-events", "payments")] object m) { }
            }
            """)]);
        Assert.Equal(
            ["activity/nobody", "no-queue", "no-sender", "no-topic", "order-events/nobody"],
            EntitiesMissing(code).Select(u => u.Name).Order(StringComparer.Ordinal));
    }

    /// <summary>The SDK reads a container as the topology writes it, and loses nothing of it.</summary>
    [Fact]
    public void Every_container_is_written_as_the_sdk_understands_it()
    {
        foreach (var container in JObject.Parse(Repository.Read("infra/topology/cosmos.json"))["containers"]!)
        {
            var written = container["resource"]!;
            var read = JObject.Parse(JsonConvert.SerializeObject(written.ToObject<ContainerProperties>()));
            Assert.True(Holds(written, read), $"{written}\nis read as\n{read}");
        }
    }

    /// <summary>It refuses what it does not serve, so nothing here is silently less locally than on Azure.</summary>
    [Fact]
    public void The_local_broker_serves_every_topic_queue_and_hub()
    {
        var served = MessagingTopology.Load(Repository.PathOf("infra/topology/messaging.json"));
        Assert.Equal(Topology.Topics.Keys, served.Topics.Select(t => t.Name));
        Assert.Equal(Topology.Queues.Order(), served.Queues.Select(q => q.Name).Order());
        Assert.Equal(Topology.Hubs.Keys, served.Hubs.Select(h => h.Name));
    }

    /// <summary>A subscription is born with a rule of that name that takes everything; the first replaces it.</summary>
    [Fact]
    public void Every_subscription_replaces_the_rule_it_is_born_with()
    {
        foreach (var subscription in Topology.Messaging["serviceBus"]!["topics"]!.AsArray()
            .SelectMany(topic => topic!["subscriptions"]!.AsArray()))
        {
            var rules = subscription!["rules"]!.AsArray().Select(rule => Topology.Text(rule!["name"])).ToList();
            Assert.Equal("$Default", rules[0]);
            Assert.Equal(rules.Count, rules.Distinct().Count());
        }
    }

    [Fact]
    public void Every_event_a_subscription_waits_for_is_one_that_happens()
    {
        var happens = SourceCode.App.EventTypes;
        Assert.NotEmpty(happens);
        var text = Topology.Messaging["serviceBus"]!.ToJsonString();
        var named = Regex.Matches(text, "\"label\":\"([^\"]+)\"|Label = \\\\u0027([^\\\\]+)\\\\u0027")
            .Select(m => m.Groups[1].Value + m.Groups[2].Value).ToList();
        Assert.NotEmpty(named);
        Assert.Empty(named.Except(happens));
    }

    [Fact]
    public void Every_metric_watched_is_reported()
    {
        var charts = Regex.Matches(Repository.Read("infra/bicep/workbook.json"), "'([a-z]+\\.[a-z.]+)'");
        var watched = Topology.Alerts["alerts"]!.AsArray().Select(alert => Topology.Text(alert!["metric"]))
            .Concat(charts.Select(m => m.Groups[1].Value)).Distinct().ToList();
        var reported = SourceCode.App.Metrics.Select(m => m.Name).ToList();
        Assert.NotEmpty(reported);
        Assert.Empty(watched.Except(reported).Except(MetricsAwaited));
        Assert.Empty(MetricsAwaited.Intersect(reported));
    }

    /// <summary>The host writes a line of this category for each call; Application Insights makes a request of it.
    /// </summary>
    [Fact]
    public void The_requests_that_charts_count_are_written()
    {
        Assert.Contains("AppRequests", Repository.Read("infra/bicep/workbook.json"), StringComparison.Ordinal);
        var levels = JsonNode.Parse(Repository.Read("host.json"))!["logging"]!["logLevel"]!;
        Assert.Equal("Information", Topology.Text(levels["Host.Results"]));
    }

    [Fact]
    public void An_alert_is_on_exactly_when_its_metric_is_reported() => Assert.All(
        Topology.Alerts["alerts"]!.AsArray(),
        alert => Assert.Equal(
            !MetricsAwaited.Contains(Topology.Text(alert!["metric"])), alert["enabled"]!.GetValue<bool>()));

    static readonly IReadOnlyDictionary<string, IReadOnlySet<string>> Queues =
        Topology.Queues.ToDictionary(queue => queue, _ => Topology.Names([]));

    static IEnumerable<Use> EntitiesMissing(SourceCode code)
    {
        foreach (var binding in code.Attributes)
        {
            var name = binding.Argument(0);
            if (name is null or ['%', ..]) continue;
            var (known, part) = binding.Attribute switch
            {
                "ServiceBusTrigger" when binding.Argument(1) is { } subscription => (Topology.Topics, subscription),
                "ServiceBusTrigger" => (Queues, null),
                "ServiceBusOutput" => (Topology.Topics.Concat(Queues).ToDictionary(), null),
                "EventHubTrigger" or "EventHubOutput" => (Topology.Hubs, binding["ConsumerGroup"]),
                _ => (null, null),
            };
            if (known is null || (known.TryGetValue(name, out var parts) && (part is null || parts.Contains(part))))
                continue;
            yield return new(part is null ? name : $"{name}/{part}", binding.Where);
        }

        foreach (var use in code.EntitiesUsed)
        {
            if (!Topology.Topics.ContainsKey(use.Name) && !Topology.Queues.Contains(use.Name)) yield return use;
        }
    }

    /// <summary>Whether everything in the one is in the other; what the SDK fills in does not count.</summary>
    static bool Holds(JToken written, JToken? read) => written switch
    {
        JObject parts => read is JObject && parts.Properties().All(p => Holds(p.Value, read[p.Name])),
        JArray items => read is JArray list && items.Count == list.Count
            && items.Zip(list).All(pair => Holds(pair.First, pair.Second)),
        _ => string.Equals(written.ToString(), read?.ToString(), StringComparison.OrdinalIgnoreCase),
    };
}
