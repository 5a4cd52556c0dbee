using Azure.Messaging.ServiceBus;
using Xunit.Sdk;

namespace Runtime.Messaging.Tests;

public sealed class MemorySimulationTests() : SimulationTests(durable: false, 40);

public sealed class SqliteSimulationTests() : SimulationTests(durable: true, 10);

/// <summary>
/// Senders and consumers that fail in every way they may, over a broker that does too, from one seed.
/// </summary>
public abstract class SimulationTests(bool durable, int seeds)
{
    /// <summary>Set to a seed from a failure's message to run only that one.</summary>
    static int? OnlySeed => null;

    [Fact]
    public async Task Nothing_acknowledged_is_lost_nothing_completed_returns_and_sessions_stay_in_order()
    {
        foreach (var seed in OnlySeed is { } only ? [only] : Enumerable.Range(1, seeds))
        {
            try
            {
                await using var simulation = new Simulation(durable, seed);
                await simulation.RunAsync(steps: durable ? 300 : 1_500);
            }
            catch (Exception e)
            {
                throw new XunitException($"Seed {seed}: {e.Message}", e);
            }
        }
    }
}

/// <summary>
/// One run: every decision comes from the seed, one at a time, so a seed always tells the same story.
/// </summary>
sealed class Simulation : IAsyncDisposable
{
    const int SessionCount = 5;
    const int ConsumerCount = 3;
    const string LettersPath = "t/Subscriptions/s/$DeadLetterQueue";

    readonly ManualClock clock = new();
    readonly Random random;
    readonly DirectoryInfo? directory;
    readonly ServiceBusSessionReceiver?[] consumers = new ServiceBusSessionReceiver?[ConsumerCount];
    readonly List<ServiceBusReceivedMessage>[] hands =
        [.. Enumerable.Range(0, ConsumerCount).Select(_ => new List<ServiceBusReceivedMessage>())];
    readonly int[] nextToSend = new int[SessionCount];
    readonly HashSet<long> completed = [];
    readonly List<int>[] firstTimes = [.. Enumerable.Range(0, SessionCount).Select(_ => new List<int>())];
    readonly HashSet<(int Session, int Number)> dead = [];
    readonly Dictionary<long, int> deliveries = [];
    MessageBroker broker;
    ServiceBusClient client;
    int life;

    public Simulation(bool durable, int seed)
    {
        random = new(seed);
        directory = durable ? Directory.CreateTempSubdirectory("messaging-simulation-") : null;
        broker = Open();
        client = broker.CreateServiceBusClient();
    }

    static MessagingTopology Topology { get; } = new()
    {
        Topics =
        [
            new()
            {
                Name = "t",
                Subscriptions =
                [
                    new()
                    {
                        Name = "s", RequiresSession = true, MaxDeliveryCount = 4,
                        Rules = [new() { Name = "$Default", SqlFilter = "Wanted = TRUE" }],
                    },
                ],
            },
        ],
    };

    public async Task RunAsync(int steps)
    {
        for (var step = 0; step < steps; step++)
        {
            await StepAsync();
        }

        await DrainAsync();
        for (var session = 0; session < SessionCount; session++)
        {
            var expected = Enumerable.Range(0, nextToSend[session]).Where(
                n => !dead.Contains((session, n)) || firstTimes[session].Contains(n));
            Assert.Equal(expected, firstTimes[session].Where(n => n < nextToSend[session]));
        }

        Assert.Equal(0, (await broker.CountAsync()).Single().SizeBytes);
    }

    public async ValueTask DisposeAsync()
    {
        await broker.DisposeAsync();
        directory?.Delete(recursive: true);
    }

    MessageBroker Open()
    {
        var opened = MessageBroker.Open(
            new() { Clock = clock, File = FileOf(life), Random = new Random(random.Next()), ResidentBytesMax = 2_000 },
                Topology);
        opened.Faults.SendFailures = opened.Faults.LostAcknowledgements = opened.Faults.Duplicates = 0.1;
        opened.Faults.Delays = opened.Faults.LockLosses = 0.05;
        opened.Faults.Reorders = 0.3;
        return opened;
    }

    string? FileOf(int number) => directory is null ? null : Path.Combine(directory.FullName, $"life-{number}.db");

    Task StepAsync() => random.Next(100) switch
    {
        < 35 => SendAsync(random.Next(SessionCount)),
        < 55 => ReceiveAsync(random.Next(ConsumerCount)),
        < 85 => SettleAsync(random.Next(ConsumerCount)),
        < 90 => LetGoAsync(random.Next(ConsumerCount)),
        < 98 => PassTimeAsync(),
        _ => CrashAsync(),
    };

    /// <summary>Sends the session's next number, again until it is acknowledged, as an outbox would.</summary>
    async Task SendAsync(int session)
    {
        var number = nextToSend[session];
        var sender = client.CreateSender("t");
        while (true)
        {
            try
            {
                await sender.SendMessageAsync(new($"{number}")
                {
                    SessionId = $"{session}", ApplicationProperties = { ["Wanted"] = true },
                });
                nextToSend[session]++;
                return;
            }
            catch (ServiceBusException e) when (e.IsTransient)
            {
                // A lost answer leaves a copy behind; the second one is what at-least-once means.
            }
        }
    }

