using System.Net;
using System.Text.Json;
using EventSourcing;
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
    static readonly TimeSpan FirstSilence = TimeSpan.FromHours(1);

    public static SagaStory Begin(Origin origin, string type, string version, DateTimeOffset at) =>
        new(origin.Saga, type, version, origin.Order.ToString(), origin.CorrelationId, at) { Due = at + FirstSilence };

    public static SagaStory Begin(RestockOrigin origin, string version, DateTimeOffset at) =>
        new(origin.Saga, nameof(RestockSaga), version, origin.Restock.ToString(), origin.CorrelationId, at)
        {
            Due = at + FirstSilence,
        };

    /// <summary>
    /// Writes the story unless a newer telling is already there. Activities run at least once and may come late; the
    /// revision decides, under the document's ETag.
    /// </summary>
    [Function(nameof(TellSagaStory))]
    public async Task TellSagaStory([ActivityTrigger] SagaStory story, CancellationToken cancellation)
    {
        var sagas = database.GetContainer(Container);
        var partition = new PartitionKey(story.Saga);
        while (true)
        {
            using var read = await sagas.ReadItemStreamAsync(story.Saga, partition, null, cancellation);
            var known = read.StatusCode == HttpStatusCode.NotFound ? null
                : await ViewContainer.DocumentAsync<SagaStory>(read, cancellation);
            if (known?.View?.Revision >= story.Revision) return;
            if (await WriteAsync(sagas, story, read.Headers.ETag, cancellation)) return;
        }
    }

    /// <summary>
    /// Tells the first chapter before the saga runs, so that it is never invisible. False when the story has already
    /// ended: the saga ran, even if the task hub has forgotten it since.
    /// </summary>
    public async Task<bool> OpenAsync(SagaStory story, CancellationToken cancellation)
    {
        var sagas = database.GetContainer(Container);
        if (await WriteAsync(sagas, story, etag: null, cancellation)) return true;
        using var read = await sagas.ReadItemStreamAsync(story.Saga, new(story.Saga), null, cancellation);
        return (await ViewContainer.DocumentAsync<SagaStory>(read, cancellation))?.View?.EndedAt is null;
    }

    /// <summary>
    /// Says that nobody goes on telling this story. False when somebody did meanwhile; and a chapter that comes later
    /// after all replaces this one, because its revision is higher.
    /// </summary>
    public Task<bool> BreakAsync(SagaStory story, string fault, CancellationToken cancellation) => AmendAsync(
        story, known => known with { Status = SagaStatus.Broken, Due = null, Fault = Fit(fault) }, cancellation);

    /// <summary>Ends a broken story on somebody's word: what it left undone was done by hand.</summary>
    public Task<bool> CloseAsync(SagaStory story, SagaDecision decision, CancellationToken cancellation) => AmendAsync(
        story, known => known with { EndedAt = decision.At, Decisions = [.. known.Decisions, decision] }, cancellation);

    async Task<bool> AmendAsync(
        SagaStory story, Func<SagaStory, SagaStory> change, CancellationToken cancellation)
    {
        var sagas = database.GetContainer(Container);
        using var read = await sagas.ReadItemStreamAsync(story.Saga, new(story.Saga), null, cancellation);
        var known = (await ViewContainer.DocumentAsync<SagaStory>(read, cancellation))?.View;
        return known is not null && known.Revision == story.Revision && known.Status == story.Status
            && await WriteAsync(sagas, change(known), read.Headers.ETag, cancellation);
    }

    static string Fit(string text) => text.Length > FaultLengthMax ? text[..FaultLengthMax] : text;

    static async Task<bool> WriteAsync(Container sagas, SagaStory story, string? etag, CancellationToken cancellation)
    {
        var document = new ViewDocument<SagaStory>
        {
            Id = story.Saga,
            Pk = story.Saga,
            Seen = new Dictionary<string, long> { [story.Saga] = story.Revision },
            View = story,
        };
        using var content = new MemoryStream(JsonSerializer.SerializeToUtf8Bytes(document, StoredJson.Options));
        var options = new ItemRequestOptions { IfMatchEtag = etag, EnableContentResponseOnWrite = false };
        using var response = etag is null
            ? await sagas.CreateItemStreamAsync(content, new(story.Saga), options, cancellation)
            : await sagas.ReplaceItemStreamAsync(content, story.Saga, new(story.Saga), options, cancellation);
        if (response.StatusCode is HttpStatusCode.Conflict or HttpStatusCode.PreconditionFailed) return false;
        response.EnsureSuccessStatusCode();
        return true;
    }
}
