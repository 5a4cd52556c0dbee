using System.Diagnostics;
using System.Diagnostics.Metrics;
using static EventSourcing.Tests.CounterCommand;

namespace EventSourcing.Tests.Commands;

/// <summary>One trace from the caller to the stored event, and numbers for what commands do and cost.</summary>
public sealed class TelemetryTests
{
    readonly StreamId stream = Samples.NewStream();
    readonly InMemoryEventStore store = new();

    [Fact]
    public async Task An_event_carries_the_trace_of_its_command()
    {
        var spans = new List<Activity>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == Telemetry.Name,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStopped = span =>
            {
                if (Equals(span.GetTagItem("stream"), stream.ToString()))
                    lock (spans) spans.Add(span);
            },
        };
        ActivitySource.AddActivityListener(listener);

        using var caller = new Activity("caller").SetIdFormat(ActivityIdFormat.W3C).Start();
        await new Instance(store).AskAsync(stream, new Add(1), "the-command");
        caller.Stop();

        var span = Assert.Single(spans);
        Assert.Equal((caller.SpanId, "command", "the-command", false), (
            span.ParentSpanId, span.OperationName, span.GetTagItem("command.id"), span.GetTagItem("cache.hit")));
        Assert.Equal(span.Id, Assert.Single(await store.ListAsync(stream)).TraceParent);
    }

    [Fact]
    public async Task Appends_conflicts_repeats_and_lookups_are_counted()
    {
        // A category of its own, because the numbers are the process's and other tests run at the same time.
        var aggregate = Counter.Aggregate() with { Category = "measured" };
        var measured = StreamId.Of("measured", stream.Id);
        using var counts = new Counts("measured");
        CommandHandler<Counter, CounterCommand, CounterEvent> Handler() =>
            new(aggregate, new ChargingStore(store), new(), new ManualClock());
        var (left, right) = (Handler(), Handler());

        await Ask(left, new Add(1));
        await Ask(right, new Add(1));
        await Ask(left, new Add(1), "the-command");
        await Ask(left, new Add(1), "the-command");

        Assert.Equal(3, counts["events.appends", "Appended"]);
        Assert.Equal(2, counts["events.appends", "Conflict"]);
        Assert.Equal(2, counts["events.conflicts"]);
        Assert.Equal(1, counts["events.repeats"]);
        Assert.Equal(2, counts["events.cache", "hit"]);
        Assert.Equal(2, counts["events.cache", "miss"]);
        Assert.Equal(1 + 1, counts["events.folded"]);

        // Two appends and a catch-up for the third command; every append is charged 7, every catch-up 3.
        Assert.Equal([10.0, 10.0, 17.0, 10.0], counts.CommandCharges);

        Task Ask(CommandHandler<Counter, CounterCommand, CounterEvent> handler, Add command, string? id = null) =>
            handler.HandleAsync(measured, command, Instance.Context(id), CancellationToken.None);
    }

    [Fact]
    public async Task A_command_given_up_is_counted()
    {
        var aggregate = Counter.Aggregate() with { Category = "contested" };
        var contested = StreamId.Of("contested", stream.Id);
        using var counts = new Counts("contested");
        var watched = new WatchedStore(store);
        var rival = new CommandHandler<Counter, CounterCommand, CounterEvent>(
            aggregate, store, new(), new ManualClock());
        watched.BeforeAppend = () =>
            rival.HandleAsync(contested, new Add(1), Instance.Context(), CancellationToken.None);
        var handler = new CommandHandler<Counter, CounterCommand, CounterEvent>(
            aggregate, watched, new(), new ManualClock());

        await Assert.ThrowsAsync<StreamBusyException>(
            () => handler.HandleAsync(contested, new Add(1), Instance.Context(), CancellationToken.None));
        Assert.Equal(1, counts["events.busy"]);
    }

    /// <summary>What the instruments of the event store say about one category.</summary>
    sealed class Counts : IDisposable
    {
        readonly MeterListener listener = new();
        readonly Dictionary<(string, string?), long> counts = [];

        public Counts(string category)
        {
            listener.InstrumentPublished = (instrument, self) =>
            {
                if (instrument.Meter.Name == Telemetry.Name) self.EnableMeasurementEvents(instrument);
            };
            listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) =>
            {
                if (Tag(tags, "category") != category) return;
                var key = (instrument.Name, Tag(tags, "result"));
                lock (counts) counts[key] = counts.GetValueOrDefault(key) + value;
            });
            listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) =>
            {
                if (instrument.Name != "events.command.charge" || Tag(tags, "category") != category) return;
                lock (counts) CommandCharges.Add(value);
            });
            listener.Start();
        }

        public List<double> CommandCharges { get; } = [];

        public long this[string instrument, string? result = null]
        {
            get
            {
                lock (counts) return counts.GetValueOrDefault((instrument, result));
            }
        }

        public void Dispose() => listener.Dispose();

        static string? Tag(ReadOnlySpan<KeyValuePair<string, object?>> tags, string name)
        {
            foreach (var tag in tags)
            {
                if (tag.Key == name) return tag.Value as string;
            }

            return null;
        }
    }

    /// <summary>A store that charges as a database does.</summary>
    sealed class ChargingStore(IEventStore inner) : IEventStore
    {
        public async Task<AppendResult> AppendAsync(
            StreamId stream, long expectedSequence, IReadOnlyList<StoredEvent> events, StoredSnapshot? snapshot,
            CancellationToken cancellation)
        {
            await Task.Yield();
            Telemetry.Charged("append", 7);
            return await inner.AppendAsync(stream, expectedSequence, events, snapshot, cancellation);
        }

        public IAsyncEnumerable<StoredEvent> ReadAsync(
            StreamId stream, StreamRange range, CancellationToken cancellation) =>
            inner.ReadAsync(stream, range, cancellation);

        public IAsyncEnumerable<StoredEvent> CatchUpAsync(
            StreamId stream, long sequence, string commandId, CancellationToken cancellation)
        {
            Telemetry.Charged("catch-up", 3);
            return inner.CatchUpAsync(stream, sequence, commandId, cancellation);
        }

        public Task<long> HeadAsync(StreamId stream, CancellationToken cancellation) =>
            inner.HeadAsync(stream, cancellation);

        public Task<StoredSnapshot?> ReadSnapshotAsync(StreamId stream, CancellationToken cancellation) =>
            inner.ReadSnapshotAsync(stream, cancellation);
    }
}
