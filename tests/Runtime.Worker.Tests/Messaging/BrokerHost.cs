using Azure.Messaging.ServiceBus;
using Microsoft.Azure.Functions.Worker.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Runtime.Messaging;

namespace Runtime.Worker.Tests;

/// <summary>A broker with one entity of each kind, and hosts of a few function classes on it.</summary>
public abstract class BrokerHost : IAsyncLifetime
{
    readonly DirectoryInfo directory = Directory.CreateTempSubdirectory("worker-messaging-");

    internal static readonly MessagingTopology Topology = new()
    {
        Queues =
        [
            new() { Name = "plain", MaxDeliveryCount = 3 },
            new() { Name = "manual" },
            new() { Name = "batch", MaxDeliveryCount = 2 },
            new() { Name = "sessions", RequiresSession = true },
            new() { Name = "session-batch", RequiresSession = true },
        ],
        Topics = [new() { Name = "facts", Subscriptions = [new() { Name = "all", MaxDeliveryCount = 1 }] }],
        Hubs = [new() { Name = "clicks", PartitionCount = 2, ConsumerGroups = ["views", "singles"] }],
    };

    public Probe Probe { get; } = new();

    internal TestLog Log { get; } = new();

    public MessageBroker Broker { get; private set; } = null!;

    public ServiceBusClient Client { get; private set; } = null!;

    public Task InitializeAsync()
    {
        Open();
        return Task.CompletedTask;
    }

    public async Task DisposeAsync()
    {
        await Broker.DisposeAsync();
        directory.Delete(recursive: true);
    }

    /// <summary>As after the end of the process: the next broker knows what the file knows.</summary>
    protected async Task ReopenAsync()
    {
        await Broker.DisposeAsync();
        Open();
    }

    protected Task SendAsync(string target, params string[] bodies) =>
        Client.CreateSender(target).SendMessagesAsync(bodies.Select(body => new ServiceBusMessage(body)
        {
            SessionId = body.Contains(':', StringComparison.Ordinal) ? body.Split(':')[0] : null,
        }));

    protected Task<FunctionsHost> StartAsync<T>(string hostJson = """{ "version": "2.0" }""") =>
        FunctionsHost.StartAsync(Options<T>().WithHostJson(hostJson));

    internal FunctionsHostOptions Options<T>()
    {
        var (bus, hubs) = (new ServiceBusKind(Broker), new EventHubKind(Broker));
        return TestHost.Options(typeof(T)).WithLog(Log) with
        {
            Triggers = [bus, hubs],
            Outputs = [bus, hubs],
            Configure = builder => builder.ConfigureFunctionsWebApplication().Services.AddSingleton(Probe),
        };
    }

    protected async Task<ServiceBusReceivedMessage> DeadLetterAsync(string queue, string? subscription = null)
    {
        var options = new ServiceBusReceiverOptions { SubQueue = SubQueue.DeadLetter };
        await using var dead = subscription is null
            ? Client.CreateReceiver(queue, options)
            : Client.CreateReceiver(queue, subscription, options);
        return await dead.ReceiveMessageAsync(TimeSpan.FromSeconds(20))
            ?? throw new InvalidOperationException($"No dead letter in {queue}.");
    }

    void Open()
    {
        Broker = MessageBroker.Open(
            new() { File = Path.Combine(directory.FullName, "messaging.db"), Random = new(1) }, Topology);
        Client = Broker.CreateServiceBusClient();
    }
}
