using System.Text.Json;
using EventSourcing;
using Functions.Projections;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;

namespace Functions.Sagas;

/// <summary>
/// Makes sure that whoever was asked for a saga gets it: the views' reconciliation and redrive, turned on the starts.
/// </summary>
public sealed class SagaStartWatch(
    StartSagas starts, IEventStore events, Parking parking, SagaStories stories, Reconciliation reconciliation,
    Redrive redrive)
{
    [Function(nameof(ReconcileSagas))]
    public Task ReconcileSagas(
        [TimerTrigger("45 * * * * *")] TimerInfo timer,
        [DurableClient] DurableTaskClient sagas,
        CancellationToken cancellation) => ReconcileAsync(sagas, cancellation);

    /// <summary>One look behind the feed; what it says afterwards is stored.</summary>
    public Task<Bookmark> ReconcileAsync(DurableTaskClient sagas, CancellationToken cancellation) =>
        reconciliation.WatchAsync(new AsView(this, sagas), cancellation);

    /// <summary>Tries every stream again from which no saga could be started.</summary>
    [Function(nameof(PostSagaStartsRedrive))]
    public async Task<IResult> PostSagaStartsRedrive(
        [HttpTrigger(AuthorizationLevel.Admin, "post", Route = "operations/saga-starts/redrive")] HttpRequest request,
        [DurableClient] DurableTaskClient sagas,
        CancellationToken cancellation) =>
        TypedResults.Json(await redrive.AllAsync(new AsView(this, sagas), cancellation), StoredJson.Options);

    /// <summary>
    /// A saga that was asked for and has told nothing itself, or one that waits for what an event tells it. A story of
    /// which only the beginning is told, by who meant to start the saga, may be a start that was lost half way.
    /// </summary>
    async Task<bool> IsUnheardAsync(StoredEvent stored, CancellationToken cancellation)
    {
        if (StartSagas.SagaOf(stored) is not { } saga) return false;
        var story = await stories.FindAsync(saga, cancellation);
        return StartSagas.Starts(stored)
            ? story is null or { Revision: 0, EndedAt: null }
            : story?.Steps.Any(step => step is { Kind: StepKind.Wait, Outcome: StepOutcome.Running }) == true;
    }

    /// <summary>The streams are short: whatever asked for a saga in them may well do so again.</summary>
    async Task TakeAsync(
        DurableTaskClient sagas, IReadOnlyList<StoredEvent> missed, CancellationToken cancellation)
    {
        foreach (var stream in missed.GroupBy(e => e.StreamId))
        {
            if (!StreamId.TryParse(stream.Key, out var id)) continue;
            if (await ReadAsync(id, stream.Max(e => e.Sequence), cancellation) is { } known)
                await starts.TakeAsync(sagas, known, cancellation);
        }
    }

    /// <summary>Null when an event of the stream can not be read, which parked it.</summary>
    async Task<IReadOnlyList<StoredEvent>?> ReadAsync(StreamId stream, long until, CancellationToken cancellation)
    {
        var known = new List<StoredEvent>();
        try
        {
            await foreach (var stored in events.ReadAsync(stream, new(1, until), cancellation)) known.Add(stored);
            return known;
        }
        catch (JsonException unreadable)
        {
            await parking.ParkAsync(
                StartSagas.Name, stream.ToString(), known.Count + 1, unreadable.Message, cancellation);
            return null;
        }
    }

    sealed record AsView(SagaStartWatch Watch, DurableTaskClient Sagas) : View(StartSagas.Name, SagaStories.Container)
    {
        public override bool Reads(StreamId stream) => StartSagas.Reads(stream);

        public override bool TakesIn(StoredEvent stored) => StartSagas.Asks(stored);

        public override Task ProjectAsync(
            ProjectionRunner runner, IReadOnlyList<StoredEvent> events, CancellationToken cancellation) =>
            Watch.TakeAsync(Sagas, events, cancellation);

        public override async Task<IReadOnlyList<StoredEvent>> UnseenAsync(
            ProjectionRunner runner, IReadOnlyList<StoredEvent> events, CancellationToken cancellation)
        {
            var unheard = new List<StoredEvent>();
            foreach (var stored in events)
            {
                if (await Watch.IsUnheardAsync(stored, cancellation)) unheard.Add(stored);
            }

            return unheard;
        }
    }
}
