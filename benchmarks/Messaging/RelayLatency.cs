using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json;
using Azure.Messaging.EventHubs.Consumer;
using Runtime.Local;
using Runtime.Worker;

namespace Benchmarks.Messaging;

/// <summary>From the answer to a command until its integration event is in the hub, through feed and outbox.</summary>
static class RelayLatency
{
    const string Hub = "integration-events";

    static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    public static async Task MeasureAsync(Run run)
    {
        var table = run.Add("Relay latency", "Feed polled every", "Orders", "p50", "p99");
        table.Note = "Orders are placed one after another over HTTP, in memory; the sagas are switched off. The pause "
            + "between two looks at an idle feed is most of it: on Azure the outbox looks every 200 ms.";
        foreach (var poll in (int[])[20, 200])
        {
            Run.Say($"relay latency, feed polled every {poll} ms");
            var took = await MeasureAsync(run, TimeSpan.FromMilliseconds(poll), run.IsQuick ? 10 : 200);
            took.Sort();
            table.Row(
                $"{poll} ms", took.Count, took[took.Count / 2], took[(int)Math.Min(took.Count * 0.99, took.Count - 1)]);
        }
    }

    static async Task<List<TimeSpan>> MeasureAsync(Run run, TimeSpan poll, int count)
    {
        var settings = new Dictionary<string, string>(LocalSettings.Read(
            Path.Combine(AppContext.BaseDirectory, "local.settings.sample.json")))
        {
            ["AzureWebJobs.OrderSaga.Disabled"] = "true",
            ["AzureWebJobs.StartPlacedOrders.Disabled"] = "true",
        };
        await using var system = await LocalSystem.StartAsync(
            new() { FeedPollDelayMax = poll, Settings = settings }, run.Stop);
        using var http = system.CreateHttpClient();
        var api = new Api(http);
        await Catalogue.SeedAsync(api, run.Stop);
        var arrivals = new ConcurrentDictionary<string, TaskCompletionSource<long>>();
        using var over = CancellationTokenSource.CreateLinkedTokenSource(run.Stop);
        var readers = system.Broker.PartitionIds(Hub)
            .Select(id => ReadAsync(system, id, arrivals, over.Token)).ToList();

        var took = new List<TimeSpan>();
        for (var i = 0; i < count; i++)
        {
            var order = Guid.NewGuid();
            var arrival = arrivals.GetOrAdd($"order-{order}", _ => NewArrival());
            var answer = await api.PutAsync(
                $"/api/orders/{order}", Catalogue.Order("4242 4242 4242 4242", Catalogue.Address(), ("blue-mug", 1)),
                run.Stop);
            if (!answer.IsSuccess) throw new InvalidOperationException($"{answer.Status} {answer.Body}");
            var answered = Stopwatch.GetTimestamp();
            var arrived = await arrival.Task.WaitAsync(Patience, run.Stop);

            // The feed may have been faster than the answer.
            took.Add(arrived > answered ? Stopwatch.GetElapsedTime(answered, arrived) : TimeSpan.Zero);
        }

        await over.CancelAsync();
        await Task.WhenAll(readers);
        return took;
    }

    static async Task ReadAsync(
        LocalSystem system, string partition, ConcurrentDictionary<string, TaskCompletionSource<long>> arrivals,
        CancellationToken over)
    {
        using var cursor = await system.Broker.OpenCursorAsync(
            Hub, "$Default", partition, EventPosition.Earliest, over);
        try
        {
            while (true)
            {
                foreach (var told in await cursor.ReadAsync(100, Timeout.InfiniteTimeSpan, over))
                {
                    var now = Stopwatch.GetTimestamp();
                    using var json = JsonDocument.Parse(told.EventBody);
                    var subject = json.RootElement.GetProperty("subject").GetString()!;
                    arrivals.GetOrAdd(subject, _ => NewArrival()).TrySetResult(now);
                }
            }
        }
        catch (OperationCanceledException) when (over.IsCancellationRequested)
        {
            // All that was measured has arrived.
        }
    }

    static TaskCompletionSource<long> NewArrival() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
