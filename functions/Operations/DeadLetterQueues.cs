using System.Text.Json;
using System.Xml;
using Azure.Messaging.ServiceBus;

namespace Functions.Operations;

/// <summary>A queue or subscription whose dead letters can be looked at, sent again and thrown away.</summary>
/// <param name="Name">The queue, or topic/subscription.</param>
/// <param name="Target">Where a message goes to come back here.</param>
/// <param name="Subscription">None for a queue.</param>
/// <param name="DuplicateWindow">How long the target remembers a message id, and so drops its repetition.</param>
public sealed record DeadLetterQueue(string Name, string Target, string? Subscription, TimeSpan DuplicateWindow)
{
    public ServiceBusReceiver Open(ServiceBusClient client)
    {
        var options = new ServiceBusReceiverOptions { SubQueue = SubQueue.DeadLetter };
        return Subscription is null
            ? client.CreateReceiver(Target, options)
            : client.CreateReceiver(Target, Subscription, options);
    }
}

/// <summary>Which dead letters are meant: one by its number, or all that fit.</summary>
public sealed record DeadLetterSelection(long? Sequence, string? Reason, string? Subject, string? SessionId, int Max)
{
    public bool Fits(ServiceBusReceivedMessage message) =>
        (Sequence is null || message.SequenceNumber == Sequence) &&
        (Reason is null || message.DeadLetterReason == Reason) &&
        (Subject is null || message.Subject == Subject) &&
        (SessionId is null || message.SessionId == SessionId);
}

/// <summary>What became of a selection.</summary>
/// <param name="Done">Redriven or discarded.</param>
/// <param name="Held">Not sent yet, because the target would take them for duplicates and drop them.</param>
/// <param name="HeldUntil">When the last of those may be sent.</param>
/// <param name="More">Whether others that fit may be left.</param>
public sealed record DeadLetterOutcome(int Done, int Held, DateTimeOffset? HeldUntil, bool More);

/// <summary>Reads, redrives and discards dead letters, a bounded number at a time.</summary>
/// <remarks>
/// A message is sent before its dead letter is completed. Whoever dies in between leaves both, and the next redrive
/// sends it again under the same id: a consumer's inbox makes that free. A message in a subscription goes back through
/// its topic, so the topic's other subscribers see it again too, which their inboxes make free as well.
/// </remarks>
public sealed class DeadLetterQueues(ServiceBusClient client, TimeProvider clock)
{
    public const int SelectedMax = 500;

    const int ScannedMax = 2_000;
    const int PageMax = 250;

    /// <summary>Well within a lock of a minute: what does not fit is left alone while a redrive runs.</summary>
    static readonly TimeSpan DurationMax = TimeSpan.FromSeconds(30);

    /// <summary>For messages that somebody else has locked; those in the way are received at once.</summary>
    static readonly TimeSpan ReceiveWait = TimeSpan.FromSeconds(2);

    static readonly Lazy<IReadOnlyList<DeadLetterQueue>> Topology = new(Load);

    public static IReadOnlyList<DeadLetterQueue> All => Topology.Value;

    public static DeadLetterQueue? Find(string name) => All.FirstOrDefault(queue => queue.Name == name);

    /// <summary>Dead letters that fit, in order, behind a sequence number; none is taken.</summary>
    public Task<(IReadOnlyList<ServiceBusReceivedMessage> Letters, long? Next)> PeekAsync(
        DeadLetterQueue queue, DeadLetterSelection selection, long after, CancellationToken cancellation) =>
        PeekAsync(queue, selection.Fits, selection.Max, after, cancellation);

    public async Task<(IReadOnlyList<ServiceBusReceivedMessage> Letters, long? Next)> PeekAsync(
        DeadLetterQueue queue, Func<ServiceBusReceivedMessage, bool> fits, int max, long after,
        CancellationToken cancellation)
    {
        await using var receiver = queue.Open(client);
        var found = new List<ServiceBusReceivedMessage>();
        for (var scanned = 0; scanned < ScannedMax;)
        {
            var page = await receiver.PeekMessagesAsync(PageMax, after + 1, cancellation);
            if (page.Count == 0) return (found, null);
            foreach (var message in page)
            {
                (after, scanned) = (message.SequenceNumber, scanned + 1);
                if (!fits(message)) continue;
                found.Add(message);
                if (found.Count == max) return (found, after);
            }
        }

        return (found, after);
    }

    /// <summary>Sends what fits to where it came from, as it was, at most so many a second.</summary>
    public async Task<DeadLetterOutcome> RedriveAsync(
        DeadLetterQueue queue, DeadLetterSelection selection, int? perSecond, CancellationToken cancellation)
    {
        var (letters, next) = await PeekAsync(queue, selection, 0, cancellation);
        var outcome = await RedriveAsync(queue, letters, letter => new(letter), perSecond, cancellation);
        return outcome with { More = outcome.More || next is not null };
    }

