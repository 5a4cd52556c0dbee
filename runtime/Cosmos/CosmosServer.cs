using Runtime.Cosmos.Http;
using Runtime.Cosmos.Storage;

namespace Runtime.Cosmos;

/// <summary>A Cosmos DB for NoSQL account on this machine, for the unmodified SDK in gateway mode.</summary>
/// <remarks>
/// Clients need <c>ConnectionMode.Gateway</c>. <c>LimitToEndpoint = true</c> spares them a look for other regions.
/// </remarks>
public sealed class CosmosServer : IAsyncDisposable
{
    readonly Store store;
    readonly Pipeline pipeline;
    readonly List<Listener> listeners = [];

    CosmosServer(CosmosServerOptions options)
    {
        Key = options.Key;
        var authorization = new Authorization(options.Key);
        Faults = new CosmosFaults(options.FaultSeed);
        var journal = options.File is null ? null : Journal.Open(options.File, options.PowerSafe);
        store = new Store(options.Clock, journal);
        pipeline = new Pipeline(store, authorization, Ledger, Faults, options.Clock);
    }

    /// <summary>The account key to give to clients.</summary>
    public string Key { get; }

    /// <summary>Every request answered so far, and its charge.</summary>
    public CosmosLedger Ledger { get; } = new();

    /// <summary>What shall go wrong; nothing, until something is added.</summary>
    public CosmosFaults Faults { get; }

    /// <summary>Opens the server on its file, as it was left, or on empty memory.</summary>
    public static CosmosServer Open(CosmosServerOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return new CosmosServer(options);
    }

    /// <summary>
    /// A handler for clients in this process: <c>HttpClientFactory = () => new HttpClient(handler)</c>.
    /// </summary>
    public HttpMessageHandler CreateHandler() => new InProcessHandler(pipeline);

    /// <summary>
    /// Opens a port, on the loopback interface only, and answers the address; port 0 takes a free one.
    /// </summary>
    public async Task<Uri> ListenAsync(int port = 0, CancellationToken cancellation = default)
    {
        var listener = await Listener.StartAsync(pipeline, port, cancellation);
        listeners.Add(listener);
        return listener.Endpoint;
    }

    /// <summary>Answers what was accepted, then closes the ports and the file.</summary>
    public async ValueTask DisposeAsync()
    {
        foreach (var listener in listeners)
        {
            await listener.DisposeAsync();
        }

        listeners.Clear();
        await store.DisposeAsync();
    }
}
