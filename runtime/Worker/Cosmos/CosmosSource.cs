using System.Net;
using Microsoft.Azure.Cosmos;
using Microsoft.Extensions.Logging;

namespace Runtime.Worker;

/// <summary>Feeds one function with the changes of one container.</summary>
/// <remarks>A batch whose function keeps failing after its retries is left behind: the lease moves on, exactly as on
/// Azure, and the log says so as an error with the ids. A batch that the host itself cuts off is not: its lease stays
/// where it was and the batch comes again. Deliveries are at least once in any case.</remarks>
sealed class CosmosSource(
    TriggeredFunction function, CosmosFeed feed, CosmosClients clients, ILogger logger) : ITriggerSource, IDisposable
{
    readonly CancellationTokenSource stopping = new();
    readonly CancellationTokenSource aborting = new();
    ChangeFeedProcessor? processor;

    public string Description =>
        $"{feed.Monitored} (leases in {feed.Leases}{(feed.Prefix.Length == 0 ? "" : $", prefix '{feed.Prefix}'")})";

    public async Task StartAsync(CancellationToken cancellation)
    {
        try
        {
            var leases = clients.For(feed.Leases.Connection, feed.Regions);
            if (feed.CreateLeases)
            {
                await CreateLeasesAsync(leases, cancellation);
            }

            var monitored = clients.For(feed.Monitored.Connection, feed.Regions);
            var feeding = Build(
                monitored.GetContainer(feed.Monitored.Database, feed.Monitored.Container),
                leases.GetContainer(feed.Leases.Database, feed.Leases.Container));
            await feeding.StartAsync();
            processor = feeding;
        }
        catch (CosmosException e) when (e.StatusCode is HttpStatusCode.NotFound)
        {
            throw function.Refusal(
                $"either {feed.Monitored} or its lease container {feed.Leases} does not exist. Both must be there " +
                "before the host starts; CreateLeaseContainerIfNotExists creates the second. " +
                $"({e.StatusCode}/{e.SubStatusCode})");
        }
        catch (CosmosException e)
        {
            throw function.Refusal(
                $"Cosmos DB answers {(int)e.StatusCode}/{e.SubStatusCode} for connection " +
                $"'{feed.Monitored.Connection}': {e.ResponseBody}");
        }
        catch (HttpRequestException e)
        {
            throw function.Refusal(
                $"Cosmos DB does not answer for connection '{feed.Monitored.Connection}': {e.Message}");
        }
    }

    public async Task StopAsync(CancellationToken cancellation)
    {
        await stopping.CancelAsync();
        await using var _ = cancellation.UnsafeRegister(static o => ((CancellationTokenSource)o!).Cancel(), aborting);
        if (Interlocked.Exchange(ref processor, null) is { } running)
        {
            // Returns when running batches have been dealt with and their leases are released.
            await running.StopAsync();
        }
    }

    public void Dispose()
    {
        stopping.Dispose();
        aborting.Dispose();
        clients.Dispose();
    }

    async Task CreateLeasesAsync(CosmosClient client, CancellationToken cancellation)
    {
        Database database = await client.CreateDatabaseIfNotExistsAsync(
            feed.Leases.Database, cancellationToken: cancellation);
        await database.CreateContainerIfNotExistsAsync(
            new ContainerProperties(feed.Leases.Container, "/id") { DefaultTimeToLive = -1 },
            feed.LeasesThroughput, cancellationToken: cancellation);
    }

    ChangeFeedProcessor Build(Container monitored, Container leases)
    {
        // Streams, not objects: what the function is given must not depend on the serializer of a shared client.
        var builder = monitored.GetChangeFeedProcessorBuilder(feed.Prefix, DeliverAsync)
            .WithInstanceName(feed.Owner)
            .WithLeaseContainer(leases)
            .WithLeaseConfiguration(feed.LeaseAcquire, feed.LeaseExpiration, feed.LeaseRenew)
            .WithErrorNotification(NoteAsync);
        if (feed.ItemsMax is { } items)
        {
            builder.WithMaxItems(items);
        }

        if (feed.PollDelay is { } delay)
        {
            builder.WithPollInterval(delay);
        }

        if (feed.StartTime is { } start)
        {
            builder.WithStartTime(start);
        }

        return builder.Build();
    }

    // The SDK's token is not passed on: it fires as soon as the host begins to stop, when a batch begun is finished.
    async Task DeliverAsync(ChangeFeedProcessorContext context, Stream changes, CancellationToken cancellation)
    {
        var batch = ChangeBatch.Read(changes);
        try
        {
            await function.InvokeAsync(new(batch) { Stopping = stopping.Token }, aborting.Token);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // Thrown on, so that the lease stays before this batch.
            throw;
        }
        catch (Exception e)
        {
            logger.LogError(
                e,
                "Function '{Function}' failed for good on {Count} changes of lease {Lease}; " +
                "the feed goes on WITHOUT them: {Ids}",
                function.Name, batch.Count, context.LeaseToken, batch.Ids());
        }
    }

    Task NoteAsync(string leaseToken, Exception exception)
    {
        if (!stopping.IsCancellationRequested)
        {
            logger.LogWarning(
                exception, "The feed of '{Function}' stumbled at lease {Lease}", function.Name, leaseToken);
        }

        return Task.CompletedTask;
    }
}
