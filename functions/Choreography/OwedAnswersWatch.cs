using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text.Json;
using Azure.Messaging.ServiceBus;
using Functions.Messaging;
using Functions.Operations;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.Logging;

namespace Functions.Choreography;

/// <summary>
/// Looks after undoings, and steps behind the confirmation, whose messages ended with the dead letters: nothing else
/// would ever carry them out, and until then goods, money or credit stay held.
/// </summary>
/// <remarks>
/// Each is sent again under its own id after pauses that double, so an outage of hours passes without anybody; then it
/// stays for an operator. Meanwhile it is told: by a metric with an alert, in the app's health and in the order's
/// process. A step before the confirmation is left alone: <see cref="OverdueOrders"/> stops its order, which makes the
/// step unnecessary. How often a message was sent again travels with it; a crash between sending and completing sends
/// once more, which its consumer's inbox answers as a repeat.
/// </remarks>
public sealed class OwedAnswersWatch(
    DeadLetterQueues queues, OwedAnswersFound found, TimeProvider clock, ILogger<OwedAnswersWatch> log)
{
    public const string MeterName = "Choreography";

    /// <summary>How often a message has been sent again, a property of the message itself.</summary>
    public const string RedrivenProperty = "redriven";

    /// <summary>With pauses that double from ten minutes this is more than five hours.</summary>
    public const int RedrivesMax = 5;

    /// <summary>As long as the topic remembers a message's id, and so would drop it.</summary>
    public static readonly TimeSpan FirstPause = TimeSpan.FromMinutes(10);

    /// <summary>So many of one subscription are looked at; who has more than that has an alert already.</summary>
    public const int LettersMax = DeadLetterQueues.SelectedMax;

    /// <summary>So many are told one by one, the others as a number: they share a document.</summary>
    public const int ToldMax = 200;

    static readonly Meter Meter = new(MeterName);
    static readonly Gauge<int> Owed = Meter.CreateGauge<int>(
        "choreography.owed", "{message}",
        "Undoings and steps behind the confirmation that wait with the dead letters, by subscription.");

    /// <summary>What is said to those who must answer: nobody takes it back, and nobody else makes it good.</summary>
    static readonly HashSet<string> MustBeAnswered =
    [
        .. new[]
        {
            typeof(OrderCancellationRequested), typeof(OrderRejected), typeof(OrderApprovalExpired),
            typeof(ShipmentRefused), typeof(ShipmentCancelled), typeof(PaymentDeclined), typeof(PaymentVoided),
            typeof(StockRefused), typeof(StockReleased), typeof(CreditRefused), typeof(CreditReleased),
            typeof(OrderConfirmed), typeof(PaymentCaptured),
        }.Select(Contracts.NameOf),
    ];

    [Function(nameof(WatchOwedAnswers))]
    public Task WatchOwedAnswers([TimerTrigger("50 * * * * *")] TimerInfo timer, CancellationToken cancellation) =>
        LookAsync(cancellation);

    /// <summary>One look at the dead letters: sends again what is due, and tells what waits still.</summary>
    public async Task<OwedAnswers> LookAsync(CancellationToken cancellation)
    {
        var waiting = new List<OwedAnswer>();
        foreach (var queue in DeadLetterQueues.All.Where(queue => queue.Target == Outbox.Topic))
        {
            var now = clock.GetUtcNow();
            var (letters, _) = await queues.PeekAsync(
                queue, letter => MustBeAnswered.Contains(letter.Subject ?? ""), LettersMax, 0, cancellation);
            var due = letters.Where(letter => NextOf(letter) <= now).ToList();
            var sent = due.Count == 0
                ? 0
                : (await queues.RedriveAsync(queue, due, OnceMore, perSecond: null, cancellation)).Done;
            if (sent > 0) log.LogWarning("{Count} answers owed by {Entity} are asked for again", sent, queue.Name);

            // Who did not come through in the time a redrive has is told as waiting, and is the first next time.
            var left = (sent < due.Count ? letters : letters.Except(due)).Select(letter => Of(queue, letter)).ToList();
            foreach (var hopeless in left.Where(owed => owed.Next is null))
                log.LogError(
                    "{Entity} owes order {Order} its answer to {Event} {MessageId} and was asked {Times} times again: "
                    + "redrive or discard the dead letter",
                    queue.Name, hopeless.Order, hopeless.Event, hopeless.MessageId, hopeless.Redriven);
            Owed.Record(left.Count, new KeyValuePair<string, object?>("subscription", queue.Subscription));
            waiting.AddRange(left);
        }

        var told = new OwedAnswers(
            clock.GetUtcNow(), [.. waiting.OrderBy(owed => owed.Since).Take(ToldMax)], waiting.Count);
        await found.SaveAsync(told, cancellation);
        return told;
    }

    static DateTimeOffset? NextOf(ServiceBusReceivedMessage letter) => TimesOf(letter) is < RedrivesMax and var times
        ? letter.EnqueuedTime + FirstPause * (1 << times)
        : null;

    static int TimesOf(ServiceBusReceivedMessage letter) =>
        letter.ApplicationProperties.TryGetValue(RedrivenProperty, out var times)
            ? Convert.ToInt32(times, CultureInfo.InvariantCulture)
            : 0;

    static ServiceBusMessage OnceMore(ServiceBusReceivedMessage letter) =>
        new(letter) { ApplicationProperties = { [RedrivenProperty] = TimesOf(letter) + 1 } };

    static OwedAnswer Of(DeadLetterQueue queue, ServiceBusReceivedMessage letter)
    {
        var told = EventOf(letter);
        return new(
            queue.Subscription!,
            letter.Subject ?? "",
            letter.MessageId ?? "",
            told?.Data.TryGetProperty("order", out var order) == true && order.TryGetGuid(out var id) ? id : null,
            told?.Time ?? letter.EnqueuedTime,
            TimesOf(letter),
            NextOf(letter),
            letter.DeadLetterErrorDescription ?? letter.DeadLetterReason);
    }

    /// <summary>Null when a claim travels in its place, or anything else that is none.</summary>
    static CloudEvent? EventOf(ServiceBusReceivedMessage letter)
    {
        try
        {
            return letter.ContentType == CloudEvent.ContentType ? CloudEvent.Read(letter.Body.ToMemory()) : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
