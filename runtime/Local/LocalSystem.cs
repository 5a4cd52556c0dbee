using System.Security.Cryptography;
using EventSourcing;
using Functions.Messaging;
using Functions.Projections;
using Microsoft.Azure.Cosmos;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Runtime.Cosmos;
using Runtime.DurableTask;
using Runtime.Messaging;
using Runtime.Worker;

namespace Runtime.Local;

/// <summary>What to run and where to keep it.</summary>
public sealed record LocalOptions
{
    /// <summary>The folder of the state; null keeps everything in memory.</summary>
    public string? Folder { get; init; }

    /// <summary>The HTTP port on loopback; 0 takes a free one.</summary>
    public int Port { get; init; }

    /// <summary>The time that timers, retries and event timestamps live in.</summary>
    public TimeProvider Clock { get; init; } = TimeProvider.System;

    /// <summary>The time of message locks, expiry, schedules and waiting for messages; null is that of
    /// <see cref="Clock"/>, unless that leaps: a leap would take the lock of every message that is being handled.
    /// </summary>
    public TimeProvider? MessagingClock { get; init; }

    /// <summary>The application settings; null reads local.settings.json, else the sample.</summary>
    public IReadOnlyDictionary<string, string>? Settings { get; init; }

    /// <summary>How long the change feeds wait between two looks: looking costs nothing here.</summary>
    public TimeSpan FeedPollDelayMax { get; init; } = TimeSpan.FromMilliseconds(100);

    public Action<ILoggingBuilder>? Logging { get; init; }

    /// <summary>
    /// Runs after the application's own composition: tests put their own gateway, carrier or faults here.
    /// </summary>
    public Action<IServiceCollection>? Replace { get; init; }

    /// <summary>
    /// Runs around every function, inside the application's own middleware: faults on purpose come from here.
    /// </summary>
    public Func<FunctionContext, Func<Task>, Task>? Around { get; init; }

    /// <summary>Which faults of the store and the broker strike when, once some are ordered.</summary>
    public int FaultSeed { get; init; }
}

/// <summary>
/// The whole system in one process: the functions exactly as deployed, on our own Functions host, Durable Task engine
/// and Cosmos DB server, with the real Cosmos SDK in between.
/// </summary>
public sealed class LocalSystem : IAsyncDisposable
{
    /// <summary>Setting names of the keys that business endpoints and operations ask for.</summary>
    public const string FunctionKey = "Local:FunctionKey";
    public const string AdminKey = "Local:AdminKey";

    /// <summary>The file of the folder that holds every container.</summary>
    internal const string CosmosFile = "cosmos.db";

    /// <summary>The file of the key that wraps all others.</summary>
    internal const string MasterKeyFile = "master.key";

    readonly CosmosClient client;

    LocalSystem(
        CosmosServer cosmos, CosmosClient client, MessageBroker broker, FunctionsHost host,
        IReadOnlyDictionary<string, string> settings) =>
        (Cosmos, this.client, Broker, Host, Settings) = (cosmos, client, broker, host, settings);

    public CosmosServer Cosmos { get; }

    /// <summary>Service Bus and Event Hubs; its <see cref="MessageBroker.Faults"/> go wrong when told to.</summary>
    public MessageBroker Broker { get; }

    public FunctionsHost Host { get; }

    public IReadOnlyDictionary<string, string> Settings { get; }

    public Uri Address => Host.Address;

