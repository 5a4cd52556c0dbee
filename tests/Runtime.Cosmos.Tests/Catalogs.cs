using System.Net;
using Microsoft.Azure.Cosmos;

namespace Runtime.Cosmos.Tests;

/// <summary>Databases and containers.</summary>
public sealed class Catalogs(MemoryServer running) : IClassFixture<MemoryServer>
{
    [Fact]
    public async Task A_database_is_created_found_listed_queried_and_deleted()
    {
        var client = running.Client;
        Assert.Equal(HttpStatusCode.Created, (await client.CreateDatabaseAsync("one")).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await client.CreateDatabaseIfNotExistsAsync("one")).StatusCode);
        await Rows.RefusedAsync(HttpStatusCode.Conflict, () => client.CreateDatabaseAsync("one"));
        var all = await client.GetDatabaseQueryIterator<DatabaseProperties>().DrainAsync();
        Assert.Contains("one", all.Select(database => database.Id));
        var found = await client.GetDatabaseQueryIterator<DatabaseProperties>(
            new QueryDefinition("SELECT * FROM c WHERE c.id = @id").WithParameter("@id", "one")).DrainAsync();
        Assert.Equal("one", Assert.Single(found).Id);
        await client.GetDatabase("one").DeleteAsync();
        await Rows.RefusedAsync(HttpStatusCode.NotFound, () => client.GetDatabase("one").ReadAsync());
    }

    [Fact]
    public async Task A_containers_declaration_is_echoed_with_the_defaults_filled_in()
    {
        var declared = new ContainerProperties("declared", "/tenant") { DefaultTimeToLive = 60 };
        declared.UniqueKeyPolicy.UniqueKeys.Add(new UniqueKey { Paths = { "/a", "/b" } });
        await running.Database.CreateContainerAsync(declared);
        ContainerProperties read = await running.Database.GetContainer("declared").ReadContainerAsync();
        Assert.Equal(("/tenant", 60), (read.PartitionKeyPath, read.DefaultTimeToLive));
        Assert.Equal(PartitionKeyDefinitionVersion.V2, read.PartitionKeyDefinitionVersion);
        Assert.Equal(["/a", "/b"], read.UniqueKeyPolicy.UniqueKeys.Single().Paths);
        Assert.Equal("/*", read.IndexingPolicy.IncludedPaths.Single().Path);
        Assert.Equal("/\"_etag\"/?", read.IndexingPolicy.ExcludedPaths.Single().Path);
        var all = await running.Database.GetContainerQueryIterator<ContainerProperties>().DrainAsync();
        Assert.Contains("declared", all.Select(container => container.Id));
        Assert.Null(await running.Database.GetContainer("declared").ReadThroughputAsync());
    }

    [Fact]
    public async Task What_items_depend_on_cannot_be_redeclared_and_the_rest_can()
    {
        await running.Database.CreateContainerAsync("redeclared", "/pk");
        var container = running.Database.GetContainer("redeclared");
        await Rows.RefusedAsync(HttpStatusCode.BadRequest, () =>
            container.ReplaceContainerAsync(new ContainerProperties("redeclared", "/other")));
        var unique = new ContainerProperties("redeclared", "/pk");
        unique.UniqueKeyPolicy.UniqueKeys.Add(new UniqueKey { Paths = { "/a" } });
        await Rows.RefusedAsync(HttpStatusCode.BadRequest, () => container.ReplaceContainerAsync(unique));
        var replaced = new ContainerProperties("redeclared", "/pk") { DefaultTimeToLive = 9 };
        replaced.IndexingPolicy.ExcludedPaths.Add(new() { Path = "/big/*" });
        await container.ReplaceContainerAsync(replaced);
        ContainerProperties read = await container.ReadContainerAsync();
        Assert.Equal(9, read.DefaultTimeToLive);
        Assert.Contains("/big/*", read.IndexingPolicy.ExcludedPaths.Select(path => path.Path));
    }

    [Fact]
    public async Task A_container_made_anew_under_its_name_is_another_one()
    {
        Container container = await running.Database.CreateContainerAsync("again", "/pk");
        await container.StoreAsync("""{"id":"1","pk":"p"}""");
        Assert.Single(await container.QueryAsync("SELECT * FROM c"));
        var first = (await container.ReadContainerAsync()).Resource.SelfLink;
        await container.DeleteContainerAsync();
        await Rows.RefusedAsync(HttpStatusCode.NotFound, () => container.ReadContainerAsync());
        container = await running.Database.CreateContainerAsync("again", "/pk");
        Assert.Empty(await container.QueryAsync("SELECT * FROM c"));
        await container.StoreAsync("""{"id":"1","pk":"p"}""");
        Assert.NotEqual(first, (await container.ReadContainerAsync()).Resource.SelfLink);
        using var pages = container.GetChangeFeedIterator<Line>(
            ChangeFeedStartFrom.Beginning(), ChangeFeedMode.Incremental);
        Assert.Single(await pages.ReadNextAsync());
    }

    [Fact]
    public async Task What_is_missing_is_said_to_be_missing()
    {
        await Rows.RefusedAsync(HttpStatusCode.NotFound, () =>
            running.Database.GetContainer("none").ReadContainerAsync());
        await Rows.RefusedAsync(HttpStatusCode.NotFound, () =>
            running.Client.GetDatabase("none").CreateContainerAsync("c", "/pk"));
        var refused = await Rows.RefusedAsync(HttpStatusCode.NotFound, () =>
            running.Database.GetContainer("none").ReadItemAsync<Line>("1", new PartitionKey("p")));
        Assert.Equal(1003, refused.SubStatusCode);
    }
}
