using EventSourcing;
using Functions.Operations;
using Functions.Projections;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;

namespace Functions.Messaging;

/// <summary>
/// Makes sure that no event stays untold: the views' reconciliation and redrive, turned on the outbox.
/// </summary>
public sealed class OutboxWatch(Outbox outbox, Reconciliation reconciliation, Redrive redrive, Discards discards)
{
    readonly AsView view = new(outbox);

    [Function(nameof(ReconcileOutbox))]
    public Task ReconcileOutbox([TimerTrigger("30 * * * * *")] TimerInfo timer, CancellationToken cancellation) =>
        ReconcileAsync(cancellation);

    /// <summary>One look behind the feed; what it says afterwards is stored.</summary>
    public Task<Bookmark> ReconcileAsync(CancellationToken cancellation) =>
        reconciliation.WatchAsync(view, cancellation);

    /// <summary>Tries every stream that is parked here again.</summary>
    [Function(nameof(PostOutboxRedrive))]
    public async Task<IResult> PostOutboxRedrive(
        [HttpTrigger(AuthorizationLevel.Admin, "post", Route = "operations/outbox/redrive")] HttpRequest request,
        CancellationToken cancellation) =>
        TypedResults.Json(await redrive.AllAsync(view, cancellation), StoredJson.Options);

    /// <summary>The stream is told of without its parked event; who decided that and why is kept.</summary>
    [Function(nameof(PostOutboxDiscard))]
    public Task<IResult> PostOutboxDiscard(
        [HttpTrigger(AuthorizationLevel.Admin, "post", Route = "operations/outbox/discard")] HttpRequest request,
        CancellationToken cancellation) =>
        discards.AnswerAsync(view, request, cancellation);

    sealed record AsView(Outbox Outbox) : View(Messaging.Outbox.Name, Messaging.Outbox.Name)
    {
        public override bool Reads(StreamId stream) => Messaging.Outbox.Reads(stream);

        public override Task ProjectAsync(
            ProjectionRunner runner, IReadOnlyList<StoredEvent> events, CancellationToken cancellation) =>
            Outbox.TellAsync(events, cancellation);

        public override Task<IReadOnlyList<StoredEvent>> UnseenAsync(
            ProjectionRunner runner, IReadOnlyList<StoredEvent> events, CancellationToken cancellation) =>
            Outbox.UntoldAsync(events, cancellation);
    }
}
