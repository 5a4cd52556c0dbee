using static EventSourcing.Tests.CounterCommand;

namespace EventSourcing.Tests.Commands;

/// <summary>Load, decide, append: what a command leads to, alone and against others.</summary>
public abstract class DecidingTests(IEventStore store)
{
    readonly StreamId stream = Samples.NewStream();

    [Fact]
    public async Task A_command_appends_its_events_with_who_and_why()
    {
        var instance = new Instance(store);
        var outcome = await instance.AskAsync(stream, new AddOnes(2), "the-command");
        Assert.Equal((2, 2, 2), (outcome.Sequence, outcome.State.Value, outcome.Events.Count));
        Assert.False(outcome.IsRepeat);

        var stored = await store.ListAsync(stream);
        Assert.Equal(["0000000001", "0000000002"], stored.Select(e => e.Id));
        Assert.Equal(["the-command/0", "the-command/1"], stored.Select(e => e.CommandKey));
        Assert.All(stored, e => Assert.Equal(
            (stream.ToString(), "counter-added", 1, instance.Clock.Now, "tester", "correlation", "causation"),
            (e.StreamId, e.EventType, e.EventVersion, e.Timestamp, e.UserId, e.CorrelationId, e.CausationId)));
        Assert.Equal(2, stored.Select(e => e.EventId).Distinct().Count());
    }

    [Fact]
    public async Task A_remembered_state_saves_every_read()
    {
        var instance = new Instance(store);
        await instance.AddAsync(stream, 1);
        var before = instance.Store.Calls;
        await instance.AddAsync(stream, 1);
        Assert.Equal((1, 2), (instance.Store.Calls - before, instance.Store.Appends));
    }

    [Fact]
    public async Task Two_instances_that_know_nothing_of_each_other_lose_nothing()
    {
        var (left, right) = (new Instance(store), new Instance(store));
        await left.AddAsync(stream, 1);
        await right.AddAsync(stream, 10);
        await left.AddAsync(stream, 100);
        var last = await right.AddAsync(stream, 1000);
        Assert.Equal((4, 1111), (last.Sequence, last.State.Value));
    }

    [Fact]
    public async Task What_a_stale_memory_would_allow_is_decided_again_on_the_truth()
    {
        var (left, right) = (new Instance(store), new Instance(store));
        await left.AddAsync(stream, 5);
        await right.AskAsync(stream, new Take(4));

        // The left instance still believes in 5.
        var outcome = await left.AskAsync(stream, new Take(3));
        Assert.Equal(Counter.TooLittle, outcome.Refusal);
        Assert.Equal((2, 1), (outcome.Sequence, outcome.State.Value));
        Assert.Equal(2, await store.HeadAsync(stream, CancellationToken.None));
    }

    [Fact]
    public async Task A_no_on_a_stale_memory_is_not_given_before_the_truth_is_read()
    {
        var (left, right) = (new Instance(store), new Instance(store));
        await left.AddAsync(stream, 1);
        await right.AddAsync(stream, 9);
        var outcome = await left.AskAsync(stream, new Take(10));
        Assert.Null(outcome.Refusal);
        Assert.Equal((3, 0), (outcome.Sequence, outcome.State.Value));
    }

    [Fact]
    public async Task Nothing_to_do_on_a_stale_memory_is_not_said_before_the_truth_is_read()
    {
        var (left, right) = (new Instance(store), new Instance(store));
        await left.AddAsync(stream, 10);
        await right.AskAsync(stream, new Take(8));
        var outcome = await left.AskAsync(stream, new Reach(10));
        Assert.Equal((3, 10), (outcome.Sequence, outcome.State.Value));
        Assert.Equal(new CounterEvent.Added(8), Assert.Single(outcome.Events));
    }

    [Fact]
    public async Task A_refusal_stores_nothing_and_says_where_the_stream_is()
    {
        var instance = new Instance(store);
        var onNothing = await instance.AskAsync(stream, new Take(1));
        Assert.Equal((Counter.TooLittle, 0), (onNothing.Refusal, onNothing.Sequence));

        await instance.AddAsync(stream, 1);
        var refused = await instance.AskAsync(stream, new Take(2));
        Assert.Equal((Counter.TooLittle, 1), (refused.Refusal, refused.Sequence));
        Assert.Empty(refused.Events);
        Assert.Equal(1, await store.HeadAsync(stream, CancellationToken.None));
    }

    [Theory]
    [InlineData(CommandHandler<Counter, CounterCommand, CounterEvent>.AppendAttemptsMax - 1, true)]
    [InlineData(CommandHandler<Counter, CounterCommand, CounterEvent>.AppendAttemptsMax, false)]
    public async Task A_command_is_decided_again_so_many_times_and_then_says_so(int conflicts, bool done)
    {
        var (instance, rival) = (new Instance(store), new Instance(store));
        await instance.AddAsync(stream, 1);
        var left = conflicts;
        instance.Store.BeforeAppend = async () =>
        {
            if (left-- > 0) await rival.AddAsync(stream, 1);
        };

        var asked = instance.AddAsync(stream, 1000, "mine");
        if (done)
        {
            Assert.Equal(1 + conflicts + 1000, (await asked).State.Value);
            return;
        }

        await Assert.ThrowsAsync<StreamBusyException>(() => asked);
        Assert.DoesNotContain(await store.ListAsync(stream), e => e.CommandId == "mine");

        // Nothing was done, so it may be sent again under the same id.
        Assert.Equal(1 + conflicts + 1000, (await instance.AddAsync(stream, 1000, "mine")).State.Value);
    }

