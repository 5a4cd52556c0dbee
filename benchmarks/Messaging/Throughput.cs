using System.Diagnostics;
using Azure.Messaging.ServiceBus;
using Runtime.Messaging;

namespace Benchmarks.Messaging;

/// <summary>Messages from a full queue into handlers that do nothing, each locked, handled and completed.</summary>
static class Throughput
{
    const string Plain = "plain";
    const string Ordered = "ordered";
    const int Sessions = 64;
    const int BatchSize = 100;

    static readonly MessagingTopology Topology = new()
    {
        Queues = [new() { Name = Plain }, new() { Name = Ordered, RequiresSession = true }],
    };

    public static async Task MeasureAsync(Run run)
    {
        var table = run.Add("Messages through the broker", "State", "Queue", "Consumers", "Messages/s", "Sent/s");
        table.Note = "Sent in batches of 100, then received one by one through the SDK's processor and completed; with "
            + $"sessions, {Sessions} of them, in order. On file what is acknowledged survives a killed process.";
        foreach (var isDurable in (bool[])[false, true])
        {
            foreach (var (queue, consumers) in new[] { (Plain, 1), (Plain, 16), (Ordered, 1), (Ordered, 16) })
            {
                Run.Say($"messages, {(isDurable ? "on file" : "in memory")}, {queue}, {consumers} consumers");
                var (received, sent) = await MeasureAsync(run, isDurable, queue, consumers);
                table.Row(
                    isDurable ? "on file" : "in memory", queue == Ordered ? "sessions" : "plain", consumers, received,
                    sent);
            }
        }
    }

    static async Task<(double Received, double Sent)> MeasureAsync(
        Run run, bool isDurable, string queue, int consumers)
    {
        var folder = isDurable ? Directory.CreateTempSubdirectory("bench-").FullName : null;
        try
        {
            await using var broker = MessageBroker.Open(
                new() { File = folder is null ? null : Path.Combine(folder, "messaging.db") }, Topology);
            var client = broker.CreateServiceBusClient();
            var count = run.IsQuick ? 1_000 : 20_000;
            var sent = await SendAsync(client.CreateSender(queue), count, run.Stop);
            return (await ReceiveAsync(client, queue, consumers, count, run.Stop), sent);
        }
        finally
        {
            if (folder is not null) Directory.Delete(folder, recursive: true);
        }
    }

    static async Task<double> SendAsync(ServiceBusSender sender, int count, CancellationToken stop)
    {
        var body = new BinaryData(new byte[512]);
        var began = Stopwatch.GetTimestamp();
        foreach (var batch in Enumerable.Range(0, count).Chunk(BatchSize))
        {
            await sender.SendMessagesAsync(
                batch.Select(i => new ServiceBusMessage(body) { SessionId = $"session-{i % Sessions}" }), stop);
        }

        return count / Stopwatch.GetElapsedTime(began).TotalSeconds;
    }

    static async Task<double> ReceiveAsync(
        ServiceBusClient client, string queue, int consumers, int count, CancellationToken stop)
    {
        var left = count;
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Task HandledAsync()
        {
            if (Interlocked.Decrement(ref left) == 0) done.SetResult();
            return Task.CompletedTask;
        }

        var began = Stopwatch.GetTimestamp();
        if (queue == Ordered)
        {
            await using var sessions = client.CreateSessionProcessor(queue, new()
            {
                MaxConcurrentSessions = consumers, SessionIdleTimeout = TimeSpan.FromMilliseconds(1),
            });
            sessions.ProcessMessageAsync += _ => HandledAsync();
            sessions.ProcessErrorAsync += Fail;
            await sessions.StartProcessingAsync(stop);
            await done.Task.WaitAsync(stop);
        }
        else
        {
            await using var messages = client.CreateProcessor(queue, new ServiceBusProcessorOptions
            {
                MaxConcurrentCalls = consumers,
            });
            messages.ProcessMessageAsync += _ => HandledAsync();
            messages.ProcessErrorAsync += Fail;
            await messages.StartProcessingAsync(stop);
            await done.Task.WaitAsync(stop);
        }

        return count / Stopwatch.GetElapsedTime(began).TotalSeconds;

        Task Fail(ProcessErrorEventArgs args)
        {
            done.TrySetException(args.Exception);
            return Task.CompletedTask;
        }
    }
}
