using System.Text.Json;
using Azure.Messaging.EventHubs;
using Azure.Messaging.EventHubs.Consumer;
using Microsoft.Extensions.Logging;
using Runtime.Messaging;

namespace Runtime.Worker;

/// <summary>Which events a function reads, from where, and whether in arrays.</summary>
sealed record EventFeed(string Hub, string Group, EventPosition Begin, bool Batched);

/// <summary>Feeds one function with an event hub: partitions side by side, each in order.</summary>
/// <remarks>The checkpoint follows the function, so a crash brings the batch again. A batch whose function keeps
/// failing after its retries is left behind, exactly as on Azure, and the log says so; a batch that the host itself
/// cuts off is not.</remarks>
sealed class EventSource(
    TriggeredFunction function, MessageBroker broker, EventFeed feed, EventHubSettings settings, ILogger logger)
    : ITriggerSource, IDisposable
{
    static readonly TimeSpan pause = TimeSpan.FromSeconds(1);

    readonly CancellationTokenSource stopping = new();
    readonly CancellationTokenSource aborting = new();
    Task loops = Task.CompletedTask;

    public string Description => $"{feed.Hub} (consumer group {feed.Group})";

    public async Task StartAsync(CancellationToken cancellation)
    {
        var cursors = new List<PartitionCursor>();
        foreach (var partition in broker.PartitionIds(feed.Hub))
        {
            cursors.Add(await OpenAsync(partition, cancellation));
        }

        // The cursors are open when the host has started: what is sent from now on counts as unread.
        loops = Task.WhenAll(cursors.Select(cursor => Task.Run(() => ReadAsync(cursor), CancellationToken.None)));
    }

    public async Task StopAsync(CancellationToken cancellation)
    {
        await stopping.CancelAsync();
        await using var _ = cancellation.UnsafeRegister(static o => ((CancellationTokenSource)o!).Cancel(), aborting);
        await loops;
    }

    public void Dispose()
    {
        stopping.Dispose();
        aborting.Dispose();
    }

    Task<PartitionCursor> OpenAsync(string partition, CancellationToken cancellation) =>
        broker.OpenCursorAsync(feed.Hub, feed.Group, partition, feed.Begin, cancellation);

    async Task ReadAsync(PartitionCursor cursor)
    {
        try
        {
            while (true)
            {
                try
                {
                    await FollowAsync(cursor);
                }
                catch (EventHubsException e)
                {
                    logger.LogWarning(
                        e, "'{Function}' stumbled over partition {Partition} of {Hub}", function.Name,
                        cursor.PartitionId, feed.Hub);
                    await Task.Delay(pause, broker.Clock, stopping.Token);

                    // From the checkpoint on: what was read and not finished is read again.
                    cursor.Dispose();
                    cursor = await OpenAsync(cursor.PartitionId, stopping.Token);
                }
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // The host stops; the checkpoint says where to go on.
        }
        finally
        {
            cursor.Dispose();
        }
    }

    async Task FollowAsync(PartitionCursor cursor)
    {
        for (var batches = 1; ; batches++)
        {
            var events = await cursor.ReadAsync(
                settings.MaxEventBatchSize, Timeout.InfiniteTimeSpan, stopping.Token);
            if (events.Count == 0)
            {
                continue;
            }

            await HandleAsync(events, cursor);
            if (batches % settings.BatchCheckpointFrequency == 0)
            {
                await cursor.CheckpointAsync(events[^1], CancellationToken.None);
            }
        }
    }

    async Task HandleAsync(IReadOnlyList<EventData> events, PartitionCursor cursor)
    {
        if (feed.Batched)
        {
            await InvokeAsync([.. events], cursor);
            return;
        }

        foreach (var single in events)
        {
            await InvokeAsync([single], cursor);
        }
    }

    async Task InvokeAsync(EventData[] events, PartitionCursor cursor)
    {
        var arrival = new Arrival(events);
        try
        {
            await function.InvokeAsync(
                new(arrival)
                {
                    TraceParent = arrival.TraceParent,
                    BindingData = BindingData(cursor),
                    Stopping = stopping.Token,
                },
                aborting.Token);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // Thrown on, so that the checkpoint stays before this batch.
            throw;
        }
        catch (Exception e)
        {
            logger.LogError(
                e,
                "Function '{Function}' failed for good on events {First} to {Last} of partition {Partition} of " +
                "{Hub}; the stream goes on WITHOUT them",
                function.Name, events[0].SequenceNumber, events[^1].SequenceNumber, cursor.PartitionId, feed.Hub);
        }
    }

    Dictionary<string, object?> BindingData(PartitionCursor cursor) => new()
    {
        ["PartitionContext"] = JsonSerializer.Serialize(new
        {
            EventHubName = feed.Hub, ConsumerGroup = feed.Group, cursor.PartitionId,
        }),
    };
}
