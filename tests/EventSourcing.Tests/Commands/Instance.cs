using static EventSourcing.Tests.CounterCommand;

namespace EventSourcing.Tests.Commands;

/// <summary>One instance of the app: a command handler with a memory of its own on a store that others share.</summary>
sealed class Instance
{
    public Instance(
        IEventStore store, ManualClock? clock = null, SnapshotPolicy? snapshots = null, StateCache? cache = null)
    {
        Clock = clock ?? new();
        Cache = cache ?? new();
        Store = store as WatchedStore ?? new(store);
        Handler = new(Counter.Aggregate(snapshots), Store, Cache, Clock);
    }

    public ManualClock Clock { get; }

    public StateCache Cache { get; }

    public WatchedStore Store { get; }

    public CommandHandler<Counter, CounterCommand, CounterEvent> Handler { get; }

    public Task<Outcome<Counter, CounterEvent>> AskAsync(
        StreamId stream, CounterCommand command, string? id = null, long? ifMatch = null, bool likelyNew = false,
        CancellationToken cancellation = default) =>
        Handler.HandleAsync(stream, command, Context(id, ifMatch, likelyNew), cancellation);

    public Task<Outcome<Counter, CounterEvent>> AddAsync(StreamId stream, int by, string? id = null) =>
        AskAsync(stream, new Add(by), id);

    public static CommandContext Context(string? id = null, long? ifMatch = null, bool likelyNew = false) =>
        new(id ?? Guid.NewGuid().ToString("N"), "correlation", "causation", "tester", ifMatch)
        {
            LikelyNew = likelyNew,
        };
}
