using System.Net;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Microsoft.Azure.Cosmos;

namespace EventSourcing.Cosmos;

/// <summary>
/// Streams in one Cosmos DB container: partition key <c>/streamId</c>, unique key <c>/commandKey</c>, a document an
/// event.
/// </summary>
/// <remarks>
/// One append is one transactional batch. It reads the event it stands on (1 RU, so that no gap can arise), creates one
/// document an event under its zero-padded sequence (so that the slower of two writers gets a 409) and upserts the
/// snapshot when one is due. A command carried out before collides on <c>/commandKey</c>: idempotency costs no
/// document.
/// </remarks>
public sealed class CosmosEventStore(Container container) : IEventStore
{
    const int PageItems = 500;

    const long SequenceMax = 9_999_999_999;

    static readonly TransactionalBatchItemRequestOptions NoContent = new() { EnableContentResponseOnWrite = false };

    public async Task<AppendResult> AppendAsync(
        StreamId stream, long expectedSequence, IReadOnlyList<StoredEvent> events, StoredSnapshot? snapshot,
        CancellationToken cancellation)
    {
        AppendLimits.CheckCount(stream, events.Count);
        var documents = events.Select(e => JsonSerializer.SerializeToUtf8Bytes(e, StoredJson.Options)).ToList();
        AppendLimits.CheckBytes(stream, documents.Max(d => d.LongLength), documents.Sum(d => d.LongLength));

        var batch = container.CreateTransactionalBatch(Partition(stream));
        if (expectedSequence > 0) batch.ReadItem(StoredEvent.IdOf(expectedSequence));
        foreach (var document in documents) batch.CreateItemStream(new MemoryStream(document), NoContent);
        if (snapshot is not null && Fits(documents, snapshot) is { } state)
            batch.UpsertItemStream(new MemoryStream(state), NoContent);

        using var response = await batch.ExecuteAsync(cancellation);
        Charged("append", response.RequestCharge);
        if (response.IsSuccessStatusCode) return AppendResult.Appended;

        // 409: the place or the command is taken. 404: the event to stand on is not there, so the caller's state is not
        // the stream's. Either way nothing is stored.
        if (response.StatusCode is HttpStatusCode.Conflict or HttpStatusCode.NotFound) return AppendResult.Conflict;
        throw new CosmosException(
            $"Appending to {stream} failed: {response.ErrorMessage}", response.StatusCode, 0, response.ActivityId,
                response.RequestCharge);
    }

    public IAsyncEnumerable<StoredEvent> ReadAsync(
        StreamId stream, StreamRange range, CancellationToken cancellation) =>
        range.Backwards ? ReadBackwardsAsync(stream, range, PageItems, cancellation)
            : ReadForwardsAsync(stream, range, cancellation);

    /// <summary>
    /// Reads window by window and sorts each here. Without ORDER BY the SDK needs no query plan, so a short stream is
    /// one round trip; sequences have no gaps, so a window that is not full is the last.
    /// </summary>
    async IAsyncEnumerable<StoredEvent> ReadForwardsAsync(
        StreamId stream, StreamRange range, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var (from, to) = (Math.Max(range.From, 1), Math.Min(range.To, SequenceMax));
        while (from <= to)
        {
            var last = Math.Min(from + PageItems - 1, to);
            var window = await ListAsync(
                "read", stream, Between("SELECT * FROM c WHERE c.id >= @from AND c.id <= @to", from, last), PageItems,
                    cancellation);
            foreach (var stored in window) yield return stored;
            if (window.Count < last - from + 1) yield break;
            from = last + 1;
        }
    }

    IAsyncEnumerable<StoredEvent> ReadBackwardsAsync(
        StreamId stream, StreamRange range, int pageItems, CancellationToken cancellation) =>
        QueryAsync(
            "read",
            stream,
            Between(
                "SELECT * FROM c WHERE c.id >= @from AND c.id <= @to ORDER BY c.id DESC",
                Math.Max(range.From, 1),
                Math.Min(range.To, SequenceMax)),
            pageItems,
            cancellation);

