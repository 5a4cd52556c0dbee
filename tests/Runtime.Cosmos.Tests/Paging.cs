using System.Globalization;
using System.Net;
using System.Text.Json;
using Microsoft.Azure.Cosmos;
using Microsoft.Azure.Cosmos.Linq;

namespace Runtime.Cosmos.Tests;

public sealed class Paging(MemoryServer running) : IClassFixture<MemoryServer>
{
    static readonly Uri Address = new("http://cosmos.local/");

    [Theory]
    [InlineData("SELECT VALUE c.id FROM c", false)]
    [InlineData("SELECT VALUE c.id FROM c WHERE c.number >= 0", false)]
    [InlineData("SELECT VALUE c.id FROM c ORDER BY c.number", true)]
    [InlineData("SELECT VALUE c.id FROM c ORDER BY c.number DESC", true)]
    [InlineData("SELECT VALUE c.id FROM c ORDER BY c.name DESC", true)]
    [InlineData("SELECT DISTINCT VALUE c.id FROM c", false)]
    public async Task What_is_there_all_along_is_seen_once_whatever_is_written_between_pages(string query, bool inAll)
    {
        var container = await running.ContainerAsync();
        for (var number = 0; number < 300; number++)
        {
            await container.StoreAsync(Text(number, number % 7, number % 3));
        }

        var random = new Random(5);
        var seen = new List<string>();
        string? token = null;
        var written = 1000;
        do
        {
            // A new client for every page: nothing but the token says where to go on.
            using var pages = container.GetItemQueryIterator<string>(query, token, new()
            {
                PartitionKey = inAll ? null : new PartitionKey("p"),
                MaxItemCount = 17,
            });
            var page = await pages.ReadNextAsync();
            seen.AddRange(page);
            token = page.ContinuationToken;
            for (var i = 0; i < 5; i++)
            {
                await container.StoreAsync(Text(written++, random.Next(7), random.Next(3)));
                var gone = written - random.Next(2, 30);
                using var deleted = await container.DeleteItemStreamAsync($"{gone}", new PartitionKey("p"));
            }
        }
        while (token is not null);
        var lasting = seen.Where(id => int.Parse(id, CultureInfo.InvariantCulture) < 300).ToList();
        Assert.Equal(300, lasting.Count);
        Assert.Equal(300, lasting.Distinct().Count());
        Assert.Equal(seen.Count, seen.Distinct().Count());
    }

    static string Text(int id, int number, int name) =>
        $$"""{"id":"{{id}}","pk":"p","number":{{number}},"name":"n{{name}}"}""";

    [Fact]
    public async Task A_page_may_end_within_the_rows_of_one_item()
    {
        var container = await running.ContainerAsync();
        var tags = string.Join(',', Enumerable.Range(0, 10).Select(tag => $"\"t{tag}\""));
        await container.StoreAsync($$"""{"id":"1","pk":"p","tags":[{{tags}}]}""");
        await container.StoreAsync($$"""{"id":"2","pk":"p","tags":[{{tags}}]}""");
        var rows = await container.QueryAsync("SELECT VALUE CONCAT(c.id, t) FROM c JOIN t IN c.tags", pageItems: 3);
        Assert.Equal(20, rows.Distinct().Count());
        Assert.Equal(20, rows.Count);
        rows = await container.QueryAsync(
            "SELECT VALUE CONCAT(c.id, t) FROM c JOIN t IN c.tags OFFSET 7 LIMIT 5", pageItems: 2);
        Assert.Equal(["\"1t7\"", "\"1t8\"", "\"1t9\"", "\"2t0\"", "\"2t1\""], rows);
    }

    [Fact]
    public async Task The_last_page_says_that_it_is_the_last()
    {
        var container = await running.ContainerAsync();
        for (var number = 0; number < 6; number++)
        {
            await container.StoreAsync($$"""{"id":"{{number}}","pk":"p"}""");
        }

        using var pages = container.GetItemQueryIterator<Line>(
            "SELECT * FROM c", requestOptions: new() { MaxItemCount = 3 });
        Assert.NotNull((await pages.ReadNextAsync()).ContinuationToken);
        Assert.Null((await pages.ReadNextAsync()).ContinuationToken);
        Assert.False(pages.HasMoreResults);
    }

    [Fact]
    public async Task A_client_that_plans_and_merges_itself_can_resume_anywhere()
    {
        // As clients on Windows do: the rewritten query, the resume filter and the server's own token together.
        var container = await running.ContainerAsync();
        for (var number = 0; number < 40; number++)
        {
            await container.StoreAsync($$"""{"id":"{{number}}","pk":"p","n":{{number / 4}}}""");
        }

        using var http = new HttpClient(running.Server.CreateHandler()) { BaseAddress = Address };
        var raw = new RawClient(http, running.Server.Key);
        foreach (var direction in new[] { "ASC", "DESC" })
        {
            var text = "SELECT c._rid, [{\"item\": c.n}] AS orderByItems, c.id AS payload FROM c WHERE (true) " +
                $"ORDER BY c.n {direction}";
            var path = $"/dbs/shop/colls/{container.Id}/docs";
            var whole = Payloads(await raw.QueryAsync(path, new { query = text }));
            Assert.Equal(40, whole.Count);
            for (var at = 0; at < 40; at += 3)
            {
                var filter = new { value = new[] { whole[at].Value }, rid = whole[at].Rid, exclude = false };
                var resumed = Payloads(await raw.QueryAsync(path, new { query = text, resumeFilter = filter }));
                Assert.Equal(whole.Skip(at), resumed);
                var from = new { value = new[] { whole[at].Value }, exclude = true };
                var beyond = Payloads(await raw.QueryAsync(path, new { query = text, resumeFilter = from }));
                Assert.Equal(whole.SkipWhile(row => row.Value != whole[at].Value).SkipWhile(row =>
                    row.Value == whole[at].Value), beyond);
            }
        }
    }

