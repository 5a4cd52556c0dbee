using System.Text.Json;
using EventSourcing;

namespace Functions.Projections;

/// <summary>What a redrive came to: streams that go on, and streams that are parked still or again.</summary>
public sealed record Redriven(int Healed, int Parked)
{
    public static Redriven One(bool isHealed) => isHealed ? new(1, 0) : new(0, 1);
}

/// <summary>Tries parked streams again, on somebody's word.</summary>
public sealed class Redrive(IEventStore events, ProjectionRunner runner, Parking parking, TimeProvider clock)
{
    public const int StreamsMax = 1_000;

    const int PageItems = 100;

    /// <summary>
    /// Brings the view up to an event of the stream, its last one without <paramref name="upTo"/>: the runner finds
    /// the gap and reads the rest. False when the stream is parked still or again.
    /// </summary>
    public async Task<bool> StreamAsync(View view, StreamId stream, long? upTo, CancellationToken cancellation)
    {
        var known = await parking.FindAsync(view.FullName, stream.ToString(), cancellation);
        var (until, last) = (0L, new List<StoredEvent>());
        try
        {
            var head = await events.HeadAsync(stream, cancellation);
            until = Math.Min(upTo ?? head, head);
            if (until > 0)
                await foreach (var stored in events.ReadAsync(stream, new(until, until), cancellation))
                    last.Add(stored);
        }
        catch (JsonException unreadable)
        {
            await parking.ParkAsync(
                view.FullName, stream.ToString(), known?.Sequence ?? upTo ?? 0, unreadable.Message, cancellation);
            return false;
        }

        await view.ProjectAsync(runner, last, cancellation);

        // Parked again shows in the attempts. What was parked beyond the point asked for was not tried and stays.
        if (known is not null && known.Sequence <= until) await parking.RemoveAsync(known, cancellation);
        return await parking.FindAsync(view.FullName, stream.ToString(), cancellation) is null;
    }

    /// <summary>The streams parked by now, those that stand still the longest first.</summary>
    public async Task<Redriven> AllAsync(View view, CancellationToken cancellation)
    {
        var (begun, healed, parked) = (clock.GetUtcNow(), 0, 0);
        ParkedPlace? after = null;
        while (healed + parked < StreamsMax)
        {
            var page = await parking.ListAsync(view.FullName, null, begun, after, PageItems, cancellation);
            foreach (var entry in page)
            {
                if (StreamId.TryParse(entry.Stream, out var stream)
                    && await StreamAsync(view, stream, null, cancellation)) healed++;
                else parked++;
            }

            if (page.Count < PageItems) break;
            after = ParkedPlace.Of(page[^1]);
        }

        return new(healed, parked);
    }
}
