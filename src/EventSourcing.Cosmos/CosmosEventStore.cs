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

    /// <summary>An append whose answer got lost is sent once more: its command key stores it at most once.</summary>
    const int SendAttemptsMax = 2;

    static readonly TransactionalBatchItemRequestOptions NoContent = new() { EnableContentResponseOnWrite = false };

    public async Task<AppendResult> AppendAsync(
        StreamId stream, long expectedSequence, IReadOnlyList<StoredEvent> events, StoredSnapshot? snapshot,
        CancellationToken cancellation)
    {
        var batch = AppendBatch.Of(stream, expectedSequence, events, snapshot);
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await SendAsync(stream, expectedSequence, batch, cancellation);
            }
            catch (Exception fault) when (
                attempt < SendAttemptsMax && IsOutcomeUnknown(fault) && !cancellation.IsCancellationRequested)
            {
                // Stored after all, the second time is a conflict: the caller reads on and finds its own events.
                Telemetry.Resent.Add(1);
            }
        }
    }

    async Task<AppendResult> SendAsync(
        StreamId stream, long expectedSequence, AppendBatch append, CancellationToken cancellation)
    {
        var batch = container.CreateTransactionalBatch(Partition(stream));
        if (expectedSequence > 0) batch.ReadItem(StoredEvent.IdOf(expectedSequence));
        foreach (var document in append.Events) batch.CreateItemStream(new MemoryStream(document), NoContent);
        if (append.Snapshot is { } state) batch.UpsertItemStream(new MemoryStream(state), NoContent);

        using var response = await batch.ExecuteAsync(cancellation);
        Telemetry.Charged("append", response.RequestCharge);
        if (response.IsSuccessStatusCode) return AppendResult.Appended;

        // 409: the place or the command is taken. 404: the event to stand on is not there, so the caller's state is not
        // the stream's; without an operation to blame it is the container that is missing. Nothing is stored.
        if (response.StatusCode is HttpStatusCode.Conflict
            || (response.StatusCode is HttpStatusCode.NotFound && response.Count > 0))
            return AppendResult.Conflict;
        throw new CosmosException(
            $"Appending to {stream} failed: {response.ErrorMessage}", response.StatusCode, 0, response.ActivityId,
            response.RequestCharge);
    }

    public IAsyncEnumerable<StoredEvent> ReadAsync(
        StreamId stream, StreamRange range, CancellationToken cancellation)
    {
        var (from, to) = (Math.Max(range.From, 1), Math.Min(range.To, AppendLimits.SequenceMax));
        return from == to ? ReadOneAsync(stream, from, cancellation)
            : range.Backwards ? ReadBackwardsAsync(stream, from, to, PageItems, cancellation)
            : ReadForwardsAsync(stream, from, to, cancellation);
    }

    public async IAsyncEnumerable<StoredEvent> CatchUpAsync(
        StreamId stream, long sequence, string commandId, [EnumeratorCancellation] CancellationToken cancellation)
    {
        // The command's events ride along with the first window of what is new: they cost no request of their own.
        var last = Math.Min(sequence + PageItems, AppendLimits.SequenceMax);
        var query = Between(
            "SELECT * FROM c WHERE (c.id >= @from AND c.id <= @to) OR STARTSWITH(c.commandKey, @command)",
            sequence + 1,
            last).WithParameter("@command", commandId + "/");
        var news = 0L;
        foreach (var stored in await ListAsync("catch-up", stream, query, cancellation))
        {
            var isNew = stored.Sequence > sequence && stored.Sequence <= last;
            if (isNew) news++;

            // The command "a" also finds "a/b" by its prefix, and its own later events come with their window.
            if (isNew || (stored.Sequence <= sequence && stored.CommandId == commandId)) yield return stored;
        }

        if (news < PageItems) yield break;
        await foreach (var stored in ReadForwardsAsync(stream, last + 1, AppendLimits.SequenceMax, cancellation))
            yield return stored;
    }

    public async Task<long> HeadAsync(StreamId stream, CancellationToken cancellation)
    {
        await foreach (var last in ReadBackwardsAsync(stream, 1, AppendLimits.SequenceMax, 1, cancellation))
            return last.Sequence;
        return 0;
    }

    public async Task<StoredSnapshot?> ReadSnapshotAsync(StreamId stream, CancellationToken cancellation)
    {
        using var response = await container.ReadItemStreamAsync(
            StoredSnapshot.DocumentId, Partition(stream), null, cancellation);
        Telemetry.Charged("read-snapshot", response.Headers.RequestCharge);
        if (!Answers.IsFound(response)) return null;
        try
        {
            return await JsonSerializer.DeserializeAsync<StoredSnapshot>(
                response.Content, StoredJson.Options, cancellation);
        }
        catch (JsonException)
        {
            // Another version of this code wrote another shape; the events say it all.
            return null;
        }
    }

    /// <summary>A point read costs a third of the smallest query.</summary>
    async IAsyncEnumerable<StoredEvent> ReadOneAsync(
        StreamId stream, long sequence, [EnumeratorCancellation] CancellationToken cancellation)
    {
        using var response = await container.ReadItemStreamAsync(
            StoredEvent.IdOf(sequence), Partition(stream), null, cancellation);
        Telemetry.Charged("read", response.Headers.RequestCharge);
        if (!Answers.IsFound(response)) yield break;
        yield return (await JsonSerializer.DeserializeAsync<StoredEvent>(
            response.Content, StoredJson.Options, cancellation))!;
    }

    /// <summary>
    /// Reads window by window and sorts each here. Without ORDER BY the SDK needs no query plan, so a short stream is
    /// one round trip; sequences have no gaps, so a window that is not full is the last.
    /// </summary>
    async IAsyncEnumerable<StoredEvent> ReadForwardsAsync(
        StreamId stream, long from, long to, [EnumeratorCancellation] CancellationToken cancellation)
    {
        while (from <= to)
        {
            var last = Math.Min(from + PageItems - 1, to);
            var window = await ListAsync(
                "read", stream, Between("SELECT * FROM c WHERE c.id >= @from AND c.id <= @to", from, last),
                cancellation);
            foreach (var stored in window) yield return stored;
            if (window.Count < last - from + 1) yield break;
            from = last + 1;
        }
    }

    IAsyncEnumerable<StoredEvent> ReadBackwardsAsync(
        StreamId stream, long from, long to, int pageItems, CancellationToken cancellation) =>
        QueryAsync(
            "read",
            stream,
            Between("SELECT * FROM c WHERE c.id >= @from AND c.id <= @to ORDER BY c.id DESC", from, to),
            pageItems,
            cancellation);

    /// <summary>
    /// Bounds by id, which is the sequence and is always indexed: no index of our own, and the snapshot stays out
    /// because its id sorts behind every digit.
    /// </summary>
    static QueryDefinition Between(string text, long from, long to) => new QueryDefinition(text)
        .WithParameter("@from", StoredEvent.IdOf(from))
        .WithParameter("@to", StoredEvent.IdOf(to));

    async Task<List<StoredEvent>> ListAsync(
        string operation, StreamId stream, QueryDefinition query, CancellationToken cancellation)
    {
        var found = new List<StoredEvent>();
        await foreach (var stored in QueryAsync(operation, stream, query, PageItems, cancellation)) found.Add(stored);
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
            Telemetry.Charged(operation, page.Headers.RequestCharge);
            var documents = await JsonSerializer.DeserializeAsync<Page>(page.Content, StoredJson.Options, cancellation);
            foreach (var stored in documents!.Documents) yield return stored;
        }
    }

    /// <summary>The request may have been carried out although no answer says so.</summary>
    static bool IsOutcomeUnknown(Exception fault) => fault switch
    {
        CosmosException cosmos => cosmos.StatusCode is HttpStatusCode.RequestTimeout
            or HttpStatusCode.ServiceUnavailable or HttpStatusCode.InternalServerError or HttpStatusCode.Gone,
        HttpRequestException or IOException or OperationCanceledException => true,
        _ => false,
    };

    static PartitionKey Partition(StreamId stream) => new(stream.ToString());

    sealed record Page(IReadOnlyList<StoredEvent> Documents);
}
