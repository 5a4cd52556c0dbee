using static EventSourcing.Tests.CounterCommand;

namespace EventSourcing.Tests.Commands;

/// <summary>The same command again: answered as the first time, done once, whoever asks and whenever.</summary>
public abstract class RepeatTests(IEventStore store)
{
    readonly StreamId stream = Samples.NewStream();

    /// <summary>One that its decider would do twice, one that it knows as done, one that it would refuse.</summary>
    public static TheoryData<string> Kinds => ["adds-again", "is-done", "refuses-again"];

    [Theory, MemberData(nameof(Kinds))]
    public Task On_the_same_instance(string kind) => AnswersAsTheFirstTimeAsync(kind, (first, _) => first);

    [Theory, MemberData(nameof(Kinds))]
    public Task On_an_instance_that_never_saw_the_stream(string kind) =>
        AnswersAsTheFirstTimeAsync(kind, (_, _) => new(store));

    [Theory, MemberData(nameof(Kinds))]
    public Task On_an_instance_whose_memory_is_older_than_the_command(string kind) =>
        AnswersAsTheFirstTimeAsync(kind, (_, early) => early);

    [Theory, MemberData(nameof(Kinds))]
    public Task After_the_memory_was_evicted(string kind) => AnswersAsTheFirstTimeAsync(kind, (first, _) =>
    {
        first.Cache.Remove(stream);
        return first;
    });

    [Theory, MemberData(nameof(Kinds))]
    public Task Without_any_memory(string kind) =>
        AnswersAsTheFirstTimeAsync(kind, (_, _) => new(store, cache: new(entriesMax: 0)));

    [Theory, MemberData(nameof(Kinds))]
    public Task Loaded_from_a_snapshot_taken_after_the_command(string kind) =>
        AnswersAsTheFirstTimeAsync(kind, (_, _) => new(store, snapshots: new(1, "1")), new SnapshotPolicy(1, "1"));

    [Theory, MemberData(nameof(Kinds))]
    public Task When_the_stream_is_thought_new(string kind) =>
        AnswersAsTheFirstTimeAsync(kind, (_, _) => new(store), likelyNew: true);

    [Theory, MemberData(nameof(Kinds))]
    public Task When_the_caller_was_strict_about_the_version(string kind) =>
        AnswersAsTheFirstTimeAsync(kind, (_, _) => new(store), ifMatch: 1);

    async Task AnswersAsTheFirstTimeAsync(
        string kind, Func<Instance, Instance, Instance> again, SnapshotPolicy? snapshots = null,
        bool likelyNew = false, long? ifMatch = null)
    {
        CounterCommand command = kind switch
        {
            "adds-again" => new AddOnes(3),
            "is-done" => new Reach(13),
            _ => new TakeAll(1),
        };
        var (first, early) = (new Instance(store, snapshots: snapshots), new Instance(store, snapshots: snapshots));
        await first.AddAsync(stream, 10);
        await early.Handler.LoadAsync(stream, StreamRange.All, CancellationToken.None);
        var original = await first.AskAsync(stream, command, "the-command", ifMatch, likelyNew);

        // At once, and again when the stream has gone on.
        for (var after = 0; after < 2; after++)
        {
            var head = await store.HeadAsync(stream, CancellationToken.None);
            var repeat = await again(first, early).AskAsync(stream, command, "the-command", ifMatch, likelyNew);
            Assert.True(repeat.IsRepeat);
            Assert.Null(repeat.Refusal);
            Assert.Equal(original.Sequence, repeat.Sequence);
            Assert.Equal(original.Events, repeat.Events);
            Assert.Equal(head, await store.HeadAsync(stream, CancellationToken.None));
            await new Instance(store, snapshots: snapshots).AskAsync(stream, new AddOnes(2));
        }
    }

