using System.Text.Json;
using Microsoft.Azure.Cosmos;

namespace Runtime.Cosmos.Tests;

/// <summary>A running server and a client of it; each test takes a container of its own.</summary>
public abstract class RunningServer : IAsyncLifetime
{
    int containers;
    Database? database;

    public CosmosServer Server { get; private set; } = null!;

    public CosmosClient Client { get; private set; } = null!;

    public Database Database => database!;

    public async Task InitializeAsync()
    {
        Server = Open();
        Client = await ConnectAsync(Server);
        database = await Client.CreateDatabaseIfNotExistsAsync("shop");
    }

    public virtual async Task DisposeAsync()
    {
        Client.Dispose();
        await Server.DisposeAsync();
    }

    /// <summary>A new container partitioned by <c>/pk</c> unless told otherwise.</summary>
    public async Task<Container> ContainerAsync(Action<ContainerProperties>? declare = null, string key = "/pk")
    {
        var properties = new ContainerProperties($"c{Interlocked.Increment(ref containers)}", key);
        declare?.Invoke(properties);
        return await Database.CreateContainerAsync(properties);
    }

    protected abstract CosmosServer Open();

    protected virtual Task<CosmosClient> ConnectAsync(CosmosServer server) =>
        Task.FromResult(Clients.InProcess(server));
}

public sealed class MemoryServer : RunningServer
{
    protected override CosmosServer Open() => CosmosServer.Open(new());
}

public sealed class FileServer : RunningServer
{
    readonly TemporaryFolder folder = new();

    protected override CosmosServer Open() => CosmosServer.Open(new() { File = folder.File("cosmos.db") });

    public override async Task DisposeAsync()
    {
        await base.DisposeAsync();
        folder.Delete();
    }
}

public sealed class SocketServer : RunningServer
{
    protected override CosmosServer Open() => CosmosServer.Open(new());

    protected override async Task<CosmosClient> ConnectAsync(CosmosServer server) =>
        Clients.OverSocket(await server.ListenAsync(), server.Key);
}

public static class Clients
{
    public static CosmosClient InProcess(CosmosServer server, Action<CosmosClientOptions>? adjust = null)
    {
        var options = Options(adjust);
        options.HttpClientFactory = () => new HttpClient(server.CreateHandler());
        return new CosmosClient("http://cosmos.local/", server.Key, options);
    }

    public static CosmosClient OverSocket(Uri endpoint, string key, Action<CosmosClientOptions>? adjust = null) =>
        new(endpoint.ToString(), key, Options(adjust));

    static CosmosClientOptions Options(Action<CosmosClientOptions>? adjust)
    {
        var options = new CosmosClientOptions
        {
            ConnectionMode = ConnectionMode.Gateway,
            LimitToEndpoint = true,
            UseSystemTextJsonSerializerWithOptions = new JsonSerializerOptions(JsonSerializerDefaults.Web),
        };
        adjust?.Invoke(options);
        return options;
    }
}

public sealed class TemporaryFolder
{
    public string Path { get; } = Directory.CreateTempSubdirectory("cosmos").FullName;

    public string File(string name) => System.IO.Path.Combine(Path, name);

    public void Delete() => Directory.Delete(Path, recursive: true);
}

/// <summary>What most tests store.</summary>
public sealed record Line(string Id, string Pk, int Number = 0, string? Name = null, string[]? Tags = null);
