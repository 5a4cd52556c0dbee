using System.Text.Json;
using static EventSourcing.Tests.CounterCommand;

namespace EventSourcing.Tests.Commands;

/// <summary>Snapshots only ever save time: due when the policy says, and never believed over events.</summary>
public abstract class SnapshotTests(IEventStore store)
{
    static readonly SnapshotPolicy EveryTen = new(10, "1");
    static readonly CancellationToken None = CancellationToken.None;

    readonly StreamId stream = Samples.NewStream();

    [Theory]
    [InlineData(9, null)]
    [InlineData(10, 10)]
    [InlineData(11, 10)]
    [InlineData(25, 20)]
    public async Task One_is_stored_whenever_the_stream_passes_another_so_many_events(int events, int? snapshotAt)
    {
        var instance = new Instance(store, snapshots: EveryTen);
        for (var i = 0; i < events; i++) await instance.AddAsync(stream, 1);
        Assert.Equal(snapshotAt, (await store.ReadSnapshotAsync(stream, None))?.SnapshotSequence);
    }

    [Fact]
    public async Task A_batch_that_steps_over_the_mark_stores_the_state_it_ends_with()
    {
        var instance = new Instance(store, snapshots: EveryTen);
        await instance.AskAsync(stream, new AddOnes(7));
        await instance.AskAsync(stream, new AddOnes(6));
        var snapshot = await store.ReadSnapshotAsync(stream, None);
        var last = (await store.ListAsync(stream))[^1];
        Assert.Equal((13, last.EventId), (snapshot!.SnapshotSequence, snapshot.SnapshotEventId));
    }

    [Fact]
    public async Task An_aggregate_without_a_policy_stores_none_and_looks_for_none()
    {
        var instance = new Instance(store);
        await instance.AskAsync(stream, new AddOnes(50));
        Assert.Null(await store.ReadSnapshotAsync(stream, None));
        await new Instance(instance.Store).AddAsync(stream, 1);
        Assert.Equal(0, instance.Store.SnapshotReads);
    }

    [Fact]
    public async Task Only_the_tail_behind_a_snapshot_is_read()
    {
        await new Instance(store, snapshots: EveryTen).AskAsync(stream, new AddOnes(98));
        await new Instance(store, snapshots: new(1000, "1")).AskAsync(stream, new AddOnes(3));

        var cold = new Instance(store, snapshots: EveryTen);
        Assert.Equal(101, await ValueAsync(cold));

        // The event it stands on, and the three behind.
        Assert.Equal((4, 1, 1), (cold.Store.EventsRead, cold.Store.Reads, cold.Store.SnapshotReads));
    }

    [Fact]
    public async Task A_state_with_ids_for_keys_survives_its_snapshot()
    {
        var (first, second) = (new PieceId(Guid.NewGuid()), new PieceId(Guid.NewGuid()));
        var instance = new Instance(store, snapshots: new(2, "1"));
        await instance.AskAsync(stream, new Place(first, 3));
        await instance.AskAsync(stream, new Place(second, 4));

        var cold = new Instance(store, snapshots: new(2, "1"));
        var state = (await cold.Handler.LoadAsync(stream, StreamRange.All, None)).State;
        Assert.Equal((1, 3, 4), (cold.Store.EventsRead, state.Pieces[first], state.Pieces[second]));
    }

    [Fact]
    public async Task One_of_an_older_schema_is_ignored_and_replaced_in_time()
    {
        await new Instance(store, snapshots: new(10, "old")).AskAsync(stream, new AddOnes(12));
        await CorruptAsync(snapshot => snapshot with { State = Json(new { value = 999 }) });

        var renewed = new Instance(store, snapshots: EveryTen);
        Assert.Equal(13, await ValueAsync(renewed));
        await renewed.AskAsync(stream, new AddOnes(10));
        Assert.Equal("1", (await store.ReadSnapshotAsync(stream, None))?.Schema);
    }

    public static TheoryData<string> Wrongs => ["beyond", "another-event", "no-event", "shapeless", "null"];

    [Theory, MemberData(nameof(Wrongs))]
    public async Task One_that_stands_on_nothing_or_can_not_be_read_is_not_believed(string wrong)
    {
        await new Instance(store, snapshots: EveryTen).AskAsync(stream, new AddOnes(12));
        await CorruptAsync(snapshot => wrong switch
        {
            "beyond" => snapshot with { SnapshotSequence = 50, State = Json(new { value = 999 }) },
            "another-event" => snapshot with { SnapshotSequence = 5, State = Json(new { value = 999 }) },
            "no-event" => snapshot with { SnapshotSequence = 0, State = Json(new { value = 999 }) },
            "shapeless" => snapshot with { State = Json("not a counter") },
            _ => snapshot with { State = Json<object?>(null) },
        });

        Assert.Equal(13, await ValueAsync(new(store, snapshots: EveryTen)));
        var outcome = await new Instance(store, snapshots: EveryTen).AddAsync(stream, 1);
        Assert.Equal((14, 14), (outcome.Sequence, outcome.State.Value));
    }

    [Fact]
    public async Task A_stream_wrongly_thought_new_is_loaded_from_its_snapshot()
    {
        await new Instance(store, snapshots: EveryTen).AskAsync(stream, new AddOnes(98));
        var instance = new Instance(store, snapshots: EveryTen);
        Assert.Equal(99, (await instance.AskAsync(stream, new Add(1), likelyNew: true)).State.Value);
        Assert.Equal(1, instance.Store.EventsRead);
    }

    /// <summary>Puts another snapshot in place of the stored one, with one more event.</summary>
    async Task CorruptAsync(Func<StoredSnapshot, StoredSnapshot> change)
    {
        var stored = (await store.ReadSnapshotAsync(stream, None))!;
        var head = await store.HeadAsync(stream, None);
        var next = Samples.Event(stream, head + 1) with { Timestamp = stored.Timestamp };
        Assert.Equal(AppendResult.Appended, await store.AppendAsync(stream, head, [next], change(stored), None));
    }

    async Task<int> ValueAsync(Instance instance) =>
        (await instance.Handler.LoadAsync(stream, StreamRange.All, None)).State.Value;

    static JsonElement Json<T>(T value) => JsonSerializer.SerializeToElement(value, StoredJson.Options);
}

public sealed class SnapshotInMemoryTests() : SnapshotTests(new InMemoryEventStore())
{
    [Fact]
    public async Task A_stream_of_a_hundred_thousand_events_is_known_by_its_snapshot_and_tail()
    {
        var (store, stream, policy) = (new InMemoryEventStore(), Samples.NewStream(), new SnapshotPolicy(100, "1"));
        await store.FillAsync(stream, to: 99_950);
        var clock = new ManualClock { Now = Samples.Noon.AddDays(2) };
        var writer = new Instance(store, clock, policy);
        await writer.AskAsync(stream, new AddOnes(50));
        await writer.AskAsync(stream, new AddOnes(98));

        var cold = new Instance(store, clock, policy);
        var loaded = await cold.Handler.LoadAsync(stream, StreamRange.All, CancellationToken.None);
        Assert.Equal((100_098, 100_098), (loaded.Sequence, loaded.State.Value));
        Assert.Equal((99, 1, 1), (cold.Store.EventsRead, cold.Store.Reads, cold.Store.SnapshotReads));
    }
}
