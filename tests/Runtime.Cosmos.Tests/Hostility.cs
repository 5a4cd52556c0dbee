using System.Net;
using System.Text;
using Microsoft.Azure.Cosmos;

namespace Runtime.Cosmos.Tests;

/// <summary>Requests no honest client sends: each is answered, none is answered with a bug.</summary>
public abstract class Hostility(RunningServer running) : IAsyncLifetime
{
    const string Docs = "/dbs/shop/colls/hostile/docs";
    static readonly (string, string) Key = ("x-ms-documentdb-partitionkey", "[\"p\"]");
    RawClient raw = null!;

    public sealed class InProcess(MemoryServer running) : Hostility(running), IClassFixture<MemoryServer>
    {
        protected override Task<HttpClient> OpenAsync(CosmosServer server) =>
            Task.FromResult(new HttpClient(server.CreateHandler()) { BaseAddress = new Uri("http://cosmos.local/") });
    }

    public sealed class OverSocket(SocketServer running) : Hostility(running), IClassFixture<SocketServer>
    {
        protected override async Task<HttpClient> OpenAsync(CosmosServer server) =>
            new() { BaseAddress = await server.ListenAsync() };
    }

    public async Task InitializeAsync()
    {
        await running.Database.CreateContainerIfNotExistsAsync("hostile", "/pk");
        raw = new RawClient(await OpenAsync(running.Server), running.Server.Key);
        await raw.SendAsync("POST", Docs, """{"id":"there","pk":"p"}""", Key);
    }

    public Task DisposeAsync() => Task.CompletedTask;

    protected abstract Task<HttpClient> OpenAsync(CosmosServer server);

    [Theory]
    [InlineData("")]
    [InlineData("nonsense")]
    [InlineData("[]")]
    [InlineData("{")]
    [InlineData("{}")]
    [InlineData("null")]
    [InlineData("""{"id":5,"pk":"p"}""")]
    [InlineData("""{"id":"","pk":"p"}""")]
    [InlineData("""{"id":"a/b","pk":"p"}""")]
    [InlineData("""{"id":"a\\b","pk":"p"}""")]
    [InlineData("""{"id":"a?b","pk":"p"}""")]
    [InlineData("""{"id":"a","pk":{}}""")]
    [InlineData("""{"id":"a","pk":["p"]}""")]
    [InlineData("""{"id":"a","pk":"p","pk":"q"}""")]
    [InlineData("""{"id":"a","pk":"p"} {"id":"b"}""")]
    [InlineData("""{"id":"a","pk":"p","n":1e}""")]
    [InlineData("\uFEFF{\"id\":\"a\"")]
    public async Task An_item_that_is_none_is_refused(string body)
    {
        Assert.Equal(HttpStatusCode.BadRequest, (await raw.SendAsync("POST", Docs, body, Key)).Status);
        Assert.Equal(HttpStatusCode.BadRequest, (await raw.SendAsync("PUT", Docs + "/there", body, Key)).Status);
    }