    [Fact]
    public async Task At_the_same_time_on_many_instances()
    {
        var outcomes = await Task.WhenAll(Enumerable.Range(0, 12).Select(i => Task.Run(
            () => new Instance(store).AskAsync(stream, new AddOnes(2), "the-command", likelyNew: i % 2 == 0))));

        Assert.Equal(2, await store.HeadAsync(stream, CancellationToken.None));
        Assert.All(outcomes, o => Assert.Equal((2, 2), (o.Sequence, o.Events.Count)));
        Assert.Single(outcomes, o => !o.IsRepeat);
    }

    [Fact]
    public async Task At_the_same_time_on_one_instance()
    {
        var instance = new Instance(store);
        var outcomes = await Task.WhenAll(Enumerable.Range(0, 12).Select(
            _ => Task.Run(() => instance.AddAsync(stream, 1, "the-command"))));
        Assert.Single(outcomes, o => !o.IsRepeat);
        Assert.All(outcomes, o => Assert.Equal((1, 1), (o.Sequence, o.State.Value)));
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task After_the_first_answer_was_lost(string kind)
    {
        CounterCommand command = kind == "is-done" ? new Reach(12) : new AddOnes(2);
        var instance = new Instance(store);
        await instance.AddAsync(stream, 10);
        instance.Store.AfterAppend = () => throw new IOException("The answer got lost.");
        await Assert.ThrowsAsync<IOException>(() => instance.AskAsync(stream, command, "the-command"));

        instance.Store.AfterAppend = () => Task.CompletedTask;
        var repeat = await (kind == "refuses-again" ? new Instance(store) : instance)
            .AskAsync(stream, command, "the-command");
        Assert.True(repeat.IsRepeat);
        Assert.Equal(12, repeat.State.Value);
        Assert.Equal(await store.HeadAsync(stream, CancellationToken.None), repeat.Sequence);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task With_other_content_is_refused(bool cold)
    {
        var instance = new Instance(store);
        await instance.AddAsync(stream, 10);
        await instance.AskAsync(stream, new Take(3), "the-command");

        CounterCommand[] others = [new Take(4), new TakeAll(3), new Add(3), new Reach(1)];
        foreach (var other in others)
        {
            var asked = cold ? new Instance(store) : instance;
            var outcome = await asked.AskAsync(stream, other, "the-command");
            Assert.Equal("command-id-reused", outcome.Refusal?.Code);
            Assert.Empty(outcome.Events);
        }

        Assert.Equal(2, await store.HeadAsync(stream, CancellationToken.None));
    }

    [Fact]
    public async Task With_the_same_wish_but_another_price_is_still_a_repeat()
    {
        var instance = new Instance(store);
        var context = Instance.Context("the-command") with { Content = "two blue mugs" };
        await instance.Handler.HandleAsync(stream, new Add(100), context, CancellationToken.None);

        var repeat = await instance.Handler.HandleAsync(stream, new Add(120), context, CancellationToken.None);
        Assert.True(repeat.IsRepeat);
        Assert.Equal(new CounterEvent.Added(100), Assert.Single(repeat.Events));

        var other = await instance.Handler.HandleAsync(
            stream, new Add(100), context with { Content = "three blue mugs" }, CancellationToken.None);
        Assert.Equal("command-id-reused", other.Refusal?.Code);
    }

    [Fact]
    public async Task One_id_on_two_streams_is_two_commands()
    {
        var instance = new Instance(store);
        var other = Samples.NewStream();
        await instance.AddAsync(stream, 1, "the-command");
        Assert.False((await instance.AddAsync(other, 1, "the-command")).IsRepeat);
    }

    [Fact]
    public async Task A_refused_command_may_be_sent_again_and_then_succeed()
    {
        var instance = new Instance(store);
        Assert.NotNull((await instance.AskAsync(stream, new Take(1), "the-command")).Refusal);
        await instance.AddAsync(stream, 1);
        var outcome = await instance.AskAsync(stream, new Take(1), "the-command");
        Assert.Null(outcome.Refusal);
        Assert.False(outcome.IsRepeat);
    }
}

public sealed class RepeatInMemoryTests() : RepeatTests(new InMemoryEventStore());
