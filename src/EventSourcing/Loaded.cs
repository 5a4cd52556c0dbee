using System.Buffers;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace EventSourcing;

/// <summary>
/// A stream's state at a sequence; <see cref="At"/> is the time of its last event, <see cref="ReadAt"/> when the store
/// last said so.
/// </summary>
public sealed record Loaded<TState>(TState State, long Sequence, DateTimeOffset At, DateTimeOffset ReadAt)
{
    /// <summary>The event the state stands on: the store must still hold it there for the state to be of use.</summary>
    internal Guid LastEventId { get; init; }

    /// <summary>About how much memory the state takes.</summary>
    internal StateSize Size { get; init; }
}

/// <summary>
/// How large a state is, estimated so cheaply that it can be kept along with every event: all the bytes ever folded
/// into it are an upper bound. A bound that has grown large is measured, again when it has doubled.
/// </summary>
readonly record struct StateSize(long Bytes, long MeasureAt)
{
    /// <summary>Objects and UTF-16 strings take more room than the JSON they come from.</summary>
    const int MemoryPerJsonByte = 3;

    const long MeasureAtMin = 64 * 1024;

    public StateSize Add(JsonElement data) =>
        this with { Bytes = Bytes + (long)JsonMarshal.GetRawUtf8Value(data).Length * MemoryPerJsonByte };

    public StateSize Settle<TState>(TState state)
    {
        if (Bytes < Math.Max(MeasureAt, MeasureAtMin)) return this;
        try
        {
            var counter = new Counter();
            using (var writer = new Utf8JsonWriter(counter))
                JsonSerializer.Serialize(writer, state, StoredJson.Options);
            return new(counter.Bytes * MemoryPerJsonByte, counter.Bytes * MemoryPerJsonByte * 2);
        }
        catch (Exception unfit) when (unfit is NotSupportedException or JsonException)
        {
            // A state need not be serialisable; then its bound stands, and it leaves the cache sooner than it must.
            return this with { MeasureAt = long.MaxValue };
        }
    }

    /// <summary>Takes what is written and keeps nothing of it but its length.</summary>
    sealed class Counter : IBufferWriter<byte>
    {
        byte[] scratch = new byte[16 * 1024];

        public long Bytes { get; private set; }

        public void Advance(int count) => Bytes += count;

        public Memory<byte> GetMemory(int sizeHint = 0)
        {
            if (sizeHint > scratch.Length) scratch = new byte[sizeHint];
            return scratch;
        }

        public Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;
    }
}
