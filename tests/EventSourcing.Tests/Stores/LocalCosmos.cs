using System.Diagnostics.CodeAnalysis;
using EventSourcing.Cosmos;
using Microsoft.Azure.Cosmos;
using Runtime.Cosmos;

namespace EventSourcing.Tests.Stores;

/// <summary>The real SDK on our own server, in this process; shared by the tests of a class.</summary>
[SuppressMessage("Design", "CA1001", Justification = "xunit disposes of a fixture through IAsyncLifetime.")]
public sealed class LocalCosmos : IAsyncLifetime
{
    readonly CosmosServer server = CosmosServer.Open(new());
    readonly HttpMessageHandler handler;
    readonly CosmosClient client;

    public LocalCosmos()
    {
        handler = server.CreateHandler();
        client = new("http://localhost", server.Key, new()
        {
            ConnectionMode = ConnectionMode.Gateway,
            LimitToEndpoint = true,
            HttpClientFactory = () => new HttpClient(handler, disposeHandler: false),
        });
        Container = client.GetContainer("orders", "events");
        Keys = client.GetContainer("orders", "keys");
        Store = new CosmosEventStore(Container);
        Archive = new CosmosEventArchive(Container);
    }

    public Container Container { get; }

    public Container Keys { get; }

    public IEventStore Store { get; }

    public IEventArchive Archive { get; }

    public CosmosLedger Ledger => server.Ledger;

    public CosmosFaults Faults => server.Faults;

    public async Task InitializeAsync()
    {
        Database database = await client.CreateDatabaseAsync("orders");
        await database.CreateContainerAsync(CosmosContainers.Events("events"));
        await database.CreateContainerAsync(CosmosContainers.Keys("keys"));
    }

    public async Task DisposeAsync()
    {
        client.Dispose();
        handler.Dispose();
        await server.DisposeAsync();
    }
}
