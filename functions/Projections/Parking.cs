using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using EventSourcing;
using Microsoft.Azure.Cosmos;
using Microsoft.Extensions.Logging;

namespace Functions.Projections;

/// <summary>A stream standing still in one view, and why; its id is the stream, its partition the view.</summary>
public sealed record ParkedEvent(
    string Id, string Pk, string Stream, long Sequence, string EventType, string Error, DateTimeOffset Since)
{
    /// <summary>How often the view has tried it in vain.</summary>
    public int Attempts { get; init; } = 1;

    public DateTimeOffset? EventAt { get; init; }

    /// <summary>The event's data; absent when it is too large to copy, the stream itself holds it.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public JsonElement? Payload { get; init; }
}

/// <summary>Behind which parked event a list goes on: one stream may stand still in several views.</summary>
public sealed record ParkedPlace(DateTimeOffset Since, string Id, string Pk)
{
    public static ParkedPlace Of(ParkedEvent parked) => new(parked.Since, parked.Id, parked.Pk);
}

/// <summary>
/// An event that a view does without, on somebody's word: kept, so that every generation does without it.
/// </summary>
public sealed record DiscardedEvent(
    string Id, string Pk, string Stream, long Sequence, string By, string Why, DateTimeOffset At)
{
    public static string IdOf(string stream, long sequence) =>
        string.Create(CultureInfo.InvariantCulture, $"discarded:{stream}@{sequence}");
}

/// <summary>The events no view could fold, and what was decided about them.</summary>
public sealed class Parking(Database database, TimeProvider clock, ILogger<Parking> log)
{
    public const string ContainerName = "parked";
    public const int PayloadCharactersMax = 64 * 1024;
    public const int ErrorCharactersMax = 2_000;

    readonly Container container = database.GetContainer(ContainerName);

    /// <summary>Parks, or counts one more attempt: since when a stream stands still is not told anew.</summary>
    public async Task ParkAsync(string view, StoredEvent stored, Exception poison, CancellationToken cancellation)
    {
        log.LogError(poison, "{View}: {Stream} is parked at {Sequence}", view, stored.StreamId, stored.Sequence);
        await ParkAsync(
            new(stored.StreamId, view, stored.StreamId, stored.Sequence, stored.EventType, Cut(poison.Message),
                clock.GetUtcNow())
            {
                EventAt = stored.Timestamp,
                Payload = stored.EventData.GetRawText().Length <= PayloadCharactersMax ? stored.EventData : null,
            },
            cancellation);
    }

    /// <summary>Parks a stream of which a document can not even be read.</summary>
    public async Task ParkAsync(
        string view, string stream, long sequence, string error, CancellationToken cancellation)
    {
        log.LogError("{View}: {Stream} is parked at {Sequence}: {Error}", view, stream, sequence, error);
        await ParkAsync(
            new(stream, view, stream, sequence, "unreadable", Cut(error), clock.GetUtcNow()), cancellation);
    }

    /// <summary>
    /// Parks the streams whose changes could not be read, those of them that whoever asks reads at all.
    /// </summary>
    public async Task ParkAsync(
        string view, IEnumerable<UnreadableChange> unreadable, Func<StreamId, bool> reads,
        CancellationToken cancellation)
    {
        foreach (var change in unreadable)
        {
            // Nothing that this system appends has no stream; a stream without a name could not be redriven either.
            if (!StreamId.TryParse(change.Stream, out var stream))
                log.LogError(
                    "{View}: document {Id} of \"{Stream}\" is no event: {Error}",
                    view, change.Id, change.Stream, change.Error);
            else if (reads(stream))
                await ParkAsync(view, change.Stream, change.Sequence, change.Error, cancellation);
        }
    }

    public async Task<ParkedEvent?> FindAsync(string view, string stream, CancellationToken cancellation) =>
        (await container.FindAsync<ParkedEvent>(stream, view, cancellation)).Found;

    /// <summary>Takes a stream off the list unless it was parked again since <paramref name="known"/>.</summary>
    public async Task RemoveAsync(ParkedEvent known, CancellationToken cancellation)
    {
        var (found, etag) = await container.FindAsync<ParkedEvent>(known.Id, known.Pk, cancellation);
        if (found is not null && found.Sequence == known.Sequence && found.Attempts == known.Attempts)
            await container.RemoveAsync(known.Id, known.Pk, etag, cancellation);
    }

    internal Task RemoveAsync(string view, string stream, CancellationToken cancellation) =>
        container.RemoveAsync(stream, view, etag: null, cancellation);

    public Task DiscardAsync(ParkedEvent parked, string by, string why, CancellationToken cancellation) =>
        container.PutAsync(
            new DiscardedEvent(
                DiscardedEvent.IdOf(parked.Stream, parked.Sequence), View.NameOf(parked.Pk), parked.Stream,
                parked.Sequence, by, why, clock.GetUtcNow()),
            View.NameOf(parked.Pk),
            cancellation);

    public async Task<bool> IsDiscardedAsync(string view, StoredEvent stored, CancellationToken cancellation) =>
        (await container.FindAsync<DiscardedEvent>(
            DiscardedEvent.IdOf(stored.StreamId, stored.Sequence), View.NameOf(view), cancellation)).Found is not null;

    /// <summary>How many streams stand still in the view.</summary>
    public async Task<long> CountAsync(string view, CancellationToken cancellation)
    {
        var (count, options) = (0L, new QueryRequestOptions { PartitionKey = new PartitionKey(view) });
        using var pages = container.GetItemQueryIterator<long>(
            "SELECT VALUE COUNT(1) FROM c WHERE IS_DEFINED(c.since)", requestOptions: options);
        while (pages.HasMoreResults) count += (await pages.ReadNextAsync(cancellation)).Sum();
        return count;
    }

    /// <summary>Parked events, those that stand still the longest first, behind the last one before.</summary>
    public async Task<IReadOnlyList<ParkedEvent>> ListAsync(
        string? view, string? stream, DateTimeOffset parkedBefore, ParkedPlace? after, int limit,
        CancellationToken cancellation)
    {
        // Discarded events share the container and have no "since", so this comparison leaves them out.
        var text = "SELECT * FROM c WHERE c.since <= @before";
        if (stream is not null) text += " AND c.stream = @stream";
        if (after is not null)
            text += " AND (c.since > @since OR (c.since = @since"
                + " AND (c.id > @id OR (c.id = @id AND c.pk > @pk))))";
        var query = new QueryDefinition(text + " ORDER BY c.since, c.id, c.pk")
            .WithParameter("@before", parkedBefore)
            .WithParameter("@stream", stream)
            .WithParameter("@since", after?.Since)
            .WithParameter("@id", after?.Id)
            .WithParameter("@pk", after?.Pk);
        return await container.FirstAsync<ParkedEvent>(query, view, limit, cancellation);
    }

    async Task ParkAsync(ParkedEvent parked, CancellationToken cancellation)
    {
        // A lost count of attempts is no loss, so two that park at once need no ETag.
        var known = await FindAsync(parked.Pk, parked.Id, cancellation);
        await container.PutAsync(
            known?.Sequence == parked.Sequence
                ? parked with { Since = known.Since, Attempts = known.Attempts + 1 }
                : parked,
            parked.Pk,
            cancellation);
    }

    static string Cut(string text) => text.Length <= ErrorCharactersMax ? text : text[..ErrorCharactersMax];
}
