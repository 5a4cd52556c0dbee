using System.Text.Json;

namespace EventSourcing.Tests.Stores;

/// <summary>What every event store must do, whatever it is made of. Each test has a stream of its own.</summary>
public abstract class EventStoreConformance(IEventStore store)
{
    static readonly CancellationToken None = CancellationToken.None;

    readonly StreamId stream = Samples.NewStream();

    [Fact]
    public async Task A_stream_nobody_wrote_to_is_empty()
    {
        Assert.Empty(await store.ListAsync(stream));
        Assert.Empty(await store.ListAsync(stream, new(1, Backwards: true)));
        Assert.Empty(await store.ListAsync(stream, new(1, 1)));
        Assert.Empty(await store.CatchUpAsync(stream, 0, "any", None).ToListAsync());
        Assert.Equal(0, await store.HeadAsync(stream, None));
        Assert.Null(await store.ReadSnapshotAsync(stream, None));
    }

    [Fact]
    public async Task What_is_appended_is_read_back_exactly()
    {
        var data = new { by = 1.50m, text = "ü 주문 \"quoted\" \u0001 😀" };
        var stored = Samples.Event(stream, 1, "a/b:c", data: data) with
        {
            UserId = null,
            TraceParent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            Timestamp = Samples.Noon.AddTicks(1),
        };
        await AppendedAsync(0, stored);

        var read = Assert.Single(await store.ListAsync(stream));
        Assert.Equal(stored with { EventData = read.EventData }, read);
        Assert.True(JsonElement.DeepEquals(stored.EventData, read.EventData));
        Assert.Equal("1.50", read.EventData.GetProperty("by").GetRawText());
    }

    [Fact]
    public async Task The_slower_of_two_writers_to_one_place_is_told()
    {
        await AppendedAsync(0, Samples.Event(stream, 1, "first"));
        await ConflictAsync(0, Samples.Event(stream, 1, "second"));
        Assert.Equal("first", Assert.Single(await store.ListAsync(stream)).CommandId);
    }

    [Fact]
    public async Task Exactly_one_of_many_concurrent_writers_gets_the_place()
    {
        var results = await Task.WhenAll(Enumerable.Range(0, 20).Select(i => Task.Run(() =>
            store.AppendAsync(stream, 0, Samples.Events(stream, 0, 2, $"writer-{i}"), null, None))));

        Assert.Single(results, AppendResult.Appended);
        var read = await store.ListAsync(stream);
        Assert.Equal([1L, 2L], read.Select(e => e.Sequence));
        Assert.Single(read.Select(e => e.CommandId).Distinct());
    }

    [Fact]
    public async Task An_append_behind_a_place_the_stream_has_not_reached_leaves_no_gap()
    {
        await AppendedAsync(0, Samples.Event(stream, 1));
        await ConflictAsync(5, Samples.Event(stream, 6));
        Assert.Equal(1, await store.HeadAsync(stream, None));
    }

    [Fact]
    public async Task A_command_is_stored_once_per_stream_however_often_it_is_sent()
    {
        await AppendedAsync(0, Samples.Events(stream, 0, 2, "once"));
        await ConflictAsync(2, Samples.Events(stream, 2, 2, "once"));
        await ConflictAsync(2, Samples.Events(stream, 2, 1, "once"));
        Assert.Equal(2, await store.HeadAsync(stream, None));

        var other = Samples.NewStream();
        Assert.Equal(AppendResult.Appended, await store.AppendAsync(
            other, 0, Samples.Events(other, 0, 2, "once"), null, None));
    }

    [Fact]
    public async Task Commands_whose_ids_begin_alike_are_different_commands()
    {
        await AppendedAsync(0, Samples.Event(stream, 1, "a"));
        await AppendedAsync(1, Samples.Event(stream, 2, "a/0"));
        await AppendedAsync(2, Samples.Event(stream, 3, "a/b"));

        Assert.Equal([1L], await CatchUpAsync(3, "a"));
        Assert.Equal([2L], await CatchUpAsync(3, "a/0"));
        Assert.Equal([1L, 3L], await CatchUpAsync(2, "a"));
    }

    [Fact]
    public async Task All_events_of_one_append_are_stored_or_none()
    {
        await AppendedAsync(0, Samples.Events(stream, 0, 3, "taken"));

        // The place of the third event is taken, those of the first two are not the writer's to have.
        await ConflictAsync(1, Samples.Events(stream, 1, 3, "late"));
        Assert.Equal(["taken", "taken", "taken"], (await store.ListAsync(stream)).Select(e => e.CommandId));
    }

