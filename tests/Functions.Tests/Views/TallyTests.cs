using System.Text.Json;
using EventSourcing;
using EventSourcing.Tests;
using Functions.Projections;
using Microsoft.Azure.Cosmos;
using Microsoft.Extensions.DependencyInjection;

namespace Functions.Tests.Views;

/// <summary>Totals over many streams are exact, whatever the change feed did on the way.</summary>
[Collection(nameof(RunningSystem))]
public sealed class TallyTests(RunningSystem system)
{
    const string ContainerName = "order-statistics";
    const int Streams = 12;
    const int EventsEach = 10;

    readonly string name = $"tally-{Guid.NewGuid():N}";

    sealed record Share(long Sum);

    sealed record Total(long Sum, int Streams);

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Batches_lost_repeated_reordered_and_concurrent_count_every_event_once(int seed)
    {
        var random = new Random(seed);
        var stored = new List<StoredEvent>();
        for (var i = 0; i < Streams; i++) stored.AddRange(await AppendedAsync(EventsEach));
        var delivered = stored.Where(_ => random.Next(4) > 0).ToList();
        delivered.AddRange(stored.Where(_ => random.Next(3) == 0));
        delivered.AddRange(stored.Where(e => e.Sequence == EventsEach));
        var batches = delivered.OrderBy(_ => random.Next()).Chunk(25).ToList();

        await Task.WhenAll(batches.Select(batch => RunAsync(Tally(), batch)));
        await RunAsync(Tally(), stored);

        var sum = stored.Sum(e => e.EventData.GetInt64());
        foreach (var group in new[] { "a", "b" })
            Assert.Equal((seed, new Total(sum, Streams)), (seed, await TotalAsync(group)));
        Assert.Empty(await Tally().UnseenAsync(Service<ProjectionRunner>(), stored, default));
    }

    [Fact]
    public async Task A_poison_event_holds_up_its_stream_in_every_group_and_a_redrive_makes_the_totals_whole()
    {
        var (poisoned, healthy) = (await AppendedAsync(4), await AppendedAsync(4));
        await RunAsync(Tally(poisoned[0].StreamId), [.. poisoned, .. healthy]);
        Assert.Equal(new Total(10 + 1, 2), await TotalAsync("a"));

        Assert.Equal(new Redriven(1, 0), await Service<Redrive>().AllAsync(Tally(), default));
        Assert.Equal(new Total(20, 2), await TotalAsync("a"));
        Assert.Equal(new Total(20, 2), await TotalAsync("b"));
        Assert.Null(await Service<Parking>().FindAsync(name, poisoned[0].StreamId, default));
    }

    Tally<Share, Total> Tally(string? poison = null) => new(
        name,
        ContainerName,
        "sum",
        _ => [$"{name}-a", $"{name}-b"],
        (_, share, stored) => stored.StreamId == poison && stored.Sequence == 2
            ? throw new InvalidOperationException("poison")
            : new((share?.Sum ?? 0) + stored.EventData.GetInt64()),
        (total, before, after) => new(
            (total?.Sum ?? 0) + (after?.Sum ?? 0) - (before?.Sum ?? 0),
            (total?.Streams ?? 0) + (before is null && after is not null ? 1 : 0)));

    Task RunAsync(Tally<Share, Total> tally, IReadOnlyList<StoredEvent> events) =>
        tally.ProjectAsync(Service<ProjectionRunner>(), events, default);

    async Task<Total?> TotalAsync(string group) =>
        (await Totals.FindAsync<ViewDocument<Total>>("total", $"{name}-{group}", default)).Found?.View;

    Container Totals => Service<Database>().GetContainer(ContainerName);

    async Task<List<StoredEvent>> AppendedAsync(int count)
    {
        var stream = StreamId.Of("sum", Guid.NewGuid());
        var events = Enumerable.Range(1, count).Select(
            i => SampleEvent.Of(stream.ToString(), i, "sum-told", i, index: i - 1) with
            {
                Timestamp = system.Clock.GetUtcNow(),
            }).ToList();
        Assert.Equal(AppendResult.Appended, await Service<IEventStore>().AppendAsync(stream, 0, events, null, default));
        return events;
    }

    T Service<T>()
        where T : notnull => system.System.Host.Services.GetRequiredService<T>();
}
