using System.Diagnostics;
using Azure;
using Azure.Core;
using Azure.Messaging.EventHubs;
using Azure.Messaging.EventHubs.Consumer;
using Azure.Messaging.EventHubs.Producer;
using Azure.Messaging.ServiceBus;

namespace Runtime.Messaging.Tests;

/// <summary>How the public constructors find a broker.</summary>
public sealed class NetworkTests : IAsyncLifetime
{
    const string Host = "network-tests.local";
    const string ConnectionString =
        $"Endpoint=sb://{Host};SharedAccessKeyName=k;SharedAccessKey=v;UseDevelopmentEmulator=true";

    readonly MessageBroker broker = MessageBroker.Open(new() { Namespace = Host }, BrokerWorld.Topology);

    public Task InitializeAsync() => Task.CompletedTask;

    public Task DisposeAsync() => broker.DisposeAsync().AsTask();

    [Fact]
    public async Task Every_constructor_leads_to_the_broker_of_that_name()
    {
        ServiceBusClient[] clients =
        [
            new(ConnectionString), new(ConnectionString, new ServiceBusClientOptions()), new(Host, new Credential()),
            new(Host, new AzureNamedKeyCredential("k", "v")), new(Host, new AzureSasCredential("s")),
            broker.CreateServiceBusClient(),
        ];
        foreach (var client in clients)
        {
            await client.CreateSender("plain").SendMessageAsync(new("x"));
            await client.DisposeAsync();
        }

        Assert.Equal(clients.Length, (await broker.CountAsync()).Single(c => c.Path == "plain").Active);

        await using EventHubProducerClient producer = new(ConnectionString, "clicks");
        await producer.SendAsync([new EventData("x")], new SendEventOptions { PartitionId = "0" });
        await using EventHubConsumerClient consumer = new("$Default", Host, "clicks", new Credential());
        Assert.Equal(0, (await consumer.GetPartitionPropertiesAsync("0")).LastEnqueuedSequenceNumber);
    }

    [Fact]
    public async Task A_name_nobody_has_is_a_communication_problem()
    {
        await using var client = new ServiceBusClient("elsewhere.servicebus.windows.net", new Credential());
        var error = await Assert.ThrowsAsync<ServiceBusException>(
            () => client.CreateSender("plain").SendMessageAsync(new("x")));
        Assert.Equal((ServiceBusFailureReason.ServiceCommunicationProblem, true), (error.Reason, error.IsTransient));
        await using var producer = new EventHubProducerClient(
            "elsewhere.servicebus.windows.net", "clicks", new Credential());
        Assert.Equal(
            EventHubsException.FailureReason.ServiceCommunicationProblem,
            (await Assert.ThrowsAsync<EventHubsException>(() => producer.SendAsync([new EventData("x")]))).Reason);
    }

    [Fact]
    public void A_name_belongs_to_one_broker() =>
        Assert.Throws<InvalidOperationException>(
            () => MessageBroker.Open(new() { Namespace = Host }, BrokerWorld.Topology));

    [Theory]
    [InlineData("Endpoint=https://x;SharedAccessKeyName=k;SharedAccessKey=v")]
    [InlineData("Endpoint=sb://x;SharedAccessKeyName")]
    public void A_malformed_connection_string_is_refused(string text) =>
        Assert.Throws<FormatException>(() => new ServiceBusClient(text));

    [Theory]
    [InlineData("Endpoint=sb://x")]
    [InlineData("SharedAccessKeyName=k;SharedAccessKey=v")]
    public void An_incomplete_connection_string_is_refused(string text) =>
        Assert.Throws<ArgumentException>(() => new ServiceBusClient(text));

    [Fact]
    public async Task A_message_carries_the_senders_trace()
    {
        using var activity = new Activity("send").Start();
        var message = new ServiceBusMessage("x");
        var client = broker.CreateServiceBusClient();
        await client.CreateSender("once").SendMessageAsync(message);
        Assert.Empty(message.ApplicationProperties);
        Assert.Equal(activity.Id,
            (await client.CreateReceiver("once").ReceiveMessageAsync())!.ApplicationProperties["Diagnostic-Id"]);
    }

    [Fact]
    public void Clients_can_be_mocked()
    {
        Assert.False(new Mocked().IsClosed);
        var message = ServiceBusModelFactory.ServiceBusReceivedMessage(
            BinaryData.FromString("x"), messageId: "m", sequenceNumber: 7, deliveryCount: 2,
            properties: new Dictionary<string, object> { ["DeadLetterReason"] = "r" });
        Assert.Equal(("x", "m", 7L, 2, "r"), (message.Body.ToString(), message.MessageId, message.SequenceNumber,
            message.DeliveryCount, message.DeadLetterReason));
        var store = new List<ServiceBusMessage>();
        using var batch = ServiceBusModelFactory.ServiceBusMessageBatch(
            10, store, tryAddCallback: _ => store.Count == 0);
        Assert.True(batch.TryAddMessage(new("1")));
        Assert.False(batch.TryAddMessage(new("2")));
        Assert.Single(store);
        Assert.Equal(5, EventHubsModelFactory.EventData(BinaryData.FromString("e"), sequenceNumber: 5).SequenceNumber);
    }

    sealed class Mocked : ServiceBusClient;

    sealed class Credential : TokenCredential
    {
        public override AccessToken GetToken(TokenRequestContext requestContext, CancellationToken cancellationToken) =>
            throw new InvalidOperationException("Nobody looks at credentials in process.");

        public override ValueTask<AccessToken> GetTokenAsync(
            TokenRequestContext requestContext, CancellationToken cancellationToken) =>
            throw new InvalidOperationException("Nobody looks at credentials in process.");
    }
}