    public async Task<IReadOnlyList<StoredEvent>> CatchUpAsync(
        StreamId stream, long sequence, string commandId, CancellationToken cancellation)
    {
        var query = new QueryDefinition(
            "SELECT * FROM c WHERE (c.id > @after AND c.id <= @last) OR STARTSWITH(c.commandKey, @command)")
            .WithParameter("@after", StoredEvent.IdOf(sequence))
            .WithParameter("@last", StoredEvent.IdOf(SequenceMax))
            .WithParameter("@command", commandId + "/");
        return await ListAsync("catch-up", stream, query, PageItems, cancellation);
    }

    public async Task<long> HeadAsync(StreamId stream, CancellationToken cancellation)
    {
        await foreach (var last in ReadBackwardsAsync(stream, StreamRange.All, 1, cancellation)) return last.Sequence;
        return 0;
    }

    public async Task<StoredSnapshot?> ReadSnapshotAsync(StreamId stream, CancellationToken cancellation)
    {
        using var response = await container.ReadItemStreamAsync(
            StoredSnapshot.DocumentId, Partition(stream), null, cancellation);
        Charged("read-snapshot", response.Headers.RequestCharge);
        if (response.StatusCode == HttpStatusCode.NotFound) return null;
        response.EnsureSuccessStatusCode();
        return await JsonSerializer.DeserializeAsync<StoredSnapshot>(
            response.Content, StoredJson.Options, cancellation);
    }

    /// <summary>
    /// Bounds by id, which is the sequence and is always indexed: no index of our own, and the snapshot stays out
    /// because its id sorts behind every digit.
    /// </summary>
    static QueryDefinition Between(string text, long from, long to) => new QueryDefinition(text)
        .WithParameter("@from", StoredEvent.IdOf(from))
        .WithParameter("@to", StoredEvent.IdOf(to));

    async Task<List<StoredEvent>> ListAsync(
        string operation, StreamId stream, QueryDefinition query, int pageItems, CancellationToken cancellation)
    {
        var found = new List<StoredEvent>();
        await foreach (var stored in QueryAsync(operation, stream, query, pageItems, cancellation)) found.Add(stored);
        found.Sort((a, b) => a.Sequence.CompareTo(b.Sequence));
        return found;
    }

    async IAsyncEnumerable<StoredEvent> QueryAsync(
        string operation, StreamId stream, QueryDefinition query, int pageItems,
        [EnumeratorCancellation] CancellationToken cancellation)
    {
        using var pages = container.GetItemQueryStreamIterator(
            query, null, new() { PartitionKey = Partition(stream), MaxItemCount = pageItems });
        while (pages.HasMoreResults)
        {
            using var page = await pages.ReadNextAsync(cancellation);
            page.EnsureSuccessStatusCode();
            Charged(operation, page.Headers.RequestCharge);
            var documents = await JsonSerializer.DeserializeAsync<Page>(page.Content, StoredJson.Options, cancellation);
            foreach (var stored in documents!.Documents) yield return stored;
        }
    }

    static PartitionKey Partition(StreamId stream) => new(stream.ToString());

    /// <summary>A snapshot too large for the batch is left out: it only ever saves time.</summary>
    static byte[]? Fits(List<byte[]> documents, StoredSnapshot snapshot)
    {
        var state = JsonSerializer.SerializeToUtf8Bytes(snapshot, StoredJson.Options);
        return documents.Sum(d => d.LongLength) + state.LongLength <= AppendLimits.BatchBytesMax ? state : null;
    }

    static void Charged(string operation, double charge) =>
        Telemetry.Charge.Record(charge, new KeyValuePair<string, object?>("operation", operation));

    sealed record Page(IReadOnlyList<StoredEvent> Documents);
}
