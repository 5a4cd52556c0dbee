using System.Text.Json;
using Microsoft.Azure.Cosmos;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Runtime.Cosmos;

namespace Runtime.Worker.Tests;

public sealed class FeedTests : IAsyncLifetime, IDisposable
{
    readonly Probe probe = new();
    readonly TestLog log = new();
    readonly ManualClock clock = new();
    readonly CosmosServer server = CosmosServer.Open(new());
    CosmosClient client = null!;
    Container events = null!;

    public async Task InitializeAsync()
    {
        client = new CosmosClient("http://localhost/", server.Key, new()
        {
            ConnectionMode = ConnectionMode.Gateway,
            LimitToEndpoint = true,
            HttpClientFactory = () => new HttpClient(server.CreateHandler()),
            UseSystemTextJsonSerializerWithOptions = JsonSerializerOptions.Web,
        });
        Database database = await client.CreateDatabaseAsync("shop");
        events = await database.CreateContainerAsync(Feed.Events, "/streamId");
    }

    public async Task DisposeAsync() => await server.DisposeAsync();

    public void Dispose() => client.Dispose();

    [Fact]
    public async Task Changes_arrive_in_order_and_a_restart_goes_on_behind_them()
    {
        await AddAsync("a", "first", quantity: 1);
        await using (var host = await StartAsync<FoldFunctions>())
        {
            await AddAsync("a", "second", quantity: 2);
            await AddAsync("a", "third", quantity: 3);
            await probe.Until(diary => diary.Contains("thirdx3"));
        }

        await AddAsync("a", "fourth", quantity: 4);
        await using (var host = await StartAsync<FoldFunctions>())
        {
            await probe.Until(diary => diary.Contains("fourthx4"));
        }

        Assert.Equal(["firstx1", "secondx2", "thirdx3", "fourthx4"], Folded());
    }

    [Fact]
    public async Task The_lease_container_is_created_as_the_extension_creates_it()
    {
        await using var host = await StartAsync<FoldFunctions>();

        ContainerProperties leases = await client.GetContainer("shop", "leases").ReadContainerAsync();

        Assert.Equal(("/id", -1), (leases.PartitionKeyPath, leases.DefaultTimeToLive));
        Assert.Equal(
            "Fold: [cosmosDBTrigger] Cosmos/shop/events (leases in Cosmos/shop/leases, prefix 'fold')",
            host.Functions.Single().ToString());
    }

    [Fact]
    public async Task Stopping_lets_a_running_batch_finish_and_does_not_repeat_it()
    {
        await AddAsync("slow", "one");
        var host = await StartAsync<FoldFunctions>();
        await probe.Until(diary => diary.Contains("begin one"));

        var stopping = host.StopAsync();
        Assert.False(stopping.IsCompleted);
        probe.Open("one");
        await stopping;
        await host.DisposeAsync();

        await AddAsync("quick", "two");
        await using var next = await StartAsync<FoldFunctions>();
        await probe.Until(diary => diary.Contains("twox0"));
        Assert.Equal(["onex0", "twox0"], Folded());
    }

    [Fact]
    public async Task A_batch_that_stopping_cuts_off_comes_again()
    {
        await AddAsync("slow", "one");
        var host = await StartAsync<FoldFunctions>();
        await probe.Until(diary => diary.Contains("begin one"));
        using var now = new CancellationTokenSource();
        var stopping = host.StopAsync(now.Token);
        await now.CancelAsync();
        await stopping;
        await host.DisposeAsync();
        Assert.Empty(Folded());

        probe.Open("one");
        await using var next = await StartAsync<FoldFunctions>();
        await probe.Until(diary => diary.Contains("onex0"));
    }

    [Fact]
    public async Task A_host_of_the_same_name_takes_over_the_batch_of_a_killed_one_at_once()
    {
        await AddAsync("slow", "one");
        await using var killed = await StartAsync<FoldFunctions>();
        await probe.Until(diary => diary.Contains("begin one"));

        // The first host hangs for ever, as one that was killed; its lease would expire after a minute only.
        await using var next = await StartAsync<FoldFunctions>();
        await probe.Until(diary => diary.Count(line => line == "begin one") == 2);
        probe.Open("one");
        await probe.Until(diary => diary.Contains("onex0"));
    }

