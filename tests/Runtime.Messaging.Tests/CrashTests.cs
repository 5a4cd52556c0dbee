using System.Diagnostics;
using System.Globalization;
using Azure.Messaging.EventHubs;
using Azure.Messaging.EventHubs.Consumer;
using Azure.Messaging.EventHubs.Producer;
using Azure.Messaging.ServiceBus;

namespace Runtime.Messaging.Tests;

/// <summary>
/// A process that works on a broker as fast as it can and says what was acknowledged, until it is killed.
/// </summary>
public static class CrashVictim
{
    public static async Task<int> RunAsync(string[] args)
    {
        ArgumentNullException.ThrowIfNull(args);
        if (args is not ["victim", var file])
        {
            return 2;
        }

        await using var broker = MessageBroker.Open(new() { File = file }, BrokerWorld.Topology);
        await Task.WhenAll([.. Enumerable.Range(0, 4).Select(i => WorkAsync(broker, i))]);
        return 1;
    }

    static async Task WorkAsync(MessageBroker broker, int worker)
    {
        var client = broker.CreateServiceBusClient();
        var sender = client.CreateSender("once");
        var receiver = client.CreateReceiver("once");
        var producer = broker.CreateEventHubProducer("clicks");
        for (var i = 0; ; i++)
        {
            var id = $"{worker}-{i}";
            await sender.SendMessageAsync(new(id) { MessageId = id });
            Say("sent", id);
            await producer.SendAsync([new EventData(id)], new SendEventOptions { PartitionId = $"{worker}" });
            Say("event", id);
            if (i % 2 == 1 && await receiver.ReceiveMessageAsync() is { } message)
            {
                Say("received", message.MessageId!);
                await receiver.CompleteMessageAsync(message);
                Say("completed", message.MessageId!);
            }
        }
    }

    static void Say(string what, string id)
    {
        lock (Console.Out)
        {
            Console.Out.WriteLine($"{what} {id}");
            Console.Out.Flush();
        }
    }
}

public sealed class CrashTests() : BrokerWorld(durable: true)
{
    [Theory]
    [InlineData(200)]
    [InlineData(1_001)]
    public async Task A_killed_process_loses_nothing_acknowledged_and_brings_back_nothing_completed(
        int linesBeforeDeath)
    {
        await Broker.DisposeAsync();
        var said = await KillAfterAsync(linesBeforeDeath);

        await ReopenAsync();
        var receiver = Client.CreateReceiver("once");
        var left = new Dictionary<string, int>();
        while (await receiver.PeekMessagesAsync(1_000) is { Count: > 0 } page)
        {
            foreach (var message in page)
            {
                left.Add(message.MessageId!, message.DeliveryCount);
            }
        }

        var completed = said["completed"].ToHashSet();
        var received = said["received"].ToHashSet();
        Assert.NotEmpty(completed);
        Assert.Empty(completed.Intersect(left.Keys));

        // One completion may have been on its way when the process died: then either outcome is right.
        var undecided = received.Except(completed).ToList();
        Assert.Empty(said["sent"].Except(completed).Except(undecided).Except(left.Keys));
        Assert.InRange(undecided.Count, 0, 4);
        Assert.All(undecided.Where(left.ContainsKey), id => Assert.Equal(1, left[id]));

        for (var partition = 0; partition < 4; partition++)
        {
            using var cursor = await Broker.OpenCursorAsync("clicks", "views", $"{partition}", EventPosition.Earliest);
            var events = new List<string>();
            while (await cursor.ReadAsync(1_000, TimeSpan.Zero) is { Count: > 0 } page)
            {
                events.AddRange(page.Select(e => e.EventBody.ToString()));
            }

            // In order, without a gap, and at least as far as was acknowledged.
            var acknowledged = said["event"].Count(id => id.StartsWith($"{partition}-", StringComparison.Ordinal));
            Assert.Equal(Enumerable.Range(0, events.Count).Select(i => $"{partition}-{i}"), events);
            Assert.InRange(events.Count, acknowledged, acknowledged + 1);
        }
    }

    async Task<ILookup<string, string>> KillAfterAsync(int lines)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardOutput = true };
        foreach (var argument in (string[])["exec", typeof(CrashTests).Assembly.Location, "victim", File!])
        {
            start.ArgumentList.Add(argument);
        }

        if (!Path.GetFileNameWithoutExtension(start.FileName).Equals("dotnet", StringComparison.OrdinalIgnoreCase))
        {
            start.FileName = "dotnet";
        }

        using var victim = Process.Start(start)!;
        var said = new List<string>();
        while (await victim.StandardOutput.ReadLineAsync() is { } line)
        {
            said.Add(line);
            if (said.Count == lines)
            {
                victim.Kill();
            }
        }

        await victim.WaitForExitAsync();
        Assert.True(said.Count >= lines,
            string.Create(CultureInfo.InvariantCulture, $"It ended by itself: {victim.ExitCode}."));

        // The last line may have been cut by the kill.
        return said.SkipLast(1).Select(line => line.Split(' ')).ToLookup(words => words[0], words => words[1]);
    }
}