    [Theory]
    [InlineData("x")]
    [InlineData("eyJrIjpbXX0=")]
    [InlineData("eyJrIjpbMV0sIm4iOjEsInIiOjAsInMiOjAsImciOjB9")]
    public async Task A_token_of_another_making_is_refused(string token)
    {
        var container = await running.ContainerAsync();
        using var http = new HttpClient(running.Server.CreateHandler()) { BaseAddress = Address };
        var answer = await new RawClient(http, running.Server.Key).QueryAsync(
            $"/dbs/shop/colls/{container.Id}/docs", new { query = "SELECT * FROM c ORDER BY c.a" },
            ("x-ms-continuation", token));
        Assert.Equal(HttpStatusCode.BadRequest, answer.Status);
    }

    [Fact]
    public async Task Linq_is_understood()
    {
        var container = await running.ContainerAsync();
        foreach (var (id, number) in new[] { ("a", 1), ("b", 2), ("c", 3), ("d", 4) })
        {
            var pk = number % 2 == 0 ? "even" : "odd";
            await container.CreateItemAsync(new Word { id = id, pk = pk, number = number, tags = [id] });
        }

        IOrderedQueryable<Word> Words() => container.GetItemLinqQueryable<Word>();
        string[] chosen = ["a", "d"];
        Assert.Equal(["d", "b"], (await Words().Where(word => word.pk == "even").OrderByDescending(word => word.number)
            .ToFeedIterator().DrainAsync()).Select(word => word.id));
        Assert.Equal(["b", "c"], await Words().Where(word => word.number > 1 && word.number < 4)
            .OrderBy(word => word.number).Select(word => word.id).ToFeedIterator().DrainAsync());
        Assert.Equal(["a", "d"], await Words().Where(word => chosen.Contains(word.id)).Select(word => word.id)
            .ToFeedIterator().DrainAsync());
        Assert.Equal(["c"], await Words().Where(word => word.tags.Contains("c")).Select(word => word.id)
            .ToFeedIterator().DrainAsync());
        Assert.Equal(["b", "c"], await Words().OrderBy(word => word.number).Skip(1).Take(2).Select(word => word.id)
            .ToFeedIterator().DrainAsync());
        Assert.Equal(1, await Words()
            .Where(word => word.id != "b" && word.pk == "even").CountAsync());
        Assert.Equal(10, await Words().Select(word => word.number).SumAsync());
        Assert.Equal(4, await Words().Select(word => word.number).MaxAsync());
        Assert.Equal(2, (await Words().Select(word => word.pk).Distinct().ToFeedIterator().DrainAsync()).Count);
        Assert.Equal(4, (await Words().SelectMany(word => word.tags).ToFeedIterator().DrainAsync()).Count);
    }

    [Fact]
    public async Task Many_items_are_read_at_once()
    {
        var container = await running.ContainerAsync();
        var byId = await running.ContainerAsync(key: "/id");
        for (var number = 0; number < 200; number++)
        {
            await container.StoreAsync($$"""{"id":"{{number}}","pk":"k{{number % 5}}"}""", $"k{number % 5}");
            await byId.StoreAsync($$"""{"id":"{{number}}"}""", $"{number}");
        }

        var wanted = Enumerable.Range(150, 100)
            .Select(number => ($"{number}", new PartitionKey($"k{number % 5}"))).ToList();
        Assert.Equal(50, (await container.ReadManyItemsAsync<Line>(wanted)).Count);
        wanted = Enumerable.Range(150, 100).Select(number => ($"{number}", new PartitionKey($"{number}"))).ToList();
        var many = await byId.ReadManyItemsAsync<Line>(wanted);
        Assert.Equal(50, many.Count);
        Assert.InRange(many.RequestCharge, 2.2, 10);
    }

    static List<(int Value, string Rid, string Id)> Payloads(RawAnswer answer)
    {
        Assert.Equal(HttpStatusCode.OK, answer.Status);
        using var page = JsonDocument.Parse(answer.Body);
        return [.. page.RootElement.GetProperty("Documents").EnumerateArray().Select(row => (
            row.GetProperty("orderByItems")[0].GetProperty("item").GetInt32(),
            row.GetProperty("_rid").GetString()!,
            row.GetProperty("payload").GetString()!))];
    }

    public sealed class Word
    {
        public string id { get; set; } = "";

        public string pk { get; set; } = "";

        public int number { get; set; }

        public string[] tags { get; set; } = [];
    }
}
