using System.Net;
using System.Threading.Channels;
using Microsoft.Azure.Cosmos;

namespace Runtime.Cosmos.Tests;

/// <summary>The feed of all versions and deletes.</summary>
public sealed class Histories : IAsyncLifetime
{
    static readonly PartitionKey Key = new("p");
    readonly TemporaryFolder folder = new();
    readonly ManualClock clock = new();
    CosmosServer server;
    CosmosClient client;
    Container container = null!;

    public Histories()
    {
        server = CosmosServer.Open(new() { File = folder.File("cosmos.db"), Clock = clock });
        client = Clients.InProcess(server);
    }

    public async Task InitializeAsync()
    {
        Database database = await client.CreateDatabaseIfNotExistsAsync("shop");
        container = await database.CreateContainerIfNotExistsAsync(new ContainerProperties("lines", "/pk")
        {
            ChangeFeedPolicy = new ChangeFeedPolicy { FullFidelityRetention = TimeSpan.FromMinutes(10) },
        });
    }

    public async Task DisposeAsync()
    {
        client.Dispose();
        await server.DisposeAsync();
        folder.Delete();
    }

    [Fact]
    public async Task Every_change_is_told_with_what_was_before_it_and_survives_a_restart()
    {
        var (_, token) = await ReadAsync(ChangeFeedStartFrom.Now());
        await container.CreateItemAsync(new Line("1", "p", 1), Key);
        await container.UpsertItemAsync(new Line("1", "p", 2), Key);
        await container.DeleteItemAsync<Line>("1", Key);
        await ReopenAsync();
        var (changes, after) = await ReadAsync(ChangeFeedStartFrom.ContinuationToken(token));
        Assert.Equal(
            [ChangeFeedOperationType.Create, ChangeFeedOperationType.Replace, ChangeFeedOperationType.Delete],
            changes.Select(change => change.Metadata.OperationType));
        Assert.Equal((1, 2), (changes[1].Previous.Number, changes[1].Current.Number));
        Assert.Equal(2, changes[2].Previous.Number);
        Assert.Equal("1", changes[2].Metadata.Id);
        Assert.False(changes[2].Metadata.IsTimeToLiveExpired);
        var numbers = changes.ConvertAll(change => change.Metadata.Lsn);
        Assert.Equal(numbers.Order(), numbers);
        Assert.Empty((await ReadAsync(ChangeFeedStartFrom.ContinuationToken(after))).Changes);
    }

    [Fact]
    public async Task What_is_older_than_the_container_says_is_forgotten()
    {
        var (_, token) = await ReadAsync(ChangeFeedStartFrom.Now());
        await container.CreateItemAsync(new Line("1", "p"), Key);
        clock.Advance(TimeSpan.FromMinutes(11));
        await container.CreateItemAsync(new Line("2", "p"), Key);
        var (changes, _) = await ReadAsync(ChangeFeedStartFrom.ContinuationToken(token));
        Assert.Equal("2", Assert.Single(changes).Current.Id);
    }

    [Fact]
    public async Task A_processor_is_told_of_deletes()
    {
        var arriving = Channel.CreateUnbounded<(ChangeFeedOperationType, string?)>();
        Container leases = await container.Database.CreateContainerAsync("leases", "/id");
        var processor = container.GetChangeFeedProcessorBuilderWithAllVersionsAndDeletes<Line>(
                "views",
                async (_, changes, cancellation) =>
                {
                    foreach (var change in changes)
                    {
                        await arriving.Writer.WriteAsync(
                            (change.Metadata.OperationType, change.Metadata.Id ?? change.Current?.Id), cancellation);
                    }
                })
            .WithInstanceName("a").WithLeaseContainer(leases).WithPollInterval(TimeSpan.FromMilliseconds(20)).Build();
        await processor.StartAsync();

        // The processor starts "now", at a moment of its own: write until the first change arrives.
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30), TimeProvider.System);
        for (var number = 0; !arriving.Reader.TryPeek(out _); number++)
        {
            await container.UpsertItemAsync(new Line("1", "p", number), Key, cancellationToken: patience.Token);
        }

        await container.DeleteItemAsync<Line>("1", Key);
        while (await arriving.Reader.ReadAsync(patience.Token) != (ChangeFeedOperationType.Delete, "1"))
        {
        }

        await processor.StopAsync();
    }

    [Fact]
    public async Task A_container_that_keeps_no_history_says_so()
    {
        container = await container.Database.CreateContainerAsync("plain", "/pk");
        await Rows.RefusedAsync(HttpStatusCode.BadRequest, () => ReadAsync(ChangeFeedStartFrom.Now()));
    }

    async Task ReopenAsync()
    {
        client.Dispose();
        await server.DisposeAsync();
        server = CosmosServer.Open(new() { File = folder.File("cosmos.db"), Clock = clock });
        client = Clients.InProcess(server);
        await InitializeAsync();
    }

    async Task<(List<ChangeFeedItem<Line>> Changes, string Token)> ReadAsync(ChangeFeedStartFrom start)
    {
        using var pages = container.GetChangeFeedIterator<ChangeFeedItem<Line>>(
            start, ChangeFeedMode.AllVersionsAndDeletes);
        var changes = new List<ChangeFeedItem<Line>>();
        while (true)
        {
            var page = await pages.ReadNextAsync();
            if (page.StatusCode == HttpStatusCode.NotModified)
            {
                return (changes, page.ContinuationToken);
            }

            changes.AddRange(page);
        }
    }
}
