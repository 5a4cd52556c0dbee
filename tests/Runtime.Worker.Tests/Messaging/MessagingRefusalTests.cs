using Azure.Messaging.EventHubs;
using Azure.Messaging.ServiceBus;
using Microsoft.Azure.Functions.Worker;

namespace Runtime.Worker.Tests;

public sealed class WrongMessageFunctions
{
    [Function("Unknown")]
    public static void Unknown([ServiceBusTrigger("nowhere")] string body) => _ = body;

    [Function("NoSubscription")]
    public static void NoSubscription([ServiceBusTrigger("facts", "nobody")] string body) => _ = body;

    [Function("Sessionless")]
    public static void Sessionless([ServiceBusTrigger("sessions")] string body) => _ = body;

    [Function("Sessions")]
    public static void Sessions([ServiceBusTrigger("plain", IsSessionsEnabled = true)] string body) => _ = body;

    [Function("NoArray")]
    public static void NoArray([ServiceBusTrigger("plain", IsBatched = true)] List<string> bodies) => _ = bodies;

    [Function("Array")]
    public static void Array([ServiceBusTrigger("plain")] ServiceBusReceivedMessage[] messages) => _ = messages;

    [Function("Outgoing")]
    [ServiceBusOutput("plain")]
    public static ServiceBusMessage Outgoing([ServiceBusTrigger("plain")] string body) => new(body);

    [Function("Retry")]
    [FixedDelayRetry(1, "00:00:01")]
    public static void Retry([ServiceBusTrigger("plain")] string body) => _ = body;

    [Function("NoHub")]
    public static void NoHub([EventHubTrigger("nowhere")] EventData[] events) => _ = events;

    [Function("NoGroup")]
    public static void NoGroup([EventHubTrigger("clicks", ConsumerGroup = "nobody")] EventData[] events) => _ = events;

    [Function("First")]
    public static void First([EventHubTrigger("clicks")] EventData[] events) => _ = events;

    [Function("Second")]
    public static void Second([EventHubTrigger("clicks")] EventData[] events) => _ = events;
}

public sealed class MessagingRefusalTests : BrokerHost
{
    [Theory]
    [InlineData("Unknown", "there is no queue or subscription 'nowhere' in the topology")]
    [InlineData("NoSubscription", "there is no queue or subscription 'facts/Subscriptions/nobody'")]
    [InlineData("Sessionless", "'sessions' has sessions; set IsSessionsEnabled")]
    [InlineData("Sessions", "'plain' has no sessions")]
    [InlineData("NoArray", "a batched trigger hands over an array")]
    [InlineData("Array", "arrays need IsBatched = true")]
    [InlineData("Outgoing", "not ServiceBusMessage; send that with a client")]
    [InlineData("Retry", "[FixedDelayRetryAttribute] has no effect on this kind of trigger")]
    [InlineData("NoHub", "there is no event hub 'nowhere'")]
    [InlineData("NoGroup", "event hub 'clicks' has no consumer group 'nobody'")]
    [InlineData("Second", "function 'First' reads event hub 'clicks' in the consumer group '$Default' already")]
    public async Task A_function_that_could_not_work_is_refused(string function, string reason)
    {
        var message = await TestHost.RefusalAsync(Options<WrongMessageFunctions>());

        Assert.Contains(message.Split('\n'), line =>
            line.Contains($"Function '{function}'", StringComparison.Ordinal) &&
            line.Contains(reason, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("\"serviceBus\": { \"maxConcurrentCall\": 1 }", "maxConcurrentCall")]
    [InlineData("\"serviceBus\": { \"maxConcurrentCalls\": 0 }", "serviceBus.maxConcurrentCalls is 0")]
    [InlineData("\"serviceBus\": { \"minMessageBatchSize\": 5 }", "serviceBus.minMessageBatchSize is offered")]
    [InlineData("\"serviceBus\": { \"sessionIdleTimeout\": \"soon\" }", "serviceBus cannot be used")]
    [InlineData("\"eventHubs\": { \"batchCheckpointFrequency\": 0 }", "eventHubs.batchCheckpointFrequency is 0")]
    [InlineData("\"eventHubs\": { \"initialOffsetOptions\": { \"type\": \"fromTheMiddle\" } }", "'fromTheMiddle'")]
    public async Task A_setting_that_would_not_be_acted_on_is_refused(string section, string reason)
    {
        var message = await TestHost.RefusalAsync(Options<FactFunctions>().WithHostJson(
            $$"""{ "version": "2.0", "extensions": { {{section}} } }"""));

        Assert.Contains(reason, message, StringComparison.Ordinal);
    }
}
