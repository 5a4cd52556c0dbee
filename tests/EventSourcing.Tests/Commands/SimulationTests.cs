using FsCheck;
using FsCheck.Fluent;
using static EventSourcing.Tests.CounterCommand;

namespace EventSourcing.Tests.Commands;

/// <summary>
/// Any commands on any instances, repeated, with answers lost and memories dropped, against a model of one line: every
/// command id counts once, in the order of the first answers.
/// </summary>
public sealed class SimulationTests
{
    const int InstanceCount = 3, IdCount = 12;

    static readonly Config Runs = Config.QuickThrowOnFailure
        .WithMaxTest(150).WithStartSize(1).WithEndSize(60).WithReplay(20260301, 1);

    enum Mishap
    {
        None,
        LostBefore,
        LostAfter,
        Evicted,
        Restarted,
        Rivalled,
    }

    sealed record Step(int Instance, int CommandId, int Kind, int Amount, Mishap Mishap);

    sealed record First(CounterCommand Command, IReadOnlyList<CounterEvent> Events, long Sequence);

    static Gen<Step> Steps =>
        from instance in Gen.Choose(0, InstanceCount - 1)
        from id in Gen.Choose(0, IdCount - 1)
        from kind in Gen.Choose(0, 4)
        from amount in Gen.Choose(1, 6)
        from mishap in Gen.Frequency(
            (4, Gen.Constant(Mishap.None)),
            (1, Gen.Constant(Mishap.LostBefore)),
            (2, Gen.Constant(Mishap.LostAfter)),
            (1, Gen.Constant(Mishap.Evicted)),
            (1, Gen.Constant(Mishap.Restarted)),
            (1, Gen.Constant(Mishap.Rivalled)))
        select new Step(instance, id, kind, amount, mishap);

    [Fact]
    public void Whatever_happens_every_command_counts_once_and_every_answer_is_the_first() => Check.One(
        Runs, Prop.ForAll(Steps.ListOf().ToArbitrary(), steps => RunAsync([.. steps], null)));

    [Fact]
    public void And_the_same_with_snapshots() => Check.One(
        Runs, Prop.ForAll(Steps.ListOf().ToArbitrary(), steps => RunAsync([.. steps], new(3, "1"))));

    static async Task RunAsync(List<Step> steps, SnapshotPolicy? snapshots)
    {
        var (stream, store) = (StreamId.Of("counter", "simulated"), new InMemoryEventStore());
        var clock = new ManualClock();
        var instances = Enumerable.Range(0, InstanceCount).Select(_ => Start()).ToArray();
        var done = new Dictionary<string, First>();
        var rivals = 0;

        foreach (var step in steps)
        {
            clock.Advance(TimeSpan.FromSeconds(1));
            if (step.Mishap == Mishap.Restarted) instances[step.Instance] = Start();
            var instance = instances[step.Instance];
            if (step.Mishap == Mishap.Evicted) instance.Cache.Remove(stream);
            instance.Store.BeforeAppend = step.Mishap switch
            {
                Mishap.LostBefore => () => throw new IOException(),
                Mishap.Rivalled => () => RivalAsync(Start()),
                _ => () => Task.CompletedTask,
            };
            instance.Store.AfterAppend = step.Mishap == Mishap.LostAfter
                ? () => throw new IOException()
                : () => Task.CompletedTask;

            var (id, command) = ($"command-{step.CommandId}", CommandOf(step));
            Outcome<Counter, CounterEvent> outcome;
            try
            {
                outcome = await instance.AskAsync(stream, command, id);
            }
            catch (IOException)
            {
                // Whether it happened is not known here; the model asks the store, as nobody else can.
                await LearnAsync(id, command);
                continue;
            }

            if (done.TryGetValue(id, out var first)) AssertRepeat(first, command, outcome);
            else await LearnAsync(id, command);
        }

        var stored = await store.ListAsync(stream);
        Assert.Equal(Enumerable.Range(1, stored.Count).Select(i => (long)i), stored.Select(e => e.Sequence));
        var codec = new EventCodec<CounterEvent>(CounterEvent.Types);
        var truth = Counter.Decider.Fold(stored.Select(codec.DecodeEvent));
        Assert.True(truth.Value >= 0);
        foreach (var instance in instances)
        {
            var loaded = await instance.Handler.LoadAsync(stream, StreamRange.All, CancellationToken.None);
            Assert.Equal((truth.Value, stored.Count), (loaded.State.Value, loaded.Sequence));
        }

        Instance Start() => new(store, clock, snapshots);

        async Task RivalAsync(Instance rival)
        {
            if (rivals++ % 3 == 0) await rival.AskAsync(stream, new Reach(3), $"rival-{rivals}");
        }

        async Task LearnAsync(string id, CounterCommand command)
        {
            var own = (await store.ListAsync(stream)).Where(e => e.CommandId == id).ToList();
            if (own.Count == 0 || done.ContainsKey(id)) return;
            var decoder = new EventCodec<CounterEvent>(CounterEvent.Types);
            done.Add(id, new(command, [.. own.Select(decoder.DecodeEvent)], own[^1].Sequence));
        }
    }

    static void AssertRepeat(First first, CounterCommand command, Outcome<Counter, CounterEvent> outcome)
    {
        if (command != first.Command)
        {
            Assert.Equal("command-id-reused", outcome.Refusal?.Code);
            return;
        }

        Assert.True(outcome.IsRepeat);
        Assert.Equal(first.Events, outcome.Events);
        Assert.Equal(first.Sequence, outcome.Sequence);
    }

    static CounterCommand CommandOf(Step step) => step.Kind switch
    {
        0 => new Add(step.Amount),
        1 => new Reach(step.Amount),
        2 => new Take(step.Amount),
        3 => new TakeAll(step.Amount),
        _ => new AddOnes(step.Amount),
    };
}
