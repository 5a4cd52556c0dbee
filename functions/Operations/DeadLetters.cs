using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using Azure.Messaging.ServiceBus;
using EventSourcing;
using Functions.Http;
using Functions.Queries;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.Logging;

namespace Functions.Operations;

/// <summary>What an operator sees of messages that could not be consumed, and can do about them.</summary>
public sealed class DeadLetters(DeadLetterQueues queues, Continuations continuations, ILogger<DeadLetters> log)
{
    const int PerSecondMax = 1_000;
    const int CountedMax = 100;

    sealed record RedriveBody(
        string? Entity, long? Sequence, string? Reason, string? Subject, string? SessionId, int? Max, int? PerSecond);

    sealed record DiscardBody(
        string? Entity, long? Sequence, string? Reason, string? Subject, string? SessionId, int? Max, string? By,
        string? Why);

    /// <summary>Behind which dead letter the next page starts.</summary>
    sealed record Place(long Sequence);

    /// <summary>Every queue and subscription, with as many of its dead letters as are counted here.</summary>
    [Function(nameof(GetDeadLetters))]
    public async Task<IResult> GetDeadLetters(
        [HttpTrigger(AuthorizationLevel.Admin, "get", Route = "operations/deadletters")] HttpRequest request,
        CancellationToken cancellation)
    {
        var any = new DeadLetterSelection(null, null, null, null, CountedMax);
        var rows = await Task.WhenAll(DeadLetterQueues.All.Select(async queue =>
        {
            var (letters, next) = await queues.PeekAsync(queue, any, 0, cancellation);
            return new
            {
                entity = queue.Name,
                deadLetters = letters.Count,
                more = next is not null,
                oldest = letters is [var first, ..] ? first.EnqueuedTime : (DateTimeOffset?)null,
                reasons = letters.GroupBy(letter => letter.DeadLetterReason ?? "")
                    .ToDictionary(same => same.Key, same => same.Count()),
            };
        }));
        return TypedResults.Json(new { entities = rows }, StoredJson.Options);
    }

    /// <summary>The dead letters of one entity, without their bodies, page by page.</summary>
    [Function(nameof(GetDeadLetterMessages))]
    public async Task<IResult> GetDeadLetterMessages(
        [HttpTrigger(AuthorizationLevel.Admin, "get", Route = "operations/deadletters/messages")] HttpRequest request,
        CancellationToken cancellation)
    {
        if (Entity(Request.Query(request, "entity"), out var queue) is { } unknown) return unknown;
        var selection = new DeadLetterSelection(
            null, Request.Query(request, "reason"), Request.Query(request, "subject"),
            Request.Query(request, "sessionId"), Request.Limit(request));
        var list = $"dead letters {queue.Name} {selection with { Max = 0 }}";
        var after = await continuations.OpenAsync<Place>(request, list, cancellation);
        var (letters, next) = await queues.PeekAsync(queue, selection, after?.Sequence ?? 0, cancellation);
        return TypedResults.Json(
            new
            {
                messages = letters.Select(Headers),
                continuation = next is { } last
                    ? await continuations.SealAsync(list, new Place(last), cancellation)
                    : null,
            },
            StoredJson.Options);
    }

    /// <summary>One dead letter with its body: as JSON if it is, as text if it is that, else in base64.</summary>
    [Function(nameof(GetDeadLetterMessage))]
    public async Task<IResult> GetDeadLetterMessage(
        [HttpTrigger(
            AuthorizationLevel.Admin, "get", Route = "operations/deadletters/messages/{sequence:long}")]
        HttpRequest request,
        long sequence,
        CancellationToken cancellation)
    {
        if (Entity(Request.Query(request, "entity"), out var queue) is { } unknown) return unknown;
        var selection = new DeadLetterSelection(Checked(sequence), null, null, null, 1);
        var (letters, _) = await queues.PeekAsync(queue, selection, sequence - 1, cancellation);
        return letters is [var letter]
            ? TypedResults.Json(new { message = Headers(letter), body = Body(letter) }, StoredJson.Options)
            : Problem.Of(404, "unknown-dead-letter", $"{queue.Name} has no dead letter {sequence}.");
    }

