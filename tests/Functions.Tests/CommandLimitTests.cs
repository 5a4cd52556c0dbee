using System.Net.Http.Json;
using System.Runtime.CompilerServices;
using EventSourcing;
using EventSourcing.Tests;
using Microsoft.Azure.Cosmos;
using Microsoft.Extensions.DependencyInjection;
using Runtime.Local;
using Runtime.Worker;

namespace Functions.Tests;

/// <summary>The limits of a command, told over HTTP in words, with nothing half-written.</summary>
public sealed class CommandLimitTests(StumblingSystem system) : IClassFixture<StumblingSystem>
{
    [Fact]
    public async Task A_stream_that_changes_under_every_attempt_is_given_up_with_a_hint_when_to_come_back()
    {
        system.Store.Contested = "product-contested";
        using var response = await system.Http.PutAsync("/api/products/contested", Product("Thing"));
        var problem = await response.Content.ReadAsStringAsync();
        Assert.Equal(409, (int)response.StatusCode);
        Assert.Contains("stream-busy", problem, StringComparison.Ordinal);
        Assert.Contains("each of 8 attempts", problem, StringComparison.Ordinal);
        Assert.Equal(TimeSpan.FromSeconds(1), response.Headers.RetryAfter?.Delta);
        Assert.Equal(8, system.Store.Refused);
        Assert.Empty(await system.Api.EventsAsync("product-contested", default));

        system.Store.Contested = null;
        Assert.True((await PutAsync("contested", "Thing")).IsSuccess);
    }

    [Fact]
    public async Task A_clock_that_runs_backwards_is_told_and_nothing_is_stored()
    {
        Assert.True((await PutAsync("clockwork", "First")).IsSuccess);
        system.Clock.Behind = TimeSpan.FromHours(1);
        try
        {
            var answer = await PutAsync("clockwork", "Second");
            Assert.Equal((503, "clock-behind"), ((int)answer.Status, answer.Text("code")));
        }
        finally
        {
            system.Clock.Behind = default;
        }

        Assert.Single(await system.Api.EventsAsync("product-clockwork", default));
        Assert.True((await PutAsync("clockwork", "Second")).IsSuccess);
    }

    [Fact]
    public async Task An_event_nobody_knows_is_named_with_its_stream_and_sequence()
    {
        var stream = Commerce.Catalog.Product.Stream(new("foreign"));
        await system.Store.AppendAsync(stream, 0, [Foreign(stream)], null, default);
        var answer = await PutAsync("foreign", "Thing");
        Assert.Equal((500, "event-unreadable"), ((int)answer.Status, answer.Text("code")));
        Assert.StartsWith(
            "Event 1 of product-foreign (product-from-the-future v1)", answer.Text("detail"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_stream_with_a_hole_is_named_and_nothing_is_built_on_it()
    {
        Assert.True((await PutAsync("holey", "First")).IsSuccess);
        Assert.True((await PutAsync("holey", "Second")).IsSuccess);
        system.Store.Hidden = ("product-holey", 1);
        var answer = await PutAsync("holey", "Third");
        system.Store.Hidden = default;
        Assert.Equal((500, "stream-damaged"), ((int)answer.Status, answer.Text("code")));
        Assert.Equal(2, (await system.Api.EventsAsync("product-holey", default)).Count);
    }

    Task<ApiAnswer> PutAsync(string product, string name) => system.Api.SendAsync(
        new(HttpMethod.Put, $"/api/products/{product}") { Content = Product(name) }, default);

    static JsonContent Product(string name) => JsonContent.Create(
        new { name, category = "things", price = new { minorUnits = 100, currency = "EUR" } });

    static StoredEvent Foreign(StreamId stream) =>
        SampleEvent.Of(stream.ToString(), 1, "product-from-the-future", new { }) with
        {
            // This system runs in real time, in which no event is of the future.
            Timestamp = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero),
        };
}

/// <summary>The whole system with nothing remembered, on a store and a clock that stumble when told to.</summary>
public sealed class StumblingSystem : IAsyncLifetime
{
    LocalSystem? system;
    HttpClient? http;

    public StumblingStore Store { get; private set; } = null!;

    public LateClock Clock { get; } = new();

    public HttpClient Http => http!;

    public Api Api => new(Http);

    public async Task InitializeAsync()
    {
        system = await LocalSystem.StartAsync(
            new()
            {
                Clock = Clock,
                Settings = LocalSettings.Read(Path.Combine(AppContext.BaseDirectory, "local.settings.sample.json")),
                Replace = services =>
                {
                    services.AddSingleton<IEventStore>(p => Store = new(
                        Program.StreamsOf(p.GetRequiredService<CosmosClient>()).Store));
                    services.AddSingleton(new StateCache(entriesMax: 0));
                },
            },
            CancellationToken.None);
        http = system.CreateHttpClient();
        Assert.Equal(404, (int)(await Api.GetAsync("/api/streams/product-nothing", default)).Status);
    }

    public async Task DisposeAsync()
    {
        http?.Dispose();
        if (system is not null) await system.DisposeAsync();
    }
}

/// <summary>The system's time, or some time before it.</summary>
public sealed class LateClock : TimeProvider
{
    public TimeSpan Behind { get; set; }

    public override DateTimeOffset GetUtcNow() => System.GetUtcNow() - Behind;
}

/// <summary>A store in which one stream is always taken by somebody else, or has lost an event.</summary>
public sealed class StumblingStore(IEventStore inner) : IEventStore
{
    public string? Contested { get; set; }

    public (string Stream, long Sequence) Hidden { get; set; }

    public int Refused { get; private set; }

    public Task<AppendResult> AppendAsync(
        StreamId stream, long expectedSequence, IReadOnlyList<StoredEvent> events, StoredSnapshot? snapshot,
        CancellationToken cancellation)
    {
        if (stream.ToString() != Contested)
            return inner.AppendAsync(stream, expectedSequence, events, snapshot, cancellation);
        Refused++;
        return Task.FromResult(AppendResult.Conflict);
    }

    public IAsyncEnumerable<StoredEvent> ReadAsync(
        StreamId stream, StreamRange range, CancellationToken cancellation) =>
        ShownAsync(inner.ReadAsync(stream, range, cancellation), cancellation);

    public IAsyncEnumerable<StoredEvent> CatchUpAsync(
        StreamId stream, long sequence, string commandId, CancellationToken cancellation) =>
        ShownAsync(inner.CatchUpAsync(stream, sequence, commandId, cancellation), cancellation);

    public Task<long> HeadAsync(StreamId stream, CancellationToken cancellation) =>
        inner.HeadAsync(stream, cancellation);

    public Task<StoredSnapshot?> ReadSnapshotAsync(StreamId stream, CancellationToken cancellation) =>
        inner.ReadSnapshotAsync(stream, cancellation);

    async IAsyncEnumerable<StoredEvent> ShownAsync(
        IAsyncEnumerable<StoredEvent> events, [EnumeratorCancellation] CancellationToken cancellation)
    {
        await foreach (var stored in events.WithCancellation(cancellation))
        {
            if ((stored.StreamId, stored.Sequence) != Hidden) yield return stored;
        }
    }
}