    [Fact]
    public async Task What_is_too_large_or_too_deep_is_refused()
    {
        var large = $$"""{"id":"a","pk":"p","x":"{{new string('x', 2 * 1024 * 1024)}}"}""";
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, (await raw.SendAsync("POST", Docs, large, Key)).Status);
        var fits = $$"""{"id":"a","pk":"p","x":"{{new string('x', (2 * 1024 * 1024) - 100)}}"}""";
        Assert.Equal(HttpStatusCode.Created, (await raw.SendAsync("POST", Docs, fits, Key)).Status);
        var deep = $$"""{"id":"d","pk":"p","x":{{new string('[', 200)}}{{new string(']', 200)}}}""";
        Assert.Equal(HttpStatusCode.BadRequest, (await raw.SendAsync("POST", Docs, deep, Key)).Status);
        var longId = $$"""{"id":"{{new string('i', 1024)}}","pk":"p"}""";
        Assert.Equal(HttpStatusCode.BadRequest, (await raw.SendAsync("POST", Docs, longId, Key)).Status);
        var longKey = $$"""{"id":"k","pk":"{{new string('k', 2100)}}"}""";
        Assert.Equal(HttpStatusCode.BadRequest, (await raw.SendAsync("POST", Docs, longKey)).Status);
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge,
            (await raw.SendAsync("POST", Docs, new byte[5 * 1024 * 1024], Key)).Status);
    }

    [Theory]
    [InlineData("GET", "/dbs/shop/colls/hostile/docs/there")]
    [InlineData("DELETE", "/dbs/shop/colls/hostile/docs/there")]
    [InlineData("PATCH", "/dbs/shop/colls/hostile/docs/there")]
    [InlineData("POST", "/dbs/shop/colls/hostile/sprocs")]
    [InlineData("POST", "/dbs/shop/colls/hostile/triggers")]
    [InlineData("GET", "/dbs/shop/users")]
    [InlineData("GET", "/nowhere")]
    [InlineData("POST", "/dbs")]
    [InlineData("POST", "/dbs/shop/colls")]
    [InlineData("PUT", "/dbs/shop/colls/hostile")]
    public async Task A_request_without_what_it_needs_is_refused(string method, string path)
    {
        var answer = await raw.SendAsync(method, path, "{}");
        Assert.True(answer.Status == HttpStatusCode.BadRequest, $"{answer.Status} {answer.Body}");
    }

    [Theory]
    [InlineData("[")]
    [InlineData("\"p\"")]
    [InlineData("[[]]")]
    [InlineData("[{\"a\":1}]")]
    [InlineData("[\"p\",\"q\"]")]
    [InlineData("[]")]
    public async Task A_partition_key_that_is_none_is_refused(string header) => Assert.Equal(
        HttpStatusCode.BadRequest,
        (await raw.SendAsync("GET", Docs + "/there", headers: ("x-ms-documentdb-partitionkey", header))).Status);

    [Theory]
    [InlineData("PUT", "/dbs/shop")]
    [InlineData("PUT", "/")]
    [InlineData("TRACE", "/dbs/shop/colls/hostile/docs")]
    public async Task A_method_that_does_not_fit_is_refused(string method, string path) => Assert.Equal(
        HttpStatusCode.MethodNotAllowed, (await raw.SendAsync(method, path, "{}")).Status);

    [Theory]
    [InlineData("""{"id":"x"}""")]
    [InlineData("""{"id":"x","partitionKey":{"paths":[]}}""")]
    [InlineData("""{"id":"x","partitionKey":{"paths":["pk"]}}""")]
    [InlineData("""{"id":"x","partitionKey":{"paths":["/a","/b","/c","/d"]}}""")]
    [InlineData("""{"id":"x","partitionKey":"/pk"}""")]
    [InlineData("""{"id":"x/y","partitionKey":{"paths":["/pk"]}}""")]
    [InlineData("""{"id":"x","partitionKey":{"paths":["/pk"]},"defaultTtl":0}""")]
    [InlineData("""{"id":"x","partitionKey":{"paths":["/pk"]},"defaultTtl":"one"}""")]
    [InlineData("""{"id":"x","partitionKey":{"paths":["/pk"]},"indexingPolicy":{"indexingMode":"lazy"}}""")]
    [InlineData("""{"id":"x","partitionKey":{"paths":["/pk"]},"indexingPolicy":{"includedPaths":[{"path":"/a"}]}}""")]
    [InlineData("""{"id":"x","partitionKey":{"paths":["/pk"]},"vectorEmbeddingPolicy":{"vectorEmbeddings":[1]}}""")]
    [InlineData("""{"id":"x","partitionKey":{"paths":["/pk"]},"computedProperties":[{"name":"a"}]}""")]
    [InlineData("""{"id":"x","partitionKey":{"paths":["/pk"]},"uniqueKeyPolicy":{"uniqueKeys":[{"paths":[]}]}}""")]
    [InlineData("""{"id":"x","partitionKey":{"paths":["/pk"]},"uniqueKeyPolicy":{"uniqueKeys":5}}""")]
    public async Task A_container_that_cannot_be_is_refused(string body)
    {
        var answer = await raw.SendAsync("POST", "/dbs/shop/colls", body);
        Assert.True(answer.Status == HttpStatusCode.BadRequest, $"{answer.Status} {answer.Body}");
    }

    [Fact]
    public async Task Without_a_right_signature_nothing_is_answered()
    {
        using var unsigned = await OpenAsync(running.Server);
        using var answer = await unsigned.GetAsync(new Uri("/dbs/shop", UriKind.Relative));
        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
        var other = new RawClient(await OpenAsync(running.Server), Convert.ToBase64String(new byte[32]));
        Assert.Equal(HttpStatusCode.Unauthorized, (await other.SendAsync("GET", "/dbs/shop")).Status);
        Assert.Equal(HttpStatusCode.OK, (await raw.SendAsync("GET", "/dbs/shop")).Status);
        string[] headers = ["", "type=master", "type=aad&ver=1.0&sig=x", "type%3dmaster%26ver%3d1.0%26sig%3d!!"];
        foreach (var header in headers)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "/dbs/shop");
            request.Headers.TryAddWithoutValidation("authorization", header);
            using var refused = await unsigned.SendAsync(request);
            Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Garbage_of_any_kind_never_finds_a_bug(int seed)
    {
        var random = new Random(seed);
        string[] methods = ["GET", "POST", "PUT", "DELETE", "PATCH"];
        string[] paths =
        [
            "/", "/dbs", "/dbs/shop", "/dbs/shop/colls", "/dbs/shop/colls/hostile", Docs, Docs + "/there",
            Docs + "/%20%", "/dbs/shop/colls/hostile/pkranges", "/offers", "/dbs/x/colls/y/docs",
        ];
        string[] bodies =
        [
            "", "{}", "[]", "null", "5", "\"x\"", "{\"query\":5}", "{\"query\":\"SELECT\"}", "{\"query\":null}",
            "{\"query\":\"SELECT * FROM c\",\"parameters\":5}", "{\"query\":\"SELECT * FROM c\",\"parameters\":[5]}",
            "{\"query\":\"SELECT * FROM c ORDER BY c.id\",\"resumeFilter\":{}}", "{\"operations\":5}",
            "{\"query\":\"SELECT * FROM c ORDER BY c.id\",\"resumeFilter\":{\"value\":[[]],\"rid\":5}}",
            "{\"operations\":[5]}", "{\"operations\":[{\"op\":\"set\"}]}", "{\"id\":\"z\",\"pk\":\"p\"}",
        ];
        (string, string)[] headers =
        [
            Key, ("x-ms-documentdb-partitionkey", "[]"), ("x-ms-documentdb-isquery", "True"),
            ("x-ms-cosmos-is-query-plan-request", "True"), ("x-ms-cosmos-is-batch-request", "True"),
            ("x-ms-cosmos-batch-atomic", "True"), ("x-ms-documentdb-is-upsert", "true"), ("A-IM", "Incremental Feed"),
            ("A-IM", "Full-Fidelity Feed"), ("If-None-Match", "\"x\""), ("If-Match", "*"), ("x-ms-continuation", "x"),
            ("x-ms-continuation", "eyJrIjpbXX0="), ("x-ms-max-item-count", "-7"), ("x-ms-max-item-count", "x"),
            ("If-Modified-Since", "never"), ("x-ms-start-epk", "zz"), ("x-ms-end-epk", ""),
            ("Prefer", "return=minimal"),
        ];
        for (var i = 0; i < 400; i++)
        {
            var body = random.Next(3) == 0 ? Noise(random) : Encoding.UTF8.GetBytes(bodies[random.Next(bodies.Length)]);
            var chosen = random.GetItems(headers, random.Next(4)).DistinctBy(header => header.Item1).ToArray();
            var (method, path) = (methods[random.Next(methods.Length)], paths[random.Next(paths.Length)]);
            if (method == "DELETE" && path is "/dbs/shop" or "/dbs/shop/colls/hostile")
            {
                continue;
            }

            var answer = await raw.SendAsync(method, path, body, chosen);
            Assert.True(
                (int)answer.Status < 500,
                $"seed {seed}, {i}: {method} {path} {string.Join(' ', chosen)} {Convert.ToHexString(body)}: " +
                answer.Body);
        }
    }

    /// <summary>Noise that sometimes starts like a batch, to get past its first checks.</summary>
    static byte[] Noise(Random random)
    {
        var noise = new byte[random.Next(80)];
        random.NextBytes(noise);
        byte[] segment = [0x81, 0xf0, 0xd8, 0xff, 0x7f, 0x01, 0x0a, 0, 0, 0];
        return random.Next(2) == 0 ? noise : [.. segment, .. noise];
    }
}