    async Task ReceiveAsync(int consumer)
    {
        try
        {
            if (consumers[consumer] is null)
            {
                consumers[consumer] = await WithTimeAsync(
                    client.AcceptNextSessionAsync("t", "s"), TimeSpan.FromMinutes(1));
            }

            var receiving = consumers[consumer]!.ReceiveMessagesAsync(random.Next(1, 4), BrokerWorld.NoWait);
            foreach (var message in await WithTimeAsync(receiving, BrokerWorld.NoWait))
            {
                Assert.DoesNotContain(message.SequenceNumber, completed);
                Assert.True(
                    message.DeliveryCount >= deliveries.GetValueOrDefault(message.SequenceNumber),
                    $"Message {message.SequenceNumber} was delivered {message.DeliveryCount} times after more.");
                deliveries[message.SequenceNumber] = message.DeliveryCount;
                hands[consumer].Add(message);
            }
        }
        catch (ServiceBusException e) when (
            e.Reason is ServiceBusFailureReason.ServiceTimeout or ServiceBusFailureReason.SessionLockLost)
        {
            Forget(consumer);
        }
    }

    /// <summary>Waits for an answer; when there is none yet, time passes until the wait is over.</summary>
    Task<T> WithTimeAsync<T>(Task<T> task, TimeSpan wait)
    {
        lock (broker.Kernel.Gate)
        {
            if (broker.Queues.Queue("t/Subscriptions/s").WaitingCount + broker.Queues.Queue(
                LettersPath).WaitingCount == 0)
            {
                return task;
            }
        }

        clock.Advance(wait);
        return task;
    }

    async Task SettleAsync(int consumer)
    {
        if (consumers[consumer] is not { } receiver || hands[consumer] is not [var message, ..])
        {
            return;
        }

        hands[consumer].RemoveAt(0);
        try
        {
            switch (random.Next(10))
            {
                case < 7:
                    await receiver.CompleteMessageAsync(message);
                    Completed(message);
                    break;
                case 7:
                    // Those behind it in hand would overtake it, so they go back too, as a careful consumer does.
                    foreach (var held in hands[consumer].Append(message).ToList())
                    {
                        await receiver.AbandonMessageAsync(held);
                    }

                    hands[consumer].Clear();
                    break;
                case 8:
                    await receiver.DeadLetterMessageAsync(message, "because");
                    break;
                default:
                    await receiver.RenewSessionLockAsync();
                    hands[consumer].Insert(0, message);
                    break;
            }
        }
        catch (ServiceBusException e) when (e.Reason is ServiceBusFailureReason.SessionLockLost)
        {
            Forget(consumer);
        }
    }

    async Task LetGoAsync(int consumer)
    {
        if (consumers[consumer] is { } receiver)
        {
            await receiver.CloseAsync();
            foreach (var message in hands[consumer])
            {
                // Given back uncounted: the next delivery has the same number.
                deliveries[message.SequenceNumber] = message.DeliveryCount - 1;
            }

            Forget(consumer);
        }
    }

    Task PassTimeAsync()
    {
        clock.Advance(TimeSpan.FromSeconds(random.Next(1, 90)));
        return Task.CompletedTask;
    }

    /// <summary>The process dies: what is in the file at this moment is all there is.</summary>
    async Task CrashAsync()
    {
        if (directory is null)
        {
            return;
        }

        File.Copy(FileOf(life)!, FileOf(life + 1)!);
        File.Copy(FileOf(life) + "-wal", FileOf(life + 1) + "-wal");
        life++;
        var old = broker;
        broker = Open();
        client = broker.CreateServiceBusClient();
        await old.DisposeAsync();
        for (var consumer = 0; consumer < ConsumerCount; consumer++)
        {
            Forget(consumer);
        }
    }

    /// <summary>The faults end and everything left is consumed.</summary>
    async Task DrainAsync()
    {
        broker.Faults.Clear();
        for (var consumer = 0; consumer < ConsumerCount; consumer++)
        {
            Forget(consumer);
        }

        clock.Advance(TimeSpan.FromMinutes(5));
        var letters = client.CreateReceiver("t", "s", new ServiceBusReceiverOptions { SubQueue = SubQueue.DeadLetter });
        while ((await broker.CountAsync()).Single() is { Active: > 0 } or { DeadLettered: > 0 })
        {
            if ((await broker.CountAsync()).Single().Active > 0)
            {
                await using var receiver = await WithTimeAsync(
                    client.AcceptNextSessionAsync("t", "s"), TimeSpan.FromMinutes(1));
                foreach (var message in await WithTimeAsync(
                    receiver.ReceiveMessagesAsync(100, BrokerWorld.NoWait), BrokerWorld.NoWait))
                {
                    Assert.DoesNotContain(message.SequenceNumber, completed);
                    await receiver.CompleteMessageAsync(message);
                    Completed(message);
                }
            }

            foreach (var letter in await WithTimeAsync(
                letters.ReceiveMessagesAsync(100, BrokerWorld.NoWait), BrokerWorld.NoWait))
            {
                Assert.DoesNotContain(letter.SequenceNumber, completed);
                Assert.True(letter.DeadLetterReason is "because" or "MaxDeliveryCountExceeded",
                    letter.DeadLetterReason);
                dead.Add((int.Parse(letter.SessionId!, null), int.Parse(letter.Body.ToString(), null)));
                await letters.CompleteMessageAsync(letter);
            }
        }
    }

    void Completed(ServiceBusReceivedMessage message)
    {
        Assert.True(completed.Add(message.SequenceNumber), $"Message {message.SequenceNumber} was completed twice.");
        var order = firstTimes[int.Parse(message.SessionId!, null)];
        var number = int.Parse(message.Body.ToString(), null);
        if (!order.Contains(number))
        {
            var last = order is [.., var newest] ? newest : -1;
            Assert.True(number > last, $"Session {message.SessionId}: {number} came after {last}.");
            order.Add(number);
        }
    }

    void Forget(int consumer)
    {
        consumers[consumer] = null;
        hands[consumer].Clear();
    }
}
