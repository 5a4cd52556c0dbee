using System.Text.Json;

namespace EventSourcing.Tests;

/// <summary>Makes streams and stored events for tests that speak to a store directly.</summary>
static class Samples
{
    public static readonly DateTimeOffset Noon = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    public static StreamId NewStream() => StreamId.Of("counter", Guid.NewGuid());

    public static StoredEvent Event(
        StreamId stream, long sequence, string? commandId = null, int index = 0, object? data = null,
        string type = "counter-added", int version = 1) =>
        SampleEvent.Of(
            stream.ToString(), sequence, type, data ?? new { by = 1 }, commandId ?? $"command-{sequence}", index) with
        {
            EventVersion = version,
            Timestamp = Noon.AddSeconds(sequence),
            UserId = "tester",
        };

    /// <summary>The events of one command, right behind a sequence.</summary>
    public static StoredEvent[] Events(StreamId stream, long after, int count, string commandId) =>
        [.. Enumerable.Range(0, count).Select(i => Event(stream, after + 1 + i, commandId, i))];

    public static async Task FillAsync(this IEventStore store, StreamId stream, long to, long from = 1)
    {
        for (var after = from - 1; after < to;)
        {
            var count = (int)Math.Min(AppendLimits.EventsMax, to - after);
            Assert.Equal(AppendResult.Appended, await store.AppendAsync(
                stream, after, Events(stream, after, count, $"fill-{after}"), null, CancellationToken.None));
            after += count;
        }
    }

    public static async Task<List<StoredEvent>> ListAsync(
        this IEventStore store, StreamId stream, StreamRange? range = null) =>
        await store.ReadAsync(stream, range ?? StreamRange.All, CancellationToken.None).ToListAsync();

    public static StoredSnapshot Snapshot(StoredEvent at, object state, string schema = "1") => new()
    {
        StreamId = at.StreamId,
        Schema = schema,
        SnapshotSequence = at.Sequence,
        SnapshotEventId = at.EventId,
        Timestamp = at.Timestamp,
        State = JsonSerializer.SerializeToElement(state, StoredJson.Options),
    };
}
