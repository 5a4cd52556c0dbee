using Azure.Messaging.ServiceBus;

namespace Runtime.Messaging.Tests;

/// <summary>A broker on manual time, in memory or in a file of its own, with one entity of every kind.</summary>
public abstract class BrokerWorld : IAsyncLifetime
{
    public static readonly TimeSpan NoWait = TimeSpan.FromTicks(1);

    readonly DirectoryInfo? directory;

    protected BrokerWorld(bool durable) =>
        directory = durable ? Directory.CreateTempSubdirectory("messaging-tests-") : null;

    public static MessagingTopology Topology { get; } = new()
    {
        Queues =
        [
            new() { Name = "plain", MaxDeliveryCount = 3, LockDuration = TimeSpan.FromSeconds(30) },
            new() { Name = "sessions", RequiresSession = true, MaxDeliveryCount = 3 },
            new() { Name = "once", DuplicateDetectionWindow = TimeSpan.FromMinutes(10) },
            new()
            {
                Name = "short-lived", DefaultMessageTimeToLive = TimeSpan.FromMinutes(5),
                DeadLetteringOnMessageExpiration = true,
            },
            new() { Name = "vanishing", DefaultMessageTimeToLive = TimeSpan.FromMinutes(5) },
            new() { Name = "tiny", SizeBytesMax = 1_000 },
        ],
        Topics =
        [
            new()
            {
                Name = "facts",
                DuplicateDetectionWindow = TimeSpan.FromMinutes(10),
                Subscriptions =
                [
                    new() { Name = "all" },
                    new()
                    {
                        Name = "placed",
                        Rules = [new() { Name = "$Default", Correlation = new() { Label = "order-placed" } }],
                    },
                    new()
                    {
                        Name = "large",
                        Rules = [new() { Name = "$Default", SqlFilter = "Quantity > 10" }],
                    },
                    new()
                    {
                        Name = "lenient", DeadLetteringOnFilterEvaluationExceptions = false,
                        Rules = [new() { Name = "$Default", SqlFilter = "Quantity > 10" }],
                    },
                    new() { Name = "ordered", RequiresSession = true },
                    new()
                    {
                        Name = "marked",
                        Rules =
                        [
                            new() { Name = "$Default", SqlFilter = "1 = 0" },
                            new()
                            {
                                Name = "mark", SqlFilter = "sys.Label LIKE 'order-%'",
                                SqlAction = "SET user.Marked = TRUE; SET sys.Label = 'marked'; REMOVE Quantity",
                            },
                        ],
                    },
                ],
            },
        ],
        Hubs =
        [
            new() { Name = "clicks", PartitionCount = 4, Retention = TimeSpan.FromHours(2),
                ConsumerGroups = ["views"] },
        ],
    };

    public ManualClock Clock { get; } = new();

    public MessageBroker Broker { get; private set; } = null!;

    public ServiceBusClient Client { get; private set; } = null!;

    public string? File => directory is null ? null : Path.Combine(directory.FullName, "messaging.db");

    protected bool IsDurable => directory is not null;

    protected virtual MessageBrokerOptions Options => new() { Clock = Clock, File = File, Random = new Random(1) };

    public virtual Task InitializeAsync()
    {
        Open(Topology);
        return Task.CompletedTask;
    }

    public async Task DisposeAsync()
    {
        await Broker.DisposeAsync();
        directory?.Delete(recursive: true);
    }

    /// <summary>Another life of the broker over the same file.</summary>
    public async Task ReopenAsync(MessagingTopology? topology = null)
    {
        await Broker.DisposeAsync();
        Open(topology ?? Topology);
    }

    public ServiceBusReceiver DeadLetters(string queue) =>
        Client.CreateReceiver(queue, new ServiceBusReceiverOptions { SubQueue = SubQueue.DeadLetter });

    /// <summary>What a receiver can have at once.</summary>
    public async Task<IReadOnlyList<ServiceBusReceivedMessage>> TakeAsync(ServiceBusReceiver receiver, int count = 100)
    {
        // By the time the call returns it has taken what there is, or it waits; then any time at all ends its wait.
        var taking = receiver.ReceiveMessagesAsync(count, NoWait);
        Clock.Advance(NoWait);
        return await taking;
    }

    public static string[] Bodies(IEnumerable<ServiceBusReceivedMessage> messages) =>
        [.. messages.Select(message => message.Body.ToString())];

    void Open(MessagingTopology topology)
    {
        Broker = MessageBroker.Open(Options, topology);
        Client = Broker.CreateServiceBusClient();
    }
}
