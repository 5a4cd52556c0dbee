using System.Collections.Concurrent;
using System.Text.Json;
using Azure.Messaging.EventHubs;
using Azure.Messaging.EventHubs.Producer;
using Azure.Messaging.ServiceBus;
using EventSourcing;
using Functions.EventStore;
using Functions.Projections;
using Functions.Storage;
using Microsoft.Azure.Cosmos;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Functions.Messaging;

/// <summary>How far one stream has been told to others.</summary>
public sealed record Told(string Id, string Pk, long Sequence, bool IsParked = false)
{
    public static Told Nothing(StreamId stream) => new(stream.ToString(), stream.ToString(), 0);
}

/// <summary>
/// Tells the topic and the hub of every event that concerns others: in the order of its stream, at least once, and as
/// the same message however often. The events themselves are the outbox, so there is no second write to lose.
/// </summary>
/// <remarks>
/// The feed's trigger moves on even when the function fails, so nothing is left to its checkpoint. For each stream a
/// document says how far it has been told, and it is written only after the broker has acknowledged: a crash in between
/// sends again, under the same message id, which the topic drops and every consumer's inbox answers as a repeat. An
/// event found missing is read from the stream and told first; a batch that never came is found by the
/// reconciliation; an event nobody can read parks its stream here and holds up no other. Two relays at once tell
/// everything twice and nothing out of order, because each begins where the stream was known to be told.
/// </remarks>
public sealed class Outbox(
    Database database,
    IEventStore events,
    Parking parking,
    ServiceBusClient bus,
    [FromKeyedServices(Connections.IntegrationEvents)] EventHubProducerClient hub,
    ClaimCheck claims,
    TimeProvider clock,
    ILogger<Outbox> log)
{
    public const string Name = "outbox";
    public const string Topic = "order-events";

    public const int StreamsInParallelMax = 16;
    public const int AttemptsMax = 8;

    /// <summary>The largest event is some 15 KB, so ten stay below what one send may weigh.</summary>
    public const int MessagesPerSendMax = 10;

    public const int StreamsRememberedMax = 10_000;

    /// <summary>Milliseconds between two looks at an idle feed: every step of a choreography waits for it.</summary>
    public const int PollDelay = 200;

    static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(25);

    readonly Container marks = database.GetContainer(Name);
    readonly ServiceBusSender topic = bus.CreateSender(Topic);

    /// <summary>How far this process has told streams itself. A mark never goes back, so that holds.</summary>
    readonly ConcurrentDictionary<StreamId, long> toldHere = [];

    [Function(nameof(RelayEvents)), ExponentialBackoffRetry(-1, "00:00:01", "00:01:00")]
    public Task RelayEvents(
        [CosmosDBTrigger(
            Store.Database,
            Store.Events,
            Connection = Store.Connection,
            LeaseContainerName = Store.Leases,
            LeaseContainerPrefix = Name,
            StartFromBeginning = true,
            FeedPollDelay = PollDelay,
            MaxItemsPerInvocation = Store.FeedItemsMax)]
        IReadOnlyList<JsonElement> changes,
        CancellationToken cancellation) => RelayAsync(changes, cancellation);

    /// <summary>Takes in a batch as the feed delivered it.</summary>
    public async Task RelayAsync(IReadOnlyList<JsonElement> changes, CancellationToken cancellation)
    {
        var (read, unreadable) = Changes.Sort(changes);
        await parking.ParkAsync(Name, unreadable, Reads, cancellation);
        await TellAsync(read, cancellation);
    }

    /// <summary>Whether anything on such a stream is ever told.</summary>
    public static bool Reads(StreamId stream) => Integration.Tells(stream.Category);

    /// <summary>
    /// Returns when every event is told or its stream is parked. A stream that can not be told for now holds up no
    /// other: the whole batch fails only when each has had its turn.
    /// </summary>
    public async Task TellAsync(IReadOnlyList<StoredEvent> fresh, CancellationToken cancellation)
    {
        var failures = new ConcurrentBag<Exception>();
        await Parallel.ForEachAsync(ByStream(fresh), InParallel(cancellation), async (stream, stop) =>
        {
            try
            {
                await TellAsync(stream.Stream, stream.Events, stop);
            }
            catch (Exception failure) when (!stop.IsCancellationRequested)
            {
                failures.Add(failure);
            }
        });
        if (!failures.IsEmpty)
            throw new AggregateException($"{failures.Count} streams could not be told.", failures);
    }

    async Task TellAsync(StreamId stream, List<StoredEvent> events, CancellationToken cancellation)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                if (await TryTellAsync(stream, events, cancellation)) return;
            }
            catch (Exception struggling) when (IsTransient(struggling) && attempt < AttemptsMax)
            {
                log.LogWarning("{Stream}: {Error}; telling it again", stream, struggling.Message);
            }

            if (attempt == AttemptsMax)
                throw new InvalidOperationException($"{stream} was told by others at the same time.");
            await Task.Delay(FirstPause * (1 << attempt), clock, cancellation);
        }
    }

    static bool IsTransient(Exception error) => error switch
    {
        CosmosException store => ProjectionRunner.IsTransient(store.StatusCode),
        ServiceBusException bus => bus.IsTransient,
        EventHubsException hub => hub.IsTransient,
        HttpRequestException => true,
        _ => false,
    };

    /// <summary>Those that concern others and were not told yet; what is parked is known.</summary>
    public async Task<IReadOnlyList<StoredEvent>> UntoldAsync(
        IReadOnlyList<StoredEvent> delivered, CancellationToken cancellation)
    {
        var untold = new ConcurrentBag<StoredEvent>();
        await Parallel.ForEachAsync(ByStream(delivered), InParallel(cancellation), async (stream, stop) =>
        {
            if (stream.Events[^1].Sequence <= toldHere.GetValueOrDefault(stream.Stream)) return;
            var (found, _) = await FindAsync(stream.Stream, stop);
            if (found is { IsParked: true }) return;
            foreach (var missing in stream.Events.Where(e => e.Sequence > (found?.Sequence ?? 0) && MayConcern(e)))
                untold.Add(missing);
        });
        return [.. untold];
    }

    // A stream of which this batch holds nothing to tell is not even looked up: the next event that is told finds the
    // gap, reads these and passes them over.
    static IEnumerable<(StreamId Stream, List<StoredEvent> Events)> ByStream(IReadOnlyList<StoredEvent> events)
    {
        foreach (var stream in events.GroupBy(e => e.StreamId))
        {
            if (!StreamId.TryParse(stream.Key, out var id) || !Reads(id)) continue;
            var ordered = stream.OrderBy(e => e.Sequence).DistinctBy(e => e.Sequence).ToList();
            if (ordered.Exists(MayConcern)) yield return (id, ordered);
        }
    }

    static bool MayConcern(StoredEvent stored)
    {
        try
        {
            return Integration.Of(stored) is not null;
        }
        catch (UndecodableEventException)
        {
            return true;
        }
    }

    /// <summary>False when somebody else told of the stream meanwhile: begin again where it stands now.</summary>
    async Task<bool> TryTellAsync(StreamId stream, List<StoredEvent> fresh, CancellationToken cancellation)
    {
        var (found, etag) = await FindAsync(stream, cancellation);
        var before = found ?? Told.Nothing(stream);
        if (fresh[^1].Sequence <= before.Sequence) return true;

        var (told, after) = await ReadAsync(stream, before, fresh, cancellation);
        foreach (var few in told.Chunk(MessagesPerSendMax)) await SendAsync(stream, few, cancellation);
        if (after == before) return true;
        if (!await marks.ReplaceAsync(after, after.Id, after.Pk, etag, cancellation)) return false;
        Remember(stream, after.Sequence);
        if (before.IsParked && !after.IsParked) await parking.RemoveAsync(Name, after.Id, cancellation);
        return true;
    }

    void Remember(StreamId stream, long sequence)
    {
        // Only ever a saving of a point read, so forgetting everything at the bound is good enough.
        if (toldHere.Count >= StreamsRememberedMax) toldHere.Clear();
        toldHere.AddOrUpdate(stream, sequence, (_, known) => Math.Max(known, sequence));
    }

    /// <summary>What is to be told, in order, and where the stream stands afterwards.</summary>
    async Task<(IReadOnlyList<CloudEvent> Told, Told After)> ReadAsync(
        StreamId stream, Told before, List<StoredEvent> fresh, CancellationToken cancellation)
    {
        var (told, at, isParked) = (new List<CloudEvent>(), before.Sequence, false);
        try
        {
            await foreach (var stored in FromAsync(stream, at + 1, fresh, cancellation))
            {
                if (stored.Sequence != at + 1) break;
                try
                {
                    if (Integration.Of(stored) is { } message) told.Add(message);
                }
                catch (UndecodableEventException poison)
                {
                    isParked = !await parking.IsDiscardedAsync(Name, stored, cancellation);
                    if (isParked) await parking.ParkAsync(Name, stored, poison, cancellation);
                    if (isParked) break;
                }

                at = stored.Sequence;
            }
        }
        catch (JsonException unreadable)
        {
            isParked = true;
            await parking.ParkAsync(Name, stream.ToString(), at + 1, unreadable.Message, cancellation);
        }

        // A replica may know less than the feed told; to be asked again costs a moment.
        if (!isParked && at < fresh[^1].Sequence)
            throw new InvalidOperationException($"{stream} can not be read up to {fresh[^1].Sequence} yet.");
        return (told, before with { Sequence = at, IsParked = isParked });
    }

    IAsyncEnumerable<StoredEvent> FromAsync(
        StreamId stream, long next, List<StoredEvent> fresh, CancellationToken cancellation)
    {
        var follow = fresh.Where(e => e.Sequence >= next).ToList();
        if (follow[0].Sequence == next && follow[^1].Sequence == next + follow.Count - 1)
            return follow.ToAsyncEnumerable();
        log.LogDebug("{Stream}: telling from {Next} to {Last}", stream, next, fresh[^1].Sequence);
        return events.ReadAsync(stream, new(next, fresh[^1].Sequence), cancellation);
    }

    async Task SendAsync(StreamId stream, IReadOnlyList<CloudEvent> told, CancellationToken cancellation)
    {
        var packed = new List<Packed>();
        foreach (var one in told)
        {
            // Told again it is the same claim: one blob for each message id.
            var (body, type) = await claims.PackAsync(
                one.Id.ToString("D"), one.ToBytes(), CloudEvent.ContentType, cancellation);
            packed.Add(new(one, body, type));
        }

        await topic.SendMessagesAsync(packed.Select(MessageOf), cancellation);
        await hub.SendAsync(
            packed.Select(EventOf), new SendEventOptions { PartitionKey = stream.ToString() }, cancellation);
    }

    static ServiceBusMessage MessageOf(Packed packed)
    {
        var told = packed.Told;
        var message = new ServiceBusMessage(packed.Body)
        {
            MessageId = told.Id.ToString("D"),
            SessionId = told.Subject,
            Subject = told.Type,
            CorrelationId = told.CorrelationId,
            ContentType = packed.ContentType,
        };
        if (told.Workflow is { } workflow) message.ApplicationProperties["workflow"] = workflow;
        return message;
    }

    static EventData EventOf(Packed packed) => new(packed.Body)
    {
        MessageId = packed.Told.Id.ToString("D"),
        CorrelationId = packed.Told.CorrelationId,
        ContentType = packed.ContentType,
    };

    /// <summary>What travels: the event itself, or a claim for one too large to travel.</summary>
    sealed record Packed(CloudEvent Told, ReadOnlyMemory<byte> Body, string ContentType);

    Task<(Told? Found, string? ETag)> FindAsync(StreamId stream, CancellationToken cancellation) =>
        marks.FindAsync<Told>(stream.ToString(), stream.ToString(), cancellation);

    static ParallelOptions InParallel(CancellationToken cancellation) =>
        new() { MaxDegreeOfParallelism = StreamsInParallelMax, CancellationToken = cancellation };
}
