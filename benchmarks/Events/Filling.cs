using System.Text.Json;
using EventSourcing;

namespace Benchmarks.Events;

/// <summary>Long streams without the commands that would have led to them.</summary>
static class Filling
{
    static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>Appends up to the length; the events are those of a tally that counts ones.</summary>
    public static async Task WriteAsync(
        IEventStore store, StreamId stream, long length, long snapshotAt, SnapshotPolicy policy, CancellationToken stop)
    {
        var codec = Tally.Aggregate().Codec;
        for (var after = 0L; after < length;)
        {
            var end = after < snapshotAt ? Math.Min(snapshotAt, length) : length;
            var count = (int)Math.Min(AppendLimits.EventsMax, end - after);
            var (from, command) = (after, $"fill-{after}");
            StoredEvent[] events =
            [
                .. Enumerable.Range(0, count).Select(
                    i => Stored(stream, from + 1 + i, codec.Encode(new(1, "small")), command, i)),
            ];
            after += count;
            var snapshot = after == snapshotAt ? Snapshot(events[^1], policy) : null;
            if (await store.AppendAsync(stream, from, events, snapshot, stop) != AppendResult.Appended)
                throw new InvalidOperationException($"{stream} was not empty.");
        }
    }

    public static StoredEvent Stored(
        StreamId stream, long sequence, (EventType Type, JsonElement Json) encoded, string command, int index) => new()
        {
            Id = StoredEvent.IdOf(sequence),
            StreamId = stream.ToString(),
            Sequence = sequence,
            EventId = Guid.NewGuid(),
            EventType = encoded.Type.Name,
            EventVersion = encoded.Type.Version,
            EventData = encoded.Json,
            Timestamp = Start.AddSeconds(sequence),
            CorrelationId = "benchmark",
            CausationId = "benchmark",
            CommandId = command,
            CommandKey = StoredEvent.CommandKeyOf(command, index),
            CommandHash = "benchmark",
        };

    static StoredSnapshot Snapshot(StoredEvent at, SnapshotPolicy policy) => new()
    {
        StreamId = at.StreamId,
        Schema = policy.Schema,
        SnapshotSequence = at.Sequence,
        SnapshotEventId = at.EventId,
        Timestamp = at.Timestamp,
        State = JsonSerializer.SerializeToElement(new Tally(at.Sequence, at.Sequence), StoredJson.Options),
    };
}