    [Fact]
    public async Task A_failing_batch_is_repeated_then_left_behind_loudly()
    {
        await AddAsync("poison", "bad");
        await AddAsync("poison", "good");
        await using var host = await StartAsync<PoisonFunctions>();

        // The pauses double from ten seconds and stop growing at twenty-five.
        foreach (var seconds in new[] { 10, 20, 25, 10, 20, 25 })
        {
            var due = clock.GetUtcNow().AddSeconds(seconds);
            await clock.UntilAwaited(due);
            clock.Advance(TimeSpan.FromSeconds(seconds));
        }

        await probe.Until(diary => diary.Count == 8);
        await AddAsync("healthy", "next");
        await probe.Until(diary => diary.Contains("next 0/3"));
        Assert.Equal(
            ["bad 0/3", "bad 1/3", "bad 2/3", "bad 3/3", "good 0/3", "good 1/3", "good 2/3", "good 3/3", "next 0/3"],
            probe.Diary);
        var loud = log.Lines.Where(line => line.Text.Contains("WITHOUT", StringComparison.Ordinal)).ToList();
        Assert.Equal(2, loud.Count);
        Assert.All(loud, line => Assert.Equal(LogLevel.Error, line.Level));
        Assert.EndsWith("WITHOUT them: bad", loud[0].Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_host_that_stops_between_two_attempts_leaves_the_batch_for_the_next()
    {
        await AddAsync("poison", "bad");
        var options = Options<PoisonFunctions>();
        var host = await FunctionsHost.StartAsync(options with
        {
            // Nothing but the end of the pause itself may let this host stop.
            Replace = services => services.Configure<HostOptions>(h => h.ShutdownTimeout = Timeout.InfiniteTimeSpan),
        });
        await clock.UntilAwaited(clock.GetUtcNow().AddSeconds(10));
        await host.DisposeAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(20), TimeProvider.System);
        Assert.Equal(["bad 0/3"], probe.Diary);

        await using var next = await FunctionsHost.StartAsync(options);
        await probe.Until(diary => diary.Count == 2);
        Assert.Equal(["bad 0/3", "bad 0/3"], probe.Diary);
        Assert.DoesNotContain(log.Lines, line => line.Text.Contains("WITHOUT", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Changes_that_do_not_fit_the_parameter_fail_like_any_batch()
    {
        await events.CreateItemAsync(new { id = "odd", streamId = "s", quantity = "many" });
        await AddAsync("s", "even");
        await using var host = await StartAsync<UndigestedFunctions>();

        await probe.Until(diary => diary.Contains("even"));
        Assert.Contains(log.Lines, line => line.Text.EndsWith("WITHOUT them: odd", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_batch_takes_the_shape_that_the_function_asks_for()
    {
        await events.CreateItemAsync(new
        {
            id = "i", streamId = "s", Quantity = 3, when = "2026-01-02T03:04:05.6000000Z", money = 1.10m,
            text = "\"é\"",
        });
        await using var host = await StartAsync<ShapeFunctions>();
        await probe.Until(diary => diary.Count == 4);

        Assert.Contains("list Change { Id = i, StreamId = s, Quantity = 3 }", probe.Diary);
        Assert.Contains("enumerable i", probe.Diary);
        Assert.Contains("array i", probe.Diary);
        var text = probe.Diary.Single(line => line.StartsWith("text [{\"id\":\"i\"", StringComparison.Ordinal));

        // What the Functions host makes of dates and fractions on their way: a trap that must be met at home already.
        Assert.Contains("\"when\":\"2026-01-02T03:04:05.6Z\",\"money\":1.1,", text, StringComparison.Ordinal);
        Assert.Contains("\"text\":\"\\\"é\\\"\"", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_connection_string_is_enough()
    {
        var endpoint = await server.ListenAsync();
        await AddAsync("a", "first");
        var options = Options<FoldFunctions>() with { CosmosClients = null };
        await using var host = await FunctionsHost.StartAsync(
            options.With((Feed.Connection, $"AccountEndpoint={endpoint};AccountKey={server.Key}")));

        await probe.Until(diary => diary.Contains("firstx0"));
    }

    [Fact]
    public async Task An_embedder_may_look_at_idle_feeds_sooner_than_the_trigger_asks()
    {
        await using var host = await FunctionsHost.StartAsync(
            Options<PatientFeedFunctions>() with { FeedPollDelayMax = TimeSpan.FromMilliseconds(5) });

        await AddAsync("a", "first");
        await probe.Until(diary => diary.Contains("first"));
        await AddAsync("a", "second");
        await probe.Until(diary => diary.Contains("second"));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(20260101)]
    public async Task Whatever_hosts_and_requests_suffer_every_change_arrives_and_none_overtakes_another(int seed)
    {
        const int changes = 60;
        var random = new Random(seed);
        foreach (var kind in new[] { CosmosFaultKind.TooManyRequests, CosmosFaultKind.AnswerLost,
            CosmosFaultKind.Delay })
        {
            server.Faults.Add(new(kind) { Probability = 0.05, Container = "leases" });
        }

        for (var added = 0; added < changes; added++)
        {
            await AddAsync("storm", $"{added:D3}");
        }

        var last = $"{changes - 1:D3}";
        while (!probe.Diary.Contains(last))
        {
            var host = await FunctionsHost.StartAsync(Options<StormFunctions>());
            var enough = probe.Diary.Count + random.Next(1, 25);
            await probe.Until(diary => diary.Count >= enough || diary.Contains(last));
            using var patience = new CancellationTokenSource();
            var stopping = host.StopAsync(patience.Token);
            if (random.Next(2) == 0)
            {
                await patience.CancelAsync();
            }

            await stopping;
            await host.DisposeAsync();
        }

        Assert.True(
            Enumerable.Range(0, changes).Select(n => $"{n:D3}").SequenceEqual(probe.Diary.Distinct()),
            $"seed {seed}: {string.Join(' ', probe.Diary)}");
    }

    [Fact]
    public async Task A_container_that_is_not_there_is_missed_at_start()
    {
        await events.DeleteContainerAsync();

        var message = await TestHost.RefusalAsync(Options<FoldFunctions>());

        Assert.Contains("'Fold'", message, StringComparison.Ordinal);
        Assert.Contains(
            "either Cosmos/shop/events or its lease container Cosmos/shop/leases", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("OnlyOne", "a batch of changes cannot become Runtime.Worker.Tests.Change")]
    [InlineData("Texts", "a batch of changes cannot become System.String[]")]
    [InlineData("Unconnected", "connection 'Nowhere' needs the setting 'Nowhere'")]
    [InlineData("Nonsense", "the setting of connection 'Nonsense' is no Cosmos DB connection")]
    [InlineData("Everything", "change feed mode AllVersionsAndDeletes is not offered")]
    [InlineData("SelfLeased", "a container cannot hold its own leases")]
    [InlineData("Shared2", "it shares its leases with function 'Shared1'")]
    [InlineData("Timeless", "StartFromTime 'yesterday'")]
    [InlineData("Negative", "FeedPollDelay is -1")]
    [InlineData("Unset", "needs the setting 'Nothing'")]
    public async Task A_feed_that_cannot_work_is_refused_at_start(string function, string reason)
    {
        var message = await TestHost.RefusalAsync(TestHost.Options(typeof(BadFeedFunctions)).With(
            (Feed.Connection, $"AccountEndpoint=http://localhost:1/;AccountKey={server.Key}"),
            ("Nonsense", "top-secret")));

        Assert.Contains(message.Split('\n'), line =>
            line.Contains($"'{function}'", StringComparison.Ordinal) &&
            line.Contains(reason, StringComparison.Ordinal));
        Assert.DoesNotContain("top-secret", message, StringComparison.Ordinal);
    }

    async Task AddAsync(string stream, string id, int quantity = 0) =>
        await events.CreateItemAsync(new { id, streamId = stream, quantity });

    IEnumerable<string> Folded() => probe.Diary.Where(line => !line.StartsWith("begin", StringComparison.Ordinal));

    FunctionsHostOptions Options<T>() => (TestHost.Options(typeof(T)) with
    {
        Clock = clock,
        CosmosClients = _ => client,
        LeaseOwner = "local",
        Configure = builder => builder.Services.AddSingleton(probe),
    }).With(("Database", "shop")).WithLog(log);

    Task<FunctionsHost> StartAsync<T>() => FunctionsHost.StartAsync(Options<T>());
}
