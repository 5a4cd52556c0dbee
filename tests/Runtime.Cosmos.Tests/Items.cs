using System.Net;
using System.Text;
using System.Text.Json;
using Microsoft.Azure.Cosmos;

namespace Runtime.Cosmos.Tests;

public abstract class Items(RunningServer running)
{
    static readonly PartitionKey Key = new("p");

    public sealed class InMemory(MemoryServer running) : Items(running), IClassFixture<MemoryServer>;

    public sealed class OnFile(FileServer running) : Items(running), IClassFixture<FileServer>;

    public sealed class OverSocket(SocketServer running) : Items(running), IClassFixture<SocketServer>;

    [Fact]
    public async Task A_created_item_is_read_back_with_its_etag()
    {
        var container = await running.ContainerAsync();
        var created = await container.CreateItemAsync(new Line("1", "p", 7), Key);
        var read = await container.ReadItemAsync<Line>("1", Key);
        Assert.Equal(HttpStatusCode.Created, created.StatusCode);
        Assert.Equal(7, read.Resource.Number);
        Assert.Equal(created.ETag, read.ETag);
        Assert.StartsWith("\"", read.ETag, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Creating_the_same_id_again_in_its_partition_conflicts_and_elsewhere_does_not()
    {
        var container = await running.ContainerAsync();
        await container.CreateItemAsync(new Line("1", "p"), Key);
        await Refused(HttpStatusCode.Conflict, () => container.CreateItemAsync(new Line("1", "p"), Key));
        await container.CreateItemAsync(new Line("1", "q"), new PartitionKey("q"));
    }

    [Fact]
    public async Task What_does_not_exist_is_not_found_by_any_operation()
    {
        var container = await running.ContainerAsync();
        await Refused(HttpStatusCode.NotFound, () => container.ReadItemAsync<Line>("1", Key));
        await Refused(HttpStatusCode.NotFound, () => container.ReplaceItemAsync(new Line("1", "p"), "1", Key));
        await Refused(HttpStatusCode.NotFound, () => container.DeleteItemAsync<Line>("1", Key));
        await Refused(HttpStatusCode.NotFound, () =>
            container.PatchItemAsync<Line>("1", Key, [PatchOperation.Set("/number", 1)]));
        using var missing = await container.ReadItemStreamAsync("1", Key);
        Assert.Equal(HttpStatusCode.NotFound, missing.StatusCode);
        Assert.True(missing.Headers.RequestCharge > 0);
    }

    [Fact]
    public async Task Upsert_creates_then_replaces()
    {
        var container = await running.ContainerAsync();
        var created = await container.UpsertItemAsync(new Line("1", "p", 1), Key);
        var replaced = await container.UpsertItemAsync(new Line("1", "p", 2), Key);
        Assert.Equal((HttpStatusCode.Created, HttpStatusCode.OK), (created.StatusCode, replaced.StatusCode));
        Assert.NotEqual(created.ETag, replaced.ETag);
        Assert.Equal(2, (await container.ReadItemAsync<Line>("1", Key)).Resource.Number);
    }

    [Fact]
    public async Task A_write_with_an_outdated_etag_changes_nothing()
    {
        var container = await running.ContainerAsync();
        var first = await container.CreateItemAsync(new Line("1", "p", 1), Key);
        await container.ReplaceItemAsync(new Line("1", "p", 2), "1", Key, Match(first.ETag));
        await Refused(HttpStatusCode.PreconditionFailed, () =>
            container.ReplaceItemAsync(new Line("1", "p", 3), "1", Key, Match(first.ETag)));
        await Refused(HttpStatusCode.PreconditionFailed, () =>
            container.UpsertItemAsync(new Line("1", "p", 3), Key, Match(first.ETag)));
        await Refused(HttpStatusCode.PreconditionFailed, () =>
            container.DeleteItemAsync<Line>("1", Key, Match(first.ETag)));
        await Refused(HttpStatusCode.PreconditionFailed, () => container.PatchItemAsync<Line>(
            "1", Key, [PatchOperation.Set("/number", 3)], new() { IfMatchEtag = first.ETag }));
        Assert.Equal(2, (await container.ReadItemAsync<Line>("1", Key)).Resource.Number);
    }

    [Fact]
    public async Task Reading_what_has_not_changed_answers_not_modified()
    {
        var container = await running.ContainerAsync();
        var created = await container.CreateItemAsync(new Line("1", "p"), Key);
        using var unchanged = await container.ReadItemStreamAsync("1", Key, new() { IfNoneMatchEtag = created.ETag });
        Assert.Equal(HttpStatusCode.NotModified, unchanged.StatusCode);
        await container.UpsertItemAsync(new Line("1", "p", 1), Key);
        using var changed = await container.ReadItemStreamAsync("1", Key, new() { IfNoneMatchEtag = created.ETag });
        Assert.Equal(HttpStatusCode.OK, changed.StatusCode);
    }

    [Fact]
    public async Task A_minimal_answer_has_the_etag_and_no_content()
    {
        var container = await running.ContainerAsync();
        var created = await container.CreateItemAsync(
            new Line("1", "p"), Key, new() { EnableContentResponseOnWrite = false });
        Assert.Null(created.Resource);
        Assert.Equal((await container.ReadItemAsync<Line>("1", Key)).ETag, created.ETag);
    }

    [Fact]
    public async Task Numbers_stay_as_the_client_wrote_them()
    {
        const string Sent =
            """{"id":"1","pk":"p","long":9007199254740993,"decimal":0.1234567890123456789,"e":1.50E+2}""";
        var container = await running.ContainerAsync();
        using var created = await container.CreateItemStreamAsync(Bytes(Sent), Key);
        created.EnsureSuccessStatusCode();
        var text = await Text(container, "1");
        Assert.StartsWith(Sent[..^1], text, StringComparison.Ordinal);

        // A client that reads, changes and writes back sends the system properties along; they are not kept twice.
        using var again = await container.ReplaceItemStreamAsync(Bytes(text), "1", Key);
        again.EnsureSuccessStatusCode();
        var twice = await Text(container, "1");
        Assert.StartsWith(Sent[..^1], twice, StringComparison.Ordinal);
        Assert.Equal(text.Split("_etag").Length, twice.Split("_etag").Length);
    }

    [Theory]
    [InlineData("a b")]
    [InlineData("ü:1")]
    [InlineData("x.y..0")]
    [InlineData("a|b")]
    [InlineData("q'd\"")]
    [InlineData("100%")]
    [InlineData("50%25")]
    [InlineData("a+b=c&d")]
    [InlineData("日本")]
    public async Task Odd_ids_are_ids(string id)
    {
        var container = await running.ContainerAsync();
        await container.CreateItemAsync(new Line(id, "p", 1), Key);
        Assert.Equal(1, (await container.ReadItemAsync<Line>(id, Key)).Resource.Number);
        await container.ReplaceItemAsync(new Line(id, "p", 2), id, Key);
        await container.DeleteItemAsync<Line>(id, Key);
        await Refused(HttpStatusCode.NotFound, () => container.ReadItemAsync<Line>(id, Key));
    }

    [Fact]
    public async Task Every_kind_of_partition_key_has_its_own_items()
    {
        var container = await running.ContainerAsync();
        var keys = new (string Json, PartitionKey Key)[]
        {
            ("\"1\"", new("1")), ("1", new(1)), ("1.5", new(1.5)), ("true", new(true)), ("false", new(false)),
            ("null", PartitionKey.Null), ("\"ü\\\"\"", new("ü\"")),
        };
        foreach (var (json, key) in keys)
        {
            using var created = await container.CreateItemStreamAsync(Bytes($$"""{"id":"x","pk":{{json}}}"""), key);
            Assert.Equal(HttpStatusCode.Created, created.StatusCode);
        }

        using var none = await container.CreateItemStreamAsync(Bytes("""{"id":"x"}"""), PartitionKey.None);
        Assert.Equal(HttpStatusCode.Created, none.StatusCode);
        foreach (var (_, key) in keys.Append(("", PartitionKey.None)))
        {
            using var read = await container.ReadItemStreamAsync("x", key);
            Assert.Equal(HttpStatusCode.OK, read.StatusCode);
        }
    }

    [Fact]
    public async Task A_partition_key_that_contradicts_the_document_is_refused()
    {
        var container = await running.ContainerAsync();
        var refused = await Refused(HttpStatusCode.BadRequest, () =>
            container.CreateItemAsync(new Line("1", "p"), new PartitionKey("q")));
        Assert.Equal(1001, refused.SubStatusCode);
    }

    [Fact]
    public async Task Hierarchical_keys_are_found_whole_and_by_prefix()
    {
        Container container = await running.Database.CreateContainerAsync(
            new ContainerProperties("tree", new List<string> { "/tenant", "/user" }));
        foreach (var (tenant, user) in new[] { ("a", "1"), ("a", "2"), ("b", "1") })
        {
            await container.CreateItemAsync(
                new { id = "x", tenant, user }, new PartitionKeyBuilder().Add(tenant).Add(user).Build());
        }

        using var read = await container.ReadItemStreamAsync("x", new PartitionKeyBuilder().Add("a").Add("2").Build());
        Assert.Equal(HttpStatusCode.OK, read.StatusCode);
        var prefix = new PartitionKeyBuilder().Add("a").Build();
        var rows = await Drain(container.GetItemQueryIterator<JsonElement>(
            "SELECT c.user FROM c", requestOptions: new() { PartitionKey = prefix }));
        Assert.Equal(["1", "2"], rows.Select(row => row.GetProperty("user").GetString()).Order());
        await container.DeleteContainerAsync();
    }

    [Fact]
    public async Task Of_32_conditional_replacements_with_one_etag_one_wins()
    {
        var container = await running.ContainerAsync();
        var created = await container.CreateItemAsync(new Line("1", "p"), Key);
        var outcomes = await Task.WhenAll(Enumerable.Range(1, 32).Select(async number =>
        {
            using var text = Bytes($$"""{"id":"1","pk":"p","number":{{number}}}""");
            using var answer = await container.ReplaceItemStreamAsync(text, "1", Key, Match(created.ETag));
            return (number, answer.StatusCode);
        }));
        var winner = Assert.Single(outcomes, outcome => outcome.StatusCode == HttpStatusCode.OK);
        Assert.All(outcomes.Except([winner]), loser =>
            Assert.Equal(HttpStatusCode.PreconditionFailed, loser.StatusCode));
        Assert.Equal(winner.number, (await container.ReadItemAsync<Line>("1", Key)).Resource.Number);
    }

    [Fact]
    public async Task Of_16_items_with_one_unique_value_one_is_stored()
    {
        var container = await running.ContainerAsync(declared => declared.UniqueKeyPolicy.UniqueKeys.Add(
            new UniqueKey { Paths = { "/name" } }));
        var outcomes = await Task.WhenAll(Enumerable.Range(1, 16).Select(async number =>
        {
            using var text = Bytes($$"""{"id":"{{number}}","pk":"p","name":"same"}""");
            using var answer = await container.CreateItemStreamAsync(text, Key);
            return answer.StatusCode;
        }));
        Assert.Single(outcomes, HttpStatusCode.Created);
        Assert.Equal(15, outcomes.Count(status => status == HttpStatusCode.Conflict));
        await container.CreateItemAsync(new Line("1", "q", Name: "same"), new PartitionKey("q"));
    }

    [Fact]
    public async Task A_unique_value_is_free_again_when_its_item_is_changed_or_deleted()
    {
        var container = await running.ContainerAsync(declared => declared.UniqueKeyPolicy.UniqueKeys.Add(
            new UniqueKey { Paths = { "/name", "/number" } }));
        await container.CreateItemAsync(new Line("1", "p", 1, "a"), Key);
        await container.CreateItemAsync(new Line("2", "p", 2, "a"), Key);
        await Refused(HttpStatusCode.Conflict, () => container.ReplaceItemAsync(new Line("2", "p", 1, "a"), "2", Key));
        await container.ReplaceItemAsync(new Line("1", "p", 3, "a"), "1", Key);
        await container.ReplaceItemAsync(new Line("2", "p", 1, "a"), "2", Key);
        await container.DeleteItemAsync<Line>("1", Key);
        await container.CreateItemAsync(new Line("3", "p", 3, "a"), Key);
    }

    static ItemRequestOptions Match(string etag) => new() { IfMatchEtag = etag };

    static MemoryStream Bytes(string text) => new(Encoding.UTF8.GetBytes(text));

    static async Task<string> Text(Container container, string id)
    {
        using var read = await container.ReadItemStreamAsync(id, Key);
        using var reader = new StreamReader(read.Content);
        return await reader.ReadToEndAsync();
    }

    static async Task<List<T>> Drain<T>(FeedIterator<T> pages)
    {
        var rows = new List<T>();
        while (pages.HasMoreResults)
        {
            rows.AddRange(await pages.ReadNextAsync());
        }

        return rows;
    }

    static async Task<CosmosException> Refused(HttpStatusCode status, Func<Task> action)
    {
        var refused = await Assert.ThrowsAsync<CosmosException>(action);
        Assert.Equal(status, refused.StatusCode);
        return refused;
    }
}