    public static async Task<LocalSystem> StartAsync(LocalOptions options, CancellationToken cancellation)
    {
        if (options.Folder is { } folder) Directory.CreateDirectory(folder);
        var settings = options.Settings ?? ReadSettings();
        var cosmos = CosmosServer.Open(
            new() { File = FileIn(options, CosmosFile), Clock = options.Clock, FaultSeed = options.FaultSeed });
        var client = ClientOf(cosmos);
        await Topology.CreateAsync(client, cancellation);
        var broker = OpenBroker(options);
        var (bus, hubs) = (new ServiceBusKind(broker), new EventHubKind(broker));
        var host = await FunctionsHost.StartAsync(
            new()
            {
                Assemblies = [typeof(Functions.Program).Assembly],
                Settings = settings,
                HostJson = Path.Combine(AppContext.BaseDirectory, "host.json"),
                Listen = new($"http://127.0.0.1:{options.Port}"),
                Clock = options.Clock,
                DurableFile = FileIn(options, "durable.db"),
                Configure = builder =>
                {
                    Functions.Program.Configure(builder);
                    if (options.Around is { } around) builder.UseMiddleware(around);
                },
                CosmosClients = _ => client,
                LeaseOwner = "local",
                FeedPollDelayMax = options.FeedPollDelayMax,
                FeedLeaseAcquireMax = TimeSpan.FromSeconds(2),
                Triggers = [bus, hubs],
                Outputs = [bus, hubs],
                Logging = options.Logging,
                Replace = services =>
                {
                    services.AddSingleton(options.Clock);
                    services.AddSingleton(client);
                    services.AddSingleton(broker.CreateServiceBusClient());
                    foreach (var hub in broker.Topology.Hubs)
                    {
                        services.AddKeyedSingleton(hub.Name, broker.CreateEventHubProducer(hub.Name));
                    }

                    services.AddSingleton<IMasterKey>(FileIn(options, MasterKeyFile) is { } file
                        ? AesMasterKey.OfFile(file)
                        : new AesMasterKey(RandomNumberGenerator.GetBytes(IKeyVault.KeyBytes)));
                    if (options.Clock is VirtualClock) WaitInRealTime(services);
                    options.Replace?.Invoke(services);
                },
            },
            cancellation);
        return new(cosmos, client, broker, host, settings);
    }

    /// <summary>A client of this system that carries the key for its level.</summary>
    public HttpClient CreateHttpClient(string keySetting = FunctionKey)
    {
        var http = new HttpClient { BaseAddress = Address };
        http.DefaultRequestHeaders.Add("x-functions-key", Settings[keySetting]);
        return http;
    }

    public async ValueTask DisposeAsync()
    {
        await Host.DisposeAsync();
        await Broker.DisposeAsync();
        client.Dispose();
        await Cosmos.DisposeAsync();
    }

    internal static CosmosClient ClientOf(CosmosServer cosmos)
    {
        var handler = cosmos.CreateHandler();
        return new(
            "http://127.0.0.1",
            cosmos.Key,
            new()
            {
                ConnectionMode = ConnectionMode.Gateway,
                LimitToEndpoint = true,
                HttpClientFactory = () => new(handler, disposeHandler: false),
            });
    }

    // These look again after a pause until the store or the feed is as far as they need. The virtual clock leaps only
    // to what the workflows have due, and only while nobody works: waiting on it, what keeps the world busy would wait
    // for the world to be idle. So their pauses are short real ones.
    static void WaitInRealTime(IServiceCollection services)
    {
        OnRealTime<ViewContainer>();
        OnRealTime<ProjectionRunner>();
        OnRealTime<Verification>();
        OnRealTime<Outbox>();

        void OnRealTime<T>()
            where T : class => services.AddSingleton(p => ActivatorUtilities.CreateInstance<T>(p, TimeProvider.System));
    }

    static MessageBroker OpenBroker(LocalOptions options) => MessageBroker.Open(
        new()
        {
            File = FileIn(options, "messaging.db"),
            Clock = options.MessagingClock ??
                (options.Clock is VirtualClock ? TimeProvider.System : options.Clock),
            Random = new(options.FaultSeed),
        },
        MessagingTopology.Load(Path.Combine(AppContext.BaseDirectory, "topology", "messaging.json")));

    static string? FileIn(LocalOptions options, string name) =>
        options.Folder is { } folder ? Path.Combine(folder, name) : null;

    internal static IReadOnlyDictionary<string, string> ReadSettings()
    {
        var own = Path.Combine(Directory.GetCurrentDirectory(), "local.settings.json");
        return LocalSettings.Read(
            File.Exists(own) ? own : Path.Combine(AppContext.BaseDirectory, "local.settings.sample.json"));
    }
}
