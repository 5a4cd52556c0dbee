using EventSourcing.Cosmos;
using EventSourcing.Tests.Commands;
using Microsoft.Azure.Cosmos;
using Runtime.Cosmos;
using static EventSourcing.Tests.CounterCommand;

namespace EventSourcing.Tests.Stores;

/// <summary>What a database does to its callers on a bad day: nothing is lost, doubled or half-written.</summary>
public sealed class CosmosFaultTests(LocalCosmos cosmos) : IClassFixture<LocalCosmos>, IDisposable
{
    readonly StreamId stream = Samples.NewStream();

    public void Dispose() => cosmos.Faults.Clear();

    [Fact]
    public async Task An_append_whose_answer_is_lost_is_asked_for_again_and_answered()
    {
        var instance = new Instance(cosmos.Store);
        await instance.AddAsync(stream, 10);
        Strike(CosmosFaultKind.AnswerLost, CosmosOperation.Batch, times: 1);
        var outcome = await instance.AskAsync(stream, new AddOnes(3), "the-command");
        Assert.Equal((4, 13, 3), (outcome.Sequence, outcome.State.Value, outcome.Events.Count));
        Assert.Equal(4, await cosmos.Store.HeadAsync(stream, CancellationToken.None));
    }

    [Fact]
    public async Task Lost_again_and_again_it_is_an_error_and_the_repeat_gets_the_answer()
    {
        var instance = new Instance(cosmos.Store);
        await instance.AddAsync(stream, 10);
        Strike(CosmosFaultKind.AnswerLost, CosmosOperation.Batch, times: null);
        await Assert.ThrowsAnyAsync<Exception>(() => instance.AskAsync(stream, new AddOnes(3), "the-command"));

        cosmos.Faults.Clear();
        var repeat = await instance.AskAsync(stream, new AddOnes(3), "the-command");
        Assert.True(repeat.IsRepeat);
        Assert.Equal((4, 13, 3), (repeat.Sequence, repeat.State.Value, repeat.Events.Count));
    }

    [Theory]
    [InlineData(CosmosFaultKind.ServiceUnavailable)]
    [InlineData(CosmosFaultKind.RequestTimeout)]
    [InlineData(CosmosFaultKind.TooManyRequests)]
    public async Task One_stumble_of_the_database_is_not_the_callers_business(CosmosFaultKind kind)
    {
        var instance = new Instance(cosmos.Store);
        await instance.AddAsync(stream, 1);
        Strike(kind, CosmosOperation.Batch, times: 1);
        Assert.Equal((2, 2), (await instance.AddAsync(stream, 1)) is var o ? (o.Sequence, o.State.Value) : default);
    }

    [Theory]
    [InlineData(CosmosFaultKind.ServiceUnavailable)]
    [InlineData(CosmosFaultKind.RequestTimeout)]
    public async Task A_database_that_stays_away_is_an_error_and_nothing_is_stored(CosmosFaultKind kind)
    {
        var instance = new Instance(cosmos.Store);
        await instance.AddAsync(stream, 1);
        Strike(kind, CosmosOperation.Batch, times: null);
        await Assert.ThrowsAsync<CosmosException>(() => instance.AddAsync(stream, 1, "the-command"));
        cosmos.Faults.Clear();
        Assert.False((await instance.AddAsync(stream, 1, "the-command")).IsRepeat);
        Assert.Equal(2, await cosmos.Store.HeadAsync(stream, CancellationToken.None));
    }

    [Fact]
    public async Task A_read_that_fails_is_an_error_and_never_an_empty_stream()
    {
        await cosmos.Store.FillAsync(stream, to: 3);
        Strike(CosmosFaultKind.ServiceUnavailable, CosmosOperation.Query, times: null);
        Strike(CosmosFaultKind.ServiceUnavailable, CosmosOperation.Read, times: null);
        await Assert.ThrowsAsync<CosmosException>(() => cosmos.Store.ListAsync(stream));
        await Assert.ThrowsAsync<CosmosException>(() => cosmos.Store.ListAsync(stream, new(1, 1)));
        await Assert.ThrowsAsync<CosmosException>(() => cosmos.Store.HeadAsync(stream, CancellationToken.None));
        await Assert.ThrowsAsync<CosmosException>(
            () => cosmos.Store.ReadSnapshotAsync(stream, CancellationToken.None));
        await Assert.ThrowsAsync<CosmosException>(
            async () => await cosmos.Store.CatchUpAsync(stream, 0, "any", CancellationToken.None).ToListAsync());
        await Assert.ThrowsAsync<CosmosException>(() => new Instance(cosmos.Store).AddAsync(stream, 1));
    }

    [Fact]
    public async Task A_container_that_is_not_there_is_an_error_and_never_a_conflict_or_an_empty_stream()
    {
        var nowhere = new CosmosEventStore(cosmos.Container.Database.GetContainer("no-events"));
        await Assert.ThrowsAsync<CosmosException>(() => nowhere.ListAsync(stream));
        await Assert.ThrowsAsync<CosmosException>(() => nowhere.ListAsync(stream, new(1, 1)));
        await Assert.ThrowsAsync<CosmosException>(() => nowhere.ReadSnapshotAsync(stream, CancellationToken.None));
        await Assert.ThrowsAsync<CosmosException>(() => nowhere.AppendAsync(
            stream, 0, [Samples.Event(stream, 1)], null, CancellationToken.None));
    }

    [Fact]
    public async Task A_snapshot_document_of_another_shape_is_as_good_as_none()
    {
        await cosmos.Store.FillAsync(stream, to: 3);
        await cosmos.Container.CreateItemAsync(
            new { id = StoredSnapshot.DocumentId, streamId = stream.ToString(), commandKey = "snapshot", state = 7 },
            new PartitionKey(stream.ToString()));
        Assert.Null(await cosmos.Store.ReadSnapshotAsync(stream, CancellationToken.None));
        var outcome = await new Instance(cosmos.Store, snapshots: new(2, "1")).AddAsync(stream, 1);
        Assert.Equal(4, outcome.State.Value);
        Assert.NotNull(await cosmos.Store.ReadSnapshotAsync(stream, CancellationToken.None));
    }

    [Fact]
    public async Task A_hole_in_a_stream_stops_everything_that_would_build_on_it()
    {
        await cosmos.Store.FillAsync(stream, to: 5);
        await cosmos.Container.DeleteItemAsync<object>(StoredEvent.IdOf(3), new PartitionKey(stream.ToString()));
        var instance = new Instance(cosmos.Store);
        var refused = await Assert.ThrowsAsync<StreamGapException>(() => instance.AddAsync(stream, 1));
        Assert.Contains($"{stream} goes from sequence 2 to 4", refused.Message, StringComparison.Ordinal);
    }

    void Strike(CosmosFaultKind kind, CosmosOperation operation, int? times) =>
        cosmos.Faults.Add(new(kind) { Container = "events", Operation = operation, Times = times });
}
