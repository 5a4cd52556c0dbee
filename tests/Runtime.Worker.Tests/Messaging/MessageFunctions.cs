using Azure.Messaging.EventHubs;
using Azure.Messaging.ServiceBus;
using Microsoft.Azure.Functions.Worker;

namespace Runtime.Worker.Tests;

public sealed record Fact(string Name, int Size);

public sealed class PlainFunctions(Probe probe)
{
    [Function("Plain")]
    public async Task Plain(
        [ServiceBusTrigger("%Queue%")] ServiceBusReceivedMessage message, FunctionContext context,
        CancellationToken cancellation)
    {
        var body = message.Body.ToString();
        probe.Write($"{body} {message.DeliveryCount} {context.BindingContext.BindingData["DeliveryCount"]}");
        if (body.StartsWith("wait", StringComparison.Ordinal))
        {
            await probe.Opened(body);
        }

        if (body.StartsWith("heed", StringComparison.Ordinal))
        {
            await probe.Opened(body).WaitAsync(cancellation);
        }

        if (body == "poison" || (body == "stumble" && message.DeliveryCount == 1))
        {
            throw new InvalidOperationException(body);
        }
    }
}

public sealed class ManualFunctions(Probe probe)
{
    [Function("Manual")]
    public async Task Manual(
        [ServiceBusTrigger("manual", AutoCompleteMessages = false)] ServiceBusReceivedMessage message,
        ServiceBusMessageActions actions, CancellationToken cancellation)
    {
        var body = message.Body.ToString();
        switch (body)
        {
            case "complete":
                await actions.RenewMessageLockAsync(message, cancellation);
                await actions.CompleteMessageAsync(message, cancellation);
                break;
            case "abandon" when message.DeliveryCount == 1:
                await actions.AbandonMessageAsync(
                    message, new Dictionary<string, object> { ["left"] = "a note" }, cancellation);
                break;
            case "abandon":
                probe.Write($"note: {message.ApplicationProperties["left"]}");
                await actions.CompleteMessageAsync(message, cancellation);
                break;
            case "bury":
                await actions.DeadLetterMessageAsync(
                    message, new() { ["by"] = "hand" }, "unreadable", "It makes no sense.", cancellation);
                break;
            case "defer":
                await actions.DeferMessageAsync(message, cancellationToken: cancellation);
                break;
        }

        probe.Write($"{body} {message.DeliveryCount}");
    }
}

public sealed class BatchFunctions(Probe probe)
{
    [Function("Batch")]
    [ServiceBusOutput("plain")]
    public string[] Batch([ServiceBusTrigger("batch", IsBatched = true)] string[] bodies)
    {
        probe.Write($"batch {string.Join(' ', bodies)}");
        return bodies.Contains("poison") ? throw new InvalidOperationException("poison") : bodies;
    }
}

public sealed class FactFunctions(Probe probe)
{
    [Function("Facts")]
    [EventHubOutput("clicks")]
    public Fact Facts([ServiceBusTrigger("facts", "all")] Fact fact)
    {
        probe.Write($"fact {fact.Name} {fact.Size}");
        return fact with { Size = fact.Size + 1 };
    }

    [Function("Clicked")]
    public void Clicked([EventHubTrigger("clicks", IsBatched = false)] Fact fact) =>
        probe.Write($"clicked {fact.Name} {fact.Size}");
}

public sealed class SessionFunctions(Probe probe)
{
    [Function("Session")]
    public async Task Session(
        [ServiceBusTrigger("sessions", IsSessionsEnabled = true)] ServiceBusReceivedMessage message,
        ServiceBusSessionMessageActions session, CancellationToken cancellation)
    {
        var seen = (await session.GetSessionStateAsync(cancellation)).ToString();
        var body = message.Body.ToString();
        probe.Write($"begin {body}");
        if (body.EndsWith("wait", StringComparison.Ordinal))
        {
            await probe.Opened(body);
        }

        await session.SetSessionStateAsync(new BinaryData(seen + body[^1]), cancellation);
        probe.Write($"end {body} after '{seen}'");
        if (body.EndsWith("last", StringComparison.Ordinal))
        {
            await session.ReleaseSession(cancellation);
        }
    }

    [Function("SessionBatch")]
    public async Task SessionBatch(
        [ServiceBusTrigger("session-batch", IsSessionsEnabled = true, IsBatched = true)]
        ServiceBusReceivedMessage[] messages, ServiceBusMessageActions actions,
        ServiceBusSessionMessageActions session, CancellationToken cancellation)
    {
        probe.Write($"batch {string.Join(' ', messages.Select(message => message.Body.ToString()))}");
        await actions.CompleteMessageAsync(messages[0], cancellation);
        await session.ReleaseSession(cancellation);
    }
}

public sealed class ClickFunctions(Probe probe)
{
    [Function("Clicks")]
    [FixedDelayRetry(2, "00:00:00")]
    public async Task Clicks(
        [EventHubTrigger("clicks", ConsumerGroup = "views")] EventData[] events, FunctionContext context)
    {
        var bodies = string.Join(' ', events.Select(data => data.EventBody.ToString()));
        probe.Write($"clicks {bodies} #{context.RetryContext.RetryCount}");
        if (bodies.Contains("wait", StringComparison.Ordinal))
        {
            await probe.Opened("click");
        }

        if (bodies.Contains("poison", StringComparison.Ordinal) ||
            (bodies.Contains("stumble", StringComparison.Ordinal) && context.RetryContext.RetryCount == 0))
        {
            throw new InvalidOperationException(bodies);
        }
    }

    [Function("Single")]
    public void OneByOne([EventHubTrigger("clicks", ConsumerGroup = "singles", IsBatched = false)] string body) =>
        probe.Write($"single {body}");
}