    [Fact]
    public async Task As_many_events_as_allowed_fit_with_a_snapshot()
    {
        await AppendedAsync(0, Samples.Event(stream, 1));
        var events = Samples.Events(stream, 1, AppendLimits.EventsMax, "many");
        Assert.Equal(AppendResult.Appended, await store.AppendAsync(
            stream, 1, events, Samples.Snapshot(events[^1], new { value = 99 }), None));
        Assert.Equal(1 + AppendLimits.EventsMax, await store.HeadAsync(stream, None));
        Assert.NotNull(await store.ReadSnapshotAsync(stream, None));
    }

    [Fact]
    public async Task Too_many_events_are_refused_before_anything_is_stored()
    {
        await Assert.ThrowsAsync<AppendTooLargeException>(() => store.AppendAsync(
            stream, 0, Samples.Events(stream, 0, AppendLimits.EventsMax + 1, "many"), null, None));
        await Assert.ThrowsAsync<AppendTooLargeException>(() => store.AppendAsync(stream, 0, [], null, None));
        Assert.Equal(0, await store.HeadAsync(stream, None));
    }

    [Theory]
    [InlineData(1, AppendLimits.EventBytesMax)]
    [InlineData(5, AppendLimits.EventBytesMax - 2000)]
    public async Task Too_large_an_event_or_batch_is_refused_before_anything_is_stored(int count, int length)
    {
        await AppendedAsync(0, Samples.Event(stream, 1));
        var events = Enumerable.Range(0, count).Select(i => Samples.Event(
            stream, 2 + i, "large", i, new { text = new string('x', length) }));
        var refused = await Assert.ThrowsAsync<AppendTooLargeException>(
            () => store.AppendAsync(stream, 1, [.. events], null, None));
        Assert.Contains(stream.ToString(), refused.Message, StringComparison.Ordinal);
        Assert.Equal(1, await store.HeadAsync(stream, None));
    }

    [Fact]
    public async Task The_largest_event_and_the_largest_batch_are_stored()
    {
        var room = AppendLimits.EventBytesMax - 1000;
        var events = Enumerable.Range(0, 3).Select(i => Samples.Event(
            stream, 1 + i, "large", i, new { text = new string('x', room) })).ToArray();
        await AppendedAsync(0, events);
        Assert.Equal(3, (await store.ListAsync(stream)).Count);
    }

    [Fact]
    public async Task An_event_that_is_not_where_it_says_is_refused()
    {
        var there = Samples.Event(stream, 1);
        await Refused(0, there with { Sequence = 2 });
        await Refused(0, there with { Id = StoredEvent.IdOf(2) });
        await Refused(0, there with { StreamId = "counter-other" });
        await Refused(0, there with { CommandKey = "other/0" });
        await Refused(0, there, Samples.Event(stream, 2, "another-command", 1));
        await Refused(0, there, there);
        await Refused(-1, there);
        await Assert.ThrowsAsync<ArgumentException>(() => store.AppendAsync(default, 0, [there], null, None));
        Assert.Equal(0, await store.HeadAsync(stream, None));

        Task Refused(long expected, params StoredEvent[] events) =>
            Assert.ThrowsAnyAsync<ArgumentException>(() => store.AppendAsync(stream, expected, events, null, None));
    }

    [Fact]
    public async Task Any_range_is_read_in_order_from_either_end()
    {
        (long From, long To)[] ranges =
        [
            (1, 1200), (499, 502), (1200, 1200), (1190, long.MaxValue), (-5, 3), (0, 500), (2000, 3000), (7, 6),
        ];
        await store.FillAsync(stream, to: 1200);
        foreach (var (from, to) in ranges)
        {
            var expected = Enumerable.Range(1, 1200).Select(i => (long)i).Where(i => i >= from && i <= to).ToList();
            Assert.Equal(expected, (await store.ListAsync(stream, new(from, to))).Select(e => e.Sequence));
            expected.Reverse();
            Assert.Equal(expected, (await store.ListAsync(stream, new(from, to, true))).Select(e => e.Sequence));
        }
    }

    [Fact]
    public async Task Reading_stops_where_the_reader_stops()
    {
        await store.FillAsync(stream, to: 1200);
        Assert.Equal([1L, 2L, 3L], await store.ReadAsync(stream, StreamRange.All, None)
            .Take(3).Select(e => e.Sequence).ToListAsync());
        Assert.Equal([1200L, 1199L], await store.ReadAsync(stream, new(1, Backwards: true), None)
            .Take(2).Select(e => e.Sequence).ToListAsync());
    }

