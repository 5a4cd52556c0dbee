using EventSourcing.Tests.Commands;
using EventSourcing.Tests.Stores;
using static EventSourcing.Tests.CounterCommand;

namespace EventSourcing.Tests.Costs;

/// <summary>
/// The promises of docs/internals/costs.md, on the ledger of the local server, which charges by the published model.
/// Round trips are exact; request units have room for events larger than these.
/// </summary>
public sealed class CommandCostTests(LocalCosmos cosmos) : IClassFixture<LocalCosmos>
{
    static readonly SnapshotPolicy EveryHundred = new(100, "1");

    readonly StreamId stream = Samples.NewStream();

    [Fact]
    public async Task A_warm_command_of_one_event_is_one_round_trip()
    {
        var warm = await WarmAsync();
        var cost = await CostOf("Warm command, one event", () => warm.AddAsync(stream, 1));
        Assert.Equal((1, true), (cost.Requests, cost.Charge <= 8));
    }

    [Fact]
    public async Task A_warm_command_of_three_events_is_one_round_trip()
    {
        var warm = await WarmAsync();
        var cost = await CostOf("Warm command, three events", () => warm.AskAsync(stream, new AddOnes(3)));
        Assert.Equal((1, true), (cost.Requests, cost.Charge <= 22));
    }

    [Fact]
    public async Task A_first_command_on_a_stream_that_is_likely_new_is_one_round_trip()
    {
        var cost = await CostOf("First command, stream likely new", () =>
            new Instance(cosmos.Store).AskAsync(stream, new Add(1), likelyNew: true));
        Assert.Equal((1, true), (cost.Requests, cost.Charge <= 7));
    }

    [Theory]
    [InlineData("Repeat on the same instance", false, false)]
    [InlineData("Repeat on another instance", true, false)]
    [InlineData("Repeat on the same instance, known to its decider", false, true)]
    public async Task A_repeat_is_at_most_two_round_trips(string name, bool cold, bool idempotent)
    {
        var warm = await WarmAsync();
        CounterCommand command = idempotent ? new Reach(5) : new Add(4);
        await warm.AskAsync(stream, command, "the-command");
        var cost = await CostOf(name, async () => Assert.True(
            (await (cold ? new Instance(cosmos.Store) : warm).AskAsync(stream, command, "the-command")).IsRepeat));
        Assert.True(cost.Requests <= 2 && cost.Charge <= 14, cost.ToString());
        if (cold || idempotent) Assert.Equal(1, cost.Requests);
    }

    [Fact]
    public async Task A_refusal_on_a_remembered_state_is_one_query()
    {
        var warm = await WarmAsync();
        var cost = await CostOf("Warm command, refused", async () => Assert.NotNull(
            (await warm.AskAsync(stream, new Take(1000))).Refusal));
        Assert.Equal((1, true), (cost.Requests, cost.Charge <= 4));
    }

    [Fact]
    public async Task A_conflict_is_three_round_trips_with_the_command_it_ends_in()
    {
        var (warm, rival) = (await WarmAsync(), new Instance(cosmos.Store));
        await rival.AddAsync(stream, 1);
        var cost = await CostOf("Warm command, one conflict", () => warm.AddAsync(stream, 1));
        Assert.Equal((3, true), (cost.Requests, cost.Charge <= 14));
    }

    [Fact]
    public async Task A_cold_load_of_ten_events_is_one_query()
    {
        await cosmos.Store.FillAsync(stream, to: 10);
        var cost = await CostOf("Cold load, 10 events", () => LoadAsync(10, null));
        Assert.Equal((1, true), (cost.Requests, cost.Charge <= 4));
    }

    [Fact]
    public async Task A_cold_command_on_ten_events_is_two_round_trips()
    {
        await cosmos.Store.FillAsync(stream, to: 10);
        var cost = await CostOf("Cold command, 10 events", () => new Instance(cosmos.Store).AddAsync(stream, 1));
        Assert.Equal((2, true), (cost.Requests, cost.Charge <= 12));
    }

    [Fact]
    public async Task A_cold_load_of_ten_thousand_events_with_snapshots_is_two_requests_wherever_the_last_one_is()
    {
        // The snapshot is of 9,900, so the tail is as long as it gets.
        await cosmos.Store.FillAsync(stream, to: 9_850);
        var clock = new ManualClock { Now = Samples.Noon.AddDays(1) };
        var writer = new Instance(cosmos.Store, clock, EveryHundred);
        await writer.AskAsync(stream, new AddOnes(50));
        await writer.AskAsync(stream, new AddOnes(98));
        await writer.AddAsync(stream, 1);
        Assert.Equal(9_900, (await cosmos.Store.ReadSnapshotAsync(stream, default))!.SnapshotSequence);

        var cost = await CostOf("Cold load, 9,999 events, the last 99 behind a snapshot", () =>
            LoadAsync(9_999, EveryHundred));
        Assert.True(cost.Requests <= 2 && cost.Charge <= 8, cost.ToString());

        await writer.AddAsync(stream, 1);
        cost = await CostOf("Cold load, 10,000 events, a snapshot of the last", () => LoadAsync(10_000, EveryHundred));
        Assert.True(cost.Requests <= 2 && cost.Charge <= 8, cost.ToString());
    }

    [Fact]
    public async Task A_long_stream_without_snapshots_loads_in_a_bounded_number_of_requests()
    {
        await cosmos.Store.FillAsync(stream, to: 5_000);
        var cost = await CostOf("Cold load, 5,000 events, no snapshot", () => LoadAsync(5_000, null));
        Assert.Equal(11, cost.Requests);
    }

    [Theory]
    [InlineData("Fact known, young enough", 10, 0, 0)]
    [InlineData("Fact known, too old, unchanged", 0, 1, 1)]
    public async Task A_known_fact_costs_a_point_read_at_most(string name, int ageMax, int requests, double charge)
    {
        var warm = await WarmAsync();
        warm.Clock.Advance(TimeSpan.FromSeconds(5));
        var cost = await CostOf(name, () => warm.Handler.KnownAsync(
            stream, TimeSpan.FromSeconds(ageMax), default).AsTask());
        Assert.Equal((requests, charge), (cost.Requests, cost.Charge));
    }

    async Task<Instance> WarmAsync()
    {
        var warm = new Instance(cosmos.Store);
        await warm.AddAsync(stream, 1);
        return warm;
    }

    async Task LoadAsync(long sequence, SnapshotPolicy? snapshots)
    {
        var cold = new Instance(cosmos.Store, snapshots: snapshots);
        Assert.Equal(sequence, (await cold.Handler.LoadAsync(stream, StreamRange.All, default)).Sequence);
    }

    /// <summary>Measures, and holds the document to what was measured.</summary>
    async Task<Measured> CostOf(string name, Func<Task> what)
    {
        var cost = await Measured.OfAsync(cosmos, what);
        CostDocument.Says(cost.Row(name));
        return cost;
    }
}