    [Fact]
    public async Task If_match_is_kept_warm_and_cold()
    {
        var (warm, cold) = (new Instance(store), new Instance(store));
        await warm.AddAsync(stream, 5);

        await RefusesAsync(warm, ifMatch: 0);
        await RefusesAsync(warm, ifMatch: 2);
        await RefusesAsync(cold, ifMatch: 0);
        await RefusesAsync(new(store), ifMatch: 7);
        Assert.Equal(2, (await cold.AskAsync(stream, new Add(1), ifMatch: 1)).Sequence);

        // The warm instance still believes in 1: its wish for 2 must be right all the same.
        Assert.Equal(3, (await warm.AskAsync(stream, new Add(1), ifMatch: 2)).Sequence);
        await RefusesAsync(cold, ifMatch: 2);

        async Task RefusesAsync(Instance instance, long ifMatch)
        {
            var outcome = await instance.AskAsync(stream, new Add(1), ifMatch: ifMatch);
            Assert.Equal(("stale-version", RefusalKind.Stale), (outcome.Refusal?.Code, outcome.Refusal?.Kind));
        }
    }

    [Fact]
    public async Task If_match_lost_in_a_race_is_refused_not_decided_again()
    {
        var (instance, rival) = (new Instance(store), new Instance(store));
        await instance.AddAsync(stream, 1);
        instance.Store.BeforeAppend = () => rival.AddAsync(stream, 1);
        var outcome = await instance.AskAsync(stream, new Add(1), ifMatch: 1);
        Assert.Equal(RefusalKind.Stale, outcome.Refusal?.Kind);
        Assert.Equal(2, await store.HeadAsync(stream, CancellationToken.None));
    }

    [Fact]
    public async Task A_stream_that_is_likely_new_is_written_without_a_read()
    {
        var instance = new Instance(store);
        var outcome = await instance.AskAsync(stream, new Add(1), likelyNew: true);
        Assert.Equal((1, 1), (outcome.Sequence, instance.Store.Calls));
    }

    [Fact]
    public async Task A_stream_wrongly_thought_new_is_decided_on_as_it_is()
    {
        await new Instance(store).AddAsync(stream, 5);
        var instance = new Instance(store);
        var outcome = await instance.AskAsync(stream, new Reach(7), likelyNew: true);
        Assert.Equal((2, 7), (outcome.Sequence, outcome.State.Value));

        var refused = await new Instance(store).AskAsync(stream, new Take(8), likelyNew: true);
        Assert.Equal((Counter.TooLittle, 2), (refused.Refusal, refused.Sequence));
    }

    [Fact]
    public async Task Many_commands_at_once_on_many_instances_all_count_once()
    {
        const int Instances = 2, Commands = 30;
        var instances = Enumerable.Range(0, Instances).Select(_ => new Instance(store)).ToList();
        await Task.WhenAll(instances.SelectMany((instance, i) => Enumerable.Range(0, Commands).Select(
            c => Task.Run(() => UntilDoneAsync(() => instance.AddAsync(stream, 1, $"add-{i}-{c}"))))));

        var state = await instances[0].Handler.LoadAsync(stream, StreamRange.All, CancellationToken.None);
        Assert.Equal((Instances * Commands, Instances * Commands), (state.Sequence, state.State.Value));
    }

    [Fact]
    public async Task A_hot_stream_does_not_fight_itself()
    {
        var instance = new Instance(store);
        await instance.AddAsync(stream, 1);
        var before = instance.Store.Calls;
        await Task.WhenAll(Enumerable.Range(0, 30).Select(_ => Task.Run(() => instance.AddAsync(stream, 1))));
        Assert.Equal(30, instance.Store.Calls - before);
        Assert.Equal(0, instance.Store.CatchUps - 1);
    }

    [Fact]
    public async Task A_memory_of_what_the_store_does_not_hold_is_worth_nothing()
    {
        var elsewhere = new Instance(new InMemoryEventStore());
        await elsewhere.AskAsync(stream, new AddOnes(5));

        // The same memory in front of a store that was emptied, and of one where other things have happened.
        var emptied = new Instance(store, cache: elsewhere.Cache);
        Assert.Equal(Counter.TooLittle, (await emptied.AskAsync(stream, new Take(5))).Refusal);

        await elsewhere.AskAsync(stream, new AddOnes(1));
        await new Instance(store).AddAsync(stream, 100);
        await new Instance(store).AskAsync(stream, new AddOnes(5));
        Assert.Equal(105, (await emptied.AskAsync(stream, new Reach(6))).State.Value);
    }

    [Fact]
    public async Task An_append_on_a_memory_of_what_the_store_does_not_hold_leaves_no_gap()
    {
        var elsewhere = new Instance(new InMemoryEventStore());
        await elsewhere.AskAsync(stream, new AddOnes(5));
        var emptied = new Instance(store, cache: elsewhere.Cache);
        var outcome = await emptied.AddAsync(stream, 1);
        Assert.Equal((1, 1), (outcome.Sequence, outcome.State.Value));
    }

    /// <summary>A busy stream asks its callers to send again, so this caller does.</summary>
    static async Task UntilDoneAsync(Func<Task> ask)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                await ask();
                return;
            }
            catch (StreamBusyException) when (attempt < 100)
            {
            }
        }
    }
}

public sealed class DecidingInMemoryTests() : DecidingTests(new InMemoryEventStore());