    [Fact]
    public async Task Catching_up_reads_everything_missed_and_the_commands_own_events_once_each()
    {
        // The command fill-0 is 1 to 98, fill-392 is 393 to 490, fill-500 is 501 to 598: before, across and behind the
        // first window of 500.
        long[] heads = [499, 500, 1010];
        long[] seen = [0, 97, 450, 1009, 1010];
        foreach (var head in heads)
        {
            await store.FillAsync(stream, to: head, from: await store.HeadAsync(stream, None) + 1);
            var expected = Enumerable.Range(1, (int)head).Select(i => (long)i).ToList();
            foreach (var from in seen.Where(from => from <= head))
            {
                Assert.Equal(expected.Where(i => i > from), await CatchUpAsync(from, "nobody"));
                Assert.Equal(expected.Where(i => i > from || i <= 98), await CatchUpAsync(from, "fill-0"));
                Assert.Equal(
                    expected.Where(i => i > from || (i > 392 && i <= 490)), await CatchUpAsync(from, "fill-392"));
                Assert.Equal(
                    expected.Where(i => i > from || (i > 500 && i <= 598)), await CatchUpAsync(from, "fill-500"));
            }
        }
    }

    [Fact]
    public async Task The_head_is_the_last_sequence_and_no_snapshot()
    {
        var first = Samples.Event(stream, 1);
        Assert.Equal(AppendResult.Appended, await store.AppendAsync(
            stream, 0, [first], Samples.Snapshot(first, new { value = 1 }), None));
        Assert.Equal(1, await store.HeadAsync(stream, None));
        Assert.Single(await store.ListAsync(stream));
        Assert.Single(await store.ListAsync(stream, new(1, Backwards: true)));
        Assert.Single(await store.CatchUpAsync(stream, 0, "snapshot", None).ToListAsync());
    }

    [Fact]
    public async Task The_last_snapshot_stored_is_the_one_that_is_read()
    {
        for (var sequence = 1; sequence <= 2; sequence++)
        {
            var stored = Samples.Event(stream, sequence);
            await store.AppendAsync(
                stream, sequence - 1, [stored], Samples.Snapshot(stored, new { value = sequence }, "7"), None);
        }

        await AppendedAsync(2, Samples.Event(stream, 3));
        var last = (await store.ListAsync(stream))[1];
        var snapshot = (await store.ReadSnapshotAsync(stream, None))!;
        Assert.Equal((2, last.EventId, "7"), (snapshot.SnapshotSequence, snapshot.SnapshotEventId, snapshot.Schema));
        Assert.Equal(2, snapshot.State.GetProperty("value").GetInt32());
    }

    [Fact]
    public async Task The_snapshot_of_an_append_that_lost_is_not_stored()
    {
        await AppendedAsync(0, Samples.Event(stream, 1));
        var late = Samples.Event(stream, 1, "late");
        Assert.Equal(AppendResult.Conflict, await store.AppendAsync(
            stream, 0, [late], Samples.Snapshot(late, new { value = 1 }), None));
        Assert.Null(await store.ReadSnapshotAsync(stream, None));
    }

    [Fact]
    public async Task A_snapshot_too_large_for_the_batch_is_left_out_and_the_events_are_stored()
    {
        var stored = Samples.Event(stream, 1, data: new { text = new string('x', 100_000) });
        var state = new { text = new string('x', AppendLimits.BatchBytesMax - 100_000) };
        Assert.Equal(AppendResult.Appended, await store.AppendAsync(
            stream, 0, [stored], Samples.Snapshot(stored, state), None));
        Assert.Equal(1, await store.HeadAsync(stream, None));
        Assert.Null(await store.ReadSnapshotAsync(stream, None));
    }

    [Fact]
    public async Task A_cancelled_call_does_nothing()
    {
        var cancelled = new CancellationToken(canceled: true);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => store.AppendAsync(stream, 0, [Samples.Event(stream, 1)], null, cancelled));
        Assert.Equal(0, await store.HeadAsync(stream, None));

        await store.FillAsync(stream, to: 3);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            async () => await store.ReadAsync(stream, StreamRange.All, cancelled).ToListAsync());
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            async () => await store.CatchUpAsync(stream, 0, "any", cancelled).ToListAsync());
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => store.HeadAsync(stream, cancelled));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => store.ReadSnapshotAsync(stream, cancelled));
    }

    [Fact]
    public async Task Streams_do_not_see_each_other()
    {
        var other = StreamId.Of("counter", stream.Id + "-2");
        await AppendedAsync(0, Samples.Event(stream, 1));
        await store.AppendAsync(other, 0, [Samples.Event(other, 1)], null, None);
        Assert.Equal(stream.ToString(), Assert.Single(await store.ListAsync(stream)).StreamId);
        Assert.Equal(other.ToString(), Assert.Single(await store.ListAsync(other)).StreamId);
    }

    async Task AppendedAsync(long expected, params StoredEvent[] events) =>
        Assert.Equal(AppendResult.Appended, await store.AppendAsync(stream, expected, events, null, None));

    async Task ConflictAsync(long expected, params StoredEvent[] events) =>
        Assert.Equal(AppendResult.Conflict, await store.AppendAsync(stream, expected, events, null, None));

    async Task<List<long>> CatchUpAsync(long sequence, string commandId) =>
        await store.CatchUpAsync(stream, sequence, commandId, None).Select(e => e.Sequence).ToListAsync();
}
