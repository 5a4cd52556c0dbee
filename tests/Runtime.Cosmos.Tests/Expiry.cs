using System.Net;
using System.Text;
using Microsoft.Azure.Cosmos;

namespace Runtime.Cosmos.Tests;

public sealed class Expiry : IAsyncLifetime
{
    static readonly PartitionKey Key = new("p");
    readonly ManualClock clock = new();
    readonly CosmosServer server;
    readonly CosmosClient client;
    Database database = null!;

    public Expiry()
    {
        server = CosmosServer.Open(new() { Clock = clock });
        client = Clients.InProcess(server);
    }

    public async Task InitializeAsync() => database = await client.CreateDatabaseAsync("shop");

    public async Task DisposeAsync()
    {
        client.Dispose();
        await server.DisposeAsync();
    }

    [Theory]
    [InlineData(null, 5, "1 2 3")]
    [InlineData(-1, 5, "1 3")]
    [InlineData(3, 5, "3")]
    [InlineData(3, 2, "1 2 3")]
    [InlineData(10, 5, "1 3")]
    public async Task Items_live_as_long_as_they_or_their_container_say(int? containerSeconds, int later, string alive)
    {
        Container container = await database.CreateContainerAsync(
            new ContainerProperties($"c{containerSeconds}-{later}", "/pk") { DefaultTimeToLive = containerSeconds });
        await container.StoreAsync("""{"id":"1","pk":"p"}""");
        await container.StoreAsync("""{"id":"2","pk":"p","ttl":4}""");
        await container.StoreAsync("""{"id":"3","pk":"p","ttl":-1}""");
        clock.Advance(TimeSpan.FromSeconds(later));
        var expected = alive.Split(' ').Select(id => $"\"{id}\"");
        Assert.Equal(expected, await container.QueryAsync("SELECT VALUE c.id FROM c"));
        Assert.Equal([$"{expected.Count()}"], await container.QueryAsync("SELECT VALUE COUNT(1) FROM c"));
        using var second = await container.ReadItemStreamAsync("2", Key);
        Assert.Equal(alive.Contains('2') ? HttpStatusCode.OK : HttpStatusCode.NotFound, second.StatusCode);
    }

    [Fact]
    public async Task What_has_expired_neither_conflicts_nor_keeps_its_unique_value_nor_shows_in_the_feed()
    {
        var declared = new ContainerProperties("c", "/pk") { DefaultTimeToLive = 10 };
        declared.UniqueKeyPolicy.UniqueKeys.Add(new UniqueKey { Paths = { "/name" } });
        Container container = await database.CreateContainerAsync(declared);
        await container.StoreAsync("""{"id":"1","pk":"p","name":"a"}""");
        clock.Advance(TimeSpan.FromSeconds(11));
        using var text = new MemoryStream(Encoding.UTF8.GetBytes("""{"id":"2","pk":"p","name":"a"}"""));
        using var created = await container.CreateItemStreamAsync(text, Key);
        Assert.Equal(HttpStatusCode.Created, created.StatusCode);
        using var same = new MemoryStream(Encoding.UTF8.GetBytes("""{"id":"1","pk":"p","name":"b"}"""));
        using var again = await container.CreateItemStreamAsync(same, Key);
        Assert.Equal(HttpStatusCode.Created, again.StatusCode);
        clock.Advance(TimeSpan.FromSeconds(11));
        using var pages = container.GetChangeFeedIterator<Line>(
            ChangeFeedStartFrom.Beginning(), ChangeFeedMode.Incremental);
        Assert.Equal(HttpStatusCode.NotModified, (await pages.ReadNextAsync()).StatusCode);
    }

    [Fact]
    public async Task A_new_lifetime_of_the_container_counts_for_what_it_holds()
    {
        Container container = await database.CreateContainerAsync(new ContainerProperties("d", "/pk"));
        await container.StoreAsync("""{"id":"1","pk":"p"}""");
        await container.ReplaceContainerAsync(new ContainerProperties("d", "/pk") { DefaultTimeToLive = 5 });
        clock.Advance(TimeSpan.FromSeconds(6));
        Assert.Empty(await container.QueryAsync("SELECT * FROM c"));
    }

    [Theory]
    [InlineData("0")]
    [InlineData("-2")]
    [InlineData("1.5")]
    [InlineData("\"5\"")]
    public async Task A_lifetime_that_is_none_is_refused(string lifetime)
    {
        Container container = await database.CreateContainerIfNotExistsAsync(new ContainerProperties("e", "/pk"));
        using var text = new MemoryStream(Encoding.UTF8.GetBytes($$"""{"id":"1","pk":"p","ttl":{{lifetime}}}"""));
        using var answer = await container.CreateItemStreamAsync(text, Key);
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
    }
}
