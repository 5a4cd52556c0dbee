using Functions.Projections;
using Microsoft.Azure.Cosmos;
using Microsoft.Azure.Functions.Worker;

namespace Functions.Sagas;

/// <summary>Keeps the sagas' stories in their own container, so that no reader ever asks the task hub.</summary>
public sealed class SagaStories(Database database)
{
    public const string Container = "sagas";

    const int FaultLengthMax = 500;

    /// <summary>The version new sagas begin with: <c>defaultVersion</c> in host.json.</summary>
    public const string Version = "2";

    /// <summary>The first chapter is told by who starts the saga; the orchestration has an hour to tell more.</summary>
    public static readonly TimeSpan FirstSilence = TimeSpan.FromHours(1);

    public static SagaStory Begin(
        Origin origin, string type, string version, DateTimeOffset at, Rerun? again = null) =>
        Begin(
            new(origin.Saga, type, version, origin.Order.ToString(), origin.CorrelationId, again?.StartedAt ?? at),
            at, again);

    public static SagaStory Begin(RestockOrigin origin, string version, DateTimeOffset at, Rerun? again = null) =>
        Begin(
            new(
                origin.Saga, nameof(RestockSaga), version, origin.Restock.ToString(), origin.CorrelationId,
                again?.StartedAt ?? at),
            at, again);

    /// <summary>The story as it is now; null when there is no such saga.</summary>
    public async Task<SagaStory?> FindAsync(string saga, CancellationToken cancellation) =>
        (await KnownAsync(saga, cancellation)).Story;

    /// <summary>
    /// Writes the story unless a newer telling is already there. Activities run at least once and may come late; the
    /// run and the revision decide, under the document's ETag.
    /// </summary>
    [Function(nameof(TellSagaStory))]
    public async Task TellSagaStory([ActivityTrigger] SagaStory story, CancellationToken cancellation)
    {
        while (true)
        {
            var (known, etag) = await KnownAsync(story.Saga, cancellation);
            if (known is not null && (known.Run, known.Revision).CompareTo((story.Run, story.Revision)) >= 0) return;
            if (await WriteAsync(story, etag, cancellation)) return;
        }
    }

    /// <summary>
    /// Tells the first chapter before the saga runs, so that it is never invisible. False when the story has already
    /// ended: the saga ran, even if the task hub has forgotten it since. And false when it was run again: from then on
    /// only an operator starts it.
    /// </summary>
    public async Task<bool> OpenAsync(SagaStory story, CancellationToken cancellation) =>
        await WriteAsync(story, etag: null, cancellation)
        || await FindAsync(story.Saga, cancellation) is not ({ EndedAt: not null } or { Run: > 0 });

    /// <summary>
    /// Says that nobody goes on telling this story. False when somebody did meanwhile; and a chapter that comes later
    /// after all replaces this one, because its revision is higher.
    /// </summary>
    public Task<bool> BreakAsync(SagaStory story, string fault, CancellationToken cancellation) => AmendAsync(
        story, known => known with { Status = SagaStatus.Broken, Due = null, Fault = Fit(fault) }, cancellation);

    /// <summary>Ends a broken story on somebody's word: what it left undone was done by hand.</summary>
    public Task<bool> CloseAsync(SagaStory story, SagaDecision decision, CancellationToken cancellation) => AmendAsync(
        story, known => known with { EndedAt = decision.At, Decisions = [.. known.Decisions, decision] }, cancellation);

    /// <summary>Ends a broken story whose saga had done all its work and only not told so.</summary>
    public Task<bool> FinishAsync(
        SagaStory story, SagaStatus status, SagaDecision decision, CancellationToken cancellation) => AmendAsync(
        story,
        known => known with
        {
            Status = status,
            EndedAt = decision.At,
            Fault = null,
            Decisions = [.. known.Decisions, decision],
        },
        cancellation);

    /// <summary>Begins a broken story anew; false when somebody else has done something with it meanwhile.</summary>
    public Task<bool> ReopenAsync(SagaStory story, SagaStory anew, CancellationToken cancellation) =>
        AmendAsync(story, _ => anew, cancellation);

    static SagaStory Begin(SagaStory story, DateTimeOffset at, Rerun? again) => story with
    {
        Due = at + FirstSilence,
        Run = again?.Run ?? 0,
        Decisions = again?.Decisions ?? [],
    };

    async Task<bool> AmendAsync(
        SagaStory story, Func<SagaStory, SagaStory> change, CancellationToken cancellation)
    {
        var (known, etag) = await KnownAsync(story.Saga, cancellation);
        return known is not null && known.Run == story.Run && known.Revision == story.Revision
            && known.Status == story.Status && known.EndedAt == story.EndedAt
            && await WriteAsync(change(known), etag, cancellation);
    }

    async Task<(SagaStory? Story, string? ETag)> KnownAsync(string saga, CancellationToken cancellation)
    {
        var (known, etag) = await database.GetContainer(Container)
            .FindAsync<ViewDocument<SagaStory>>(saga, saga, cancellation);
        return (known?.View, etag);
    }

    Task<bool> WriteAsync(SagaStory story, string? etag, CancellationToken cancellation) =>
        database.GetContainer(Container).ReplaceAsync(
            new ViewDocument<SagaStory>
            {
                Id = story.Saga,
                Pk = story.Saga,
                Seen = new Dictionary<string, long> { [story.Saga] = story.Revision },
                View = story,
            },
            story.Saga, story.Saga, etag, cancellation);

    static string Fit(string text) => text.Length > FaultLengthMax ? text[..FaultLengthMax] : text;
}
