using System.Text.Json.Nodes;

namespace Infra.Tests;

/// <summary>The emulators offer the topics, subscriptions and hubs that Azure does.</summary>
public sealed class EmulatorTests
{
    /// <summary>Set to <c>1</c> to write the files anew after a change of the topology.</summary>
    const string Rewrite = "REWRITE_EMULATOR_CONFIGS";

    [Theory]
    [InlineData("infra/emulators/servicebus.json")]
    [InlineData("infra/emulators/eventhubs.json")]
    public void An_emulators_configuration_is_made_of_the_topology(string path)
    {
        var expected = path.Contains("servicebus", StringComparison.Ordinal)
            ? EmulatorConfigs.ServiceBus(Topology.Messaging)
            : EmulatorConfigs.EventHubs(Topology.Messaging);
        if (Environment.GetEnvironmentVariable(Rewrite) == "1") File.WriteAllText(Repository.PathOf(path), expected);
        Assert.True(
            Repository.Has(path) && Repository.Read(path).ReplaceLineEndings("\n") == expected,
            $"{path} differs from the topology; run these tests with {Rewrite}=1 to write it anew.");
    }

    [Fact]
    public void What_an_emulator_can_not_do_is_cut_to_what_it_can()
    {
        var config = JsonNode.Parse(EmulatorConfigs.ServiceBus(JsonNode.Parse("""
            { "serviceBus": { "topics": [], "queues": [ { "name": "work", "properties": {
                "defaultMessageTimeToLive": "P14D", "duplicateDetectionHistoryTimeWindow": "PT1M",
                "maxDeliveryCount": 25, "lockDuration": "PT30S", "requiresSession": true } } ] } }
            """)!))!;
        var queue = config["UserConfig"]!["Namespaces"]![0]!["Queues"]![0]!["Properties"]!;
        Assert.Equal("PT1H", Topology.Text(queue["DefaultMessageTimeToLive"]));
        Assert.Equal("PT1M", Topology.Text(queue["DuplicateDetectionHistoryTimeWindow"]));
        Assert.Equal("PT30S", Topology.Text(queue["LockDuration"]));
        Assert.Equal(10, queue["MaxDeliveryCount"]!.GetValue<int>());
        Assert.True(queue["RequiresSession"]!.GetValue<bool>());
    }

    [Theory]
    [InlineData("servicebus.json")]
    [InlineData("eventhubs.json")]
    public void Compose_gives_each_emulator_its_configuration(string config) =>
        Assert.Contains($"./infra/emulators/{config}:", Repository.Read("compose.yaml"), StringComparison.Ordinal);

    [Fact]
    public void The_settings_for_the_emulators_name_the_connections_of_the_deployment()
    {
        var settings = JsonNode.Parse(Repository.Read("infra/emulators/func.settings.json"))!["Values"]!.AsObject();
        var connections = new[] { "AzureWebJobsStorage", "Blobs", "Cosmos", "EventHubs", "ServiceBus", "TASKHUB_NAME" };
        Assert.All(connections, c => Assert.Contains(c, settings.Select(s => s.Key)));
        Assert.All(connections, c => Assert.Contains(
            Deployment.AppSettings.Keys, key => key == c || key.StartsWith($"{c}__", StringComparison.Ordinal)));
    }
}