    /// <summary>Sends these to where they came from, each as <paramref name="again"/> makes it.</summary>
    public async Task<DeadLetterOutcome> RedriveAsync(
        DeadLetterQueue queue, IReadOnlyList<ServiceBusReceivedMessage> letters,
        Func<ServiceBusReceivedMessage, ServiceBusMessage> again, int? perSecond, CancellationToken cancellation)
    {
        var now = clock.GetUtcNow();
        var free = letters.ToLookup(letter => letter.EnqueuedTime + queue.DuplicateWindow <= now);
        await using var sender = client.CreateSender(queue.Target);
        var done = await TakeAsync(
            queue, [.. free[true].Select(letter => letter.SequenceNumber)],
            async letter =>
            {
                await sender.SendMessageAsync(again(letter), cancellation);
                if (perSecond is { } rate) await Task.Delay(TimeSpan.FromSeconds(1d / rate), clock, cancellation);
            },
            cancellation);
        var held = free[false].ToList();
        return new(
            done, held.Count,
            held.Count == 0 ? null : held.Max(letter => letter.EnqueuedTime) + queue.DuplicateWindow,
            done + held.Count < letters.Count);
    }

    /// <summary>Throws away what fits, after it has been noted.</summary>
    public async Task<DeadLetterOutcome> DiscardAsync(
        DeadLetterQueue queue, DeadLetterSelection selection, Action<ServiceBusReceivedMessage> note,
        CancellationToken cancellation)
    {
        var (letters, next) = await PeekAsync(queue, selection, 0, cancellation);
        var done = await TakeAsync(
            queue, [.. letters.Select(letter => letter.SequenceNumber)],
            letter =>
            {
                note(letter);
                return Task.CompletedTask;
            },
            cancellation);
        return new(done, 0, null, next is not null || done < letters.Count);
    }

    /// <summary>
    /// Locks letters from the front until all that were chosen are dealt with. Service Bus hands out no message by its
    /// number, so others are locked on the way; they are given back at the end.
    /// </summary>
    async Task<int> TakeAsync(
        DeadLetterQueue queue, HashSet<long> chosen, Func<ServiceBusReceivedMessage, Task> handle,
        CancellationToken cancellation)
    {
        var (done, began) = (0, clock.GetTimestamp());
        var others = new List<ServiceBusReceivedMessage>();
        await using var receiver = queue.Open(client);
        try
        {
            while (chosen.Count > 0 && clock.GetElapsedTime(began) < DurationMax)
            {
                var batch = await receiver.ReceiveMessagesAsync(PageMax, ReceiveWait, cancellation);
                if (batch.Count == 0) break;
                others.AddRange(batch);
                foreach (var letter in batch.Where(letter => chosen.Remove(letter.SequenceNumber)))
                {
                    if (clock.GetElapsedTime(began) >= DurationMax) break;
                    await handle(letter);
                    others.Remove(letter);
                    await receiver.CompleteMessageAsync(letter, CancellationToken.None);
                    done++;
                }
            }
        }
        finally
        {
            foreach (var other in others) await GiveBackAsync(receiver, other);
        }

        return done;
    }

    static async Task GiveBackAsync(ServiceBusReceiver receiver, ServiceBusReceivedMessage letter)
    {
        try
        {
            await receiver.AbandonMessageAsync(letter);
        }
        catch (ServiceBusException e) when (e.Reason == ServiceBusFailureReason.MessageLockLost)
        {
            // Then it has been given back already.
        }
    }

    static List<DeadLetterQueue> Load()
    {
        var path = Path.Combine(AppContext.BaseDirectory, "topology", "messaging.json");
        using var file = JsonDocument.Parse(File.ReadAllBytes(path));
        var bus = file.RootElement.GetProperty("serviceBus");
        return
        [
            .. Entities(bus, "queues").Select(queue =>
                new DeadLetterQueue(NameOf(queue), NameOf(queue), null, WindowOf(queue))),
            .. Entities(bus, "topics").SelectMany(topic => Entities(topic, "subscriptions").Select(subscription =>
                new DeadLetterQueue(
                    $"{NameOf(topic)}/{NameOf(subscription)}", NameOf(topic), NameOf(subscription), WindowOf(topic)))),
        ];
    }

    static List<JsonElement> Entities(JsonElement parent, string name) =>
        parent.TryGetProperty(name, out var entities) ? [.. entities.EnumerateArray()] : [];

    static string NameOf(JsonElement entity) => entity.GetProperty("name").GetString()!;

    static TimeSpan WindowOf(JsonElement entity) =>
        entity.TryGetProperty("properties", out var properties) &&
        properties.TryGetProperty("requiresDuplicateDetection", out var required) && required.GetBoolean()
            ? properties.TryGetProperty("duplicateDetectionHistoryTimeWindow", out var window)
                ? XmlConvert.ToTimeSpan(window.GetString()!)
                : TimeSpan.FromMinutes(10)
            : TimeSpan.Zero;
}
