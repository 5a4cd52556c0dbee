using System.Net;
using Microsoft.Azure.Cosmos;

namespace Runtime.Cosmos.Tests;

public sealed class Durability : IDisposable
{
    static readonly PartitionKey Key = new("p");
    readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Delete();

    [Fact]
    public async Task What_was_acknowledged_is_there_after_the_process_is_gone()
    {
        var crashed = folder.File("crashed.db");
        var feed = "";
        ItemResponse<Line> written;
        string rid;
        await using (var server = CosmosServer.Open(new() { File = folder.File("cosmos.db") }))
        {
            using var client = Clients.InProcess(server);
            var container = await ContainerAsync(client);
            await Task.WhenAll(Enumerable.Range(0, 200).Select(number =>
                container.CreateItemAsync(new Line($"{number}", "p", number, $"n{number}"), Key)));
            await container.DeleteItemAsync<Line>("7", Key);
            written = await container.UpsertItemAsync(new Line("8", "p", 88, "n8"), Key);
            rid = (await container.ReadContainerAsync()).Resource.SelfLink;
            using var pages = container.GetChangeFeedIterator<Line>(
                ChangeFeedStartFrom.Now(), ChangeFeedMode.Incremental);
            feed = (await pages.ReadNextAsync()).ContinuationToken;

            // What a killed process leaves behind: the file and its log as the system has them at this moment.
            File.Copy(folder.File("cosmos.db"), crashed);
            File.Copy(folder.File("cosmos.db-wal"), crashed + "-wal");
        }

        await using (var server = CosmosServer.Open(new() { File = crashed }))
        {
            using var client = Clients.InProcess(server);
            var container = await ContainerAsync(client);
            Assert.Equal(["199"], await container.QueryAsync("SELECT VALUE COUNT(1) FROM c"));
            var read = await container.ReadItemAsync<Line>("8", Key);
            Assert.Equal((88, written.ETag), (read.Resource.Number, read.ETag));
            Assert.Equal(rid, (await container.ReadContainerAsync()).Resource.SelfLink);
            await Rows.RefusedAsync(HttpStatusCode.Conflict, () =>
                container.CreateItemAsync(new Line("new", "p", 0, "n8"), Key));

            // The feed goes on where it was: no number is given twice and nothing is delivered again.
            await container.CreateItemAsync(new Line("next", "p", 0, "next"), Key);
            using var pages = container.GetChangeFeedIterator<Line>(
                ChangeFeedStartFrom.ContinuationToken(feed), ChangeFeedMode.Incremental);
            Assert.Equal("next", Assert.Single(await pages.ReadNextAsync()).Id);
        }
    }

    [Fact]
    public async Task Databases_containers_and_numbers_survive_and_are_not_given_out_again()
    {
        var file = folder.File("cosmos.db");
        string first;
        await using (var server = CosmosServer.Open(new() { File = file }))
        {
            using var client = Clients.InProcess(server);
            var container = await ContainerAsync(client);
            first = (await container.ReadContainerAsync()).Resource.SelfLink;
            await container.StoreAsync("""{"id":"1","pk":"p","name":"a"}""");
            await container.DeleteContainerAsync();
        }

        await using (var server = CosmosServer.Open(new() { File = file, PowerSafe = true }))
        {
            using var client = Clients.InProcess(server);
            var container = await ContainerAsync(client);
            var second = (await container.ReadContainerAsync()).Resource;
            Assert.NotEqual(first, second.SelfLink);
            Assert.Equal("/name", second.UniqueKeyPolicy.UniqueKeys.Single().Paths.Single());
            Assert.Empty(await container.QueryAsync("SELECT * FROM c"));
        }
    }

    [Fact]
    public async Task A_file_is_used_by_one_server_at_a_time()
    {
        var file = folder.File("cosmos.db");
        await using var server = CosmosServer.Open(new() { File = file });
        Assert.ThrowsAny<Exception>(() => CosmosServer.Open(new() { File = file }));
    }

    [Fact]
    public async Task A_closed_server_refuses_writes()
    {
        var server = CosmosServer.Open(new() { File = folder.File("cosmos.db") });
        using var client = Clients.InProcess(server);
        var container = await ContainerAsync(client);
        await server.DisposeAsync();
        await Rows.RefusedAsync(HttpStatusCode.ServiceUnavailable, () =>
            container.CreateItemAsync(new Line("1", "p"), Key));
    }

    static async Task<Container> ContainerAsync(CosmosClient client)
    {
        Database database = await client.CreateDatabaseIfNotExistsAsync("shop");
        var declared = new ContainerProperties("lines", "/pk");
        declared.UniqueKeyPolicy.UniqueKeys.Add(new UniqueKey { Paths = { "/name" } });
        return await database.CreateContainerIfNotExistsAsync(declared);
    }
}