    /// <summary>Sends dead letters again, under the ids they had: one, or those that fit.</summary>
    [Function(nameof(PostDeadLetterRedrive))]
    public async Task<IResult> PostDeadLetterRedrive(
        [HttpTrigger(AuthorizationLevel.Admin, "post", Route = "operations/deadletters/redrive")] HttpRequest request,
        CancellationToken cancellation)
    {
        var body = await Request.BodyAsync<RedriveBody>(request, cancellation);
        if (Entity(body.Entity, out var queue) is { } unknown) return unknown;
        if (body.PerSecond is < 1 or > PerSecondMax)
            throw new InvalidRequestException("invalid-rate", $"perSecond is 1 to {PerSecondMax}.");
        var selection = Selection(body.Sequence, body.Reason, body.Subject, body.SessionId, body.Max);
        var outcome = await queues.RedriveAsync(queue, selection, body.PerSecond, cancellation);
        return Answer(queue, selection, outcome, new
        {
            redriven = outcome.Done, outcome.Held, outcome.HeldUntil, outcome.More,
        });
    }

    /// <summary>Throws dead letters away; who decided that and why is logged with each.</summary>
    [Function(nameof(PostDeadLetterDiscard))]
    public async Task<IResult> PostDeadLetterDiscard(
        [HttpTrigger(AuthorizationLevel.Admin, "post", Route = "operations/deadletters/discard")] HttpRequest request,
        CancellationToken cancellation)
    {
        var body = await Request.BodyAsync<DiscardBody>(request, cancellation);
        if (Entity(body.Entity, out var queue) is { } unknown) return unknown;
        var (by, why) = (Request.Line(body.By, "by"), Request.Line(body.Why, "why"));
        var selection = Selection(body.Sequence, body.Reason, body.Subject, body.SessionId, body.Max);
        var outcome = await queues.DiscardAsync(
            queue, selection,
            letter => log.LogWarning(
                "Dead letter {MessageId} ({Subject}, session {SessionId}, dead because of {Reason}) of {Entity} " +
                "discarded by {By}: {Why}",
                letter.MessageId, letter.Subject, letter.SessionId, letter.DeadLetterReason, queue.Name, by, why),
            cancellation);
        return Answer(queue, selection, outcome, new { discarded = outcome.Done, outcome.More });
    }

    static IResult Answer<T>(
        DeadLetterQueue queue, DeadLetterSelection selection, DeadLetterOutcome outcome, T answer) =>
        selection.Sequence is { } sequence && outcome is { Done: 0, Held: 0 }
            ? Problem.Of(404, "unknown-dead-letter", $"{queue.Name} has no dead letter {sequence}.")
            : TypedResults.Json(answer, StoredJson.Options);

    // Everything at once is asked for by name too, so that a forgotten filter is no command.
    static DeadLetterSelection Selection(
        long? sequence, string? reason, string? subject, string? sessionId, int? max)
    {
        if (max is < 1 or > DeadLetterQueues.SelectedMax)
            throw new InvalidRequestException("invalid-limit", $"max is 1 to {DeadLetterQueues.SelectedMax}.");
        if (sequence is null && reason is null && subject is null && sessionId is null && max is null)
            throw new InvalidRequestException(
                "filter-required", "Give sequence, or max with any of reason, subject and sessionId.");
        return new(
            sequence is { } one ? Checked(one) : null, reason, subject, sessionId,
            sequence is null ? max ?? DeadLetterQueues.SelectedMax : 1);
    }

    static object Headers(ServiceBusReceivedMessage letter) => new
    {
        sequence = letter.SequenceNumber, letter.MessageId, letter.SessionId, letter.Subject, letter.CorrelationId,
        letter.ContentType, reason = letter.DeadLetterReason, description = letter.DeadLetterErrorDescription,
        letter.DeliveryCount, enqueuedAt = letter.EnqueuedTime, bytes = letter.Body.ToMemory().Length,
        properties = letter.ApplicationProperties.ToDictionary(
            property => property.Key,
            property => Convert.ToString(property.Value, CultureInfo.InvariantCulture)),
    };

    static object Body(ServiceBusReceivedMessage letter)
    {
        var bytes = letter.Body.ToMemory();
        try
        {
            return JsonSerializer.Deserialize<JsonElement>(bytes.Span);
        }
        catch (JsonException)
        {
            return Utf8.IsValid(bytes.Span)
                ? Encoding.UTF8.GetString(bytes.Span)
                : new { base64 = Convert.ToBase64String(bytes.Span) };
        }
    }

    static IResult? Entity(string? name, out DeadLetterQueue queue)
    {
        queue = DeadLetterQueues.Find(Request.Required(name, "entity"))!;
        return queue is null
            ? Problem.Of(
                404, "unknown-entity",
                $"There is no {name}; there are {string.Join(", ", DeadLetterQueues.All.Select(q => q.Name))}.")
            : null;
    }

    static long Checked(long sequence) => sequence is >= 1 and < long.MaxValue
        ? sequence
        : throw new InvalidRequestException("invalid-sequence", "A sequence counts from 1.");
}
