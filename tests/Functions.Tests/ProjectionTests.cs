using System.Text.Json;
using EventSourcing;
using EventSourcing.Tests;
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
    public async Task What_another_instance_wrote_meanwhile_is_not_overwritten_by_one_that_remembers()
    {
        var (one, other) = (await AppendedAsync(2), await AppendedAsync(2));
        var view = View() with { Feeds = [View().Feeds[0] with { KeyOfName = _ => new(name, name) }] };
        await RunAsync(view, one[..1]);
        var elsewhere = ActivatorUtilities.CreateInstance<ProjectionRunner>(system.System.Host.Services);
        await view.ProjectAsync(elsewhere, other, default);

        await RunAsync(view, one[1..]);

        var (found, _) = await Projections.FindAsync<ViewDocument<Sum>>(name, name, default);
        Assert.Equal([2L, 2L], found!.Seen.Values);
        Assert.Equal(Whole([.. one, .. other]), found.View);
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

    [Fact]
    public async Task A_stream_that_waits_keeps_the_time_it_was_parked_and_counts_what_was_tried()
    {
        var poisoned = await AppendedAsync(4);
        await RunAsync(View(poisonAt: 2, poisoned[0].StreamId), poisoned[..2]);
        var first = await ParkedAsync(poisoned[0].StreamId);

        await RunAsync(View(poisonAt: 2, poisoned[0].StreamId), poisoned[2..]);

        var again = await ParkedAsync(poisoned[0].StreamId);
        Assert.Equal((first!.Since, 1, 2), (again!.Since, first.Attempts, again.Attempts));
        Assert.Equal(4, again.Payload!.Value.GetInt64());
    }

    [Fact]
    public async Task A_poison_first_event_that_names_no_document_parks_its_stream_alone()
    {
        var (poisoned, healthy) = (await AppendedAsync(2), await AppendedAsync(2));
        await RunAsync(KeyedByFirst(poisoned[0].StreamId), [.. poisoned, .. healthy]);

        Assert.Equal("no key", (await ParkedAsync(poisoned[0].StreamId))!.Error);
        Assert.Equal(2, (await ReadAsync(healthy[0].StreamId))!.View!.Count);

        Assert.True(await Service<Redrive>().StreamAsync(KeyedByFirst(null), Of(poisoned), null, default));
        Assert.Equal(2, (await ReadAsync(poisoned[0].StreamId))!.View!.Count);
        Assert.Null(await ParkedAsync(poisoned[0].StreamId));
    }

    [Fact]
    public async Task A_document_nobody_can_read_holds_up_no_other_stream()
    {
        var healthy = await AppendedAsync(2);
        var broken = JsonSerializer.SerializeToElement(
            new { id = "0000000001", streamId = $"sum-{Guid.NewGuid()}", eventType = "sum-told", sequence = "one" });

        await Service<ProjectionRunner>().RunAsync(
            View(), [broken, .. healthy.Select(e => JsonSerializer.SerializeToElement(e, StoredJson.Options))],
                default);

        Assert.Equal(2, (await ReadAsync(healthy[0].StreamId))!.View!.Count);
        var parked = await ParkedAsync(broken.GetProperty("streamId").GetString()!);
        Assert.Equal(("unreadable", 1L), (parked!.EventType, parked.Sequence));
    }

    [Fact]
    public async Task A_redrive_that_fails_again_leaves_the_stream_parked_and_one_that_can_heals_it_up_to_a_point()
    {
        var poisoned = await AppendedAsync(5);
        var (sick, well) = (View(poisonAt: 3, poisoned[0].StreamId), View());
        await RunAsync(sick, poisoned);

        Assert.Equal(new Redriven(0, 1), await Service<Redrive>().AllAsync(sick, default));
        Assert.Equal(2, (await ParkedAsync(poisoned[0].StreamId))!.Attempts);

        Assert.True(await Service<Redrive>().StreamAsync(well, Of(poisoned), 4, default));
        Assert.Equal(4, (await ReadAsync(poisoned[0].StreamId))!.View!.Count);
        await RunAsync(well, poisoned);
        Assert.Equal(Whole(poisoned), (await ReadAsync(poisoned[0].StreamId))!.View);
    }

    [Fact]
    public async Task A_discarded_event_is_left_out_for_ever_and_nothing_else()
    {
        var poisoned = await AppendedAsync(5);
        var sick = View(poisonAt: 3, poisoned[0].StreamId);
        await RunAsync(sick, poisoned);

        await Service<Parking>().DiscardAsync((await ParkedAsync(poisoned[0].StreamId))!, "Ops", "Unusable", default);
        Assert.Equal(new Redriven(1, 0), await Service<Redrive>().AllAsync(sick, default));

        var view = await ReadAsync(poisoned[0].StreamId);
        Assert.Equal(new Sum(1 + 4 + 16 + 25, 4), view!.View);
        Assert.Equal((5L, 0), (view.Seen[poisoned[0].StreamId], view.Parked.Count));
    }

    [Fact]
    public async Task A_feed_ahead_of_what_can_be_read_is_tried_again_and_not_taken_for_the_end()
    {
        var stored = await AppendedAsync(3);
        var unreadableYet = stored[2] with { Sequence = 7, Id = StoredEvent.IdOf(7) };
        await Assert.ThrowsAsync<InvalidOperationException>(() => RunAsync(View(), [unreadableYet]));
        await RunAsync(View(), stored);
        Assert.Equal(Whole(stored), (await ReadAsync(stored[0].StreamId))!.View);
    }

    [Fact]
    public async Task A_paused_view_takes_in_nothing_until_the_reconciliation_after_it_is_resumed()
    {
        var states = Service<ProjectionStates>();
        var stored = await AppendedAsync(3);
        await states.PauseAsync(name, "Ops", "Trying", default);
        await RunAsync(View(), stored);
        await ReconciledAsync(View());
        Assert.Null(await ReadAsync(stored[0].StreamId));

        await states.ResumeAsync(name, default);
        await ReconciledAsync(View());
        Assert.Equal(Whole(stored), (await ReadAsync(stored[0].StreamId))!.View);
    }

    [Fact]
    public async Task What_the_feed_lost_for_good_is_brought_once_it_is_late_and_the_lag_tells()
    {
        var (lost, known) = (await AppendedAsync(3), await AppendedAsync(2));
        await RunAsync(View(), known);

        var early = await Service<Reconciliation>().ReconcileAsync(View(), default);
        var late = await ReconciledAsync(View());

        Assert.Equal(Whole(lost), (await ReadAsync(lost[0].StreamId))!.View);
        Assert.True(early.EventsBehind >= 3 && late.Lag >= Reconciliation.Grace && late.EventsHealed >= 3, $"{late}");
        var quiet = await ReconciledAsync(View());
        Assert.Equal((0, TimeSpan.Zero), (quiet.EventsBehind, quiet.Lag));
        Assert.Equal(late.EventsHealed, quiet.EventsHealed);
    }

    [Fact]
    public async Task A_new_event_costs_a_single_document_view_at_most_eleven_request_units()
    {
        var stored = await AppendedAsync(20);
        await RunAsync(View(), stored[..1]);
        var before = system.System.Cosmos.Ledger.Snapshot().Of(ContainerName);

        foreach (var one in stored[1..]) await RunAsync(View(), [one]);

        var spent = (system.System.Cosmos.Ledger.Snapshot().Of(ContainerName) - before).Total;
        Assert.True(spent.Charge / 19 <= 11, $"{spent}");
    }

    async Task<Bookmark> ReconciledAsync(View<Sum> view)
    {
        // Until now everything may be on its way; by then it is late.
        system.Clock.Advance(Reconciliation.Grace);
        return await Service<Reconciliation>().ReconcileAsync(view, default);
    }

    static Sum Whole(List<StoredEvent> stored) => new(stored.Sum(e => e.EventData.GetInt64()), stored.Count);

    static StreamId Of(List<StoredEvent> stored) =>
        StreamId.TryParse(stored[0].StreamId, out var stream) ? stream : throw new InvalidOperationException();

    View<Sum> KeyedByFirst(string? poisonOf) => View() with
    {
        Feeds =
        [
            View().Feeds[0] with
            {
                KeyOfName = null,
                KeyOfFirst = first => first.StreamId == poisonOf
                    ? throw new InvalidOperationException("no key")
                    : new($"{name}-{first.StreamId}", name),
            },
        ],
    };

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
        var events = Enumerable.Range(1, count).Select(
            i => SampleEvent.Of(stream.ToString(), i, "sum-told", i * i, index: i - 1) with
            {
                Timestamp = system.Clock.GetUtcNow(),
            }).ToList();
        Assert.Equal(AppendResult.Appended, await Service<IEventStore>().AppendAsync(stream, 0, events, null, default));
        return events;
    }

    async Task<ViewDocument<Sum>?> ReadAsync(string stream) =>
        (await Projections.FindAsync<ViewDocument<Sum>>($"{name}-{stream}", name, default)).Found;

    async Task<string> EtagAsync(string stream)
    {
        using var read = await Projections.ReadItemStreamAsync($"{name}-{stream}", new(name));
        return read.Headers.ETag;
    }

    async Task<ParkedEvent?> ParkedAsync(string stream)
    {
        using var read = await Service<Database>().GetContainer(Parking.ContainerName)
            .ReadItemStreamAsync(stream, new(name));
        return read.IsSuccessStatusCode
            ? JsonSerializer.Deserialize<ParkedEvent>(read.Content, StoredJson.Options)
            : null;
    }

    Container Projections => Service<Database>().GetContainer(ContainerName);

    T Service<T>()
        where T : notnull => system.System.Host.Services.GetRequiredService<T>();
}
