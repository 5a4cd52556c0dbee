using System.Text.Json;
using EventSourcing;
using Functions.Projections;
using Microsoft.Azure.Cosmos;
using Microsoft.Extensions.DependencyInjection;

namespace Functions.Tests;

/// <summary>A view ends up as a fold of its streams, whatever the change feed did on the way.</summary>
[Collection(nameof(RunningSystem))]
public sealed class ProjectionTests(RunningSystem system)
{
    const string ContainerName = "projections";

    readonly string name = $"sums-{Guid.NewGuid():N}";

    /// <summary>Adds up what its stream tells.</summary>
    sealed record Sum(long Total, int Count);

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public async Task Batches_lost_repeated_and_out_of_order_leave_the_view_a_fold_of_its_stream(int seed)
    {
        var random = new Random(seed);
        var stored = await AppendedAsync(40);
        var delivered = stored.Where(_ => random.Next(3) > 0).ToList();
        delivered.AddRange(stored.Where(_ => random.Next(4) == 0));
        delivered.Add(stored[^1]);
        var batches = delivered.OrderBy(_ => random.Next()).Chunk(7).ToList();

        await Task.WhenAll(batches.Select(batch => RunAsync(View(), batch)));

        var view = await ReadAsync(stored[0].StreamId);
        Assert.Equal((seed, 40L), (seed, view!.Seen[stored[0].StreamId]));
        Assert.Equal(new Sum(stored.Sum(e => e.EventData.GetInt64()), 40), view.View);
    }

    [Fact]
    public async Task An_event_seen_already_costs_no_write()
    {
        var stored = await AppendedAsync(3);
        await RunAsync(View(), stored);
        var etag = await EtagAsync(stored[0].StreamId);

        await RunAsync(View(), stored);

        Assert.Equal(etag, await EtagAsync(stored[0].StreamId));
    }

    [Fact]
    public async Task A_poison_event_parks_its_stream_alone_and_a_fold_that_can_take_it_heals_the_view()
    {
        var (poisoned, healthy) = (await AppendedAsync(5), await AppendedAsync(5));
        await RunAsync(View(poisonAt: 3, poisoned[0].StreamId), [.. poisoned[..4], .. healthy]);

        var parked = await ReadAsync(poisoned[0].StreamId);
        Assert.Equal(2, parked!.Seen[poisoned[0].StreamId]);
        Assert.Equal([poisoned[0].StreamId], parked.Parked);
        Assert.Equal(5, (await ReadAsync(healthy[0].StreamId))!.View!.Count);
        Assert.Equal("poison", (await ParkedAsync(poisoned[0].StreamId))!.Error);

        await RunAsync(View(), [poisoned[4]]);

        var healed = await ReadAsync(poisoned[0].StreamId);
        Assert.Equal(5, healed!.View!.Count);
        Assert.Empty(healed.Parked);
        Assert.Null(await ParkedAsync(poisoned[0].StreamId));
    }

    View<Sum> View(long poisonAt = 0, string? of = null) => new(
        name,
        ContainerName,
        new Feed<Sum>(
            "sum",
            stream => new($"{name}-{stream}", name),
            null,
            (sum, stored) => stored.Sequence == poisonAt && stored.StreamId == of
                ? throw new InvalidOperationException("poison")
                : new((sum?.Total ?? 0) + stored.EventData.GetInt64(), (sum?.Count ?? 0) + 1)));

    Task RunAsync(View<Sum> view, IEnumerable<StoredEvent> events) =>
        Service<ProjectionRunner>().RunAsync(
            view, [.. events.Select(e => JsonSerializer.SerializeToElement(e, StoredJson.Options))], default);

    async Task<List<StoredEvent>> AppendedAsync(int count)
    {
        var stream = StreamId.Of("sum", Guid.NewGuid());
        var events = Enumerable.Range(1, count).Select(i => new StoredEvent
        {
            Id = StoredEvent.IdOf(i),
            StreamId = stream.ToString(),
            Sequence = i,
            EventId = Guid.NewGuid(),
            EventType = "sum-told",
            EventVersion = 1,
            EventData = JsonSerializer.SerializeToElement(i * i),
            Timestamp = system.Clock.GetUtcNow(),
            CorrelationId = "test",
            CausationId = "test",
            CommandId = "command",
            CommandKey = $"command/{i - 1}",
            CommandHash = "",
        }).ToList();
        Assert.Equal(AppendResult.Appended, await Service<IEventStore>().AppendAsync(stream, 0, events, null, default));
        return events;
    }

    async Task<ViewDocument<Sum>?> ReadAsync(string stream)
    {
        using var read = await Projections.ReadItemStreamAsync($"{name}-{stream}", new(name));
        return await ViewContainer.DocumentAsync<Sum>(read, default);
    }

    async Task<string> EtagAsync(string stream)
    {
        using var read = await Projections.ReadItemStreamAsync($"{name}-{stream}", new(name));
        return read.Headers.ETag;
    }

    async Task<ParkedEvent?> ParkedAsync(string stream)
    {
        using var read = await Service<Database>().GetContainer(ProjectionRunner.ParkedContainer)
            .ReadItemStreamAsync(stream, new(name));
        return read.IsSuccessStatusCode
            ? JsonSerializer.Deserialize<ParkedEvent>(read.Content, StoredJson.Options)
            : null;
    }

    Container Projections => Service<Database>().GetContainer(ContainerName);

    T Service<T>()
        where T : notnull => system.System.Host.Services.GetRequiredService<T>();
}
