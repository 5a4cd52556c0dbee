using System.Text.Json;
using Azure.Messaging.EventHubs;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.Logging;

namespace Functions.UserActivity;

/// <summary>
/// Reads the hub twice over, each time at its own pace: into the logs of people, and into sums of products.
/// </summary>
/// <remarks>
/// Both take exactly-once effect: what comes again, from a client, the hub or after a crash, is known by its id. They
/// retry for ever, since the stream would go on without a batch that failed for good. An event that no code can read
/// would fail for ever and is put aside instead.
/// </remarks>
public sealed class ActivityConsumers(ActivityLog activity, Popularity popularity, ILogger<ActivityConsumers> log)
{
    const int WritesMax = 16;

    [Function(nameof(LogActivity)), ExponentialBackoffRetry(-1, "00:00:01", "00:01:00")]
    public Task LogActivity(
        [EventHubTrigger(Connections.Activity, ConsumerGroup = "customers", Connection = Connections.EventHubs)]
        EventData[] events,
        CancellationToken cancellation) => Parallel.ForEachAsync(
        events,
        new ParallelOptions { MaxDegreeOfParallelism = WritesMax, CancellationToken = cancellation },
        async (data, stop) =>
        {
            try
            {
                await activity.AppendAsync(ActivityEvent.Of(data), stop);
            }
            catch (JsonException e)
            {
                log.LogError(e, "Event {Sequence} of the activity hub can not be read; it is put aside",
                    data.SequenceNumber);
                await activity.ParkAsync(
                    $"{data.EnqueuedTime.UtcTicks:x}-{data.SequenceNumber}", data.EventBody.ToMemory(), e.Message,
                    stop);
            }
        });

    [Function(nameof(CountActivity)), ExponentialBackoffRetry(-1, "00:00:01", "00:01:00")]
    public Task CountActivity(
        [EventHubTrigger(Connections.Activity, ConsumerGroup = "statistics", Connection = Connections.EventHubs)]
        EventData[] events,
        CancellationToken cancellation) => popularity.AddAsync([.. events.SelectMany(Readable)], cancellation);

    // The other reader puts aside what is not readable; here it counts for nothing.
    static IEnumerable<ActivityEvent> Readable(EventData data)
    {
        try
        {
            return [ActivityEvent.Of(data)];
        }
        catch (JsonException)
        {
            return [];
        }
    }
}
