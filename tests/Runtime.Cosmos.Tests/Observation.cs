using System.Net;
using Microsoft.Azure.Cosmos;

namespace Runtime.Cosmos.Tests;

/// <summary>The ledger, and faults made on purpose.</summary>
public sealed class Observation : IAsyncLifetime
{
    static readonly PartitionKey Key = new("p");
    readonly CosmosServer server = CosmosServer.Open(new() { FaultSeed = 7 });
    readonly CosmosClient client;
    Container container = null!;

    public Observation() => client = Clients.InProcess(server, options =>
        options.MaxRetryAttemptsOnRateLimitedRequests = 2);

    public async Task InitializeAsync()
    {
        Database database = await client.CreateDatabaseAsync("shop");
        container = await database.CreateContainerAsync("lines", "/pk");
        await container.CreateItemAsync(new Line("0", "p"), Key);
    }

    public async Task DisposeAsync()
    {
        client.Dispose();
        await server.DisposeAsync();
    }

    [Fact]
    public async Task The_ledger_counts_every_request_with_its_charge()
    {
        var before = server.Ledger.Snapshot();
        var created = await container.CreateItemAsync(new Line("1", "p"), Key);
        var read = await container.ReadItemAsync<Line>("1", Key);
        using var missing = await container.ReadItemStreamAsync("2", Key);
        var between = server.Ledger.Snapshot() - before;
        Assert.Equal(new CosmosTally(1, created.RequestCharge), between[CosmosOperation.Create]);
        Assert.Equal(2, between[CosmosOperation.Read].Requests);
        var charged = created.RequestCharge + read.RequestCharge + missing.Headers.RequestCharge;
        Assert.Equal(charged, between.Total.Charge, 3);
        Assert.Equal(3, between.Of("lines").Total.Requests);
        Assert.Equal(0, between.Of("other").Total.Requests);
        Assert.Equal(1, between.Lines[new("lines", CosmosOperation.Read, 404)].Requests);
        server.Ledger.Reset();
        Assert.Equal(0, server.Ledger.Snapshot().Total.Requests);
    }

    [Fact]
    public async Task A_throttled_client_waits_and_tries_again_until_it_gives_up()
    {
        server.Faults.Add(new(CosmosFaultKind.TooManyRequests) { Times = 2, Operation = CosmosOperation.Read });
        await container.ReadItemAsync<Line>("0", Key);
        Assert.Equal(2, server.Ledger.Snapshot().Lines[new("lines", CosmosOperation.Read, 429)].Requests);
        server.Faults.Add(new(CosmosFaultKind.TooManyRequests) { Duration = TimeSpan.FromMilliseconds(3) });
        var refused = await Rows.RefusedAsync(HttpStatusCode.TooManyRequests, () =>
            container.ReadItemAsync<Line>("0", Key));
        Assert.Equal((3200, TimeSpan.FromMilliseconds(3)), (refused.SubStatusCode, refused.RetryAfter));
        server.Faults.Clear();
        await container.ReadItemAsync<Line>("0", Key);
    }

    [Theory]
    [InlineData(CosmosFaultKind.ServiceUnavailable, HttpStatusCode.ServiceUnavailable)]
    [InlineData(CosmosFaultKind.RequestTimeout, HttpStatusCode.RequestTimeout)]
    public async Task A_refused_write_is_not_done(CosmosFaultKind kind, HttpStatusCode status)
    {
        server.Faults.Add(new(kind) { Container = "lines", Operation = CosmosOperation.Create });
        await Rows.RefusedAsync(status, () => container.CreateItemAsync(new Line("1", "p"), Key));
        server.Faults.Clear();
        using var missing = await container.ReadItemStreamAsync("1", Key);
        Assert.Equal(HttpStatusCode.NotFound, missing.StatusCode);
    }

    [Fact]
    public async Task A_write_whose_answer_is_lost_is_done()
    {
        server.Faults.Add(new(CosmosFaultKind.AnswerLost) { Times = 1, Operation = CosmosOperation.Create });
        await Assert.ThrowsAnyAsync<Exception>(() => container.CreateItemAsync(new Line("1", "p"), Key));
        await container.ReadItemAsync<Line>("1", Key);
        var endpoint = await server.ListenAsync();
        using var remote = Clients.OverSocket(endpoint, server.Key);
        server.Faults.Add(new(CosmosFaultKind.AnswerLost) { Times = 1, Operation = CosmosOperation.Create });
        await Assert.ThrowsAnyAsync<Exception>(() =>
            remote.GetContainer("shop", "lines").CreateItemAsync(new Line("2", "p"), Key));
        await container.ReadItemAsync<Line>("2", Key);
    }

    [Fact]
    public async Task Faults_strike_only_what_they_name_and_repeat_with_their_seed()
    {
        server.Faults.Add(new(CosmosFaultKind.ServiceUnavailable) { Container = "other" });
        server.Faults.Add(new(CosmosFaultKind.ServiceUnavailable) { Operation = CosmosOperation.Query });
        await container.ReadItemAsync<Line>("0", Key);
        server.Faults.Clear();
        var half = new CosmosFault(CosmosFaultKind.ServiceUnavailable)
        {
            Probability = 0.5,
            Operation = CosmosOperation.Read,
        };
        server.Faults.Add(half);
        var here = await PatternAsync(container);
        await using var again = CosmosServer.Open(new() { FaultSeed = 7 });
        using var other = Clients.InProcess(again);
        Database database = await other.CreateDatabaseAsync("shop");
        Container twin = await database.CreateContainerAsync("lines", "/pk");
        await twin.CreateItemAsync(new Line("0", "p"), Key);
        again.Faults.Add(half);
        Assert.Equal(here, await PatternAsync(twin));
        Assert.Contains('x', here);
        Assert.Contains('.', here);
    }

    [Fact]
    public async Task A_delayed_request_waits_for_the_clock()
    {
        server.Faults.Add(new(CosmosFaultKind.Delay) { Times = 1, Duration = TimeSpan.FromMilliseconds(1) });
        await container.ReadItemAsync<Line>("0", Key);
    }

    static async Task<string> PatternAsync(Container container)
    {
        var pattern = "";
        for (var i = 0; i < 20; i++)
        {
            using var answer = await container.ReadItemStreamAsync("0", Key);
            pattern += answer.IsSuccessStatusCode ? '.' : 'x';
        }

        return pattern;
    }
}
