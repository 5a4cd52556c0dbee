using System.Net;
using Microsoft.Azure.Cosmos;

namespace Runtime.Cosmos.Tests;

public sealed class Patches(MemoryServer running) : IClassFixture<MemoryServer>
{
    static readonly PartitionKey Key = new("p");

    public static readonly TheoryData<string, PatchOperation[], string> Changes = new()
    {
        { "set", [PatchOperation.Set("/n", 2)], """{"id":"1","pk":"p","n":2,"tags":["a","b"],"o":{"x":1}}""" },
        { "set new", [PatchOperation.Set("/o/y", "z")],
            """{"id":"1","pk":"p","n":1,"tags":["a","b"],"o":{"x":1,"y":"z"}}""" },
        { "set element", [PatchOperation.Set("/tags/0", "c")],
            """{"id":"1","pk":"p","n":1,"tags":["c","b"],"o":{"x":1}}""" },
        { "add element", [PatchOperation.Add("/tags/0", "c")],
            """{"id":"1","pk":"p","n":1,"tags":["c","a","b"],"o":{"x":1}}""" },
        { "add last", [PatchOperation.Add("/tags/-", "c")],
            """{"id":"1","pk":"p","n":1,"tags":["a","b","c"],"o":{"x":1}}""" },
        { "add at the end", [PatchOperation.Add("/tags/2", "c")],
            """{"id":"1","pk":"p","n":1,"tags":["a","b","c"],"o":{"x":1}}""" },
        { "replace", [PatchOperation.Replace("/o/x", 5)],
            """{"id":"1","pk":"p","n":1,"tags":["a","b"],"o":{"x":5}}""" },
        { "remove", [PatchOperation.Remove("/o")], """{"id":"1","pk":"p","n":1,"tags":["a","b"]}""" },
        { "remove element", [PatchOperation.Remove("/tags/0")],
            """{"id":"1","pk":"p","n":1,"tags":["b"],"o":{"x":1}}""" },
        { "increment", [PatchOperation.Increment("/n", 41)],
            """{"id":"1","pk":"p","n":42,"tags":["a","b"],"o":{"x":1}}""" },
        { "increment twice", [PatchOperation.Increment("/n", 1), PatchOperation.Increment("/n", -3)],
            """{"id":"1","pk":"p","n":-1,"tags":["a","b"],"o":{"x":1}}""" },
        { "increment by a fraction", [PatchOperation.Increment("/n", 0.1), PatchOperation.Increment("/n", 0.2)],
            """{"id":"1","pk":"p","n":1.3,"tags":["a","b"],"o":{"x":1}}""" },
        { "increment what is not there", [PatchOperation.Increment("/m", 3)],
            """{"id":"1","pk":"p","n":1,"tags":["a","b"],"o":{"x":1},"m":3}""" },
        { "move", [PatchOperation.Move("/o/x", "/y")], """{"id":"1","pk":"p","n":1,"tags":["a","b"],"o":{},"y":1}""" },
    };

    public static readonly TheoryData<string, PatchOperation[]> Mistakes = new()
    {
        { "replace what is not there", [PatchOperation.Replace("/m", 1)] },
        { "remove what is not there", [PatchOperation.Remove("/m")] },
        { "a path through nothing", [PatchOperation.Set("/m/x", 1)] },
        { "an index beyond the end", [PatchOperation.Add("/tags/9", 1)] },
        { "increment a string", [PatchOperation.Increment("/tags/0", 1)] },
        { "move into itself", [PatchOperation.Move("/o", "/o/x")] },
        { "the id", [PatchOperation.Set("/id", "2")] },
        { "the partition key", [PatchOperation.Set("/pk", "q")] },
        { "the etag", [PatchOperation.Set("/_etag", "q")] },
        { "one good and one bad", [PatchOperation.Set("/n", 9), PatchOperation.Remove("/m")] },
        { "eleven operations", [.. Enumerable.Range(0, 11).Select(number => PatchOperation.Set("/n", number))] },
    };

    [Theory]
    [MemberData(nameof(Changes))]
    public async Task Does(string what, PatchOperation[] operations, string expected)
    {
        var container = await StoredAsync();
        var patched = await container.PatchItemAsync<Dictionary<string, object>>("1", Key, operations);
        Assert.Equal(HttpStatusCode.OK, patched.StatusCode);
        var text = Assert.Single(await container.QueryAsync("SELECT * FROM c"));
        Assert.True(text.StartsWith(expected[..^1], StringComparison.Ordinal), $"{what}: {text}");
    }

    [Theory]
    [MemberData(nameof(Mistakes))]
    public async Task Refuses(string what, PatchOperation[] operations)
    {
        var container = await StoredAsync();
        var before = await container.QueryAsync("SELECT * FROM c");
        await Rows.RefusedAsync(HttpStatusCode.BadRequest, () =>
            container.PatchItemAsync<Dictionary<string, object>>("1", Key, operations));
        Assert.True(before.SequenceEqual(await container.QueryAsync("SELECT * FROM c")), what);
    }

    [Fact]
    public async Task A_patch_whose_condition_does_not_hold_changes_nothing()
    {
        var container = await StoredAsync();
        var options = new PatchItemRequestOptions { FilterPredicate = "FROM c WHERE c.n > 1" };
        var refused = await Rows.RefusedAsync(HttpStatusCode.PreconditionFailed, () =>
            container.PatchItemAsync<Line>("1", Key, [PatchOperation.Set("/n", 9)], options));
        Assert.Equal(1110, refused.SubStatusCode);
        options.FilterPredicate = "FROM c WHERE c.n = 1 AND ARRAY_CONTAINS(c.tags, 'a')";
        await container.PatchItemAsync<Line>("1", Key, [PatchOperation.Set("/n", 9)], options);
        options.FilterPredicate = "FROM c WHERE";
        await Rows.RefusedAsync(HttpStatusCode.BadRequest, () =>
            container.PatchItemAsync<Line>("1", Key, [PatchOperation.Set("/n", 9)], options));
    }

    [Fact]
    public async Task A_patch_leaves_other_numbers_as_they_were_written()
    {
        var container = await running.ContainerAsync();
        await container.StoreAsync("""{"id":"1","pk":"p","big":9007199254740993,"d":1.50}""");
        await container.PatchItemAsync<Line>("1", Key, [PatchOperation.Increment("/big", 1)]);
        var text = Assert.Single(await container.QueryAsync("SELECT * FROM c"));
        Assert.StartsWith("""{"id":"1","pk":"p","big":9007199254740994,"d":1.50""", text, StringComparison.Ordinal);
    }

    async Task<Container> StoredAsync()
    {
        var container = await running.ContainerAsync();
        await container.StoreAsync("""{"id":"1","pk":"p","n":1,"tags":["a","b"],"o":{"x":1}}""");
        return container;
    }
}
