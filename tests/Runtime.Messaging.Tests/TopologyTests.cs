namespace Runtime.Messaging.Tests;

public sealed class TopologyTests
{
    const string Json = """
        {
          "$schema": "schemas/messaging.json",
          "serviceBus": {
            "queues": [
              { "name": "work",
                  "properties": { "requiresSession": true, "lockDuration": "PT30S", "maxSizeInMegabytes": 2048 } }
            ],
            "topics": [
              {
                "name": "facts",
                "properties": {
                  "requiresDuplicateDetection": true, "duplicateDetectionHistoryTimeWindow": "PT20M",
                  "defaultMessageTimeToLive": "P14D", "supportOrdering": true
                },
                "subscriptions": [
                  {
                    "name": "inventory",
                    "properties": {
                      "requiresSession": true, "lockDuration": "PT1M", "maxDeliveryCount": 5,
                      "deadLetteringOnMessageExpiration": true, "deadLetteringOnFilterEvaluationExceptions": false
                    },
                    "rules": [
                      { "name": "$Default",
                          "properties": { "filterType": "CorrelationFilter",
                              "correlationFilter": { "label": "order-placed",
                                  "properties": { "region": "eu", "size": 3 } } } },
                      { "name": "sql", "properties": { "filterType": "SqlFilter",
                          "sqlFilter": { "sqlExpression": "1 = 1" }, "action": { "sqlExpression": "SET a = 1" } } }
                    ]
                  }
                ]
              }
            ]
          },
          "eventHubs": {
            "hubs": [
              {
                "name": "clicks",
                "properties": { "partitionCount": 8,
                    "retentionDescription": { "cleanupPolicy": "Delete", "retentionTimeInHours": 72 } },
                "consumerGroups": ["search"]
              }
            ]
          }
        }
        """;

    [Fact]
    public void A_topology_is_read_from_the_words_of_ARM()
    {
        var topology = MessagingTopology.Parse(Json);

        var queue = Assert.Single(topology.Queues);
        Assert.Equal(
            ("work", true, TimeSpan.FromSeconds(30), 10, TimeSpan.MaxValue, null, 2048L * 1024 * 1024),
            (queue.Name, queue.RequiresSession, queue.LockDuration, queue.MaxDeliveryCount,
                queue.DefaultMessageTimeToLive,
                queue.DuplicateDetectionWindow, queue.SizeBytesMax));
        var topic = Assert.Single(topology.Topics);
        Assert.Equal((TimeSpan.FromMinutes(20), TimeSpan.FromDays(14)),
            (topic.DuplicateDetectionWindow, topic.DefaultMessageTimeToLive));
        var subscription = Assert.Single(topic.Subscriptions);
        Assert.Equal((5, true, false), (subscription.MaxDeliveryCount, subscription.DeadLetteringOnMessageExpiration,
            subscription.DeadLetteringOnFilterEvaluationExceptions));
        Assert.Equal("order-placed", subscription.Rules[0].Correlation!.Label);
        Assert.Equal(("eu", 3L), (subscription.Rules[0].Correlation!.Properties["region"],
            subscription.Rules[0].Correlation!.Properties["size"]));
        Assert.Equal(("1 = 1", "SET a = 1"), (subscription.Rules[1].SqlFilter, subscription.Rules[1].SqlAction));
        var hub = Assert.Single(topology.Hubs);
        Assert.Equal(("clicks", 8, TimeSpan.FromHours(72)), (hub.Name, hub.PartitionCount, hub.Retention));
        Assert.Equal(["search"], hub.ConsumerGroups);
    }

    [Theory]
    [InlineData("\"requiresSession\": true, \"lockDuration\": \"PT30S\"", "\"forwardTo\": \"other\"", "forwardTo")]
    [InlineData("\"PT30S\"", "\"half a minute\"", "'half a minute' is not an ISO 8601 duration")]
    [InlineData("\"PT30S\"", "\"PT6M\"", "Queue 'work' needs a lock duration of at most 5 minutes")]
    [InlineData("\"PT20M\"", "\"PT1S\"", "Topic 'facts' remembers message ids between 20 seconds and 7 days")]
    [InlineData("\"maxDeliveryCount\": 5", "\"maxDeliveryCount\": 0",
        "Topic 'facts', subscription 'inventory' delivers 1 to 2000 times")]
    [InlineData("1 = 1", "1 =",
        "Topic 'facts', subscription 'inventory', rule 'sql': Expected a value or a property but found the end")]
    [InlineData("SET a", "SET sys.x", "rule 'sql': There is no system property 'x'")]
    [InlineData("\"filterType\": \"SqlFilter\"", "\"filterType\": \"XPath\"",
        "the filter type 'XPath' is not supported")]
    [InlineData("\"filterType\": \"SqlFilter\"", "\"filterType\": \"CorrelationFilter\"",
        "filterType must name the one filter")]
    [InlineData("\"Delete\"", "\"Compact\"", "the cleanup policy 'Compact' is not supported")]
    [InlineData("\"partitionCount\": 8", "\"partitionCount\": 33", "Event hub 'clicks' has 1 to 32 partitions")]
    [InlineData("\"name\": \"sql\"", "\"name\": \"$default\"", "'$Default' is declared twice")]
    [InlineData("\"name\": \"work\"", "\"name\": \"facts\"", "'facts' is declared twice")]
    [InlineData("\"name\": \"work\"", "\"name\": \"-work\"", "Queue '-work' needs a name")]
    [InlineData("\"name\": \"work\",", "", "name")]
    [InlineData("{ \"region\": \"eu\", \"size\": 3 }", "{ \"region\": [1] }", "compares 'region' with a Array")]
    [InlineData("{", "[", "The messaging topology cannot be read")]
    public void What_cannot_be_served_is_refused_by_name(string part, string replacement, string problem)
    {
        Assert.Contains(part, Json, StringComparison.Ordinal);
        var at = Json.IndexOf(part, StringComparison.Ordinal);
        var error = Assert.Throws<TopologyException>(
            () => MessagingTopology.Parse(Json[..at] + replacement + Json[(at + part.Length)..]));
        Assert.Contains(problem, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_topology_made_in_code_is_held_to_the_same_rules() => Assert.Contains(
        "Queue 'q' delivers 1 to 2000 times",
        Assert.Throws<TopologyException>(() => MessageBroker.Open(
            new(), new() { Queues = [new() { Name = "q", MaxDeliveryCount = -1 }] })).Message,
        StringComparison.Ordinal);
}
